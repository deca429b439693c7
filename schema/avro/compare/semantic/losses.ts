/**
 * What counts as loss of meaning under the `semantic` policy: resolution allows the reading, but the reader gets a different
 * meaning than the writer intended. docs/compatibility.md shows this table.
 */
import type { Severity } from "../../../compatibility.ts";
import type { LogicalTypeName } from "../../logical-type.ts";

export type Loss = { kind: string; severity: Severity; message: string; fix: string };

/** Promotions that do not preserve every value, by `writer>reader`. All others are exact. */
export const LOSSY_PROMOTIONS: Readonly<Record<string, Loss>> = {
  "int>float": {
    kind: "PRECISION_LOST",
    severity: "breaking",
    message: "The writer's int is read as float, which rounds numbers beyond 2^24.",
    fix: "Let the reader use double, which holds every int.",
  },
  "long>float": {
    kind: "PRECISION_LOST",
    severity: "breaking",
    message: "The writer's long is read as float, which rounds numbers beyond 2^24.",
    fix: "Keep long in the reader.",
  },
  "long>double": {
    kind: "PRECISION_LOST",
    severity: "breaking",
    message: "The writer's long is read as double, which rounds numbers beyond 2^53.",
    fix: "Keep long in the reader.",
  },
  "bytes>string": {
    kind: "BYTES_READ_AS_TEXT",
    severity: "breaking",
    message: "The writer's bytes are read as string, and not every sequence of bytes is UTF-8.",
    fix: "Keep bytes in the reader.",
  },
};

/** All other losses. */
export const LOSSES = {
  /** The reader's enum default replaces symbols that the reader does not know. */
  ENUM_DEFAULT_SUBSTITUTED: { severity: "breaking", fix: "Add the writer's symbols to the reader's enum." },
  /** The two sides have different logical types, so the same value means something else. */
  LOGICAL_TYPE_CHANGED: {
    severity: "breaking",
    fix: "Keep the writer's logical type, and add a new field for the other one.",
  },
  DECIMAL_SCALE_CHANGED: {
    severity: "breaking",
    fix: "Keep the writer's scale: the bytes hold only the unscaled number.",
  },
  DECIMAL_PRECISION_REDUCED: { severity: "breaking", fix: "Keep at least the writer's precision." },
  /** An earlier branch also matches the writer's type, and libraries differ in which one they pick. */
  EARLIER_BRANCH_MATCHES: {
    severity: "warning",
    fix: "Move the branch of the writer's type before it in the reader's union.",
  },
  /** The specification matches unqualified names, but some implementations require equal full names. */
  NAMESPACE_CHANGED: { severity: "warning", fix: "Give the reader's type the writer's full name as an alias." },
} as const satisfies Record<string, Pick<Loss, "severity" | "fix">>;

export function makeLoss(kind: keyof typeof LOSSES, message: string): Loss {
  return { kind, message, ...LOSSES[kind] };
}

/**
 * The reader has a logical type that the writer lacks. Every number is a valid date or instant, but not all bytes are a
 * decimal within its precision, not every string is a UUID, and not every number is a time of day.
 */
export const LOGICAL_TYPE_ADDED: Readonly<Partial<Record<LogicalTypeName, Severity>>> & { other: Severity } = {
  decimal: "breaking",
  "big-decimal": "breaking",
  uuid: "breaking",
  "time-millis": "breaking",
  "time-micros": "breaking",
  other: "warning",
};

/** The writer has a logical type that the reader lacks. A UUID simply reads as its text. */
export const LOGICAL_TYPE_REMOVED: Readonly<Partial<Record<LogicalTypeName, Severity>>> & { other: Severity } = {
  uuid: "info",
  other: "warning",
};
