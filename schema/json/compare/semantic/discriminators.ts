/**
 * Facts that hold for every value of a schema: its types, the required properties of its objects, and the values or
 * types of properties (tags). Schemas with contradictory tags are disjoint without further proof, so hundreds of
 * alternatives are matched one to one instead of pairwise.
 */
import { equalityKeys } from "../../validate/equality.ts";
import type { ComparisonMeter } from "../bounds.ts";
import { classifyValue } from "./evaluate.ts";
import { ALL_TYPE_BITS, type LazyView, TYPE, unaliased, type View } from "./view.ts";

/** What is known about the value of a property, if the property is present. */
export type Tag = { readonly types: number; readonly values: ReadonlySet<string> | undefined };

export type ViewFacts = Tag & {
  /** The properties that objects must have. */
  readonly required: ReadonlySet<string>;
  /** Sets of names of which objects must have at least one; undefined if there are none. */
  readonly needed: ReadonlySet<string> | undefined;
  readonly tags: ReadonlyMap<string, Tag>;
};

/** Alternatives of one schema, with those that may overlap. */
export type Alternatives = {
  readonly views: readonly View[];
  readonly facts: readonly ViewFacts[];
  /** The required property whose values distinguish them, with the alternatives of each value. */
  readonly tag: { readonly name: string; readonly byValue: ReadonlyMap<string, readonly number[]> } | undefined;
  /** Alternatives by the names of which their objects need one, and those that need none. */
  readonly byNeed: ReadonlyMap<string, readonly number[]>;
  readonly needless: readonly number[];
  readonly overlapping: (readonly number[] | undefined)[];
};

const NO_NAMES: ReadonlySet<string> = new Set();
const NO_TAGS: ReadonlyMap<string, Tag> = new Map();
const ANYTHING: ViewFacts = {
  types: ALL_TYPE_BITS,
  values: undefined,
  required: NO_NAMES,
  needed: undefined,
  tags: NO_TAGS,
};
const NOTHING: ViewFacts = { types: 0, values: NO_NAMES, required: NO_NAMES, needed: undefined, tags: NO_TAGS };
/** Values of one tag that are collected over alternatives. */
const MAX_TAG_VALUES = 5_000;
/** Tags kept per schema: those that distinguish alternatives come first in practice. */
const MAX_TAGS = 40;
/** Depth to which nested alternatives are searched for required names. */
const MAX_MET_DEPTH = 3;
/** Depth to which schemas are searched: references and combinations at the same location. */
const MAX_FACTS_DEPTH = 20;

/**
 * Steps to hold two alternatives against each other, and for each listed value of one. All pairs of one keyword are
 * compared without a pause, so 1,000 alternatives without a tag, which take 150 ms, use up the budget.
 */
const PAIR_STEPS = 1 / 10;
const PAIR_VALUE_STEPS = 1 / 200;

export class Discriminators {
  readonly #facts = new Map<View, ViewFacts>();
  readonly #alternatives = new Map<readonly LazyView[], Alternatives>();

  readonly meter: ComparisonMeter;

  constructor(meter: ComparisonMeter) {
    this.meter = meter;
  }

  factsOf(schema: View): ViewFacts {
    return this.#factsOf(unaliased(schema), 0);
  }

  #factsOf(view: View, depth: number): ViewFacts {
    const known = this.#facts.get(view);
    if (known) return known;
    if (view.constant === false) return NOTHING;
    if (view.isTrivial || depth > MAX_FACTS_DEPTH) return ANYTHING;
    // A recursive schema contributes nothing at its own recursion.
    this.#facts.set(view, ANYTHING);
    this.meter.spend(1 + Math.min(view.properties.size, MAX_TAGS) / 8, view.pointer);
    let facts = this.#ownFacts(view);
    for (const demand of [...view.references, ...view.allOf]) {
      facts = both(facts, this.#factsOf(unaliased(demand()), depth + 1));
    }
    for (const alternatives of [view.anyOf, view.oneOf]) {
      if (alternatives.length === 0) continue;
      this.meter.spend(alternatives.length / 8, view.pointer);
      const each = alternatives.map((alternative) => this.#factsOf(unaliased(alternative()), depth + 1));
      facts = both(facts, anyOf(each));
    }
    this.#facts.set(view, facts);
    return facts;
  }

  #ownFacts(view: View): ViewFacts {
    const tags = new Map<string, Tag>();
    // Of many properties, only required ones can distinguish alternatives.
    const names = view.properties.size > MAX_TAGS ? view.required : view.properties.keys();
    for (const name of names) {
      const property = view.properties.get(name);
      if (property === undefined) continue;
      const { types, values } = this.#tagOf(unaliased(property()));
      if (types !== ALL_TYPE_BITS || values !== undefined) tags.set(name, { types, values });
      if (tags.size >= MAX_TAGS) break;
    }
    return {
      ...this.#tagOf(view),
      required: view.required.length === 0 ? NO_NAMES : new Set(view.required),
      needed: view.required.length === 0 ? undefined : new Set(view.required.slice(0, 1)),
      tags: tags.size === 0 ? NO_TAGS : tags,
    };
  }

