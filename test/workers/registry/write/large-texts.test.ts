import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hostileRegistry } from "../../http/native-calls.ts";

/** A schema whose text stays above 4 KiB when deflated, so that it is stored in R2. */
function largeSchema(seed: string) {
  const symbols = Array.from({ length: 400 }, (_, index) => `S${index}_${seed}_${randomBytes(12).toString("hex")}`);
  return { type: "enum", name: "Large", symbols };
}

describe("a text too large for the primary, on the hostile platform", () => {
  it("is registered by concurrent writers of the same text, although R2 accepts one write a second per key", async () => {
    const registry = hostileRegistry();
    const content = largeSchema("a");

    const records = await Promise.all(
      ["one", "two", "three", "four"].map((subject) => registry.register(subject, content)),
    );

    expect(new Set(records.map(({ confluent_id }) => confluent_id)).size).toBe(1);
    const read = await registry.get(`/schemas/${records[3]!.id}/content`);
    expect(read.body).toMatchObject({ content });
  });

  it("is refused with 503 while R2 is unreachable, and nothing is written", async () => {
    const registry = hostileRegistry();
    registry.platform.r2.away = true;
    const body = { subject: "one", format: "avro", content: largeSchema("b") };

    const refused = await registry.call("POST", "/schemas", { body });
    registry.platform.r2.away = false;
    const log = await registry.get("/log?after=0");
    const repeated = await registry.call("POST", "/schemas", { body });

    expect(refused.status).toBe(503);
    expect(refused.headers.get("Retry-After")).not.toBeNull();
    expect(log.body).toMatchObject({ items: [] });
    expect(repeated.status).toBe(201);
  });
});
