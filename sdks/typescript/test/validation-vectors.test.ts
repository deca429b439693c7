/** contract/vectors/validation: the answers that every SDK gives, in its process and by asking. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { JSONSchema, SchemaRegistry } from "../src/index.ts";

const REGISTRY_URL = process.env.REGISTRY_URL;
const FILE = new URL("../../../contract/vectors/validation/json-schema.json", import.meta.url);

interface Vector {
  description: string;
  schema: boolean | { [keyword: string]: unknown };
  valid: unknown[];
  invalid: unknown[];
}

const { vectors } = JSON.parse(readFileSync(FILE, "utf8")) as { vectors: Vector[] };

describe.skipIf(REGISTRY_URL === undefined)("the vectors of validation", () => {
  const registry = new SchemaRegistry(REGISTRY_URL ?? "http://localhost");

  it.each(vectors)("$description", async ({ schema, valid, invalid }) => {
    const id = await registry.registerSchema({ subject: `ts-vector-${randomUUID()}`, schema: new JSONSchema(schema) });

    for (const [isValid, data] of [...valid.map((one) => [true, one]), ...invalid.map((one) => [false, one])]) {
      expect(await registry.validate(data, id)).toBe(isValid);
      expect(await registry.validate(data, id, { remote: true })).toBe(isValid);
    }
  });
});
