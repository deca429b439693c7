/** Bounds and multiples of numbers. */
import type { JsonNode } from "../../../json-text.ts";
import { divisionSteps } from "../bounds.ts";
import {
  addDecimals,
  compareDecimals,
  type Decimal,
  decimalOfNumber,
  decimalText,
  decimalToNumber,
  floorToMultiple,
  isMultipleOf,
  leastCommonMultiple,
  negated,
  readDecimal,
} from "../decimal.ts";
import { type FoundDifference, NONE, writerPointer } from "./found.ts";
import type { State } from "./state.ts";
import { type Bound, NUMBER, TYPE, type View } from "./view.ts";

export function checkNumber(state: State, reader: View): readonly FoundDifference[] {
  if ((state.types & NUMBER) === 0) return NONE;
  const found: FoundDifference[] = [];
  if (reader.minimum) found.push(...checkBound(state, reader, reader.minimum, "minimum"));
  if (reader.maximum) found.push(...checkBound(state, reader, reader.maximum, "maximum"));
  if (reader.multipleOf) found.push(...checkMultiple(state, reader, reader.multipleOf));
  return found;
}

const ONE = decimalOfNumber(1);

function checkBound(state: State, reader: View, bound: Bound, side: "minimum" | "maximum"): readonly FoundDifference[] {
  const { shape } = state;
  const sourced = shape[side];
  const writer = sourced && reachedBound(sourced.value, side, stepOf(state));
  const direction = side === "minimum" ? 1 : -1;
  if (writer) {
    const order = compareDecimals(writer.limit, bound.limit) * direction;
    if (order > 0 || (order === 0 && (writer.exclusive || !bound.exclusive))) return NONE;
  }
  if (state.values?.every((value) => value.type !== "number" || fits(value, bound, side))) return NONE;
  const own = sourced?.value.limit;
  return [
    {
      kind: boundKind(bound, side, sourced !== undefined),
      reader: reader.at(bound.keyword),
      writer: sourced?.view.location ? sourced.view.at(sourced.value.keyword) : writerPointer(state),
      message: `The reader requires numbers ${RELATIONS[side][bound.exclusive ? 1 : 0]} ${decimalText(bound.limit)}; the writer may produce ${
        own ? `values ${side === "minimum" ? "down to" : "up to"} ${decimalText(own)}` : "any number"
      }.`,
      fix: own
        ? `Set the reader's ${bound.keyword} to ${decimalText(own)}.`
        : `Remove ${bound.keyword} from the reader.`,
      traces: [{ at: "end", state, reader, hints: outside(bound, side, writer) }],
    },
  ];
}

const RELATIONS = { minimum: ["≥", ">"], maximum: ["≤", "<"] } as const;

function boundKind(bound: Bound, side: "minimum" | "maximum", isKnown: boolean): string {
  if (side === "minimum") {
    if (bound.exclusive) return isKnown ? "EXCLUSIVE_MINIMUM_INCREASED" : "EXCLUSIVE_MINIMUM_ADDED";
    return isKnown ? "MINIMUM_INCREASED" : "MINIMUM_ADDED";
  }
  if (bound.exclusive) return isKnown ? "EXCLUSIVE_MAXIMUM_DECREASED" : "EXCLUSIVE_MAXIMUM_ADDED";
  return isKnown ? "MAXIMUM_DECREASED" : "MAXIMUM_ADDED";
}

/** The step between possible numbers, if they are multiples. */
function stepOf({ shape, types }: State): Decimal | undefined {
  if ((types & NUMBER) !== TYPE.integer) return shape.multiple;
  return shape.multiple === undefined ? ONE : (leastCommonMultiple(shape.multiple, ONE) ?? ONE);
}

function fits(value: JsonNode, bound: Bound, side: "minimum" | "maximum"): boolean {
  if (value.type !== "number") return true;
  const order = compareDecimals(readDecimal(value), bound.limit) * (side === "minimum" ? 1 : -1);
  return order > 0 || (order === 0 && !bound.exclusive);
}

/** The last value within a bound, if values are multiples. */
function reachedBound(bound: Bound, side: "minimum" | "maximum", step: Decimal | undefined): Bound {
  const floor = step && floorToMultiple(bound.limit, step);
  if (step === undefined || floor === undefined) return bound;
  const isExact = compareDecimals(floor, bound.limit) === 0;
  const [up, down] = [addDecimals(floor, step), addDecimals(floor, negated(step))];
  const limit =
    side === "minimum" ? (isExact && !bound.exclusive ? floor : up) : isExact && bound.exclusive ? down : floor;
  return limit === undefined ? bound : { ...bound, limit, exclusive: false };
}

/** Numbers just outside a bound, and at the writer's own bound. */
function outside(bound: Bound, side: "minimum" | "maximum", writer: Bound | undefined): number[] {
  const beyond = addDecimals(bound.limit, side === "minimum" ? negated(ONE) : ONE);
  const limits = [
    ...(bound.exclusive ? [bound.limit] : []),
    ...(beyond ? [beyond] : []),
    ...(writer ? [writer.limit] : []),
  ];
  return limits.map(decimalToNumber);
}

function checkMultiple(state: State, reader: View, divisor: Decimal): readonly FoundDifference[] {
  const { shape, states } = state;
  states.meter.spend(divisionSteps(divisor), reader.pointer);
  const step = stepOf(state);
  const steps = [...(step ? [step] : []), ...shape.multiples.map(({ value }) => value)];
  if (steps.some((each) => isMultipleOf(each, divisor))) return NONE;
  if (state.values?.every((value) => value.type !== "number" || isMultipleOf(readDecimal(value), divisor))) return NONE;
  const [first] = shape.multiples;
  const text = decimalText(divisor);
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
      message: `The reader requires multiples of ${text}; the writer may produce other numbers.`,
      traces: [{ at: "end", state, reader, hints: multiplesFrom(shape.minimum?.value.limit, step ?? ONE) }],
    },
  ];
}

/** A few multiples after a number, and around zero. */
function multiplesFrom(start: Decimal | undefined, step: Decimal): number[] {
  const values: number[] = [];
  let value = start ? floorToMultiple(start, step) : step;
  for (let count = 0; count < MAX_HINTED_MULTIPLES && value !== undefined; count += 1) {
    values.push(decimalToNumber(value));
    value = addDecimals(value, step);
  }
  return values;
}

const MAX_HINTED_MULTIPLES = 7;