  /** The facts from one schema's own keywords and the schemas it references, about the value itself. */
  #tagOf(view: View): Tag {
    if (view.constant === false) return NOTHING;
    const known = this.#facts.get(view);
    if (known && known !== ANYTHING) return known;
    const listed = view.constantValue ? [view.constantValue] : view.enumeration;
    let types = view.types ?? ALL_TYPE_BITS;
    if (listed === undefined || listed.length > MAX_TAG_VALUES) return { types, values: undefined };
    const values = equalityKeys(listed);
    types &= listed.reduce((bits, value) => bits | classifyValue(value), 0);
    return { types, values };
  }

  /**
   * Whether a schema may accept all objects that have these properties and possibly no others: not if it, or each of
   * its alternatives, requires another one.
   */
  mayBeMet(schema: View, required: ReadonlySet<string>, depth = 0): boolean {
    const view = unaliased(schema);
    this.meter.spend(0.1, view.pointer);
    if (depth > MAX_MET_DEPTH) return true;
    for (const name of this.factsOf(view).required) if (!required.has(name)) return false;
    return [view.anyOf, view.oneOf].every(
      (alternatives) =>
        alternatives.length === 0 || alternatives.some((each) => this.mayBeMet(each(), required, depth + 1)),
    );
  }

  /** The alternatives of one keyword, prepared once. */
  alternatives(lazy: readonly LazyView[]): Alternatives {
    const known = this.#alternatives.get(lazy);
    if (known) return known;
    const views = lazy.map((view) => unaliased(view()));
    const facts = views.map((view) => this.factsOf(view));
    const made = { views, facts, tag: tagOf(facts), ...needsOf(facts), overlapping: [] };
    this.meter.spend(views.length / 4, views[0]?.pointer ?? "");
    this.#alternatives.set(lazy, made);
    return made;
  }

  /** The other alternatives that a value of one may also satisfy, judged by tags. */
  overlapping(alternatives: Alternatives, index: number): readonly number[] {
    const known = alternatives.overlapping[index];
    if (known) return known;
    const { views, facts, tag } = alternatives;
    const own = facts[index]!;
    let near: Iterable<number> = views.keys();
    if (tag) {
      const sharing = new Set<number>();
      for (const value of own.tags.get(tag.name)!.values!)
        for (const other of tag.byValue.get(value)!) sharing.add(other);
      near = sharing;
    } else {
      const pairSteps = PAIR_STEPS + (own.values?.size ?? 0) * PAIR_VALUE_STEPS;
      this.meter.spend(views.length * pairSteps, views[index]!.pointer);
    }
    const others: number[] = [];
    for (const other of near) if (other !== index && !areApart(own, facts[other]!)) others.push(other);
    this.meter.keep(others.length * 8 + 40, views[index]!.pointer);
    alternatives.overlapping[index] = others;
    return others;
  }
}

function needsOf(facts: readonly ViewFacts[]): Pick<Alternatives, "byNeed" | "needless"> {
  const byNeed = new Map<string, number[]>();
  const needless: number[] = [];
  for (const [index, { needed, types }] of facts.entries()) {
    if (needed === undefined || types !== TYPE.object) needless.push(index);
    else for (const name of needed) addTo(byNeed, name, index);
  }
  return { byNeed, needless };
}

function addTo(lists: Map<string, number[]>, key: string, index: number): void {
  const list = lists.get(key);
  if (list) list.push(index);
  else lists.set(key, [index]);
}

