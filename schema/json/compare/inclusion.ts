/**
 * Whether every value of a writer's state satisfies a reader's schema. What cannot be proven counts as a difference,
 * so "no differences" is a proof. A proof may lean on itself (recursive schemas) as long as it has gone into a part of
 * the value in between: then it is a proof by induction over the size of values.
 */

import type { JsonSchemaModel } from "../model";
import { WorkMeter } from "./bounds";
import { Evaluator } from "./evaluate";
import { checkArray } from "./inclusion-arrays";
import { checkAlternatives, checkConditional, checkNegation } from "./inclusion-combined";
import { checkObject } from "./inclusion-objects";
import { checkNumber, checkString, checkType, checkValues } from "./inclusion-values";
import { PatternMatches } from "./pattern-matches";
import { PatternSearch } from "./pattern-search";
import { Sameness } from "./same";
import { type Choice, type State, States } from "./state";
import { type LazyView, NUMBER, TYPE, unaliased, type View, Views } from "./view";

/** Cases that one check may be split into: alternatives multiply. */
const MAX_CASES = 128;
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

export class Inclusion {
  readonly meter = new WorkMeter();
  readonly patterns = new PatternMatches();
  readonly search = new PatternSearch();
  readonly views: Views;
  readonly states: States;
  readonly evaluator: Evaluator;
  readonly #sameness: Sameness;
  readonly #memo = new Map<State, Map<View, Entry>>();
  readonly #empty = new Map<State, boolean>();
  /** Proven under assumptions that are still open. */
  #provisional: { partners: Map<View, Entry>; view: View; entry: Entry }[] = [];
  #open = 0;
  #level = 0;
  #low = NOTHING;
  #quiet = 0;
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
    this.#low = NOTHING;
    this.meter.spend(1, reader.pointer);
    try {
      entry.found = this.meter.nested(reader.pointer, () => this.#check(state, reader));
    } finally {
      if (entry.found === undefined) partners.delete(reader);
    }
    this.#open -= 1;
    const low = this.#low;
    this.#low = outerLow;
    if (entry.found.length > 0) {
      // What was proven by assuming this proof is not proven any more.
      for (const { partners: others, view, entry: other } of this.#provisional.splice(firstProvisional)) {
        if (others.get(view) === other) others.delete(view);
      }
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
    if (take(this.split(state, false, (s) => checkValues(s, reader, this.evaluator)))) return found;
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

  isSame(a: View, b: View): boolean {
    return this.#sameness.isSame(a, b);
  }

  /** Looks at the part of the value that a step leads to. */
  descend(state: State, step: Step, part: State, reader: View): readonly Found[] {
    this.#level += 1;
    const found = this.prove(part, reader);
    this.#level -= 1;
    return found.map((each) => ({ ...each, traces: each.traces.map((next) => ({ at: "step", state, step, next })) }));
  }

  /** Checks a state; where that fails, its cases one by one. */
  split(state: State, byType: boolean, check: (state: State) => readonly Found[]): readonly Found[] {
    let left = MAX_CASES;
    const checkCase = (each: State): readonly Found[] => {
      const found = check(each);
      if (found.length === 0) return found;
      if (this.isEmpty(each)) return NONE;
      const cases = this.#cases(each, byType);
      if (cases === undefined || cases.length > left) return found;
      left -= cases.length;
      const all: Found[] = [];
      for (const next of cases) {
        if (next.isEmpty()) continue;
        if (addFound(all, checkCase(next)) && this.isQuiet) return all;
      }
      return all;
    };
    return checkCase(state);
  }

  #cases(state: State, byType: boolean): State[] | undefined {
    const choice = state.choices.reduce<Choice | undefined>(
      (best, each) => (best === undefined || each.options.length < best.options.length ? each : best),
      undefined,
    );
    if (choice) return this.#optionsOf(state, choice);
    if (!byType) return undefined;
    const { types, values } = state;
    if (values !== undefined) {
      if (values.length < 2 || values.length > MAX_CASES) return undefined;
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
    return choice.options.map(({ views, nots }) =>
      state.with(choice.isWritten ? { written: views, nots } : { known: views, nots }),
    );
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
    const isEmpty = this.meter.nested(
      "",
      () => this.#contradictsPatterns(state) || this.#contradictsNots(state) || this.#contradictsChoices(state),
    );
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
    const nots = [...state.nots];
    return nots.some((not, index) => this.holds(state.withoutNots(nots.filter((_, other) => other > index)), not));
  }

  #contradictsChoices(state: State): boolean {
    return state.choices
      .slice(0, EMPTINESS_CHOICES)
      .some((choice) => this.#optionsOf(state, choice).every((option) => option.isEmpty()));
  }

  /** Whether it is proven that no value of the state satisfies the view. */
  excludes(state: State, view: View): boolean {
    return this.isEmpty(state.with({ known: [view] }));
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
