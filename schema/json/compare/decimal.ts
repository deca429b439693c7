/**
 * JSON numbers compared as the decimals that were written: doubles would distinguish 0.1 + 0.2 from 0.3 and equate 2^53
 * with 2^53 + 1. Every result is exact and costs time proportional to the digits: powers of ten are never expanded,
 * whatever the exponents. Results that would require that (the sum of 1e100000 and 1) are undefined, never rounded.
 */
import type { JsonNode, JsonNumber } from "../../json-text.ts";
import { TooComplexComparison } from "../../work-meter.ts";
import { splitDecimal } from "../validate/equality.ts";

/** coefficient × 10^exponent, the coefficient without trailing zeros (zero is 0 × 10^0). */
export type Decimal = { readonly coefficient: bigint; readonly exponent: number };

/** Significant digits of a compared number: ten thousand take some microseconds, and real schemas have twenty. */
export const MAX_DECIMAL_DIGITS = 10_000;
/** Exponents are integers that doubles represent exactly. */
export const MAX_DECIMAL_EXPONENT = 1_000_000_000_000_000;
/** Digits that an operation may add to its operands: 10^±1000 is far beyond what any validator can represent. */
export const MAX_ADDED_DIGITS = 5_000;
/** Digits of numbers whose common multiple is computed: Euclid's algorithm takes quadratic time. */
const MAX_MULTIPLE_DIGITS = 1_000;

const ZERO: Decimal = { coefficient: 0n, exponent: 0 };

/** Short, and without trailing zeros, which belong to the exponent; true for most numbers. */
const PLAIN_INTEGER = /^-?\d{0,14}[1-9]$/;

const known = new WeakMap<JsonNode, Decimal>();

/** Printing a coefficient takes quadratic time, and a bound is compared with many numbers. */
const digitCounts = new WeakMap<Decimal, number>();
const LONG_COEFFICIENT = 10n ** 30n;

/** Throws TooComplexComparison for a number beyond the limits; `pointerOf` gives its location. */
export function readDecimal(node: JsonNumber, pointerOf: () => string = () => ""): Decimal {
  const value = decimalWithinLimits(node);
  if (value !== undefined) return value;
  const pointer = pointerOf();
  throw new TooComplexComparison(
    pointer,
    `A number at "${pointer}" has more than ${MAX_DECIMAL_DIGITS} digits or an exponent beyond ${MAX_DECIMAL_EXPONENT}.`,
  );
}

/** Undefined for a number beyond the limits. */
export function decimalWithinLimits(node: JsonNumber): Decimal | undefined {
  let value = known.get(node);
  if (value === undefined) {
    value = parseDecimal(node.text);
    if (value !== undefined) known.set(node, value);
  }
  return value;
}

/** A finite number as the shortest decimal that reads back as it. */
export function decimalOfNumber(value: number): Decimal {
  return parseDecimal(String(value)) ?? ZERO;
}

function parseDecimal(text: string): Decimal | undefined {
  if (PLAIN_INTEGER.test(text)) return { coefficient: BigInt(text), exponent: 0 };
  const { sign, digits, exponent } = splitDecimal(text);
  if (digits === "0") return ZERO;
  if (digits.length > MAX_DECIMAL_DIGITS || Math.abs(exponent) > MAX_DECIMAL_EXPONENT) return undefined;
  return { coefficient: BigInt(sign + digits), exponent };
}

/** Negative, zero or positive if a is less than, equal to or greater than b. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.exponent === b.exponent) return compareIntegers(a.coefficient, b.coefficient);
  const [left, right] = [signOf(a), signOf(b)];
  if (left !== right || left === 0) return left - right;
  const [most, other] = [magnitude(a), magnitude(b)];
  if (most !== other) return most > other ? left : -left;
  // The same number of digits before the point: the exponents differ by no more than the digits do.
  const exponent = Math.min(a.exponent, b.exponent);
  return compareIntegers(scaled(a, exponent), scaled(b, exponent));
}

function compareIntegers(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function signOf({ coefficient }: Decimal): number {
  return coefficient < 0n ? -1 : coefficient > 0n ? 1 : 0;
}

/** The number of digits before the decimal point; zero or negative if zeros follow it. */
function magnitude(value: Decimal): number {
  return digitsOf(value) + value.exponent;
}

export function digitsOf(value: Decimal): number {
  const { coefficient } = value;
  if (coefficient > -LONG_COEFFICIENT && coefficient < LONG_COEFFICIENT) return countDigits(coefficient);
  let digits = digitCounts.get(value);
  if (digits === undefined) {
    digits = countDigits(coefficient);
    digitCounts.set(value, digits);
  }
  return digits;
}

