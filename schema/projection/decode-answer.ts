/**
 * Decodes a provider's response into values of the registered schema, and distinguishes the reasons why there is none.
 */
import type { JsonSchemaModel } from "../json/model.ts";
import { parseJsonSchema } from "../json/parse/parse.ts";
import { type InstanceError, isDeeperThan } from "../json/validate/evaluation.ts";
import { validateInstance } from "../json/validate/validate.ts";
import { writeJsonText } from "../json-text.ts";
import { AnswerContext } from "./answer-context.ts";
import { type AnswerNote, beginningOfJson, readAnswerText, type TextReading } from "./answer-text.ts";
import { MAX_ANSWER_DEPTH } from "./bounds.ts";
import { decodeValue } from "./decode.ts";
import type { AnswerPart, ModelAnswer } from "./model-answer.ts";
import { checkPartialAnswer } from "./partial-answer.ts";
import { parsePartialJson } from "./partial-json.ts";
import type { Projection } from "./project.ts";

/** The call that a value belongs to; both null if it is not a call. */
type Call = { readonly call: { readonly name: string; readonly id: string | null } | null };

export type DecodedAnswer =
  | (Call & { readonly outcome: "valid"; readonly value: unknown; readonly notes: readonly AnswerNote[] })
  | (Call & {
      readonly outcome: "invalid";
      readonly value: unknown;
      readonly errors: readonly InstanceError[];
      readonly notes: readonly AnswerNote[];
    })
  /** Decoded but not validated, because the schema could not be evaluated. */
  | (Call & { readonly outcome: "not_validated"; readonly value: unknown; readonly message: string })
  /** Truncated by the token limit or a filter. The value is the part that arrived, decoded as far as possible. */
  | (Call & {
      readonly outcome: "truncated" | "filtered";
      readonly end_reason: string | null;
      readonly value: unknown;
      readonly errors: readonly InstanceError[];
    })
  | { readonly outcome: "refused"; readonly message: string }
  | (Call & { readonly outcome: "not_json" | "empty" | "too_large"; readonly message: string })
  /** A call of a tool other than the requested one. */
  | (Call & { readonly outcome: "other_tool" });

type Validated = Extract<DecodedAnswer, { outcome: "valid" | "invalid" | "not_validated" }>;

type AnswerTarget = {
  readonly registered: JsonSchemaModel;
  readonly projection: Projection;
  /** The tool whose calls are decoded; by default, calls of every tool are. */
  readonly tool?: string;
};

/** One outcome per call and one for the text, in the order of the response; at least one. */
export function decodeAnswer(target: AnswerTarget, answer: ModelAnswer): DecodedAnswer[] {
  const decoding = new AnswerDecoding(target, answer);
  const parts = joined(answer.parts);
  if (parts.length === 0) return [decoding.nothing()];
  return parts.map((part, index) => decoding.part(part, index === parts.length - 1));
}

/** Text next to calls is commentary; several pieces of text are joined. */
function joined(parts: readonly AnswerPart[]): AnswerPart[] {
  const calls = parts.filter(({ part }) => part !== "text");
  if (calls.length > 0) return calls;
  const text = parts.flatMap((part) => (part.part === "text" ? [part.text] : [])).join("");
  return text === "" ? [] : [{ part: "text", text }];
}

class AnswerDecoding {
  readonly #target: AnswerTarget;
  readonly #answer: ModelAnswer;
  readonly #context: AnswerContext;

  constructor(target: AnswerTarget, answer: ModelAnswer) {
    this.#target = target;
    this.#answer = answer;
    this.#context = new AnswerContext(target.projection.decoder, target.registered);
  }

  nothing(): DecodedAnswer {
    const { end, endReason } = this.#answer;
    if (end === "whole") return { outcome: "empty", call: null, message: "The response has neither text nor a call." };
    const outcome = end === "cut" ? "truncated" : "filtered";
    return { outcome, call: null, end_reason: endReason, value: undefined, errors: [] };
  }

  part(part: AnswerPart, isLast: boolean): DecodedAnswer {
    if (part.part === "refusal") return { outcome: "refused", message: part.message };
    if (part.part === "text") return this.#text(part.text, null, isLast);
    const call = part.name === "" && part.id === null ? null : { name: part.name, id: part.id };
    const { tool } = this.#target;
    if (tool !== undefined && call !== null && call.name !== tool) return { outcome: "other_tool", call };
    if (typeof part.arguments === "string") return this.#text(part.arguments, call, isLast);
    if (isDeeperThan(part.arguments, MAX_ANSWER_DEPTH)) {
      return { outcome: "too_large", call, message: `The answer is nested deeper than ${MAX_ANSWER_DEPTH} levels.` };
    }
    const decoded = this.#validated(part.arguments, call, []);
    // The provider closes a truncated object, so its last members may be missing or cut even if it is valid.
    return isLast ? (this.#cut(decoded) ?? decoded) : decoded;
  }

  #cut(decoded: Validated): DecodedAnswer | undefined {
    const { end, endReason } = this.#answer;
    if (end === "whole") return undefined;
    const { call, value } = decoded;
    return { outcome: end === "cut" ? "truncated" : "filtered", call, end_reason: endReason, value, errors: [] };
  }

  #text(text: string, call: Call["call"], isLast: boolean): DecodedAnswer {
    const reading = readAnswerText(text);
    const { end } = this.#answer;
    if (isLast && end !== "whole" && !isWholeJson(text, reading)) return this.#partial(text, call, end);
    if (!reading.ok) return { outcome: reading.refusal.reason, call, message: reading.refusal.message };
    return this.#validated(reading.value.value, call, reading.value.notes);
  }

  #partial(text: string, call: Call["call"], end: "cut" | "filtered"): DecodedAnswer {
    const { errors, value } = checkPartialAnswer(this.#projected(), text);
    return {
      outcome: end === "cut" ? "truncated" : "filtered",
      call,
      end_reason: this.#answer.endReason,
      value: value === undefined ? undefined : decodeValue(this.#context, value),
      errors,
    };
  }

  #projected(): JsonSchemaModel {
    const text = writeJsonText(this.#target.projection.plainSchema);
    const parsed = parseJsonSchema({ text, references: [] }, { strictness: "stored", defaultDialect: "2020-12" });
    // A projection wrote the schema, so it can be parsed; the registered schema is the fallback.
    return parsed.ok ? parsed.value.model : this.#target.registered;
  }

  #validated(given: unknown, call: Call["call"], notes: readonly AnswerNote[]): Validated {
    const value = decodeValue(this.#context, given);
    const validation = validateInstance(this.#target.registered, value, { formats: true });
    if (!validation.ok) return { outcome: "not_validated", call, value, message: validation.refusal.message };
    return validation.value.valid
      ? { outcome: "valid", call, value, notes }
      : { outcome: "invalid", call, value, errors: validation.value.errors, notes };
  }
}

/** A response that reached its limit just after the end of its JSON lost nothing. */
function isWholeJson(text: string, reading: TextReading): boolean {
  if (!reading.ok) return false;
  if (!reading.value.notes.includes("surrounded_by_text")) return true;
  const parsed = parsePartialJson(beginningOfJson(text));
  return parsed.ok && parsed.value.isComplete;
}
