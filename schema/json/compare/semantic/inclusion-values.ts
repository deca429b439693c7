/** Types, listed values, numbers and strings: does what the writer may write satisfy what the reader says of it? */
import type { JsonNode } from "../../../json-text.ts";
import { toPlainValue, writeJsonText } from "../../../json-text.ts";
import { equalityKey } from "../../validate/equality.ts";
import { FORMATS } from "../../validate/format-keyword.ts";
import {
  addDecimals,
  compareDecimals,
  type Decimal,
  decimalOf,
  decimalOfNumber,
  decimalText,
  decimalToNumber,
  floorToMultiple,
  isInteger,
  isMultipleOf,
} from "../decimal.ts";
import type { Evaluator } from "./evaluate.ts";
import { formatImplies } from "./format-keyword.ts";
import { type Found, NONE, writerPointer } from "./inclusion.ts";
import type { PatternSearch, StringAnswer } from "./pattern-search.ts";
import type { State } from "./state.ts";
import { ALL_TYPES, type Bound, NUMBER, TYPE, type View } from "./view.ts";

/** Values handed on to whoever looks for a witness. */
const MAX_HINTS = 20;
/** Values named in a message. */
const MAX_NAMED_VALUES = 5;

export function checkType(state: State, reader: View): readonly Found[] {
  const refused = state.types & ~reader.types!;
  if (refused === 0) return NONE;
  const { typeSource } = state.shape;
  const shared = state.types & reader.types!;
  const isFractionOnly = refused === TYPE.fraction && (shared & TYPE.integer) !== 0;
  const isAny = state.types === ALL_TYPES;
  const writes = isAny ? "any value" : typeNames(state.types);
  return [
    {
      kind: isFractionOnly || (shared !== 0 && !isAny) ? "TYPE_NARROWED" : "TYPE_CHANGED",
      reader: reader.at("type"),
      writer: typeSource?.location ? typeSource.at("type") : writerPointer(state),
      message: `The writer may write ${writes}, the reader accepts ${typeNames(reader.types!) || "nothing"} only.`,
      fix: `Let the reader accept ${typeNames(refused)} as well.`,
      traces: [
        {
          at: "end",
          state,
          reader,
          hints: SAMPLES.filter(([bit]) => (bit & refused) !== 0).map(([, value]) => value),
        },
      ],
    },
  ];
}

const SAMPLES: readonly [number, unknown][] = [
  [TYPE.string, ""],
  [TYPE.integer, 0],
  [TYPE.fraction, 0.5],
  [TYPE.boolean, true],
  [TYPE.null, null],
  [TYPE.array, []],
  [TYPE.object, {}],
];

