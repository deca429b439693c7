/**
 * The Confluent server's comparison, policies `strict` and `lenient`, including its blind spots, because its clients
 * expect them. In its terms the writer is the original and the reader the update. Recursion: a pair in progress counts
 * as compatible unless an earlier run found it incompatible; runs repeat until the result is stable.
 */
import type { Difference } from "../../../compatibility.ts";
import type { Sliced } from "../../../slices.ts";
import { TooComplexComparison } from "../../../work-meter.ts";
import type { JsonSchemaModel } from "../../model.ts";
import { ComparisonMeter, DEFERRED_DEPTH, MAX_CONFLUENT_WORK } from "../bounds.ts";
import { PatternMatches } from "../pattern-matches.ts";
import { compareArrays } from "./arrays.ts";
import { compareCombined } from "./combined.ts";
import { Findings } from "./findings.ts";
import type { ConfluentPolicy } from "./kinds.ts";
import { NodeIds } from "./node-ids.ts";
import { compareObjects } from "./objects.ts";
import type { PairComparison } from "./pair-comparison.ts";
import { type TypedSchema, TypedSchemas } from "./typed-schema.ts";
import { compareEnumerations, compareNumbers, compareStrings } from "./values.ts";

/**
 * Runs until every pair assumed compatible is confirmed. Each run settles at least one pair; real schemas need two.
 */
const MAX_RUNS = 50;

/** Everything the Confluent server reports as different, most of it harmless. Throws TooComplexComparison. */
export function* compareByConfluentRules(
  reader: JsonSchemaModel,
  writer: JsonSchemaModel,
  policy: ConfluentPolicy,
): Sliced<{ differences: Difference[]; total: number }> {
  const original = new TypedSchemas(writer).root();
  const update = new TypedSchemas(reader).root();
  const comparison = new ConfluentComparison(policy);
  try {
    for (let run = 0; run < MAX_RUNS; run += 1) {
      const findings = yield* comparison.run(original, update);
      if (findings) return { differences: findings.differences(), total: findings.count };
    }
  } finally {
    yield comparison.meter.takeMicros();
  }
  throw new TooComplexComparison("", `The verdict on recursive schemas does not settle within ${MAX_RUNS} rounds.`);
}

/**
 * `findings` is undefined until the pair is done. `isPartial`: the comparison stopped at the first breaking difference.
 */
type PairState = { findings: Findings | undefined; isPartial: boolean };

class ConfluentComparison implements PairComparison {
  readonly policy: ConfluentPolicy;
  readonly meter = new ComparisonMeter(MAX_CONFLUENT_WORK);
  readonly patterns = new PatternMatches(this.meter);
  readonly nodeIds = new NodeIds(this.meter);
  #pairs = new Map<TypedSchema, Map<TypedSchema, PairState>>();
  /** Pairs encountered again while in progress, in this run. */
  #assumed: [TypedSchema, TypedSchema][] = [];
  /** The current location, and deferred pairs that are compared once the stack is empty again. */
  readonly #path: string[] = [];
  #trials = 0;
  #deferred: { original: TypedSchema; update: TypedSchema; path: string; isTrial: boolean }[] = [];
  readonly #incompatible = new Map<TypedSchema, Set<TypedSchema>>();

  constructor(policy: ConfluentPolicy) {
    this.policy = policy;
  }

