/** Checks parsed JSON against a schema of the contract's document, with the engine that the registry offers to everybody. */
import type { ErrorItem } from "../../contract/errors.ts";
import { parseJsonSchema } from "../../schema/json/parse/parse.ts";
import { validateInstance } from "../../schema/json/validate/validate.ts";

export type ContractSchema = Readonly<Record<string, unknown>>;
export type CheckBody = (value: unknown) => ErrorItem[];

/** More reasons than this help nobody. */
export const MAX_REPORTED_ITEMS = 20;

/** `components` are the document's schemas, which `schema` may refer to. */
export function compileBodyCheck(schema: ContractSchema, components: Readonly<Record<string, unknown>>): CheckBody {
  const text = JSON.stringify({ ...schema, $defs: components }).replaceAll("#/components/schemas/", "#/$defs/");
  const parsed = parseJsonSchema({ text, references: [] }, { strictness: "new", defaultDialect: "2020-12" });
  if (!parsed.ok) throw new Error(`The contract's document holds an invalid schema: ${parsed.problems[0]?.message}`);
  const { model } = parsed;
  return (value) => {
    const result = validateInstance(model, value, { formats: false });
    if (!result.ok) return [{ pointer: "", rule: result.reason, message: result.message }];
    // Which alternative came closest says more than that none of them holds.
    const telling = result.errors.filter(({ keyword }) => keyword !== "anyOf");
    return (telling.length > 0 ? telling : result.errors)
      .slice(0, MAX_REPORTED_ITEMS)
      .map(({ pointer, keyword, message }) => ({
        pointer,
        rule: keyword === "additionalProperties" ? "unknown_field" : keyword,
        message: keyword === "additionalProperties" ? "This field is not known here." : message,
      }));
  };
}