function typeNames(types: number): string {
  const names: string[] = [];
  if ((types & TYPE.string) !== 0) names.push("strings");
  if ((types & NUMBER) === NUMBER) names.push("numbers");
  else if ((types & TYPE.integer) !== 0) names.push("integers");
  else if ((types & TYPE.fraction) !== 0) names.push("numbers that are not integers");
  if ((types & TYPE.boolean) !== 0) names.push("booleans");
  if ((types & TYPE.null) !== 0) names.push("null");
  if ((types & TYPE.array) !== 0) names.push("arrays");
  if ((types & TYPE.object) !== 0) names.push("objects");
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

export function checkValues(state: State, reader: View): readonly Found[] {
  const found: Found[] = [];
  if (reader.enumeration) found.push(...checkListed(state, reader, reader.enumeration, "enum"));
  if (reader.constantValue) found.push(...checkListed(state, reader, [reader.constantValue], "const"));
  return found;
}

function checkListed(
  state: State,
  reader: View,
  accepted: readonly JsonNode[],
  keyword: "enum" | "const",
): readonly Found[] {
  const keys = new Set(accepted.map(equalityKey));
  const { values } = state;
  const source = state.shape.valuesSource;
  const trace = (hints: readonly unknown[]) => ({ at: "end", state, reader, hints }) as const;
  if (values === undefined) {
    return [
      {
        kind: keyword === "enum" ? "ENUM_ARRAY_ADDED" : "CONST_ADDED",
        reader: reader.at(keyword),
        writer: writerPointer(state),
        message: `The reader accepts listed values only (${namedValues(accepted)}), the writer does not list what it writes.`,
        traces: [trace([])],
      },
    ];
  }
  const refused = values.filter((value) => !keys.has(equalityKey(value)));
  if (refused.length === 0) return NONE;
  const writerKeyword = source?.constantValue ? "const" : "enum";
  const written = new Set(values.map(equalityKey));
  const isNarrowed = [...keys].every((key) => written.has(key));
  return [
    {
      kind: isNarrowed ? "ENUM_ARRAY_NARROWED" : "ENUM_ARRAY_CHANGED",
      reader: reader.at(keyword),
      writer: source?.location ? source.at(writerKeyword) : writerPointer(state),
      message: `The writer may write ${namedValues(refused)}, which the reader does not accept.`,
      fix: `Let the reader accept ${namedValues(refused)} as well.`,
      traces: [trace(refused.slice(0, MAX_HINTS).map(toPlainValue))],
    },
  ];
}

function namedValues(values: readonly JsonNode[]): string {
  const named = values.slice(0, MAX_NAMED_VALUES).map((value) => writeJsonText(value));
  const rest = values.length - named.length;
  return named.join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

export function checkNumber(state: State, reader: View): readonly Found[] {
  if ((state.types & NUMBER) === 0) return NONE;
  const found: Found[] = [];
  if (reader.minimum) found.push(...checkBound(state, reader, reader.minimum, "minimum"));
  if (reader.maximum) found.push(...checkBound(state, reader, reader.maximum, "maximum"));
  if (reader.multipleOf) found.push(...checkMultiple(state, reader, reader.multipleOf));
  return found;
}

const ONE = decimalOfNumber(1);
const MINUS_ONE = decimalOfNumber(-1);

function checkBound(state: State, reader: View, bound: Bound, side: "minimum" | "maximum"): readonly Found[] {
  const { shape } = state;
  const sourced = shape[side];
  const writer = sourced && reachedBound(sourced.value, side, (state.types & NUMBER) === TYPE.integer, shape.multiple);
  const direction = side === "minimum" ? 1 : -1;
  if (writer) {
    const order = compareDecimals(writer.limit, bound.limit) * direction;
    if (order > 0 || (order === 0 && (writer.exclusive || !bound.exclusive))) return NONE;
  }
  if (state.values?.every((value) => value.type !== "number" || fits(value, bound, side))) return NONE;
  const name = bound.exclusive ? `EXCLUSIVE_${side.toUpperCase()}` : side.toUpperCase();
  const change = sourced === undefined ? "ADDED" : side === "minimum" ? "INCREASED" : "DECREASED";
  const words =
    side === "minimum" ? (bound.exclusive ? "more than" : "at least") : bound.exclusive ? "less than" : "at most";
  const limit = decimalText(bound.limit);
  return [
    {
      kind: `${name}_${change}`,
      reader: reader.at(bound.keyword),
      writer: sourced?.view.location ? sourced.view.at(sourced.value.keyword) : writerPointer(state),
      message: `The reader accepts numbers of ${words} ${limit} only, the writer may write ${
        sourced ? `down to its own limit of ${decimalText(sourced.value.limit)}` : "others"
      }.`.replace("down to", side === "minimum" ? "down to" : "up to"),
      fix: sourced
        ? `Set the reader's ${bound.keyword} to ${decimalText(sourced.value.limit)}.`
        : `Remove ${bound.keyword} from the reader.`,
      traces: [{ at: "end", state, reader, hints: outside(bound, side, writer) }],
    },
  ];
}

function fits(value: JsonNode, bound: Bound, side: "minimum" | "maximum"): boolean {
  if (value.type !== "number") return true;
  const order = compareDecimals(decimalOf(value), bound.limit) * (side === "minimum" ? 1 : -1);
  return order > 0 || (order === 0 && !bound.exclusive);
}

/** The last value that a bound lets through, where values come in steps. */
function reachedBound(
  bound: Bound,
  side: "minimum" | "maximum",
  isWhole: boolean,
  multiple: Decimal | undefined,
): Bound {
  const step = multiple && (!isWhole || isInteger(multiple)) ? multiple : isWhole ? ONE : undefined;
  if (step === undefined) return bound;
  const floor = floorToMultiple(bound.limit, step);
  const isExact = compareDecimals(floor, bound.limit) === 0;
  const up = addDecimals(floor, step);
  const down = addDecimals(floor, { coefficient: -step.coefficient, exponent: step.exponent });
  const limit =
    side === "minimum" ? (isExact && !bound.exclusive ? floor : up) : isExact && bound.exclusive ? down : floor;
  return { ...bound, limit, exclusive: false };
}

/** Numbers just outside a bound, and at the writer's own. */
function outside(bound: Bound, side: "minimum" | "maximum", writer: Bound | undefined): number[] {
  const beyond = addDecimals(bound.limit, side === "minimum" ? MINUS_ONE : ONE);
  const limits = [...(bound.exclusive ? [bound.limit] : []), beyond, ...(writer ? [writer.limit] : [])];
  return limits.map(decimalToNumber);
}

function checkMultiple(state: State, reader: View, divisor: Decimal): readonly Found[] {
  const { shape } = state;
  const steps = [
    ...(shape.multiple ? [shape.multiple] : []),
    ...((state.types & NUMBER) === TYPE.integer ? [ONE] : []),
  ];
  if (steps.some((each) => isMultipleOf(each, divisor))) return NONE;
  if (state.values?.every((value) => value.type !== "number" || isMultipleOf(decimalOf(value), divisor))) return NONE;
  const [first] = shape.multiples;
  const text = decimalText(divisor);
  const step = shape.multiple ?? ONE;
  return [
    {
      kind:
        first === undefined
          ? "MULTIPLE_OF_ADDED"
          : isMultipleOf(divisor, first.value)
            ? "MULTIPLE_OF_EXPANDED"
            : "MULTIPLE_OF_CHANGED",
      reader: reader.at("multipleOf"),
      writer: first?.view.location ? first.view.at("multipleOf") : writerPointer(state),
      message: `The reader accepts multiples of ${text} only, the writer may write other numbers.`,
      traces: [{ at: "end", state, reader, hints: multiplesFrom(shape.minimum?.value.limit, step) }],
    },
  ];
}

/** A few steps from a number on, and around zero. */
function multiplesFrom(start: Decimal | undefined, step: Decimal): number[] {
  const first = start ? floorToMultiple(start, step) : step;
  const values = [first];
  for (let count = 0; count < 6; count += 1) values.push(addDecimals(values.at(-1)!, step));
  return values.map(decimalToNumber);
}

export function checkString(state: State, reader: View, evaluator: Evaluator, search: PatternSearch): readonly Found[] {
  if ((state.types & TYPE.string) === 0) return NONE;
  const { shape } = state;
  if (state.values !== undefined) return checkListedStrings(state, reader, evaluator);
  const found: Found[] = [];
  const shorter = reader.minLength > shape.minLength && stray(state, search, { maxLength: reader.minLength - 1 });
  if (shorter && shorter.kind !== "none") {
    const hint = "x".repeat(Math.min(reader.minLength - 1, MAX_HINT_LENGTH));
    found.push({
      kind: shape.minLength > 0 ? "MIN_LENGTH_INCREASED" : "MIN_LENGTH_ADDED",
      reader: reader.at("minLength"),
      writer: sourceOf(state, "minLength"),
      message: `The reader accepts strings of at least ${reader.minLength} characters only, the writer may write shorter ones.`,
      fix: `Lower the reader's minLength to ${shape.minLength}.`,
      traces: [
        {
          at: "end",
          state,
          reader,
          hints: [...textsOf(shorter), "x".repeat(Math.min(shape.minLength, MAX_HINT_LENGTH)), hint],
        },
      ],
    });
  }
  const { maxLength } = reader;
  const isLonger = maxLength !== undefined && maxLength < (shape.maxLength ?? Number.POSITIVE_INFINITY);
  const longer = isLonger && stray(state, search, { minLength: maxLength + 1 });
  if (longer && longer.kind !== "none") {
    const hint = maxLength! < MAX_HINT_LENGTH ? ["x".repeat(maxLength! + 1)] : [];
    found.push({
      kind: shape.maxLength === undefined ? "MAX_LENGTH_ADDED" : "MAX_LENGTH_DECREASED",
      reader: reader.at("maxLength"),
      writer: sourceOf(state, "maxLength"),
      message: `The reader accepts strings of at most ${maxLength} characters only, the writer may write longer ones.`,
      fix:
        shape.maxLength === undefined
          ? "Remove maxLength from the reader."
          : `Raise the reader's maxLength to ${shape.maxLength}.`,
      traces: [{ at: "end", state, reader, hints: [...textsOf(longer), ...hint] }],
    });
  }
  if (reader.pattern !== undefined && !shape.patterns.has(reader.pattern)) {
    const other = stray(state, search, { notMatching: reader.pattern });
    if (other.kind !== "none") found.push(patternFound(state, reader, other));
  }
  if (reader.format !== undefined && !fitsFormat(state, reader.format)) {
    found.push({
      kind: shape.formats.size > 0 ? "FORMAT_CHANGED" : "FORMAT_ADDED",
      reader: reader.at("format"),
      writer: sourceOf(state, "format"),
      message: `The reader demands the format ${reader.format}, which the writer does not promise.`,
      fix: "Remove the format from the reader, or state it in the writer first.",
      traces: [{ at: "end", state, reader, hints: ["", "x", " "] }],
    });
  }
  return found;
}

function patternFound(state: State, reader: View, other: StringAnswer): Found {
  const { shape } = state;
  return {
    kind: shape.patterns.size > 0 ? "PATTERN_CHANGED" : "PATTERN_ADDED",
    reader: reader.at("pattern"),
    writer: sourceOf(state, "pattern"),
    message:
      other.kind === "found"
        ? `The writer may write ${JSON.stringify(other.text)}, which does not match the reader's pattern ${reader.pattern}.`
        : `The reader accepts strings that match ${reader.pattern} only; it cannot be shown that all the writer may write do.`,
    traces: [{ at: "end", state, reader, hints: textsOf(other) }],
  };
}

/** A string that the writer's patterns and lengths admit, and that is beyond what the reader allows. */
function stray(
  { shape }: State,
  search: PatternSearch,
  beyond: { minLength?: number; maxLength?: number; notMatching?: string },
): StringAnswer {
  if (shape.patterns.size === 0 && beyond.notMatching === undefined) return { kind: "unknown" };
  const most = Math.min(shape.maxLength ?? Number.POSITIVE_INFINITY, beyond.maxLength ?? Number.POSITIVE_INFINITY);
  return search.find({
    matching: [...shape.patterns.keys()],
    notMatching: beyond.notMatching === undefined ? [] : [beyond.notMatching],
    minLength: Math.max(shape.minLength, beyond.minLength ?? 0),
    maxLength: Number.isFinite(most) ? most : undefined,
  });
}

function textsOf(answer: StringAnswer): string[] {
  return answer.kind === "found" ? [answer.text] : [];
}

const MAX_HINT_LENGTH = 4_096;

function checkListedStrings(state: State, reader: View, evaluator: Evaluator): readonly Found[] {
  for (const keyword of ["minLength", "maxLength", "pattern", "format"] as const) {
    const refused = state.values!.filter(
      (value) => value.type === "string" && evaluator.acceptsString(reader, keyword, value.value) !== true,
    );
    if (refused.length === 0) continue;
    return [
      {
        kind: `${keyword.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}_ADDED`,
        reader: reader.at(keyword),
        writer: writerPointer(state),
        message: `The writer may write ${namedValues(refused)}, which the reader's ${keyword} refuses.`,
        traces: [{ at: "end", state, reader, hints: refused.slice(0, MAX_HINTS).map(toPlainValue) }],
      },
    ];
  }
  return NONE;
}

function sourceOf(state: State, keyword: "minLength" | "maxLength" | "pattern" | "format"): string | null {
  const atom = state.atoms.find(({ view }) => view.location && view[keyword] !== undefined && view[keyword] !== 0);
  return atom ? atom.view.at(keyword) : writerPointer(state);
}

/** A format that no validator knows asserts nothing. */
function fitsFormat(state: State, format: string): boolean {
  if (!FORMATS.has(format)) return true;
  return [...state.shape.formats.keys()].some((each) => formatImplies(each, format));
}
