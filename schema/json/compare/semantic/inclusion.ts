/**
 * Whether every value of a writer's state satisfies a reader's schema. What cannot be proven counts as a difference,
 * so "no differences" is a proof. A proof may lean on itself (recursive schemas) as long as it has gone into a part of
 * the value in between: then it is a proof by induction over the size of values.
 */

import type { JsonSchemaModel } from "../../model.ts";
import { equalityKey } from "../../validate/equality.ts";
import { DEFERRED_DEPTH, MAX_COMPARE_WORK, WorkMeter } from "../bounds.ts";
import { PatternMatches } from "../pattern-matches.ts";
import { Evaluator } from "./evaluate.ts";
import { checkArray } from "./inclusion-arrays.ts";
import { checkAlternatives, checkConditional, checkNegation } from "./inclusion-combined.ts";
import { checkObject } from "./inclusion-objects.ts";
import { checkNumber, checkString, checkType, checkValues } from "./inclusion-values.ts";
import { PatternSearch } from "./pattern-search.ts";
import { Sameness } from "./same.ts";
import { type Choice, type State, States } from "./state.ts";
import { inPlace, type LazyView, NUMBER, TYPE, unaliased, type View } from "./view.ts";
import { Views } from "./views.ts";

/** Cases that one check may be split into: alternatives multiply. */
const MAX_CASES = 128;
/** Alternatives of one choice that are looked at one by one. */
const MAX_ALTERNATIVES = 2_000;
/** Schemas known not to hold that are tried for a contradiction. */
const MAX_TRIED_NOTS = 64;
const NO_CASES: readonly State[] = [];
/** Listed values that are tried one by one. */
const MAX_LISTED_VALUES = 2_000;
/** Contradictions looked for inside the search for one. */
const MAX_EMPTINESS_DEPTH = 4;
/** How many open choices are followed when looking for a contradiction. */
const EMPTINESS_CHOICES = 3;

/** The way from a value to one of its parts. */
export type Step =
  | { readonly property: string }
  | { readonly pattern: string }
  | { readonly other: true }
  | { readonly item: number }
  | { readonly name: true };

/** Where in a value a difference shows, and what is known of the values on the way: what a witness is built from. */
export type Trace =
  | { readonly at: "step"; readonly state: State; readonly step: Step; readonly next: Trace }
  | { readonly at: "end"; readonly state: State; readonly reader: View; readonly hints: readonly unknown[] };

export type Found = {
  readonly kind: string;
  readonly reader: string | null;
  readonly writer: string | null;
  readonly message: string;
  readonly fix?: string;
  /** The property it is about, where it is told at the object that has or lacks it. */
  readonly property?: string;
  readonly traces: readonly Trace[];
};

export const NONE: readonly Found[] = [];

type Entry = {
  /** Undefined while the proof is under way. */
  found: readonly Found[] | undefined;
  /** Whether the list stops at the first difference. */
  isPartial: boolean;
  index: number;
  level: number;
  /** The outermost open proof that this one leans on. */
  low: number;
};

const NOTHING = Number.POSITIVE_INFINITY;
/** What leans on a deferred claim leans on something outside all open proofs. */
const OUTSIDE = -1;

type Deferred = { part: State; reader: View; steps: readonly { state: State; step: Step }[] };

export class Inclusion {
  readonly meter = new WorkMeter(MAX_COMPARE_WORK);
  readonly patterns = new PatternMatches();
  readonly search = new PatternSearch();
  readonly views: Views;
  readonly states: States;
  readonly evaluator: Evaluator;
  readonly #sameness: Sameness;
  readonly #memo = new Map<State, Map<View, Entry>>();
  readonly #empty = new Map<State, boolean>();
  readonly #tags = new Map<View, ReadonlySet<string>>();
  /** Proven under assumptions that are still open. */
  #provisional: { partners: Map<View, Entry>; view: View; entry: Entry }[] = [];
  #open = 0;
  #level = 0;
  #low = NOTHING;
  #quiet = 0;
  /** The way from the root of the value to where the proof stands. */
  readonly #steps: { state: State; step: Step }[] = [];
  /** Claims about parts of values that were taken for granted and are yet to be proven. */
  #deferred: Deferred[] = [];
  readonly #deferredViews = new Map<State, Set<View>>();
  #emptiness = 0;

