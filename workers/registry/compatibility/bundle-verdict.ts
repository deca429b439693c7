/** The verdict on one schema of a bundle, collected pair by pair. */

import type { Refusal } from "../../../contract/errors.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import { MAX_ANSWER_BYTES } from "../../../registry/rpc.ts";
import { suggestBump } from "../../../schema/bump.ts";
import {
  type ComparedDifferences,
  type CompatibilityLevel,
  type Difference,
  isCompatible,
  LEVEL_CHECKS,
  type Policy,
  sortByImportance,
  type WriterAssumption,
} from "../../../schema/compatibility.ts";
import { DifferenceList, listWithin } from "../../../schema/difference-list.ts";
import type { SchemaProblem } from "../../../schema/format.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { Role } from "../../../schema/rules/roles.ts";
import type { RuleBook } from "../../../schema/rules/rule-book.ts";
import { FIRST_SEMVER, nextSemver } from "../../../schema/semver.ts";
import { ruledBy, shownDifferences } from "./compare.ts";
import type { CheckedDifference, Direction, VersionSuggestion } from "./compatibility-check.ts";
import { type Comparing, type HeldSchema, judge } from "./judge.ts";

/** Differences shown per schema, breaking ones first. */
const MAX_SHOWN_DIFFERENCES = 100;
/** JSON size limit for the differences of all schemas together; differences beyond it are only counted. */
export const MAX_BUNDLE_DIFFERENCE_BYTES = MAX_ANSWER_BYTES / 2;
/** The remaining budget for the schemas of a bundle. */
export type BundleAllowance = { witnesses: number; bytes: number };

/** The verdict on a pair, or the reason there is none: a limit was reached, or the policy does not apply. */
type JudgedPair = ComparedDifferences | { undecided: string };

/** `undecided` if a limit was reached or the policy does not apply: the schema is then neither compatible nor incompatible. */
export type BundleVerdict = {
  level: CompatibilityLevel;
  policy: Policy;
  writers: WriterAssumption;
  role: Role | null;
  compatible: boolean | null;
  errors: readonly SchemaProblem[];
  undecided: string | null;
  differences: CheckedDifference[];
  omitted: number;
};

/** A schema's configuration, and its own problems. */
export type HeldTo = {
  level: CompatibilityLevel;
  policy: Policy;
  writers: WriterAssumption;
  role: Role | null;
  book: RuleBook;
  errors: readonly SchemaProblem[];
};

/** Builds the verdict on one schema. A refusal concerns the whole bundle; problems of this schema alone are part of its verdict. */
export class Judging {
  readonly #judged = new Map<HeldSchema, Partial<Record<Direction, JudgedPair>>>();
  readonly #differences = new DifferenceList<CheckedDifference>((difference) => difference);
  #total = 0;
  #compatible = true;
  #undecided: string | null = null;

  readonly edge: Comparing;
  readonly held: HeldTo;
  readonly nowMs: number;
  readonly left: BundleAllowance;
  readonly spend: (reader: HeldSchema, writer: HeldSchema) => Refusal | undefined;
  /** The other files of the reader's module by direction, for Buf's categories. */
  readonly beside: Readonly<Record<Direction, readonly HeldSchema[]>>;

  constructor(
    edge: Comparing,
    held: HeldTo,
    nowMs: number,
    left: BundleAllowance,
    spend: (reader: HeldSchema, writer: HeldSchema) => Refusal | undefined,
    beside: Readonly<Record<Direction, readonly HeldSchema[]>> = { backward: [], forward: [] },
  ) {
    this.edge = edge;
    this.held = held;
    this.nowMs = nowMs;
    this.left = left;
    this.spend = spend;
    this.beside = beside;
  }

  leaveUndecided(reason: string): void {
    this.#undecided ??= reason;
  }

