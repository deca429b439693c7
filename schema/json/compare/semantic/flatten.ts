/**
 * Takes the schemas that hold at one location apart: references and `allOf` dissolve into atoms, alternatives stay
 * choices until only one is left. Choices that the atoms determine (by a tag, a type, a required property) are resolved
 * here, so that related choices are split one after another instead of combinatorially.
 */
import type { ComparisonMeter } from "../bounds.ts";
import { type Discriminators, type Tag, tagOfBoth, tagsExclude, type ViewFacts } from "./discriminators.ts";
import { ALL_TYPE_BITS, type LazyView, TYPE, unaliased, type View } from "./view.ts";
import type { Views } from "./views.ts";

/** The inputs of a state. */
export type Seeds = {
  /** Schemas of the writer. */
  readonly written: readonly View[];
  /** Schemas that the values are known to satisfy for other reasons, such as the condition of an `if`. */
  readonly known: readonly View[];
  /** Schemas that the values are known not to satisfy. */
  readonly nots: readonly View[];
  /** The writer's schemas that declare names here, in any branch; null if any name may occur. */
  readonly declaring: readonly View[] | null;
  /** Whether the writer declares every name here even if it declares no property. */
  readonly isBareEmpty?: boolean;
};

/** A schema whose own keywords hold, apart from its references and combinations, which are processed separately. */
export type Atom = { readonly view: View; readonly isWritten: boolean };

type Conjunction = { readonly views: readonly View[]; readonly nots: readonly View[] };
export type Choice = {
  readonly options: readonly Conjunction[];
  readonly isWritten: boolean;
  /** Alternatives are separate schemas; the cases of a condition follow only from a value's properties. */
  readonly isCondition: boolean;
};

const NO_VIEWS: readonly View[] = [];
/** Steps to look up one dependent requirement, and to make a choice of one dependent schema. */
const REQUIREMENT_STEPS = 0.1;
const CHOICE_STEPS = 0.35;
/** Steps to examine a condition, to search one schema for a tag, and to apply one schema known not to hold. */
const GLANCE_STEPS = 0.03;
const TAG_STEPS = 0.005;
const FORBID_STEPS = 0.05;
/** Schemas examined to determine whether one holds or cannot hold. */
const MAX_GLANCE_DEPTH = 6;

export class Flattening {
  /** Every schema that holds, and whether it is the writer's. */
  readonly seen = new Map<View, boolean>();
  readonly atoms: Atom[] = [];
  readonly nots = new Set<View>();
  readonly choices: Choice[] = [];
  readonly required = new Set<string>();
  isFalse = false;
  types = ALL_TYPE_BITS;
  readonly #queue: [View, boolean][] = [];
  readonly #branching: Atom[] = [];
  readonly #tags = new Map<string, Tag | undefined>();

  readonly views: Views;
  readonly discriminators: Discriminators;
  readonly meter: ComparisonMeter;

