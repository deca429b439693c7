import { describe, expect, it } from "vitest";
import { MAX_BUNDLE_CHARACTERS } from "../../../../workers/registry/compatibility/bundle.ts";
import { plainRegistry } from "../native-calls.ts";

/** Just below what a body may have. */
const CHARACTERS = 1_000_000;

describe("POST /compatibility/bundle", () => {
  const content = (version: number) => ({
    type: "record",
    name: "R",
    doc: "d".repeat(CHARACTERS),
    fields: [{ name: `f${version}`, type: "int", default: 0 }],
  });

  it(`compares ${MAX_BUNDLE_CHARACTERS} characters and refuses more`, { timeout: 240_000 }, async () => {
    const registry = plainRegistry();
    // One direction reads both sides of every pair.
    const most = Math.floor(MAX_BUNDLE_CHARACTERS / (2 * CHARACTERS)) - 1;
    const ask = () =>
      registry.call("POST", "/compatibility/bundle", {
        body: {
          level: "BACKWARD_TRANSITIVE",
          schemas: [{ subject: "s", format: "avro", content: content(1_000) }],
        },
      });
    const register = (version: number) =>
      registry.register("s", content(version), { compatibility_level: "NONE", format: "avro" });
    for (let version = 0; version < most; version += 1) await register(version);

    const within = await ask();
    for (let version = most; version < most + 3; version += 1) await register(version);
    const beyond = await ask();

    expect(within.status, within.text.slice(0, 500)).toBe(200);
    expect(beyond.status, beyond.text.slice(0, 500)).toBe(422);
    expect(beyond.body).toMatchObject({ code: "too_complex" });
    expect(beyond.text).toContain(String(MAX_BUNDLE_CHARACTERS));
  });
});
