/** Converts the content a caller sent to the text a format reads. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { FormatName } from "../../../schema/format.ts";
import { type JsonNode, writeJsonString, writeJsonText } from "../../../schema/json-text.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";

/** Far above any real schema (the largest in the corpus is a tenth), and cheap enough to parse at the edge. */
export const MAX_SCHEMA_TEXT_BYTES = 1024 * 1024;

/** Whether a format's texts are JSON, so that content may be a JSON value. */
export function isWrittenInJson(format: FormatName): boolean {
  return format !== "protobuf";
}

/** Start of a JSON document; a schema that is itself a JSON string does not match. */
const BEGINS_LIKE_JSON = /^\s*[{["]/;

export type ContentText = {
  text: string;
  /** The text was serialised from a value, so its lines and columns are not the caller's. */
  isRewritten: boolean;
};

/**
 * The text of a content: the JSON of a value, or the given text. For formats written in JSON, a string is text if it starts
 * like a JSON document, and otherwise the value itself, such as Avro's `"string"`.
 */
export function contentText(format: FormatName, content: JsonNode): Result<ContentText, Refusal> {
  if (content.type === "string") {
    const isValue = isWrittenInJson(format) && !BEGINS_LIKE_JSON.test(content.value);
    return isValue ? withinLimit(writeJsonString(content.value), true) : withinLimit(content.value, false);
  }
  if (isWrittenInJson(format)) return withinLimit(writeJsonText(content), true);
  const detail = `The content of a ${format} schema is its text, a JSON string.`;
  return refuse(
    makeRefusal("BAD_REQUEST", [detail], detail, {
      items: [{ pointer: "/content", rule: "type", message: detail }],
    }),
  );
}

/** The text of a schema file, unchanged in every format. */
export function schemaFileText(text: string): Result<ContentText, Refusal> {
  if (text.trim() !== "") return withinLimit(text, false);
  const detail = "The body is empty (expected the schema's text).";
  return refuse(makeRefusal("BAD_REQUEST", [detail], detail, { items: [{ rule: "required", message: detail }] }));
}

function withinLimit(text: string, isRewritten: boolean): Result<ContentText, Refusal> {
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_SCHEMA_TEXT_BYTES) return ok({ text, isRewritten });
  return refuse(
    makeRefusal(
      "SCHEMA_TOO_LARGE",
      [],
      `The schema's text has ${bytes} bytes; at most ${MAX_SCHEMA_TEXT_BYTES} are accepted.`,
    ),
  );
}

/** Problems without lines and columns, which mean nothing to the caller; pointers stay. */
export function inCallersText<T extends { line?: number; column?: number }>(
  items: readonly T[],
  { isRewritten }: Pick<ContentText, "isRewritten">,
): readonly T[] {
  if (!isRewritten) return items;
  return items.map((item) => {
    const { line: _, column: __, ...rest } = item;
    return rest as T;
  });
}
