/** Compatibility levels, policies and verdicts, independent of any format. */
import type { Plan } from "./plan.ts";
import type { Result } from "./result.ts";

export const COMPATIBILITY_LEVELS = [
  "NONE",
  "BACKWARD",
  "BACKWARD_TRANSITIVE",
  "FORWARD",
  "FORWARD_TRANSITIVE",
  "FULL",
  "FULL_TRANSITIVE",
] as const;
export type CompatibilityLevel = (typeof COMPATIBILITY_LEVELS)[number];

/**
 * What counts as breaking. `strict` and `lenient` follow the Confluent server; `semantic` compares meaning; `buf_*` are the
 * categories of `buf breaking`, for Protobuf only.
 */
export const POLICIES = [
  "strict",
  "lenient",
  "semantic",
  "buf_wire",
  "buf_wire_json",
  "buf_csr",
  "buf_package",
  "buf_file",
] as const;
export type Policy = (typeof POLICIES)[number];

/** What a writer is assumed to produce: only what its schema declares, or anything an open schema admits. */
export const WRITER_ASSUMPTIONS = ["declared", "any"] as const;
export type WriterAssumption = (typeof WRITER_ASSUMPTIONS)[number];

export type CompareOptions = {
  policy: Policy;
  writers: WriterAssumption;
  /**
   * Whether a root object schema without properties means that writers send none, as for the parameters of a call;
   * otherwise it means that they may send any. Only JSON Schema's `semantic` policy uses it.
   */
  isBareRootEmpty?: boolean;
};

/** `Model` is the format's parsed schema. */
export type CompareOptionsOf<Model> = CompareOptions & {
  /** Other files of the reader's module: what moved there was not deleted. Only Buf's categories use it. */
  beside?: readonly Model[];
};

/**
 * `behaviour`: nothing that a validator sees has changed, but what a model does may, because it reads other words or other
 * settings.
 */
export type Severity = "breaking" | "warning" | "behaviour" | "info";

/**
 * One incompatibility, with its place in reader and writer. Pointers are JSON pointers (Protobuf: `#/Message/field`); null
 * if that side has no such place.
 */
export type Difference = {
  /** UPPER_SNAKE_CASE; the Confluent server's name under `strict` and `lenient`. */
  kind: string;
  reader_pointer: string | null;
  writer_pointer: string | null;
  /** One sentence naming reader and writer. */
  message: string;
  severity: Severity;
  /** How to make it compatible, if known. */
  fix?: string;
  /** The part of an artefact that it lies in, and which way the part was read. */
  part?: { name: string; variance: "in" | "out" };
};

export type ComparedDifferences = {
  /** If the list is truncated, breaking differences come first. */
  readonly differences: readonly Difference[];
  /** The full count, if the list is truncated. */
  readonly differences_total?: number;
  /**
   * Whether an unlisted difference may be breaking: a rule book that allows all listed ones must then not allow the
   * change.
   */
  readonly hides_breaking?: true;
  /** What users of the writer must do before they use the reader; only artefacts have one. */
  readonly plan?: Plan;
};

/** The place where a comparison reached its work limit. */
export type ComparisonRefusal = { reason: "too_complex"; pointer: string; message: string };

/** The differences between a reader and a writer. */
export type Comparison = Result<ComparedDifferences, ComparisonRefusal>;

/** The decision on a pair that `semantic` cannot decide within its budget: by `strict`, or refused. */
const UNDECIDED_SETTINGS = ["strict", "refuse"] as const;
export type UndecidedSetting = (typeof UNDECIDED_SETTINGS)[number];

/** The kind of the difference that reports this: it comes first, at the location where the budget was exhausted. */
const SEMANTIC_UNDECIDED = "SEMANTIC_UNDECIDED";

export function toUndecidedDifference({ pointer, message }: ComparisonRefusal): Difference {
  return {
    kind: SEMANTIC_UNDECIDED,
    severity: "info",
    reader_pointer: pointer,
    writer_pointer: null,
    message: `The policy semantic could not decide within its budget: ${message} The policy strict decided instead.`,
  };
}

/** The difference that reports that `strict` decided instead of `semantic`, if it did. */
export function findUndecided<D extends Pick<Difference, "kind">>(differences: readonly D[]): D | undefined {
  return differences.find(({ kind }) => kind === SEMANTIC_UNDECIDED);
}

/** The order of a truncated list: first that `strict` decided, then by severity. */
const IMPORTANCE = ["undecided", "breaking", "warning", "behaviour", "info"] as const;
type Importance = (typeof IMPORTANCE)[number];

export function rateImportance({ kind, severity }: Pick<Difference, "kind" | "severity">): Importance {
  return kind === SEMANTIC_UNDECIDED ? "undecided" : severity;
}

/** Most important first, otherwise in their order. */
export function sortByImportance<D extends Pick<Difference, "kind" | "severity">>(differences: readonly D[]): D[] {
  return IMPORTANCE.flatMap((importance) => differences.filter((each) => rateImportance(each) === importance));
}

/** The directions a level checks, and whether it checks all versions or only the newest. */
export const LEVEL_CHECKS: Record<CompatibilityLevel, { backward: boolean; forward: boolean; transitive: boolean }> = {
  NONE: { backward: false, forward: false, transitive: false },
  BACKWARD: { backward: true, forward: false, transitive: false },
  BACKWARD_TRANSITIVE: { backward: true, forward: false, transitive: true },
  FORWARD: { backward: false, forward: true, transitive: false },
  FORWARD_TRANSITIVE: { backward: false, forward: true, transitive: true },
  FULL: { backward: true, forward: true, transitive: false },
  FULL_TRANSITIVE: { backward: true, forward: true, transitive: true },
};

export function isCompatible(differences: readonly Difference[]): boolean {
  return differences.every((difference) => difference.severity !== "breaking");
}
