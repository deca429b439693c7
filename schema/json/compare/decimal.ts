/** JSON numbers compared as the decimals they were written as: doubles would call 0.1 + 0.2 and 0.3 different and 2^53 and 2^53 + 1 equal. */
import type { JsonNumber } from "../../json-text.ts";

/** coefficient × 10^exponent, the coefficient without trailing zeros (zero is 0 × 10^0). */
export type Decimal = { readonly coefficient: bigint; readonly exponent: number };

/** Longer numbers are rounded to doubles first: arithmetic on them would cost more than any real schema is worth. */
export const MAX_DECIMAL_DIGITS = 400;
/** 10^±1000 is far beyond the range of doubles; larger exponents are clamped to it. */
export const MAX_DECIMAL_EXPONENT = 1_000;

const ZERO: Decimal = { coefficient: 0n, exponent: 0 };

export function decimalOf(node: JsonNumber): Decimal {
  return parseDecimal(node.text) ?? decimalOfNumber(node.value);
}

export function decimalOfNumber(value: number): Decimal {
  if (value === Number.POSITIVE_INFINITY) return { coefficient: 1n, exponent: MAX_DECIMAL_EXPONENT };
  if (value === Number.NEGATIVE_INFINITY) return { coefficient: -1n, exponent: MAX_DECIMAL_EXPONENT };
  return parseDecimal(String(value)) ?? ZERO;
}

function parseDecimal(text: string): Decimal | undefined {
  if (text.length > MAX_DECIMAL_DIGITS) return undefined;
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!match) return undefined;
  const [, sign = "", whole = "", fraction = "", exponentText = "0"] = match;
  const digits = `${whole}${fraction}`.replace(/0+$/, "");
  if (/^0*$/.test(digits)) return ZERO;
  const exponent = Number(exponentText) + whole.length - digits.length;
  if (Math.abs(exponent) > MAX_DECIMAL_EXPONENT) {
    return { coefficient: sign === "-" ? -1n : 1n, exponent: Math.sign(exponent) * MAX_DECIMAL_EXPONENT };
  }
  return { coefficient: BigInt(sign + digits), exponent };
}

/** Negative, zero or positive, as a is less than, equal to or greater than b. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const [left, right] = aligned(a, b);
  return left < right ? -1 : left > right ? 1 : 0;
}

export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const [left, right, exponent] = aligned(a, b);
  return normalised(left + right, exponent);
}

/** Whether a is an integer multiple of b. Nothing is a multiple of zero. */
export function isMultipleOf(a: Decimal, b: Decimal): boolean {
  if (b.coefficient === 0n) return false;
  const [left, right] = aligned(a, b);
  return left % right === 0n;
}

export function isInteger(value: Decimal): boolean {
  return value.exponent >= 0;
}

/** The largest multiple of `step` that is not above `value`; `step` is positive. */
export function floorToMultiple(value: Decimal, step: Decimal): Decimal {
  const [left, right, exponent] = aligned(value, step);
  const quotient = left / right - (left < 0n && left % right !== 0n ? 1n : 0n);
  return normalised(quotient * right, exponent);
}

/** The least common multiple of two positive decimals. */
export function leastCommonMultiple(a: Decimal, b: Decimal): Decimal {
  const [left, right, exponent] = aligned(a, b);
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

export function decimalToNumber(value: Decimal): number {
  return Number(`${value.coefficient}e${value.exponent}`);
}

function aligned(a: Decimal, b: Decimal): [bigint, bigint, number] {
  if (a.exponent === b.exponent) return [a.coefficient, b.coefficient, a.exponent];
  const exponent = Math.min(a.exponent, b.exponent);
  return [
    a.coefficient * 10n ** BigInt(a.exponent - exponent),
    b.coefficient * 10n ** BigInt(b.exponent - exponent),
    exponent,
  ];
}

function normalised(coefficient: bigint, exponent: number): Decimal {
  if (coefficient === 0n) return ZERO;
  let [digits, power] = [coefficient, exponent];
  while (digits % 10n === 0n) {
    digits /= 10n;
    power += 1;
  }
  return { coefficient: digits, exponent: power };
}
