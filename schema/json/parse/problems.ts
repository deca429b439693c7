/** Problems of JSON Schemas: their location, wording and number. */
import type { SchemaProblem } from "../../format.ts";
import type { JsonNode } from "../../json-text.ts";
import type { SchemaDocument } from "../model.ts";

/** Problems in one response; more are not helpful. */
export const MAX_PROBLEMS = 50;
/** Characters quoted in a message. */
const MAX_QUOTED_CHARACTERS = 120;
/** Characters of a pointer that is shown; for longer ones, line and column give the location. */
const MAX_POINTER_CHARACTERS = 2_000;

/** Thrown by a walk that reaches a limit, and caught where parsing starts. */
export class TooComplexSchema extends Error {
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(message);
    this.rule = rule;
  }
}

/** A text in quotes, truncated if it is long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED_CHARACTERS ? `${text.slice(0, MAX_QUOTED_CHARACTERS)}…` : text);
}

/** The offsets of the lines of a text, so that many positions take one pass. */
class Lines {
  readonly #starts: number[] = [0];

  constructor(text: string) {
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) this.#starts.push(at + 1);
  }

  positionAt(offset: number): { line: number; column: number } {
    let [low, high] = [0, this.#starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - this.#starts[low]! + 1 };
  }
}

/** Derived only from a document's text. */
const LINES = new WeakMap<SchemaDocument, Lines>();

/** Line and column of an offset, both from 1. */
export function documentPosition(document: SchemaDocument, offset: number): { line: number; column: number } {
  const known = LINES.get(document) ?? new Lines(document.text);
  LINES.set(document, known);
  return known.positionAt(offset);
}

/** A problem at a node. Positions are those of the schema itself, so one in a reference names the reference instead. */
export function problemAt(
  document: SchemaDocument,
  pointer: string,
  node: JsonNode,
  rule: string,
  message: string,
): SchemaProblem {
  if (document.name !== null) return { rule, message: `In reference ${quoted(document.name)}: ${message}` };
  const position = documentPosition(document, node.start);
  return pointer.length > MAX_POINTER_CHARACTERS
    ? { rule, message, ...position }
    : { rule, message, pointer, ...position };
}