  constructor(views: Views, discriminators: Discriminators, meter: ComparisonMeter, seeds: Seeds) {
    this.views = views;
    this.discriminators = discriminators;
    this.meter = meter;
    for (const view of seeds.written) this.#queue.push([view, true]);
    for (const view of seeds.known) this.#queue.push([view, false]);
    for (const view of seeds.nots) this.nots.add(unaliased(view));
    meter.spend(0.5 + this.nots.size / 8, "");
    for (;;) {
      this.#dissolve();
      this.choices.length = 0;
      this.#tags.clear();
      // A round may resolve only one condition of a long chain, so every round is counted.
      meter.spend(this.nots.size * FORBID_STEPS, "");
      for (const not of this.nots) this.#forbid(not);
      for (const atom of this.#branching) this.#branch(atom);
      if (this.#queue.length === 0) return;
    }
  }

  #dissolve(): void {
    const { seen, atoms, meter } = this;
    for (let next = this.#queue.pop(); next !== undefined; next = this.#queue.pop()) {
      const view = unaliased(next[0]);
      const isWritten = next[1];
      const before = seen.get(view);
      if (before === true || before === isWritten) continue;
      seen.set(view, isWritten);
      meter.spend(0.5, view.pointer);
      if (view.constant === false) this.isFalse = true;
      if (view.isTrivial || view.constant !== undefined) continue;
      if (before === undefined) this.#take({ view, isWritten });
      else atoms[atoms.findIndex((atom) => atom.view === view)] = { view, isWritten };
      for (const child of [...view.references, ...view.allOf]) this.#queue.push([child(), isWritten]);
    }
  }

  #take(atom: Atom): void {
    const { view } = atom;
    this.atoms.push(atom);
    if (view.not) this.nots.add(unaliased(view.not()));
    for (const name of view.required) this.required.add(name);
    if (view.types !== undefined) this.types &= view.types;
    const branches =
      view.anyOf.length + view.oneOf.length + view.dependentSchemas.size > 0 ||
      view.condition ||
      view.dependentRequired.size > 0;
    if (branches) this.#branching.push(atom);
  }