  /** One full run; undefined if an assumption proved wrong and another run is needed. */
  *run(original: TypedSchema, update: TypedSchema): Sliced<Findings | undefined> {
    this.#pairs = new Map();
    this.#assumed = [];
    this.#deferred = [];
    const findings = new Findings(this.policy);
    findings.include("", this.compare(original, update));
    for (let next = 0; next < this.#deferred.length; next += 1) {
      const { original: a, update: b, path, isTrial } = this.#deferred[next]!;
      // A pair that an attempt deferred determines the attempt's result, but is not a difference itself.
      if (isTrial) this.isCompatible(a, b, path);
      else this.compareInto(findings, path, a, b);
      if (this.meter.isSliceOver()) yield this.meter.takeMicros();
    }
    let isSettled = true;
    for (const [a, b] of this.#assumed) {
      if (this.#pairs.get(a)?.get(b)?.findings?.isCompatible !== false || this.#incompatible.get(a)?.has(b)) continue;
      isSettled = false;
      const partners = this.#incompatible.get(a) ?? new Set();
      this.#incompatible.set(a, partners.add(b));
    }
    return isSettled ? findings : undefined;
  }

  compare(original: TypedSchema | undefined, update: TypedSchema | undefined, path = ""): Findings {
    const findings = new Findings(this.policy);
    if (original === undefined && update === undefined) return findings;
    if (original === undefined || update === undefined) {
      findings.add("", original === undefined ? "SCHEMA_ADDED" : "SCHEMA_REMOVED");
      return findings;
    }
    this.#path.push(path);
    const compared = this.#comparePair(dereferenced(original), dereferenced(update));
    this.#path.pop();
    return compared;
  }

  /** Whether a pair is compatible, without collecting its differences. */
  isCompatible(original: TypedSchema | undefined, update: TypedSchema | undefined, path = ""): boolean {
    this.#trials += 1;
    const { isCompatible } = this.compare(original, update, path);
    this.#trials -= 1;
    return isCompatible;
  }

  /** Whether only the verdict is requested. */
  get isTrial(): boolean {
    return this.#trials > 0;
  }

  /** Whether enough is known about a pair. */
  isSettled(findings: Findings): boolean {
    return this.#trials > 0 && !findings.isCompatible;
  }

  /** Compares a nested location; `path` is where its differences are reported. */
  compareInto(
    findings: Findings,
    path: string,
    original: TypedSchema | undefined,
    update: TypedSchema | undefined,
  ): void {
    findings.include(path, this.compare(original, update, path));
  }

  #comparePair(original: TypedSchema, update: TypedSchema): Findings {
    let partners = this.#pairs.get(original);
    if (partners === undefined) {
      partners = new Map();
      this.#pairs.set(original, partners);
    }
    const known = partners.get(update);
    if (known?.findings && (this.#trials > 0 || !known.isPartial)) return known.findings;
    const isOpen = known !== undefined && known.findings === undefined;
    const isFar = this.meter.depth >= DEFERRED_DEPTH && known === undefined;
    if (isFar) {
      this.meter.spend(1, "");
      this.#deferred.push({ original, update, path: this.#path.join(""), isTrial: this.isTrial });
    }
    if (isFar || isOpen) return this.#assume(original, update);
    partners.set(update, { findings: undefined, isPartial: false });
    const path = this.#path.at(-1) ?? "";
    this.meter.spend(1, path);
    this.meter.enter(path);
    const findings = this.#compareNew(original, update);
    this.meter.leave();
    partners.set(update, { findings, isPartial: this.#trials > 0 && !findings.isCompatible });
    return findings;
  }

  /** The provisional result of a pair in progress or deferred. */
  #assume(original: TypedSchema, update: TypedSchema): Findings {
    this.#assumed.push([original, update]);
    const assumption = new Findings(this.policy);
    if (this.#incompatible.get(original)?.has(update)) assumption.markIncompatible();
    return assumption;
  }

  #compareNew(original: TypedSchema, update: TypedSchema): Findings {
    const unwrapped = this.#compareMixed(original, update);
    if (unwrapped) return unwrapped;
    const findings = new Findings(this.policy);
    if (original.class !== update.class) {
      const isFine =
        original.class === "false" ||
        update.class === "empty" ||
        (original.annotations.connectBytes && update.annotations.connectBytes);
      if (!isFine) findings.add("", "TYPE_CHANGED");
      return findings;
    }
    compareAnnotations(findings, original, update, this.nodeIds);
    if (original.class === "string" && update.class === "string") compareStrings(findings, original, update);
    else if (original.class === "number" && update.class === "number") compareNumbers(findings, original, update);
    else if (original.class === "object" && update.class === "object") compareObjects(this, findings, original, update);
    else if (original.class === "array" && update.class === "array") compareArrays(this, findings, original, update);
    else if (original.class === "combined" && update.class === "combined")
      compareCombined(this, findings, original, update);
    else if (original.class === "enum" && update.class === "enum")
      compareEnumerations(findings, original, update, this.meter);
    else if (original.class === "const" && update.class === "const") {
      if (this.nodeIds.idOf(original.value) !== this.nodeIds.idOf(update.value))
        findings.add("/const", "ENUM_ARRAY_CHANGED");
    } else if (original.class === "not" && update.class === "not") {
      // `not` is compared in the reverse direction: forbidding less accepts more.
      const isLess = this.isCompatible(update.schema(), original.schema(), "/not");
      findings.add("/not", isLess ? "NOT_TYPE_NARROWED" : "NOT_TYPE_EXTENDED");
    }
    return findings;
  }

  /** A combination against a plain schema: it fits if one member does, for combinations where one member suffices. */
  #compareMixed(original: TypedSchema, update: TypedSchema): Findings | undefined {
    if (update.class === "combined" && original.class !== "combined") {
      const isSum = update.criterion !== "allOf";
      if (update.members.length > 1 && !isSum) return undefined;
      return this.#firstCompatible(
        update.members.map((member) => [original, member()]),
        update.members.length > 1 ? "SUM_TYPE_EXTENDED" : undefined,
      );
    }
    if (original.class === "combined" && update.class !== "combined") {
      if (original.members.length > 1 && original.criterion !== "allOf") return undefined;
      return this.#firstCompatible(
        original.members.map((member) => [member(), update]),
        original.members.length > 1 ? "PRODUCT_TYPE_NARROWED" : undefined,
      );
    }
    return undefined;
  }

