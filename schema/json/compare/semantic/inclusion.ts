/**
 * Whether every value of a writer's state satisfies a reader's schema. What cannot be proven counts as a difference, so
 * "no differences" is a proof. A proof may rely on itself (recursive schemas) if it has descended into a part of the
 * value in between, which makes it a proof by induction over the size of values. See docs/json-comparison.md. Proofs
 * are generators that pause after each slice of work, so a caller can let other requests run in between.
 */

import type { Sliced } from "../../../slices.ts";
import type { JsonSchemaModel } from "../../model.ts";
import { ComparisonMeter, DEFERRED_DEPTH, MAX_COMPARE_WORK } from "../bounds.ts";
import { PatternMatches } from "../pattern-matches.ts";
import { type LazyCase, splitCases } from "./cases.ts";
import { Discriminators } from "./discriminators.ts";
import { Evaluator } from "./evaluate.ts";
import { type FoundDifference, FoundList, NONE, type Step, withSteps, writerPointer } from "./found.ts";
import { checkArray } from "./inclusion-arrays.ts";
import { checkAlternatives, checkConditional, checkNegation } from "./inclusion-combined.ts";
import { checkNumber } from "./inclusion-numbers.ts";
import { checkObject } from "./inclusion-objects.ts";
import { checkString } from "./inclusion-strings.ts";
import { checkType, checkValues } from "./inclusion-values.ts";
import { PatternSearch } from "./pattern-search.ts";
import type { Check, Proof } from "./proof.ts";
import { Refutation } from "./refutation.ts";
import type { Aspect } from "./relevance.ts";
import { Sameness } from "./same.ts";
import type { State } from "./state.ts";
import { States } from "./states.ts";
import { TYPE, unaliased, type View } from "./view.ts";
import { Views } from "./views.ts";

/** Cases of one check before a counterexample is searched, which would end the check. */
const MAX_LISTED_CASES = 128;
/** Schemas known not to hold that are tried for a contradiction. */
const MAX_TRIED_NOTS = 64;
const NO_CASES: readonly LazyCase[] = [];
/** Listed values that are tried individually. */
const MAX_LISTED_VALUES = 2_000;
/** Nesting limit for searches for contradictions. */
const MAX_EMPTINESS_DEPTH = 4;
/** Open choices that are followed when searching for a contradiction. */
const EMPTINESS_CHOICES = 3;
/** Bytes of a cached proof. */
const ENTRY_BYTES = 250;

type Entry = {
  /** Undefined while the proof is in progress. */
  found: readonly FoundDifference[] | undefined;
  /** Whether the list stops at the first difference. */
  isPartial: boolean;
  index: number;
  level: number;
  /** The outermost open proof on which this one relies. */
  low: number;
};

const NOTHING = Number.POSITIVE_INFINITY;
/** A proof that relies on a deferred claim relies on something outside all open proofs. */
const OUTSIDE = -1;

type Deferred = { part: State; reader: View; steps: readonly { state: State; step: Step }[] };

export class Inclusion implements Proof {
  readonly meter = new ComparisonMeter(MAX_COMPARE_WORK);
  readonly patterns: PatternMatches;
  readonly search: PatternSearch;
  readonly views: Views;
  readonly discriminators: Discriminators;
  readonly states: States;
  readonly evaluator: Evaluator;
  readonly #sameness: Sameness;
  readonly #refutation: Refutation;
  readonly #memo = new Map<State, Map<View, Entry>>();
  readonly #empty = new Map<State, boolean>();
  /** Proven under assumptions that are still open. */
  #provisional: { partners: Map<View, Entry>; view: View; entry: Entry }[] = [];
  #open = 0;
  #level = 0;
  #low = NOTHING;
  #quiet = 0;
  /** The path from the root of the value to the current location. */
  readonly #steps: { state: State; step: Step }[] = [];
  /** Claims about parts of values that were assumed and still have to be proven. */
  #deferred: Deferred[] = [];
  readonly #deferredViews = new Map<State, Set<View>>();
  #emptiness = 0;

  constructor(reader: JsonSchemaModel, writer: JsonSchemaModel) {
    this.views = new Views(reader, writer, this.meter);
    this.patterns = new PatternMatches(this.meter);
    this.search = new PatternSearch(this.meter);
    this.discriminators = new Discriminators(this.meter);
    this.evaluator = new Evaluator(this.patterns, this.discriminators, this.meter);
    this.states = new States(this.views, this.patterns, this.evaluator, this.discriminators, this.meter);
    this.#sameness = new Sameness(this.meter);
    this.#refutation = new Refutation(this.views, this.evaluator, this.meter);
  }

  /** Whether only the verdict is requested, without a list of differences. */
  get isQuiet(): boolean {
    return this.#quiet > 0;
  }