/** A property that all alternatives require and whose values they list. */
function tagOf(facts: readonly ViewFacts[]): Alternatives["tag"] {
  const [first] = facts;
  if (first === undefined || facts.length < 2) return undefined;
  let best: Alternatives["tag"];
  for (const name of first.tags.keys()) {
    const isTag = facts.every(
      ({ types, required, tags }) =>
        types === TYPE.object && required.has(name) && tags.get(name)?.values !== undefined,
    );
    if (!isTag) continue;
    const byValue = new Map<string, number[]>();
    for (const [index, { tags }] of facts.entries()) {
      for (const value of tags.get(name)!.values!) addTo(byValue, value, index);
    }
    if (best === undefined || byValue.size > best.byValue.size) best = { name, byValue };
  }
  return best;
}

/** Whether no value satisfies both. */
function areApart(a: ViewFacts, b: ViewFacts): boolean {
  const shared = a.types & b.types;
  if (shared === 0) return true;
  if (a.values && b.values && areDisjoint(a.values, b.values)) return true;
  if (shared !== TYPE.object) return false;
  const [fewer, more] = a.tags.size <= b.tags.size ? [a, b] : [b, a];
  for (const [name, tag] of fewer.tags) {
    const other = more.tags.get(name);
    if (other && (a.required.has(name) || b.required.has(name)) && tagsExclude(tag, other)) return true;
  }
  for (const side of [a, b])
    for (const [name, tag] of side.tags) {
      // A forbidden property makes a schema disjoint from one that requires it.
      if (tag.types === 0 && (a.required.has(name) || b.required.has(name))) return true;
    }
  return false;
}

export function tagsExclude(a: Tag, b: Tag): boolean {
  if ((a.types & b.types) === 0) return true;
  return a.values !== undefined && b.values !== undefined && areDisjoint(a.values, b.values);
}

function areDisjoint(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  const [fewer, more] = a.size <= b.size ? [a, b] : [b, a];
  for (const value of fewer) if (more.has(value)) return false;
  return true;
}

/** The facts that hold if both do. */
function both(a: ViewFacts, b: ViewFacts): ViewFacts {
  if (a === ANYTHING) return b;
  if (b === ANYTHING) return a;
  const tags = new Map(a.tags);
  for (const [name, tag] of b.tags) tags.set(name, tagOfBoth(tags.get(name), tag));
  const required = b.required.size === 0 ? a.required : new Set([...a.required, ...b.required]);
  return { ...tagOfBoth(a, b), required, needed: fewerOf(a.needed, b.needed), tags };
}

function fewerOf(
  a: ReadonlySet<string> | undefined,
  b: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.size <= b.size ? a : b;
}

export function tagOfBoth(a: Tag | undefined, b: Tag): Tag {
  if (a === undefined) return b;
  const values =
    a.values === undefined || b.values === undefined
      ? (a.values ?? b.values)
      : new Set([...a.values].filter((value) => b.values!.has(value)));
  return { types: a.types & b.types, values };
}

/** The facts that hold if at least one does. */
function anyOf(each: readonly ViewFacts[]): ViewFacts {
  const [first, ...others] = each;
  if (first === undefined) return ANYTHING;
  const objects = each.filter(({ types }) => (types & TYPE.object) !== 0);
  const [one] = objects;
  const required =
    one && new Set([...one.required].filter((name) => objects.every((facts) => facts.required.has(name))));
  const tags = new Map<string, Tag>();
  for (const name of one?.tags.keys() ?? []) {
    const tag = tagOfAny(objects.map((facts) => facts.tags.get(name)));
    if (tag) tags.set(name, tag);
  }
  const { types, values } = tagOfAny([first, ...others]) ?? ANYTHING;
  const needed = new Set<string>();
  for (const facts of objects) for (const name of facts.needed ?? []) needed.add(name);
  const isNeeded = objects.every((facts) => facts.needed !== undefined) && needed.size <= MAX_TAG_VALUES;
  return { types, values, required: required ?? NO_NAMES, needed: isNeeded ? needed : undefined, tags };
}

function tagOfAny(each: readonly (Tag | undefined)[]): Tag | undefined {
  let types = 0;
  let values: Set<string> | undefined = new Set();
  for (const tag of each) {
    if (tag === undefined) return undefined;
    types |= tag.types;
    if (tag.values === undefined) values = undefined;
    else if (values) for (const value of tag.values) values.add(value);
    if (values && values.size > MAX_TAG_VALUES) values = undefined;
  }
  return types === ALL_TYPE_BITS && values === undefined ? undefined : { types, values };
}
