/** YAML as its authors write schemas and OpenAPI documents: JSON text for the parsers, positions of the YAML for people. */
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from "yaml";
import { unescapePointerToken } from "../../schema/json-text.ts";
import { UsageError } from "../usage-error.ts";
import type { Locate } from "./locate.ts";

/** The maximum expansion of anchors, nested aliases multiplied: a small file must not become a huge value. */
const MAX_ALIAS_OCCURRENCES = 100;

export function readYaml(place: string, text: string): { json: string; locate: (base: string) => Locate } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true });
  const placeAt = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${place}:${line}:${col}`;
  };
  const [problem] = document.errors;
  if (problem !== undefined) throw new UsageError(`${placeAt(problem.pos[0])}: ${problem.message.split("\n")[0]}`);
  if (document.contents === null) throw new UsageError(`${place} is empty.`);
  keepNumbers(document, placeAt);
  const locate =
    (base: string): Locate =>
    (pointer) => {
      const tokens = (base + pointer.replace(/^#/, "")).split("/").slice(1).map(unescapePointerToken);
      const { line, col } = lines.linePos(startOf(document, tokens));
      return { line, column: col };
    };
  return { json: writeJson(place, resolveAliases(place, document)), locate };
}

/** A number as its author wrote it. Each text has one object, because merged keys are compared by identity. */
class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Puts the texts of numbers in place of their values, which JavaScript would round. */
function keepNumbers(document: Document, placeAt: (offset: number) => string): void {
  const known = new Map<string, NumberText>();
  visit(document, {
    Scalar(_, scalar) {
      const { value, source } = scalar;
      if (typeof value === "number") {
        const text = numberText(source ?? String(value), value);
        if (text === undefined) {
          throw new UsageError(`${placeAt(scalar.range?.[0] ?? 0)}: JSON has no number ${source ?? value}.`);
        }
        const number = known.get(text) ?? new NumberText(text);
        known.set(text, number);
        scalar.value = number;
      } else if (value instanceof Date || value instanceof Uint8Array) scalar.value = source;
    },
  });
}

/** Exact JSON of a YAML number; undefined for `.inf` and `.nan`. */
function numberText(source: string, value: number): string | undefined {
  // YAML 1.1 allows underscores, and reads 017 as 15.
  const plain = source.replaceAll("_", "");
  const [, sign, whole = "", fraction, exponent] = /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+))?$/.exec(plain) ?? [];
  if (sign !== undefined && Number(plain) === value) {
    const integer = whole.replace(/^0+(?=\d)/, "") || "0";
    return `${sign === "-" ? "-" : ""}${integer}${fraction ? `.${fraction}` : ""}${exponent ? `e${exponent}` : ""}`;
  }
  const [, minus, digits] = /^([-+]?)(0[xXoObB][\da-fA-F]+)$/.exec(plain) ?? [];
  if (digits !== undefined) return `${minus === "-" ? "-" : ""}${BigInt(digits)}`;
  return Number.isFinite(value) ? String(value) : undefined;
}

function resolveAliases(place: string, document: Document): unknown {
  try {
    // Maps keep the order of keys that look like numbers.
    return document.toJS({ maxAliasCount: MAX_ALIAS_OCCURRENCES, mapAsMap: true });
  } catch (error) {
    throw new UsageError(`${place}: ${(error as Error).message}.`);
  }
}

/** `above`: the lists and maps around the value. */
function writeJson(place: string, value: unknown, above = new Set<unknown>()): string {
  if (value instanceof NumberText) return value.text;
  if (!Array.isArray(value) && !(value instanceof Map)) return JSON.stringify(value ?? null);
  if (above.has(value)) throw new UsageError(`${place}: an alias repeats a value within itself.`);
  above.add(value);
  const parts = Array.isArray(value)
    ? value.map((item) => writeJson(place, item, above))
    : [...value].map(([key, item]) => `${JSON.stringify(keyText(place, key))}:${writeJson(place, item, above)}`);
  above.delete(value);
  return Array.isArray(value) ? `[${parts.join(",")}]` : `{${parts.join(",")}}`;
}

function keyText(place: string, key: unknown): string {
  if (key instanceof NumberText) return key.text;
  if (typeof key !== "object" || key === null) return String(key);
  throw new UsageError(`${place}: a key is a list or a map, which JSON does not have.`);
}

/** The offset of what the tokens lead to, or of the nearest value around it. */
function startOf(document: Document, tokens: readonly string[]): number {
  let node: unknown = document.contents;
  let start = 0;
  for (let depth = 0; ; depth += 1) {
    if (isNode(node) && node.range) [start] = node.range;
    if (isAlias(node)) node = node.resolve(document);
    const token = tokens[depth];
    if (token === undefined) return start;
    if (isMap(node)) {
      node = node.items.find(({ key }) => isScalar(key) && textOfKey(key.value) === token)?.value;
    } else if (isSeq(node)) node = node.items[Number(token)];
    else return start;
  }
}

function textOfKey(value: unknown): string {
  return value instanceof NumberText ? value.text : String(value);
}
