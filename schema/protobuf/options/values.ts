/** Scalar option values: whether a written value has a field's type, and its value. */
import type { OptionValue, ScalarType } from "../model.ts";
import { shown, stringBytes } from "../parse/tokens.ts";

export type Scalar = number | bigint | boolean | Uint8Array;

/** The reason an option is invalid; caught per option. */
export class OptionRefusal extends Error {
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(message);
    this.rule = rule;
  }
}

const INTEGER_RANGES: Partial<Record<ScalarType, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  sint32: [-(2n ** 31n), 2n ** 31n - 1n],
  sfixed32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  sint64: [-(2n ** 63n), 2n ** 63n - 1n],
  sfixed64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  fixed32: [0n, 2n ** 32n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  fixed64: [0n, 2n ** 64n - 1n],
};

/** The range of an integer type, or undefined for other types. */
export function integerRange(type: ScalarType): readonly [bigint, bigint] | undefined {
  return INTEGER_RANGES[type];
}

const WORDS: Readonly<Record<string, boolean>> = { true: true, false: false };
const TEXT_FORMAT_WORDS: Readonly<Record<string, boolean>> = { ...WORDS, t: true, f: false, True: true, False: false };

/** A written value converted to a scalar type; `isTop` if it is not inside a message value. */
export function scalarValue(type: ScalarType, name: string, value: OptionValue, isTop: boolean): Scalar {
  const range = INTEGER_RANGES[type];
  if (range !== undefined) {
    if (value.kind === "integer" && value.value >= range[0] && value.value <= range[1]) return value.value;
  } else if (type === "bool") {
    const words = isTop ? WORDS : TEXT_FORMAT_WORDS;
    if (value.kind === "identifier" && Object.hasOwn(words, value.name)) return words[value.name]!;
    if (!isTop && value.kind === "integer" && (value.value === 0n || value.value === 1n)) return value.value === 1n;
  } else if (type === "string" || type === "bytes") {
    if (value.kind === "string" && (type === "bytes" || value.bytes === undefined)) return stringBytes(value);
  } else {
    const number = floatValue(value, isTop);
    if (number !== undefined) return number;
  }
  throw new OptionRefusal("option_value", `"${shown(name)}" needs a value of type ${type}.`);
}

/** A float or double as a number, including integers and the words for infinity and not-a-number. */
export function floatValue(value: OptionValue, isTop: boolean): number | undefined {
  if (value.kind === "float") return value.value;
  if (value.kind === "integer") return Number(value.value);
  if (value.kind !== "identifier") return undefined;
  const word = isTop ? value.name : value.name.toLowerCase();
  switch (word) {
    case "inf":
      return Number.POSITIVE_INFINITY;
    case "-inf":
      return Number.NEGATIVE_INFINITY;
    case "nan":
    case "-nan":
      return Number.NaN;
    case "infinity":
      return isTop ? undefined : Number.POSITIVE_INFINITY;
    case "-infinity":
      return isTop ? undefined : Number.NEGATIVE_INFINITY;
    default:
      return undefined;
  }
}
