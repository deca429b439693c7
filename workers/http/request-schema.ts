/**
 * Validates parsed JSON against a schema of the OpenAPI document, with the same engine that the registry offers to
 * users.
 */
import type { ErrorItem } from "../../contract/errors.ts";
import { parseJsonSchema } from "../../schema/json/parse/parse.ts";
import type { InstanceError } from "../../schema/json/validate/evaluation.ts";
import { validateInstance } from "../../schema/json/validate/validate.ts";
import { unescapePointerToken } from "../../schema/json-text.ts";
import { nearestWord } from "../../schema/spelling.ts";

export type ContractSchema = Readonly<Record<string, unknown>>;
export type CheckBody = (value: unknown) => ErrorItem[];

/** A longer list of reasons is not helpful. */
export const MAX_REPORTED_ITEMS = 20;

/** `components` are the document's schemas, which `schema` may reference. */
export function compileBodyCheck(schema: ContractSchema, components: Readonly<Record<string, unknown>>): CheckBody {
  const text = JSON.stringify({ ...schema, $defs: components }).replaceAll("#/components/schemas/", "#/$defs/");
  const parsed = parseJsonSchema({ text, references: [] }, { strictness: "new", defaultDialect: "2020-12" });
  if (!parsed.ok)
    throw new Error(`The contract's document holds an invalid schema: ${parsed.refusal.problems[0]?.message}`);
  const { model } = parsed.value;
  const document = JSON.parse(text) as unknown;
  return (value) => {
    const result = validateInstance(model, value, { formats: false });
    if (!result.ok) return [{ pointer: "", rule: result.refusal.reason, message: result.refusal.message }];
    // Reporting the closest alternative is more helpful than reporting that none matches.
    const telling = result.value.errors.filter(({ keyword }) => keyword !== "anyOf");
    return (telling.length > 0 ? telling : result.value.errors)
      .slice(0, MAX_REPORTED_ITEMS)
      .map((error) => toErrorItem(error, schemaHolding(document, error.schema_pointer)));
  };
}

function toErrorItem({ pointer, keyword, message, got }: InstanceError, schema: ContractSchema | undefined): ErrorItem {
  if (keyword === "additionalProperties") {
    return { pointer, rule: "unknown_field", message: unknownField(pointer, schema) };
  }
  if (keyword === "enum" && Array.isArray(schema?.enum)) {
    return { pointer, rule: keyword, message: `Expected one of ${schema.enum.join(", ")}; got ${got}.` };
  }
  return { pointer, rule: keyword, message };
}

/** Field names of the Confluent API and their native equivalents. */
const CONFLUENT_NAMES: Readonly<Record<string, string>> = {
  schemaType: "format",
  ruleSet: "contract.rule_set",
  compatibility: "level",
  compatibilityLevel: "level",
};

function unknownField(pointer: string, schema: ContractSchema | undefined): string {
  const name = unescapePointerToken(pointer.slice(pointer.lastIndexOf("/") + 1));
  const known = Object.keys((schema?.properties ?? {}) as object);
  const own = Object.hasOwn(CONFLUENT_NAMES, name) ? CONFLUENT_NAMES[name] : undefined;
  if (own !== undefined) {
    return `"${name}" belongs to the Confluent API, whose routes are outside /api/v1; here it is "${own}". Known fields: ${known.join(", ")}.`;
  }
  const meant = nearestWord(name, known);
  return `Unknown field "${name}".${meant === undefined ? "" : ` Did you mean "${meant}"?`} Known fields: ${known.join(", ")}.`;
}

/** The schema that contains the keyword at a pointer. */
function schemaHolding(document: unknown, pointer: string): ContractSchema | undefined {
  let node: unknown = document;
  for (const token of pointer.split("/").slice(1, -1)) {
    node = (node as Record<string, unknown> | undefined)?.[unescapePointerToken(token)];
  }
  return node as ContractSchema | undefined;
}