  constructor(reader: JsonSchemaModel, writer: JsonSchemaModel) {
    this.views = new Views(reader, writer);
    this.evaluator = new Evaluator(this.patterns, this.meter);
    this.states = new States(this.views, this.patterns, this.evaluator, this.meter);
    this.#sameness = new Sameness(this.meter);
  }

  /** Whether only the verdict is asked for, not every difference. */
  get isQuiet(): boolean {
    return this.#quiet > 0;
  }

  /**
   * Proves it together with every claim that was put off on the way. Each is about smaller values than the claim that
   * needs it, so all of them together are one proof by induction.
   */
  proveAll(state: State, schema: View): readonly Found[] {
    const found = [...this.prove(state, schema)];
    for (let next = 0; next < this.#deferred.length; next += 1) {
      const { part, reader, steps } = this.#deferred[next]!;
      this.#steps.push(...steps);
      addFound(
        found,
        this.prove(part, reader).map((each) => withSteps(each, steps)),
      );
      this.#steps.length = 0;
    }
    this.#deferred = [];
    return found;
  }

  #defer(part: State, reader: View): void {
    this.#low = OUTSIDE;
    const views = this.#deferredViews.get(part) ?? new Set();
    if (views.has(reader)) return;
    this.#deferredViews.set(part, views.add(reader));
    this.#deferred.push({ part, reader, steps: [...this.#steps] });
  }

  /** Forgets what was claimed and proven since then: it was part of an attempt that failed. */
  #rollBack(firstProvisional: number, firstDeferred: number): void {
    for (const { partners, view, entry } of this.#provisional.splice(firstProvisional)) {
      if (partners.get(view) === entry) partners.delete(view);
    }
    for (const { part, reader } of this.#deferred.splice(firstDeferred)) this.#deferredViews.get(part)?.delete(reader);
  }

  /** Whether it is proven, without a list of what is not. */
  holds(state: State, reader: View): boolean {
    this.#quiet += 1;
    try {
      return this.prove(state, reader).length === 0;
    } finally {
      this.#quiet -= 1;
    }
  }

  /** What keeps values of a state from satisfying a schema; empty if it is proven that nothing does. */
  prove(state: State, schema: View): readonly Found[] {
    const reader = unaliased(schema);
    this.meter.spend(1, reader.pointer);
    if (reader.constant === true || reader.isTrivial || state.seen.has(reader)) return NONE;
    if (state.isEmpty() || this.#isSaid(state, reader) || this.#allValuesFit(state, reader)) return NONE;
    let partners = this.#memo.get(state);
    if (partners === undefined) {
      partners = new Map();
      this.#memo.set(state, partners);
    }
    const known = partners.get(reader);
    if (known?.found && (this.isQuiet || !known.isPartial)) {
      this.#low = Math.min(this.#low, known.low);
      return known.found;
    }
    if (known && known.found === undefined) {
      if (this.#level === known.level) return [this.undecided(state, reader, "refers to itself without end")];
      this.#low = Math.min(this.#low, known.index);
      return NONE;
    }
    return this.#proveNew(state, reader, partners);
  }

  #proveNew(state: State, reader: View, partners: Map<View, Entry>): readonly Found[] {
    const entry: Entry = {
      found: undefined,
      isPartial: this.isQuiet,
      index: this.#open,
      level: this.#level,
      low: NOTHING,
    };
    partners.set(reader, entry);
    this.#open += 1;
    const outerLow = this.#low;
    const firstProvisional = this.#provisional.length;
    const firstDeferred = this.#deferred.length;
    this.#low = NOTHING;
    this.meter.enter(reader.pointer);
    entry.found = this.#check(state, reader);
    this.meter.leave();
    this.#open -= 1;
    const low = this.#low;
    this.#low = outerLow;
    if (entry.found.length > 0) {
      // What was proven by assuming this proof is not proven any more. Claims below are kept where differences are listed.
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

  /** Every keyword of the reader by itself, so that only what fails is looked at case by case. */
  #check(state: State, reader: View): readonly Found[] {
    if (reader.constant === false) return this.isEmpty(state) ? NONE : [this.#refused(state, reader)];
    const found: Found[] = [];
    const take = (more: readonly Found[]) => addFound(found, more) && this.isQuiet;
    if (reader.unresolved.length > 0 && take([this.undecided(state, reader, "has a reference that leads nowhere")]))
      return found;
    if (reader.types !== undefined && take(this.split(state, false, (s) => checkType(s, reader)))) return found;
    if (take(this.split(state, false, (s) => checkValues(s, reader)))) return found;
    if (take(this.split(state, false, (s) => checkNumber(s, reader)))) return found;
    if (take(this.split(state, false, (s) => checkString(s, reader, this.evaluator, this.search)))) return found;
    if (take(checkObject(this, state, reader))) return found;
    if (take(checkArray(this, state, reader))) return found;
    for (const demand of [...reader.references, ...reader.allOf]) if (take(this.prove(state, demand()))) return found;
    for (const check of [checkAlternatives, checkNegation, checkConditional]) {
      if (take(this.split(state, true, (s) => check(this, s, reader)))) return found;
    }
    return found;
  }

  /** One of the schemas that hold anyway says the same. */
  #isSaid(state: State, reader: View): boolean {
    for (const view of state.seen.keys()) if (view.location && this.#sameness.isSame(view, reader)) return true;
    return false;
  }

  #allValuesFit(state: State, reader: View): boolean {
    const { values } = state;
    if (values === undefined || values.length > MAX_LISTED_VALUES) return false;
    return values.every((value) => this.evaluator.accepts(reader, value) === true);
  }

  /** Looks at the part of the value that a step leads to. */
  descend(state: State, step: Step, part: State, schema: View): readonly Found[] {
    const reader = unaliased(schema);
    const isFar = this.meter.depth >= DEFERRED_DEPTH && reader.constant !== false && !reader.isTrivial;
    this.#steps.push({ state, step });
    this.#level += 1;
    let found = NONE;
    const entry = this.#memo.get(part)?.get(reader);
    const isKnown = entry && (entry.found === undefined || this.isQuiet || !entry.isPartial);
    if (isFar && !isKnown) this.#defer(part, reader);
    else found = this.prove(part, reader);
    this.#level -= 1;
    this.#steps.pop();
    return found.length === 0 ? NONE : found.map((each) => withSteps(each, [{ state, step }]));
  }

  /** Checks a state; where that fails, its cases one by one. `name`: the check is about this property only. */
  split(state: State, byType: boolean, check: (state: State) => readonly Found[], name?: string): readonly Found[] {
    let left = MAX_CASES;
    const checkCase = (each: State): readonly Found[] => {
      const [firstProvisional, firstDeferred] = [this.#provisional.length, this.#deferred.length];
      const found = check(each);
      if (found.length === 0) return found;
      const cases = this.isEmpty(each) ? NO_CASES : this.#cases(each, byType, name);
      // One choice may be long, but choices inside choices multiply.
      const isAffordable = cases !== undefined && cases.length <= (each === state ? MAX_ALTERNATIVES : left);
      if (!isAffordable) return found;
      left -= cases.length;
      this.#rollBack(firstProvisional, firstDeferred);
      const all: Found[] = [];
      for (const next of cases) {
        if (next.isEmpty()) continue;
        if (addFound(all, checkCase(next)) && this.isQuiet) return all;
      }
      return all;
    };
    return checkCase(state);
  }

  /** Whether there are cases to tell apart before the state is looked at as a whole. */
  hasCases({ choices, types, values }: State): boolean {
    return (
      choices.length > 0 || (values === undefined && TYPE_GROUPS.filter((group) => (types & group) !== 0).length > 1)
    );
  }

  #cases(state: State, byType: boolean, name: string | undefined): readonly State[] | undefined {
    const choices = name === undefined ? state.choices : state.choices.filter((choice) => mayConcern(choice, name));
    const choice = choices.reduce<Choice | undefined>(
      (best, each) => (best === undefined || each.options.length < best.options.length ? each : best),
      undefined,
    );
    if (choice) return this.#optionsOf(state, choice);
    if (!byType) return undefined;
    const { types, values } = state;
    if (values !== undefined) {
      if (values.length < 2) return undefined;
      return values.map((value) => state.with({ known: [this.views.oneOf([value])] }));
    }
    const groups = TYPE_GROUPS.filter((group) => (types & group) !== 0);
    if (groups.length > 1) return groups.map((group) => state.with({ known: [this.views.ofTypes(types & group)] }));
    return types === TYPE.object ? this.#casesByTag(state) : undefined;
  }

  /** A required property with few values often says which alternative is meant. */
  #casesByTag(state: State): State[] | undefined {
    for (const name of state.shape.required) {
      const part = state.property(name);
      const { values } = part;
      if (values === undefined || values.length < 2 || values.length > MAX_TAG_VALUES) continue;
      return values.map((value) => state.with({ known: [this.views.withProperty(name, this.views.oneOf([value]))] }));
    }
    return undefined;
  }

  #optionsOf(state: State, choice: Choice): State[] {
    this.meter.spend(choice.options.length / 4, "");
    return choice.options.map((_, index) => state.option(choice, index));
  }

  /** Whether it is proven that no value can come. */
  isEmpty(state: State): boolean {
    if (state.isEmpty()) return true;
    const known = this.#empty.get(state);
    if (known !== undefined) return known;
    if (this.#emptiness >= MAX_EMPTINESS_DEPTH) return false;
    // Until it is proven the answer is no, also for whoever asks on the way.
    this.#empty.set(state, false);
    this.#emptiness += 1;
    const outerLow = this.#low;
    this.#low = NOTHING;
    this.meter.enter("");
    const isEmpty = this.#contradictsPatterns(state) || this.#contradictsNots(state) || this.#contradictsChoices(state);
    this.meter.leave();
    this.#emptiness -= 1;
    // A proof that leans on an open one is good for this one use only.
    if (isEmpty && this.#low < this.#open) this.#empty.delete(state);
    else this.#empty.set(state, isEmpty);
    this.#low = isEmpty ? Math.min(outerLow, this.#low) : outerLow;
    return isEmpty;
  }

  /** No string can have all the patterns and lengths asked for. */
  #contradictsPatterns({ shape, types }: State): boolean {
    if (types !== TYPE.string || shape.patterns.size === 0) return false;
    const { minLength, maxLength } = shape;
    return (
      this.search.find({ matching: [...shape.patterns.keys()], notMatching: [], minLength, maxLength }).kind === "none"
    );
  }

  #contradictsNots(state: State): boolean {
    const nots = [...state.nots].slice(-MAX_TRIED_NOTS);
    return nots.some((not, index) => {
      if (this.#isTold(state, not)) return false;
      this.meter.spend(1 + nots.length / 8, not.pointer);
      return this.holds(state.withoutNots(nots.slice(index + 1)), not);
    });
  }

  #contradictsChoices(state: State): boolean {
    return state.choices
      .slice(0, EMPTINESS_CHOICES)
      .some((choice) => this.#optionsOf(state, choice).every((option) => option.isEmpty()));
  }

  /** Whether it is proven that no value of the state satisfies the view. */
  excludes(state: State, view: View): boolean {
    this.meter.spend(0.2, view.pointer);
    if (this.#isTold(state, view)) return true;
    for (const not of state.nots) if (this.#sameness.isSame(view, not)) return true;
    return this.isEmpty(state.with({ known: [view] }));
  }

  /** Whether it is worth trying to prove: what is told apart holds only where nothing can come. */
  mayHold(state: State, view: View): boolean {
    return !this.#isTold(state, view);
  }

  /** Whether types, or a constant that one of many alternatives is told by, already tell them apart: no state is made for that. */
  #isTold(state: State, schema: View): boolean {
    const view = unaliased(schema);
    const { types } = state;
    if (view.types !== undefined && (view.types & types) === 0) return true;
    if (types !== TYPE.object) return false;
    for (const [name, lazy] of view.properties) {
      const tag = this.#tagsOf(lazy());
      if (tag === undefined) continue;
      if (!view.required.includes(name) && !state.shape.required.has(name)) continue;
      const { values } = state.property(name);
      if (values?.every((value) => !tag.has(equalityKey(value)))) return true;
    }
    return false;
  }

  /** The values that a schema lists, if it does. */
  #tagsOf(view: View): ReadonlySet<string> | undefined {
    const listed = view.constantValue ? [view.constantValue] : view.enumeration;
    if (listed === undefined) return undefined;
    const known = this.#tags.get(view) ?? new Set(listed.map(equalityKey));
    this.#tags.set(view, known);
    return known;
  }

  #refused(state: State, reader: View): Found {
    return {
      kind: "SCHEMA_REFUSES_ALL",
      reader: reader.pointer,
      writer: writerPointer(state),
      message: "The reader accepts no value here, the writer may write one.",
      traces: [{ at: "end", state, reader, hints: [] }],
    };
  }

  undecided(state: State, reader: View, why: string): Found {
    return {
      kind: "UNDECIDED",
      reader: reader.pointer,
      writer: writerPointer(state),
      message: `The reader's schema ${why}, so it cannot be shown that it accepts what the writer may write.`,
      traces: [{ at: "end", state, reader, hints: [] }],
    };
  }
}