function countDigits(coefficient: bigint): number {
  return String(coefficient).length - (coefficient < 0n ? 1 : 0);
}

function scaled({ coefficient, exponent }: Decimal, to: number): bigint {
  return exponent === to ? coefficient : coefficient * 10n ** BigInt(exponent - to);
}

/** Undefined if the sum has far more digits than either operand. */
export function addDecimals(a: Decimal, b: Decimal): Decimal | undefined {
  const pair = aligned(a, b);
  return pair && normalised(pair[0] + pair[1], pair[2]);
}

export function negated({ coefficient, exponent }: Decimal): Decimal {
  return { coefficient: -coefficient, exponent };
}

/** Whether a is an integer multiple of b. Nothing is a multiple of zero. */
export function isMultipleOf(a: Decimal, b: Decimal): boolean {
  if (b.coefficient === 0n) return false;
  if (a.coefficient === 0n) return true;
  // A coefficient without trailing zeros is not a multiple of ten.
  if (a.exponent < b.exponent) return false;
  const divisor = b.coefficient < 0n ? -b.coefficient : b.coefficient;
  return (a.coefficient * powerOfTen(a.exponent - b.exponent, divisor)) % divisor === 0n;
}

/** 10^exponent modulo a number, in as many steps as the exponent has bits. */
function powerOfTen(exponent: number, modulus: bigint): bigint {
  let result = 1n % modulus;
  let square = 10n % modulus;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

export function isInteger(value: Decimal): boolean {
  return value.exponent >= 0;
}

/**
 * The largest multiple of `step` that is not above `value`, for a positive `step`; undefined if it has too many digits.
 */
export function floorToMultiple(value: Decimal, step: Decimal): Decimal | undefined {
  const pair = aligned(value, step);
  if (pair === undefined) return undefined;
  const [left, right, exponent] = pair;
  const quotient = left / right - (left < 0n && left % right !== 0n ? 1n : 0n);
  return normalised(quotient * right, exponent);
}

/** The least common multiple of two positive decimals; undefined if it has too many digits. */
export function leastCommonMultiple(a: Decimal, b: Decimal): Decimal | undefined {
  const pair = aligned(a, b, MAX_MULTIPLE_DIGITS);
  if (pair === undefined || digitsOf(a) + digitsOf(b) > MAX_MULTIPLE_DIGITS) return undefined;
  const [left, right, exponent] = pair;
  let [x, y] = [left, right];
  while (y !== 0n) [x, y] = [y, x % y];
  return normalised((left / x) * right, exponent);
}

/** The shortest text of the number: equal numbers have equal texts, however they were written. */
export function decimalText({ coefficient, exponent }: Decimal): string {
  if (exponent === 0) return String(coefficient);
  if (exponent > 0 && exponent <= 20) return `${coefficient}${"0".repeat(exponent)}`;
  if (exponent < 0 && exponent >= -20) {
    const sign = coefficient < 0n ? "-" : "";
    const digits = String(coefficient < 0n ? -coefficient : coefficient).padStart(1 - exponent, "0");
    return `${sign}${digits.slice(0, exponent)}.${digits.slice(exponent)}`;
  }
  return `${coefficient}e${exponent}`;
}

/** The nearest double; infinite beyond their range. */
export function decimalToNumber(value: Decimal): number {
  return Number(`${value.coefficient}e${value.exponent}`);
}

/** Both as integers times one power of ten; undefined if that would expand a power of ten beyond the limit. */
function aligned(a: Decimal, b: Decimal, most = MAX_ADDED_DIGITS): [bigint, bigint, number] | undefined {
  if (a.coefficient === 0n) return [0n, b.coefficient, b.exponent];
  if (b.coefficient === 0n) return [a.coefficient, 0n, a.exponent];
  if (Math.abs(a.exponent - b.exponent) > most) return undefined;
  const exponent = Math.min(a.exponent, b.exponent);
  return [scaled(a, exponent), scaled(b, exponent), exponent];
}

function normalised(coefficient: bigint, exponent: number): Decimal {
  if (coefficient === 0n) return ZERO;
  if (coefficient % 10n !== 0n) return { coefficient, exponent };
  const text = String(coefficient);
  let end = text.length;
  while (text.charCodeAt(end - 1) === 0x30) end -= 1;
  return { coefficient: BigInt(text.slice(0, end)), exponent: exponent + text.length - end };
}
