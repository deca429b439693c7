/** Compatibility levels, policies and verdicts: direction is data, and no format is named here. */

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
 * What counts as breaking. `strict` and `lenient` are the reference registry's rules; `semantic` means what it says;
 * `buf_*` are Buf's categories, for Protobuf only.
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

/** What a writer is assumed to produce: only what its schema declares, or whatever an open schema admits. */
export const WRITER_ASSUMPTIONS = ["declared", "any"] as const;
export type WriterAssumption = (typeof WRITER_ASSUMPTIONS)[number];

export type CompareOptions = { policy: Policy; writers: WriterAssumption };

/** `Model` is the format's. */
export type CompareOptionsOf<Model> = CompareOptions & {
  /** What stands beside the reader as files of one module do: what moved there is not gone. Only Buf's categories look at it. */
  beside?: readonly Model[];
};

export type Severity = "breaking" | "warning" | "info";

/** One reason, with the place in reader and writer. Pointers are JSON pointers (Protobuf: `#/Message/field`); null where that side has no such place. */
export type Difference = {
  /** UPPER_SNAKE_CASE; under `strict` and `lenient` the reference registry's own name. */
  kind: string;
  reader_pointer: string | null;
  writer_pointer: string | null;
  /** Plain words, naming reader and writer. */
  message: string;
  severity: Severity;
  /** What would make it compatible, where that is known. */
  fix?: string;
};

/** The differences between one reader and one writer, or the place where the bound on work was reached. */
export type Comparison =
  | {
      ok: true;
      /** Those that break first, where not all are listed. */
      differences: Difference[];
      /** How many there are, where more than are listed. */
      differences_total?: number;
      /** Whether one that is not listed may be breaking: then letting all listed ones through would decide too much. */
      hides_breaking?: true;
    }
  | { ok: false; reason: "too_complex"; pointer: string; message: string };

/** Which directions a level checks, and whether it looks past the newest version. */
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