  /**
   * `not: {required}` means an object without the property (`required` does not constrain other values), and `not:
   * {not: S}` means S.
   */
  #forbid(not: View): void {
    if (!not.isPlainDemand || not.references.length + not.allOf.length > 0) return;
    if (not.types !== undefined && (this.types & ~not.types) !== 0) return;
    if (not.not && not.required.length === 0) this.#queueNew(not.not(), false);
    const [name] = not.required;
    if (name === undefined || not.required.length > 1 || not.not) return;
    this.#queueNew(this.views.ofTypes(TYPE.object), false);
    this.#queueNew(this.views.absent(name), false);
  }

  /** Collects the open choices of one schema, and queues the rest. */
  #branch({ view, isWritten }: Atom): void {
    if (view.anyOf.length > 0) this.#alternatives(view.anyOf, false, isWritten);
    if (view.oneOf.length > 0) this.#alternatives(view.oneOf, true, isWritten);
    if (view.condition) this.#conditional(view, isWritten);
    const { dependentRequired, dependentSchemas } = view;
    this.meter.spend(dependentRequired.size * REQUIREMENT_STEPS + dependentSchemas.size * CHOICE_STEPS, view.pointer);
    for (const [name, names] of dependentRequired) {
      if (this.required.has(name)) for (const other of names) this.required.add(other);
    }
    for (const [name, schema] of dependentSchemas) {
      // `required` does not constrain values other than objects.
      if (this.required.has(name) && this.types === TYPE.object) this.#queueNew(schema(), isWritten);
      else if (!this.seen.has(this.views.absent(name))) {
        const options = [
          { views: [this.views.present(name)], nots: NO_VIEWS },
          { views: [this.views.absent(name)], nots: NO_VIEWS },
        ];
        this.choices.push({ options, isWritten: false, isCondition: true });
      }
    }
  }

  #alternatives(lazy: readonly LazyView[], isExclusive: boolean, isWritten: boolean): void {
    const alternatives = this.discriminators.alternatives(lazy);
    const { views, facts } = alternatives;
    this.meter.spend(views.length / 20, views[0]!.pointer);
    const othersOf = (index: number) =>
      isExclusive ? this.discriminators.overlapping(alternatives, index).map((other) => views[other]!) : NO_VIEWS;
    const held = views.findIndex((view) => this.seen.has(view));
    if (held !== -1) {
      for (const other of othersOf(held)) this.nots.add(other);
      return;
    }
    const open: number[] = [];
    for (const [index, view] of views.entries()) {
      if (view.constant !== false && !this.nots.has(view) && !this.#isApart(facts[index]!)) open.push(index);
    }
    const [only] = open;
    if (only === undefined) this.isFalse = true;
    else if (open.length > 1) {
      const options = open.map((index) => ({ views: [views[index]!], nots: othersOf(index) }));
      this.choices.push({ options, isWritten, isCondition: false });
    } else {
      for (const other of othersOf(only)) this.nots.add(other);
      this.#queueNew(views[only]!, isWritten);
    }
  }

  #conditional(view: View, isWritten: boolean): void {
    const condition = unaliased(view.condition!());
    const holds = this.#glance(condition, 0);
    if (holds !== undefined) {
      const applied = holds ? view.consequence : view.alternative;
      if (applied) this.#queueNew(applied(), isWritten);
      return;
    }
    if (!view.consequence && !view.alternative) return;
    this.choices.push({
      options: [
        { views: view.consequence ? [condition, view.consequence()] : [condition], nots: NO_VIEWS },
        { views: view.alternative ? [view.alternative()] : NO_VIEWS, nots: [condition] },
      ],
      isWritten,
      isCondition: true,
    });
  }

  #queueNew(schema: View, isWritten: boolean): void {
    const before = this.seen.get(unaliased(schema));
    if (before !== true && before !== isWritten) this.#queue.push([schema, isWritten]);
  }

  /** Whether a schema holds, or cannot hold, as far as the facts show. */
  #glance(schema: View, depth: number): boolean | undefined {
    const view = unaliased(schema);
    if (view.constant !== undefined) return view.constant;
    if (view.isTrivial || this.seen.has(view)) return true;
    this.meter.spend(GLANCE_STEPS, "");
    if (this.nots.has(view) || this.#isApart(this.discriminators.factsOf(view))) return false;
    if (depth >= MAX_GLANCE_DEPTH) return undefined;
    const parts: (boolean | undefined)[] = [];
    if (view.types !== undefined) parts.push((this.types & ~view.types) === 0 || undefined);
    if (view.required.length > 0) {
      const isObject = this.types === TYPE.object;
      parts.push((isObject && view.required.every((name) => this.required.has(name))) || undefined);
    }
    if (view.not) {
      const inner = this.#glance(view.not(), depth + 1);
      parts.push(inner === undefined ? undefined : !inner);
    }
    for (const demand of [...view.references, ...view.allOf]) parts.push(this.#glance(demand(), depth + 1));
    if (parts.includes(false)) return false;
    // The schema holds only if it has no keywords other than these.
    return view.isPlainDemand && !parts.includes(undefined) ? true : undefined;
  }

  /** Whether a schema with these facts contradicts what is known here. */
  #isApart(facts: ViewFacts): boolean {
    return isApart(facts, this.types, this.required, (name) => this.#tagOf(name));
  }

  #tagOf(name: string): Tag | undefined {
    if (this.#tags.has(name)) return this.#tags.get(name);
    this.meter.spend(this.atoms.length * TAG_STEPS, "");
    const tag = tagIn(this.atoms, this.discriminators, name);
    this.#tags.set(name, tag);
    return tag;
  }
}

/** The known facts about a property. */
export function tagIn(atoms: readonly Atom[], discriminators: Discriminators, name: string): Tag | undefined {
  let tag: Tag | undefined;
  for (const { view } of atoms) {
    const property = view.properties.get(name);
    if (property) tag = tagOfBoth(tag, discriminators.factsOf(property()));
  }
  return tag;
}

/** Whether no value of these types, with these properties and tags, satisfies a schema with the given facts. */
export function isApart(
  facts: ViewFacts,
  types: number,
  required: ReadonlySet<string>,
  tagOf: (name: string) => Tag | undefined,
): boolean {
  const shared = facts.types & types;
  if (shared === 0) return true;
  if (shared !== TYPE.object) return false;
  for (const [name, tag] of facts.tags) {
    if (!facts.required.has(name) && !required.has(name)) continue;
    if (tag.types === 0) return true;
    const own = tagOf(name);
    if (own && tagsExclude(own, tag)) return true;
  }
  for (const name of facts.required) if (tagOf(name)?.types === 0) return true;
  return false;
}