  /** Whether the candidate is compatible with an earlier version in the level's directions; null if undecided. */
  async compare(
    candidate: HeldSchema,
    other: HeldSchema,
    { versionNumber }: SchemaRecord,
  ): Promise<Result<boolean | null, Refusal>> {
    const { level, writers, role, book } = this.held;
    let compatible: boolean | null = true;
    for (const direction of DIRECTIONS.filter((one) => LEVEL_CHECKS[level][one])) {
      const judged = await this.#judge(candidate, other, direction);
      if (!judged.ok) return judged;
      if ("undecided" in judged.value) {
        this.leaveUndecided(judged.value.undecided);
        compatible = null;
        continue;
      }
      const { differences, total } = ruledBy(book, judged.value, this.nowMs);
      const [reader, writer] = toSides(candidate, other, direction);
      const shown = await shownDifferences(this.edge, reader, writer, differences, { writers, role, left: this.left });
      this.#total += total;
      for (const one of shown) {
        if (!this.#differences.count(one.severity)) continue;
        this.#differences.add({ ...one, direction, version_number: versionNumber! });
      }
      if (compatible === true && !isCompatible(differences)) compatible = false;
    }
    if (compatible === false) this.#compatible = false;
    return ok(compatible);
  }

  /** The semver the candidate should get after a version. */
  async suggest(
    candidate: HeldSchema,
    earlier: HeldSchema | undefined,
    semver: string | null,
  ): Promise<Result<VersionSuggestion, Refusal>> {
    if (!earlier) return ok({ semver: FIRST_SEMVER, bump: null, reasons: ["It is the subject's first version."] });
    const { level } = this.held;
    const checked = DIRECTIONS.filter((direction) => LEVEL_CHECKS[level][direction]);
    const others = DIRECTIONS.filter((direction) => !checked.includes(direction));
    const lasting: Record<Direction, readonly Difference[]> = { backward: [], forward: [] };
    for (const direction of [...checked, ...others]) {
      // The level's directions are already judged; the other one is only needed if they suggest a patch.
      const isSettled =
        checked.length > 0 && others.includes(direction) && suggestBump(lasting, level).bump !== "patch";
      if (isSettled) break;
      const judged = await this.#judge(candidate, earlier, direction);
      if (!judged.ok) return judged;
      if ("undecided" in judged.value) return ok({ semver: null, bump: null, reasons: [judged.value.undecided] });
      lasting[direction] = ruledBy(this.held.book, judged.value, this.nowMs).lasting;
    }
    const { bump, reasons } = suggestBump(lasting, level, this.held.role);
    return ok({ semver: nextSemver(semver ?? FIRST_SEMVER, bump) ?? null, bump, reasons });
  }

  verdict(isValid: boolean): BundleVerdict {
    const { level, policy, writers, role, errors } = this.held;
    const ordered = sortByImportance(this.#differences.reported());
    const shown = listWithin(ordered.slice(0, MAX_SHOWN_DIFFERENCES), this.left.bytes);
    this.left.bytes -= Buffer.byteLength(JSON.stringify(shown));
    return {
      level,
      policy,
      writers,
      role,
      // A break is decisive even if other pairs are undecided.
      compatible: !isValid || !this.#compatible ? false : this.#undecided === null ? true : null,
      errors,
      undecided: this.#undecided,
      differences: shown,
      omitted: this.#total - shown.length,
    };
  }

  /** Judges each pair once, because level and suggestion often need the same. Refuses only what ends the whole bundle. */
  async #judge(candidate: HeldSchema, other: HeldSchema, direction: Direction): Promise<Result<JudgedPair, Refusal>> {
    const known = this.#judged.get(other)?.[direction];
    if (known) return ok(known);
    const [reader, writer] = toSides(candidate, other, direction);
    const refused = this.spend(reader, writer);
    if (refused) return refuse(refused);
    const { policy, writers, role, book } = this.held;
    const options = { policy, writers, role, rules: book.rules };
    const judged = await judge(this.edge, reader, writer, options, this.beside[direction]);
    const pair = judged.ok ? judged.value : { undecided: judged.refusal.detail };
    this.#judged.set(other, { ...this.#judged.get(other), [direction]: pair });
    return ok(pair);
  }
}

const DIRECTIONS = ["backward", "forward"] as const;

function toSides(
  candidate: HeldSchema,
  other: HeldSchema,
  direction: Direction,
): [reader: HeldSchema, writer: HeldSchema] {
  return direction === "backward" ? [candidate, other] : [other, candidate];
}
