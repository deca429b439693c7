/** An answer that is still arriving: the value so far, and errors that no continuation can fix. */
import type { JsonSchemaModel } from "../json/model.ts";
import type { InstanceError } from "../json/validate/evaluation.ts";
import { validateInstance } from "../json/validate/validate.ts";
import { beginningOfJson } from "./answer-text.ts";
import { parsePartialJson } from "./partial-json.ts";

type PartialAnswer = {
  /** In the projected form; undefined before the first value. */
  readonly value: unknown;
  readonly isComplete: boolean;
  /** Errors that no continuation can fix; pointers are into the projected form. */
  readonly errors: readonly InstanceError[];
  /** The reason the text cannot be the beginning of JSON; undefined if it can. */
  readonly problem?: string;
};

/** Keywords that further text cannot satisfy once they are violated, even in an open value. */
const FINAL: ReadonlySet<string> = new Set([
  "type",
  "additionalProperties",
  "false schema",
  "maxItems",
  "maxLength",
  "maxProperties",
]);

/** Validates the beginning of an answer against the schema that the model was given. */
export function checkPartialAnswer(projected: JsonSchemaModel, text: string): PartialAnswer {
  const parsed = parsePartialJson(beginningOfJson(text));
  if (!parsed.ok) return { value: undefined, isComplete: false, errors: [], problem: parsed.refusal.message };
  const { value, isComplete, open } = parsed.value;
  if (value === undefined) return { value, isComplete, errors: [] };
  const validation = validateInstance(projected, value, { formats: true });
  if (!validation.ok) return { value, isComplete, errors: [] };
  const growing = new Set(open);
  const errors = validation.value.errors.filter(({ pointer, keyword }) => {
    if (isComplete || !growing.has(pointer)) return true;
    // Only received members are counted, so an excess is final.
    return FINAL.has(keyword);
  });
  return { value, isComplete, errors };
}
