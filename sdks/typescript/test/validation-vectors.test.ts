/** contract/vectors/validation: the answers that every SDK gives, in its process and by asking. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { JSONSchema, type Reference, SchemaRegistry } from "../src/index.ts";

const REGISTRY_URL = process.env.REGISTRY_URL;
const FILE = new URL("../../../contract/vectors/validation/json-schema.json", import.meta.url);

interface Registered {
  subject?: string;
  schema: boolean | { [keyword: string]: unknown };
  references?: Reference[];
}

interface Vector extends Registered {
  description: string;
  before?: Registered[];
  valid: unknown[];
  invalid: unknown[];
}

const { vectors } = JSON.parse(readFileSync(FILE, "utf8")) as { vectors: Vector[] };

describe.skipIf(REGISTRY_URL === undefined)("the vectors of validation", () => {
  const registry = new SchemaRegistry(REGISTRY_URL ?? "http://localhost");

  function register({ subject = `ts-vector-${randomUUID()}`, schema, references = [] }: Registered): Promise<string> {
    return registry.registerSchema({ subject, schema: new JSONSchema(schema), references });
  }

  it.each(vectors)("$description", async (vector) => {
    const text = JSON.stringify(vector).replaceAll("$run", `ts-vector-${randomUUID()}`);
    const { before = [], valid, invalid, ...schema } = JSON.parse(text) as Vector;
    for (const referenced of before) await register(referenced);
    const id = await register(schema);

    for (const [isValid, data] of [...valid.map((one) => [true, one]), ...invalid.map((one) => [false, one])]) {
      expect(await registry.validate(data, id)).toBe(isValid);
      expect(await registry.validate(data, id, { remote: true })).toBe(isValid);
    }
  });
});