/** Values that a property may have for its values to be told apart. */
const MAX_TAG_VALUES = 32;
const TYPE_GROUPS = [TYPE.null, TYPE.boolean, NUMBER, TYPE.string, TYPE.array, TYPE.object];

/** Whether deciding a choice may tell more about a property, as far as a short look shows. */
function mayConcern({ options }: Choice, name: string): boolean {
  const visited = new Set<View>();
  const stack = options.flatMap(({ views, nots }) => [...views, ...nots]);
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const view = unaliased(next);
    if (visited.has(view)) continue;
    visited.add(view);
    const isNamed = view.properties.has(name) || view.required.includes(name) || view.dependentRequired.size > 0;
    const concernsAll =
      view.constant === false ||
      view.types !== undefined ||
      view.enumeration !== undefined ||
      view.constantValue !== undefined ||
      view.patternProperties.size > 0 ||
      view.additionalProperties !== undefined ||
      view.unevaluatedProperties !== undefined ||
      view.propertyNames !== undefined ||
      view.maxProperties !== undefined ||
      view.not !== undefined;
    if (isNamed || concernsAll || visited.size > MAX_CONCERNED_VIEWS) return true;
    for (const child of inPlace(view)) stack.push(child());
  }
  return false;
}

/** Schemas looked at before a choice counts as concerning everything. */
const MAX_CONCERNED_VIEWS = 100;

