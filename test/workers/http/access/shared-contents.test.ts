import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Bindings } from "../../../../workers/edge.ts";
import { MAX_KEPT_USES, USES_FRESH_MS } from "../../../../workers/read-path/uses.ts";
import { GuardedRegistry } from "../../../support/guarded-registry.ts";

/** A content that `red` and other subjects use, and a key for `red` alone. */
async function shared(uses: number) {
  const registry = new GuardedRegistry(env as unknown as Bindings);
  const { admin } = await registry.makeTenant();
  const content = { type: "record", name: "Shared", fields: [{ name: "id", type: "string" }] };
  const ids = new Set<unknown>();
  for (const subject of ["red", ...Array.from({ length: uses - 1 }, (_, index) => `blue-${index}`)]) {
    const body = { subject, format: "avro", content };
    ids.add((await registry.call("POST", "/api/v1/schemas", { key: admin, body })).body.confluent_id);
  }
  expect(ids.size).toBe(1);
  const key = await registry.makeKey([{ role: "reader", subject: "red" }], { by: admin });
  const read = async () => (await registry.call("GET", `/schemas/ids/${[...ids][0]}`, { key })).status;
  const remove = async () => {
    await registry.call("DELETE", "/subjects/red", { key: admin });
    await registry.call("DELETE", "/subjects/red?permanent=true", { key: admin });
  };
  return { registry, read, remove };
}

describe("a content that the caller's subject no longer uses", () => {
  it(`is read for at most a minute where ${MAX_KEPT_USES} subjects used it`, async () => {
    const { registry, read, remove } = await shared(MAX_KEPT_USES);
    expect(await read()).toBe(200);
    await remove();

    registry.clock.advance(USES_FRESH_MS - 10_000);
    expect(await read()).toBe(200);
    registry.clock.advance(10_001);
    expect(await read()).toBe(404);
  });

  it("is refused at once where more subjects used it, because the primary decides", async () => {
    const { read, remove } = await shared(MAX_KEPT_USES + 1);
    expect(await read()).toBe(200);
    await remove();

    expect(await read()).toBe(404);
  });
});