  /**
   * Proves a claim together with every claim that was deferred on the way. Each is about smaller values than the claim
   * that needs it, so together they are one proof by induction.
   */
  *proveAll(state: State, schema: View): Sliced<readonly FoundDifference[]> {
    const found = new FoundList();
    found.add(yield* this.prove(state, schema));
    for (let next = 0; next < this.#deferred.length; next += 1) {
      const { part, reader, steps } = this.#deferred[next]!;
      this.#steps.push(...steps);
      const more = yield* this.prove(part, reader);
      found.add(more.map((each) => withSteps(each, steps)));
      this.#steps.length = 0;
    }
    this.#deferred = [];
    return found.items;
  }

  #defer(part: State, reader: View): void {
    this.#low = OUTSIDE;
    const views = this.#deferredViews.get(part) ?? new Set();
    if (views.has(reader)) return;
    this.meter.keep(ENTRY_BYTES + this.#steps.length * 8, reader.pointer);
    this.#deferredViews.set(part, views.add(reader));
    this.#deferred.push({ part, reader, steps: [...this.#steps] });
  }

  /** Discards claims and proofs since a given point, because they belong to a failed attempt. */
  #rollBack(firstProvisional: number, firstDeferred: number): void {
    for (const { partners, view, entry } of this.#provisional.splice(firstProvisional)) {
      if (partners.get(view) === entry) partners.delete(view);
    }
    for (const { part, reader } of this.#deferred.splice(firstDeferred)) this.#deferredViews.get(part)?.delete(reader);
  }

  /** Whether it is proven, without a list of differences. */
  *holds(state: State, reader: View): Sliced<boolean> {
    this.#quiet += 1;
    try {
      return (yield* this.prove(state, reader)).length === 0;
    } finally {
      this.#quiet -= 1;
    }
  }