  #firstCompatible(
    pairs: readonly [TypedSchema, TypedSchema][],
    kind: "SUM_TYPE_EXTENDED" | "PRODUCT_TYPE_NARROWED" | undefined,
  ): Findings | undefined {
    for (const [original, update] of pairs) {
      if (!this.isCompatible(original, update)) continue;
      const findings = new Findings(this.policy);
      findings.include("", this.compare(original, update));
      if (kind) findings.add("", kind);
      return findings;
    }
    return undefined;
  }
}

/** The final target of a reference; an unresolved or circular one accepts anything. */
function dereferenced(schema: TypedSchema): TypedSchema {
  const visited = new Set<TypedSchema>();
  let current = schema;
  while (current.class === "reference") {
    if (visited.has(current) || current.target === undefined) return { ...EMPTY, node: current.node };
    visited.add(current);
    current = current.target();
  }
  return current;
}

const EMPTY = {
  class: "empty",
  annotations: {
    id: undefined,
    title: undefined,
    description: undefined,
    defaultValue: undefined,
    connectBytes: false,
  },
  isPart: true,
} as const;

function compareAnnotations(findings: Findings, original: TypedSchema, update: TypedSchema, nodeIds: NodeIds): void {
  const [a, b] = [original.annotations, update.annotations];
  if (a.id !== b.id) findings.add("", "ID_CHANGED");
  if (a.title !== b.title) findings.add("", "TITLE_CHANGED");
  if (a.description !== b.description) findings.add("", "DESCRIPTION_CHANGED");
  if (a.defaultValue === undefined && b.defaultValue === undefined) return;
  if (!a.defaultValue || !b.defaultValue || nodeIds.idOf(a.defaultValue) !== nodeIds.idOf(b.defaultValue)) {
    findings.add("", "DEFAULT_CHANGED");
  }
}
