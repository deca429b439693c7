/**
 * What counts as loss of meaning under the `semantic` policy: readings that resolution allows and that tell the reader
 * something else than the writer said. docs/compatibility.md shows this table.
 */
import type { Severity } from "../../../compatibility.ts";
import type { LogicalTypeName } from "../../logical-type.ts";

export type Loss = { kind: string; severity: Severity; message: string; fix: string };

/** Promotions that do not keep every value, by `writer>reader`. The others are exact. */
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

/** Every other loss. */
export const LOSSES = {
  /** The reader's enum default stands in for symbols that the reader does not know. */
  ENUM_DEFAULT_SUBSTITUTED: { severity: "breaking", fix: "Add the writer's symbols to the reader's enum." },
  /** Both sides have a logical type, and not the same: the same number or bytes mean something else. */
  LOGICAL_TYPE_CHANGED: {
    severity: "breaking",
    fix: "Keep the writer's logical type, and add a new field for the other one.",
  },
  DECIMAL_SCALE_CHANGED: {
    severity: "breaking",
    fix: "Keep the writer's scale: the bytes hold only the unscaled number.",
  },
  DECIMAL_PRECISION_REDUCED: { severity: "breaking", fix: "Keep at least the writer's precision." },
  /** A branch before the one of the writer's own type matches it as well, and libraries differ in which one they take. */
  EARLIER_BRANCH_MATCHES: {
    severity: "warning",
    fix: "Move the branch of the writer's type before it in the reader's union.",
  },
  /** The specification matches unqualified names, some implementations insist on full ones. */
  NAMESPACE_CHANGED: { severity: "warning", fix: "Give the reader's type the writer's full name as an alias." },
} as const satisfies Record<string, Pick<Loss, "severity" | "fix">>;

export function lossOf(kind: keyof typeof LOSSES, message: string): Loss {
  return { kind, message, ...LOSSES[kind] };
}

/**
 * The reader has a logical type where the writer has a bare value. Any number is a date or an instant; not any bytes are a
 * decimal of so many digits, not any text is a UUID and not any number lies within a day.
 */
export const LOGICAL_TYPE_ADDED: Readonly<Partial<Record<LogicalTypeName, Severity>>> & { other: Severity } = {
  decimal: "breaking",
  "big-decimal": "breaking",
  uuid: "breaking",
  "time-millis": "breaking",
  "time-micros": "breaking",
  other: "warning",
};

/** The writer has a logical type where the reader takes the bare value: for a UUID that is its text. */
export const LOGICAL_TYPE_REMOVED: Readonly<Partial<Record<LogicalTypeName, Severity>>> & { other: Severity } = {
  uuid: "info",
  other: "warning",
};