function withSteps(found: Found, steps: readonly { state: State; step: Step }[]): Found {
  const traces = found.traces.map((trace) =>
    steps.reduceRight<Trace>((next, { state, step }) => ({ at: "step", state, step, next }), trace),
  );
  return { ...found, traces };
}

/** Adds what is new; whether anything was found at all. */
export function addFound(all: Found[], more: readonly Found[]): boolean {
  for (const each of more) {
    const index = all.findIndex(
      ({ kind, reader, writer }) => kind === each.kind && reader === each.reader && writer === each.writer,
    );
    const known = all[index];
    if (known === undefined) {
      if (all.length < MAX_FOUND) all.push(each);
    } else if (known.traces.length < MAX_TRACES && known !== each) {
      // The same difference in another case of the writer: perhaps only one of them can really come.
      const others = each.traces.filter((trace) => !known.traces.includes(trace));
      all[index] = { ...known, traces: [...known.traces, ...others].slice(0, MAX_TRACES) };
    }
  }
  return more.length > 0;
}

/** The ways to some differences that are told as one. */
export function tracesOf(found: readonly Found[]): readonly Trace[] {
  return found.flatMap(({ traces }) => traces).slice(0, MAX_TRACES);
}

/** Ways to one difference that are kept. */
const MAX_TRACES = 6;

/** Differences listed for one pair of schemas. */
const MAX_FOUND = 1_000;

/** Where the writer says what it writes here; null where it says nothing. */
export function writerPointer(state: State): string | null {
  const [first] = state.seeds.written;
  return first?.location ? first.pointer : null;
}

export function lazily(view: LazyView | undefined): View | undefined {
  return view && unaliased(view());
}
