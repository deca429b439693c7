/**
 * The entry that is bundled into the package: the registry's JSON Schema interpreter behind the interface of
 * src/validation/json-schema-engine.d.ts. It is built from the server's sources, so client and server agree by construction.
 */
import type { JsonDialect } from "../../../schema/format.ts";
import { parseJsonSchema } from "../../../schema/json/parse/parse.ts";
import { validateInstance } from "../../../schema/json/validate/validate.ts";
import type { LocalResult, SchemaText } from "../src/validation/json-schema-engine.js";

const DIALECTS: readonly string[] = ["draft-04", "draft-06", "draft-07", "2019-09", "2020-12"] satisfies JsonDialect[];

export function compileJsonSchema(schema: SchemaText): ((data: unknown) => LocalResult | undefined) | undefined {
  if (!DIALECTS.includes(schema.dialect)) return undefined;
  // A registered schema was already checked, and its text has been through JSON.parse: what that may have rounded is left to the registry.
  if (hasRoundedNumber(JSON.parse(schema.text))) return undefined;
  const options = { strictness: "stored", defaultDialect: schema.dialect as JsonDialect } as const;
  const parsed = parseJsonSchema({ text: schema.text, references: [] }, options);
  if (!parsed.ok) return undefined;
  return (data) => {
    const value = toJson(data);
    if (value === undefined) return undefined;
    const result = validateInstance(parsed.value.model, value, { formats: true });
    if (!result.ok) return undefined;
    const errors = result.value.errors.map(({ pointer, message, keyword, expected, got }) => ({
      pointer,
      message,
      keyword,
      expected,
      got,
    }));
    return { valid: result.value.valid, errors };
  };
}

/** What would be sent: dates become text, members that are undefined go. Undefined where the value is not JSON. */
function toJson(data: unknown): unknown {
  const text = JSON.stringify(data);
  return text === undefined ? undefined : JSON.parse(text);
}

function hasRoundedNumber(value: unknown): boolean {
  const open = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next === "number" && Math.abs(next) > Number.MAX_SAFE_INTEGER) return true;
    if (typeof next === "object" && next !== null) open.push(...Object.values(next));
  }
  return false;
}