  /**
   * The differences that keep values of a state from satisfying a schema; empty if it is proven that there are none.
   */
  *prove(state: State, schema: View): Sliced<readonly FoundDifference[]> {
    const reader = unaliased(schema);
    this.meter.spend(1, reader.pointer);
    if (this.meter.isSliceOver()) yield this.meter.takeMicros();
    if (reader.constant === true || reader.isTrivial || state.seen.has(reader)) return NONE;
    if (state.isEmpty() || this.#isSaid(state, reader)) return NONE;
    if (this.meter.isSliceOver()) yield this.meter.takeMicros();
    if (this.#allValuesFit(state, reader)) return NONE;
    if (isScalarPair(state, reader)) return PLAIN_CHECKS.flatMap(([, check]) => check(this, state, reader));
    const partners = this.#memo.get(state);
    const known = partners?.get(reader);
    if (known?.found && (this.isQuiet || !known.isPartial)) {
      this.#low = Math.min(this.#low, known.low);
      return known.found;
    }
    if (known && known.found === undefined) {
      if (this.#level === known.level) return [this.undecided(state, reader, "refers to itself endlessly")];
      this.#low = Math.min(this.#low, known.index);
      return NONE;
    }
    return yield* this.#proveNew(state, reader, partners ?? new Map());
  }

  *#proveNew(state: State, reader: View, partners: Map<View, Entry>): Sliced<readonly FoundDifference[]> {
    const entry: Entry = {
      found: undefined,
      isPartial: this.isQuiet,
      index: this.#open,
      level: this.#level,
      low: NOTHING,
    };
    this.meter.keep(ENTRY_BYTES, reader.pointer);
    this.#memo.set(state, partners.set(reader, entry));
    this.#open += 1;
    const outerLow = this.#low;
    const firstProvisional = this.#provisional.length;
    const firstDeferred = this.#deferred.length;
    this.#low = NOTHING;
    this.meter.enter(reader.pointer);
    entry.found = yield* this.#check(state, reader);
    this.meter.leave();
    this.#open -= 1;
    const low = this.#low;
    this.#low = outerLow;
    if (entry.found.length > 0) {
      // Proofs that assumed this one are invalid now. Claims below are kept if differences are listed.
      this.#rollBack(firstProvisional, this.isQuiet ? firstDeferred : this.#deferred.length);
    } else if (low < entry.index) {
      entry.low = low;
      this.#low = Math.min(outerLow, low);
      this.#provisional.push({ partners, view: reader, entry });
    } else {
      for (const { entry: other } of this.#provisional.splice(firstProvisional)) other.low = NOTHING;
    }
    return entry.found;
  }

  /** Checks every keyword of the reader separately, so that only failing ones are split into cases. */
  *#check(state: State, reader: View): Sliced<readonly FoundDifference[]> {
    if (reader.constant === false) {
      return (yield* this.isEmpty(state)) ? NONE : [this.#refused(state, reader)];
    }
    const found = new FoundList();
    if (reader.unresolved.length > 0) {
      found.add([this.undecided(state, reader, "has a reference that does not resolve")]);
      if (this.isQuiet) return found.items;
    }
    for (const [aspect, check] of PLAIN_CHECKS) {
      const failed = found.add(yield* this.split(state, reader, aspect, (each) => check(this, each, reader)));
      if (failed && this.isQuiet) return found.items;
    }
    for (const check of [checkObject, checkArray]) {
      if (found.add(yield* check(this, state, reader)) && this.isQuiet) return found.items;
    }
    for (const demand of [...reader.references, ...reader.allOf]) {
      if (found.add(yield* this.prove(state, demand())) && this.isQuiet) return found.items;
    }
    for (const [isThere, check] of COMBINED_CHECKS) {
      if (!isThere(reader)) continue;
      const failed = found.add(yield* this.split(state, reader, "all", (each) => check(this, each, reader)));
      if (failed && this.isQuiet) return found.items;
    }
    return found.items;
  }

  /** One of the schemas that hold anyway is equal. */
  #isSaid(state: State, reader: View): boolean {
    return this.#sameness.isAmong(state.seen, reader);
  }

  #allValuesFit(state: State, reader: View): boolean {
    const { values } = state;
    if (values === undefined || values.length > MAX_LISTED_VALUES) return false;
    return values.every((value) => this.evaluator.accepts(reader, value) === true);
  }

  /** Runs a check on the part of the value that a step leads to. */
  *descend(state: State, step: Step, part: State, schema: View): Sliced<readonly FoundDifference[]> {
    const reader = unaliased(schema);
    const isFar = this.meter.depth >= DEFERRED_DEPTH && reader.constant !== false && !reader.isTrivial;
    this.#steps.push({ state, step });
    this.#level += 1;
    let found = NONE;
    const entry = this.#memo.get(part)?.get(reader);
    const isKnown = entry && (entry.found === undefined || this.isQuiet || !entry.isPartial);
    if (isFar && !isKnown) this.#defer(part, reader);
    else found = yield* this.prove(part, reader);
    this.#level -= 1;
    this.#steps.pop();
    if (found.length === 0) return NONE;
    this.meter.spend(found.length / 5, reader.pointer);
    return found.map((each) => withSteps(each, [{ state, step }]));
  }

  /** Checks a state and, if that fails, its cases one by one, as far as they are relevant to the check. */
  *split(state: State, reader: View, aspect: Aspect, check: Check): Sliced<readonly FoundDifference[]> {
    const [firstProvisional, firstDeferred] = [this.#provisional.length, this.#deferred.length];
    if (this.meter.isSliceOver()) yield this.meter.takeMicros();
    const found = yield* finished(check(state));
    if (found.length === 0) return found;
    return yield* this.#splitFailed(state, reader, aspect, check, found, firstProvisional, firstDeferred, { cases: 0 });
  }

  *#splitFailed(
    state: State,
    reader: View,
    aspect: Aspect,
    check: Check,
    found: readonly FoundDifference[],
    firstProvisional: number,
    firstDeferred: number,
    tried: { cases: number },
  ): Sliced<readonly FoundDifference[]> {
    const cases = (yield* this.isEmpty(state)) ? NO_CASES : splitCases(this, state, reader, aspect);
    if (cases === undefined) return found;
    // One value that the writer may send and the reader refuses is more informative than all cases together.
    const isEnough = this.isQuiet || tried.cases > MAX_LISTED_CASES;
    if (cases.length > 0 && isEnough && this.#refutation.isRefuted(state, reader)) return found;
    tried.cases += cases.length;
    this.#rollBack(firstProvisional, firstDeferred);
    const all = new FoundList();
    for (const create of cases) {
      if (this.meter.isSliceOver()) yield this.meter.takeMicros();
      const next = create();
      if (next.isEmpty()) continue;
      const [provisional, deferred] = [this.#provisional.length, this.#deferred.length];
      let more = yield* finished(check(next));
      if (more.length === 0) continue;
      more = yield* this.#splitFailed(next, reader, aspect, check, more, provisional, deferred, tried);
      if (all.add(more) && this.isQuiet) return all.items;
    }
    return all.items;
  }

  /** Whether it is proven that no value is possible. */
  *isEmpty(state: State): Sliced<boolean> {
    if (state.isEmpty()) return true;
    const known = this.#empty.get(state);
    if (known !== undefined) return known;
    if (state.isLeaf && state.nots.size === 0 && state.shape.patterns.size === 0) return false;
    if (this.#emptiness >= MAX_EMPTINESS_DEPTH) return false;
    // Until it is proven the answer is no, including when the same question recurs in the proof.
    this.#empty.set(state, false);
    this.#emptiness += 1;
    const outerLow = this.#low;
    this.#low = NOTHING;
    this.meter.enter("");
    const isEmpty =
      this.#contradictsPatterns(state) || this.#contradictsChoices(state) || (yield* this.#contradictsNots(state));
    this.meter.leave();
    this.#emptiness -= 1;
    // A proof that relies on an open one is valid for this use only.
    if (isEmpty && this.#low < this.#open) this.#empty.delete(state);
    else this.#empty.set(state, isEmpty);
    this.#low = isEmpty ? Math.min(outerLow, this.#low) : outerLow;
    return isEmpty;
  }

  /** No string can satisfy all the required patterns and lengths. */
  #contradictsPatterns({ shape, types }: State): boolean {
    if (types !== TYPE.string || shape.patterns.size === 0) return false;
    const { minLength, maxLength } = shape;
    return (
      this.search.find({ matching: [...shape.patterns.keys()], notMatching: [], minLength, maxLength }).kind === "none"
    );
  }

  *#contradictsNots(state: State): Sliced<boolean> {
    if (state.nots.size === 0 || this.#refutation.isInhabited(state)) return false;
    const nots = [...state.nots].slice(-MAX_TRIED_NOTS);
    for (const [index, not] of nots.entries()) {
      if (this.isApart(state, not)) continue;
      this.meter.spend(1 + nots.length / 8, not.pointer);
      if (yield* this.holds(state.withoutNots(nots.slice(index + 1)), not)) return true;
    }
    return false;
  }

  #contradictsChoices(state: State): boolean {
    return state.choices.slice(0, EMPTINESS_CHOICES).some((choice) => {
      this.meter.spend(choice.options.length / 4, "");
      return choice.options.every((_, index) => state.option(choice, index).isEmpty());
    });
  }

  /** Whether it is proven that no value of the state satisfies the view. */
  *excludes(state: State, view: View): Sliced<boolean> {
    this.meter.spend(0.2, view.pointer);
    if (this.isApart(state, view)) return true;
    for (const not of state.nots) if (this.#sameness.isSame(view, not)) return true;
    const both = state.with({ known: [view] });
    if (both.isEmpty()) return true;
    return !this.#refutation.isShared(state, view) && (yield* this.isEmpty(both));
  }

  /** Whether types and tags already exclude it, without creating a state. */
  isApart(state: State, view: View): boolean {
    return state.isApartFrom(this.discriminators.factsOf(view));
  }

  #refused(state: State, reader: View): FoundDifference {
    return {
      kind: "SCHEMA_REFUSES_ALL",
      reader: reader.pointer,
      writer: writerPointer(state),
      message: "The reader accepts no value here; the writer may produce one.",
      traces: [{ at: "end", state, reader, hints: [] }],
    };
  }

  undecided(state: State, reader: View, why: string): FoundDifference {
    return {
      kind: "UNDECIDED",
      reader: reader.pointer,
      writer: writerPointer(state),
      message: `The reader's schema ${why}, so it cannot be shown that it accepts what the writer may produce.`,
      traces: [{ at: "end", state, reader, hints: [] }],
    };
  }
}

/** Whether neither the values nor the schemas have parts: such a pair is faster to prove again than to cache. */
function isScalarPair(state: State, reader: View): boolean {
  return reader.isLeaf && reader.constant === undefined && state.isLeaf && (state.types & CONTAINERS) === 0;
}

const CONTAINERS = TYPE.array | TYPE.object;

type PlainCheck = (proof: Proof, state: State, reader: View) => readonly FoundDifference[];

const PLAIN_CHECKS: readonly (readonly [Aspect, PlainCheck])[] = [
  ["type", (_, state, reader) => (reader.types === undefined ? NONE : checkType(state, reader))],
  ["type", (_, state, reader) => checkValues(state, reader)],
  ["number", (_, state, reader) => checkNumber(state, reader)],
  ["string", ({ evaluator, search }, state, reader) => checkString(state, reader, evaluator, search)],
];

type CombinedCheck = (proof: Proof, state: State, reader: View) => Sliced<readonly FoundDifference[]>;

const COMBINED_CHECKS: readonly (readonly [(reader: View) => boolean, CombinedCheck])[] = [
  [({ anyOf, oneOf }) => anyOf.length + oneOf.length > 0, checkAlternatives],
  [({ not }) => not !== undefined, checkNegation],
  [({ condition }) => condition !== undefined, checkConditional],
];

/** The result of a check, immediate or in slices. */
function* finished(
  checked: readonly FoundDifference[] | Sliced<readonly FoundDifference[]>,
): Sliced<readonly FoundDifference[]> {
  return "next" in checked ? yield* checked : checked;
}
