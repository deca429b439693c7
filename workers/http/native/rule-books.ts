/** Rule books in the native API's form, with RFC 3339 times instead of milliseconds. */
import { makeRefusal } from "../../../contract/errors.ts";
import { timestamp } from "../../../registry/record-view.ts";
import type { CompatibilityRule, DatedException, PointerOverride, RuleBook } from "../../../schema/rules/rule-book.ts";
import type { SubjectName } from "../../../schema/subject-name.ts";
import { RegistryError } from "../errors.ts";

export type ExceptionField = Omit<DatedException, "expiresAtMs"> & { expires_at: string };
export type BookField = {
  rules?: readonly CompatibilityRule[];
  overrides?: readonly PointerOverride[];
  exceptions?: readonly ExceptionField[];
};

/** `pointer` is the rule book's location in the body. */
export function parseBookField({ rules = [], overrides = [], exceptions = [] }: BookField, pointer = ""): RuleBook {
  return {
    rules,
    overrides,
    exceptions: exceptions.map((exception, index) => parseException(exception, `${pointer}/exceptions/${index}`)),
  };
}

export function parseException({ expires_at, ...exception }: ExceptionField, pointer = ""): DatedException {
  return { ...exception, expiresAtMs: parseTime(expires_at, `${pointer}/expires_at`) };
}

export function bookJson({ rules, overrides, exceptions }: RuleBook, nowMs: number) {
  return { rules, overrides, exceptions: exceptions.map((exception) => exceptionJson(exception, nowMs)) };
}

export function exceptionJson({ expiresAtMs, ...exception }: DatedException, nowMs: number) {
  return { ...exception, expires_at: timestamp(expiresAtMs), expired: nowMs >= expiresAtMs };
}

/** The subject of a rule book; the tenant's has none. */
export function scopeJson({ context, subject }: SubjectName) {
  return subject === "" ? {} : { subject, context };
}

const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** Milliseconds since the Unix epoch. */
export function parseTime(text: string, pointer: string): number {
  const match = RFC_3339.exec(text);
  if (match) {
    const [, year, month, day] = match.map(Number) as [number, number, number, number];
    // Date would read a day that does not exist as one of the next month.
    const exists = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day && month >= 1 && month <= 12;
    const ms = Date.parse(text.toUpperCase());
    if (exists && Number.isFinite(ms)) return ms;
  }
  const detail = "A time must follow RFC 3339, such as 2027-03-01T00:00:00Z.";
  throw new RegistryError(
    makeRefusal("BAD_REQUEST", [detail], detail, { items: [{ pointer, rule: "time", message: detail }] }),
  );
}
