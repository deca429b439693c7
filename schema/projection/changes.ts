/** The changes that a projection made to a schema and what they lose, one entry per location and kind. */
import { MAX_REPORTED_CHANGES } from "./bounds.ts";

export const CHANGE_KINDS = [
  "dropped",
  "moved_to_description",
  "rewritten_optional",
  "inlined_ref",
  "hoisted_ref",
  "unrolled_recursion",
  "reordered",
  "closed_object",
  "wrapped_root",
  "renamed",
  "merged_all_of",
  "distributed_union",
  "one_of_as_any_of",
  "types_as_any_of",
  "type_inferred",
  "respelled",
  "const_as_enum",
  "enum_as_strings",
  "ambiguous_case",
  "ambiguous_form",
  "map_as_entries",
  "tuple_as_object",
  "json_in_string",
  "removed_property",
] as const;
export type ProjectionChangeKind = (typeof CHANGE_KINDS)[number];

/**
 * `lossless`: after decoding, the same values as before. `checked_after`: the provider may also return values that the
 * schema refuses, so the decoded answer is validated. `lost`: some values that the schema allows can no longer be
 * returned.
 */
export type ProjectionLoss = "lossless" | "checked_after" | "lost";

export type ProjectionChange = {
  readonly kind: ProjectionChangeKind;
  /** The location in the registered schema; prefixed with `name#` if it is in a reference. */
  readonly pointer: string;
  readonly loss: ProjectionLoss;
  /** What was changed and why, in one sentence. */
  readonly message: string;
  /** How the author could avoid the change; absent if only the provider could. */
  readonly fix?: string;
};

export class ChangeLog {
  readonly #changes = new Map<string, ProjectionChange>();
  #left = 0;

  add(change: ProjectionChange): void {
    const key = `${change.kind} ${change.pointer} ${change.message}`;
    if (this.#changes.has(key)) return;
    if (this.#changes.size < MAX_REPORTED_CHANGES) this.#changes.set(key, change);
    else this.#left += 1;
    this.#worst = worse(this.#worst, change.loss);
  }

  #worst: ProjectionLoss = "lossless";

  get changes(): ProjectionChange[] {
    return [...this.#changes.values()];
  }

  /** All changes, including those beyond the report. */
  get total(): number {
    return this.#changes.size + this.#left;
  }

  get worst(): ProjectionLoss {
    return this.#worst;
  }
}

const LOSSES: readonly ProjectionLoss[] = ["lossless", "checked_after", "lost"];

function worse(a: ProjectionLoss, b: ProjectionLoss): ProjectionLoss {
  return LOSSES.indexOf(a) >= LOSSES.indexOf(b) ? a : b;
}
