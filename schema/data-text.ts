/**
 * JSON texts of data: uses JSON.parse where it is exact, and otherwise a parser that keeps integers of any size and
 * detects repeated keys.
 */
import { type DataVerdict, unreadable } from "./data.ts";
import { type JsonNode, MAX_JSON_DEPTH, parseJsonText, positionAt } from "./json-text.ts";
import { ok, type Result, refuse } from "./result.ts";

/** Digits of an integer that is kept exactly: as many as the largest double has before its point. */
const MAX_INTEGER_DIGITS = 309;

type DataTextProblem = {
  rule: "json_syntax" | "json_too_deep" | "number_too_large";
  message: string;
  line?: number;
  column?: number;
};

/** `repeated`: where a name first occurs twice in an object. The value has the last one; another reader may take the first. */
type DataText = { value: unknown; repeated?: { line: number; column: number } };

/**
 * Numbers that a double may not represent exactly: sixteen digits in a row, or an exponent. Matches in strings only
 * cost time.
 */
const UNSURE_NUMBER = /\d{16}|\d[eE]/;
/** The end of a name: at least as often as there are members; strings may add more. */
const NAME_END = /"[ \t\r\n]*:/g;

export function parseDataText(text: string): Result<DataText, DataTextProblem> {
  const plain = parsePlainData(text);
  if (plain !== undefined) return ok(plain);
  const parsed = parseJsonText(text);
  if (!parsed.ok) {
    const { rule, message, line, column } = parsed.refusal.problem;
    const place = line === undefined || column === undefined ? {} : { line, column };
    return refuse({ rule: rule as DataTextProblem["rule"], message, ...place });
  }
  const tooLarge = { text: "" };
  const value = exactValue(parsed.value.root, tooLarge);
  if (tooLarge.text !== "") {
    const message = `The number ${tooLarge.text.slice(0, 40)} has more than ${MAX_INTEGER_DIGITS} digits.`;
    return refuse({ rule: "number_too_large", message });
  }
  const [repeated] = parsed.value.duplicates;
  return ok({ value, ...(repeated === undefined ? {} : { repeated: positionAt(text, repeated) }) });
}

/** The value, if its numbers are certainly exact and it is certainly shallow and without duplicate names. */
export function parsePlainData(text: string): { value: unknown } | undefined {
  if (UNSURE_NUMBER.test(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const members = countMembers(value);
  if (members === undefined) return undefined;
  let names = 0;
  NAME_END.lastIndex = 0;
  while (NAME_END.test(text)) names += 1;
  return names === members ? { value } : undefined;
}

/**
 * The number of members in all objects; undefined if the value is too deep. Iterative, because the value may have any
 * depth.
 */
function countMembers(root: unknown): number | undefined {
  let members = 0;
  let level: object[] = typeof root === "object" && root !== null ? [root] : [];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > MAX_JSON_DEPTH) return undefined;
    const next: object[] = [];
    for (const container of level) {
      if (Array.isArray(container)) {
        for (const item of container) if (typeof item === "object" && item !== null) next.push(item);
        continue;
      }
      for (const name in container) {
        members += 1;
        const member = (container as Record<string, unknown>)[name];
        if (typeof member === "object" && member !== null) next.push(member);
      }
    }
    level = next;
  }
  return members;
}

function exactValue(node: JsonNode, tooLarge: { text: string }): unknown {
  switch (node.type) {
    case "object": {
      const plain: Record<string, unknown> = {};
      for (const [name, member] of node.members) setMember(plain, name, exactValue(member, tooLarge));
      return plain;
    }
    case "array":
      return node.items.map((item) => exactValue(item, tooLarge));
    case "number": {
      if (Number.isSafeInteger(node.value)) return node.value;
      const integer = readInteger(node.text);
      if (integer !== undefined) return integer;
      if (!Number.isFinite(node.value)) tooLarge.text = node.text;
      return node.value;
    }
    case "null":
      return null;
    default:
      return node.value;
  }
}

/** Assigning `__proto__` would set the prototype instead of a member. */
function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === "__proto__") {
    Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
  } else object[name] = value;
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** The integer that a number represents, if it is one and not too long; `1e20` and `12.50e1` are integers. */
export function readInteger(text: string): bigint | undefined {
  const [, sign = "", whole = "", fraction = "", power = "0"] = NUMBER.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+(?=\d)/, "");
  const zeros = Number(power) - fraction.length;
  if (digits.length + Math.max(zeros, 0) > MAX_INTEGER_DIGITS) return undefined;
  if (zeros >= 0) return BigInt(`${sign}${digits}${"0".repeat(zeros)}`);
  if (-zeros >= digits.length || /[1-9]/.test(digits.slice(zeros))) return /[1-9]/.test(digits) ? undefined : 0n;
  return BigInt(`${sign}${digits.slice(0, zeros)}`);
}

/** The value as JSON text, with integers of any size. */
export function writeDataText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // JSON.stringify throws this for bigints, which are rare.
    if (!(error instanceof TypeError)) throw error;
    return writeExactly(value);
  }
}

/** Recursion is bounded by MAX_JSON_DEPTH. */
function writeExactly(value: unknown): string {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return `[${value.map(writeExactly).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}:${writeExactly(member)}`)
    .join(",")}}`;
}

const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** The value of JSON bytes. */
export function readDataBytes(bytes: Uint8Array): Result<unknown, DataVerdict> {
  let text: string;
  try {
    text = STRICT_UTF8.decode(bytes);
  } catch {
    return refuse(unreadable("utf8", "JSON in UTF-8", "bytes that are not UTF-8"));
  }
  return readDataText(text);
}

/** The value of a JSON text; a repeated name is an error, because two readers may see two values. */
export function readDataText(text: string): Result<unknown, DataVerdict> {
  const parsed = parseDataText(text);
  if (!parsed.ok) {
    const { rule, message, line, column } = parsed.refusal;
    const place = line === undefined ? "" : ` (line ${line}, column ${column})`;
    return refuse(unreadable(rule, "a JSON text", `a text that is not one: ${message.replace(/\.$/, "")}${place}`));
  }
  const { value, repeated } = parsed.value;
  if (repeated === undefined) return ok(value);
  const { line, column } = repeated;
  return refuse(
    unreadable(
      "repeated_name",
      "names that occur once in their object",
      `one that occurs twice (line ${line}, column ${column})`,
    ),
  );
}
