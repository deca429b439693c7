/**
 * What is known of the values at one place: which schemas they satisfy, which they do not, which alternatives are open.
 * A state may know less than the truth, never more: everything derived from it holds for every value the writer produces.
 */
import type { JsonNode } from "../../../json-text.ts";
import type { WorkMeter } from "../bounds.ts";
import type { PatternMatches } from "../pattern-matches.ts";
import { Declared, declaredBy, isFree, reachableFrom } from "./declared.ts";
import { type Evaluator, typeOf } from "./evaluate.ts";
import { declaringOfItem, declaringOfOthers, mentionsItems, restOf } from "./part-schemas.ts";
import { type Shape, shapeOf } from "./shape.ts";
import { ALL_TYPES, inPlace, type LazyView, TYPE, unaliased, type View } from "./view.ts";
import type { Views } from "./views.ts";

/** How deep emptiness is looked for in required properties. */
const EMPTINESS_DEPTH = 3;

/** Items of a tuple that are looked at for one that cannot be there. */
const MAX_SEARCHED_PREFIX = 256;
/** Tuples longer than this are not searched for the place of an item that must be there. */
const MAX_CONTAINED_PLACES = 16;

/** What a state is made from. */
export type Seeds = {
  /** Schemas of the writer. */
  readonly written: readonly View[];
  /** Schemas that the values are known to satisfy for other reasons, such as the condition of an `if`. */
  readonly known: readonly View[];
  /** Schemas that the values are known not to satisfy. */
  readonly nots: readonly View[];
  /** The writer's schemas that declare names here, in whatever branch; null where any name may come. */
  readonly declaring: readonly View[] | null;
};

/** A schema whose own keywords hold, apart from its references and combinations, which are taken apart. */
export type Atom = { readonly view: View; readonly isWritten: boolean };

export type Option = { readonly views: readonly View[]; readonly nots: readonly View[] };
export type Choice = { readonly options: readonly Option[]; readonly isWritten: boolean };

export class States {
  readonly #known = new Map<string, State>();
  readonly #declared = new Map<string, Declared | null>();
  readonly #declaringParts = new Map<Declared, Map<string, readonly View[] | null>>();
  #nextId = 0;

  readonly views: Views;
  readonly patterns: PatternMatches;
  readonly evaluator: Evaluator;
  readonly meter: WorkMeter;

  constructor(views: Views, patterns: PatternMatches, evaluator: Evaluator, meter: WorkMeter) {
    this.views = views;
    this.patterns = patterns;
    this.evaluator = evaluator;
    this.meter = meter;
  }

  of(seeds: Seeds): State {
    const key = [seeds.written, seeds.known, seeds.nots, seeds.declaring ?? ANY].map(idsOf).join("|");
    const known = this.#known.get(key);
    if (known) return known;
    const state = new State(this, this.#nextId++, seeds);
    this.#known.set(key, state);
    return state;
  }

  /** What some schemas declare together, found once. */
  declared(seeds: readonly View[]): Declared | null {
    const key = idsOf(seeds);
    const known = this.#declared.get(key);
    if (known !== undefined) return known;
    const declared = seeds === EVERYWHERE ? new Declared(reachableFrom(this.views.root("writer"))) : declaredBy(seeds);
    this.meter.spend((declared?.views.length ?? 1) / 4, "");
    this.#declared.set(key, declared);
    return declared;
  }

  /**
   * What declares names in a part. Where many schemas do, as below the alternatives of a large union, all schemas of the
   * writer are taken instead: more names than are declared, but one set of them, so that states stay few.
   */
  declaringBelow(declared: Declared, part: string, schemasOf: (view: View) => View[]): readonly View[] | null {
    let parts = this.#declaringParts.get(declared);
    if (parts === undefined) {
      parts = new Map();
      this.#declaringParts.set(declared, parts);
    }
    let declaring = parts.get(part);
    if (declaring === undefined) {
      const seeds = [...new Set(declared.views.flatMap(schemasOf))];
      const isBelowAll = declared === this.#declared.get(idsOf(EVERYWHERE));
      const isNew = seeds.length > 1 && !this.#declared.has(idsOf(seeds));
      const isMany = seeds.length > MAX_DECLARING || isBelowAll || (isNew && this.#declared.size > MAX_DECLARING_SETS);
      declaring = isMany && this.declared(seeds) !== null ? EVERYWHERE : seeds;
      if (isMany && declaring !== EVERYWHERE) declaring = null;
      parts.set(part, declaring);
    }
    return declaring;
  }
}

/** Schemas that declare names at one place, and are told apart. */
const MAX_DECLARING = 8;
/** Sets of such schemas that are told apart: sets of sets would be without end. */
const MAX_DECLARING_SETS = 500;
/** Stands for all schemas of the writer. */
const EVERYWHERE: readonly View[] = [{ id: -2 } as View];
const ANY: readonly View[] = [{ id: -1 } as View];

function idsOf(views: readonly View[]): string {
  return views.length === 1
    ? String(views[0]!.id)
    : [...new Set(views.map(({ id }) => id))].sort((a, b) => a - b).join();
}

export class State {
  /** Every schema that holds here, with whether the writer says so. */
  readonly seen = new Map<View, boolean>();
  readonly atoms: Atom[] = [];
  readonly nots = new Set<View>();
  readonly choices: Choice[] = [];
  readonly declared: Declared | null;
  isFalse = false;
  #required = new Set<string>();
  #types = ALL_TYPES;
  #shape: Shape | undefined;
  #values: readonly JsonNode[] | null | undefined;
  readonly #children = new Map<string, State>();
  readonly #options = new Map<Choice, State[]>();
  readonly #empty: (boolean | undefined)[] = [];
  readonly #mostItems: (number | null)[] = [];

  readonly states: States;
  readonly id: number;
  readonly seeds: Seeds;

  constructor(states: States, id: number, seeds: Seeds) {
    this.states = states;
    this.id = id;
    this.seeds = seeds;
    this.#flatten();
    this.declared = seeds.declaring === null ? null : states.declared(seeds.declaring);
  }

  with(added: { known?: readonly View[]; written?: readonly View[]; nots?: readonly View[] }): State {
    const { written, known, nots, declaring } = this.seeds;
    return this.states.of({
      written: added.written ? [...written, ...added.written] : written,
      known: added.known ? [...known, ...added.known] : known,
      nots: added.nots ? [...nots, ...added.nots] : nots,
      declaring,
    });
  }

  /** What is known where one option of a choice holds. */
  option(choice: Choice, index: number): State {
    let made = this.#options.get(choice);
    if (made === undefined) {
      made = [];
      this.#options.set(choice, made);
    }
    const { views, nots } = choice.options[index]!;
    made[index] ??= this.with(choice.isWritten ? { written: views, nots } : { known: views, nots });
    return made[index];
  }

  withoutNots(kept: readonly View[]): State {
    return this.states.of({ ...this.seeds, nots: kept });
  }

  /** Takes schemas apart into atoms; alternatives stay choices until only one is left. */
  #flatten(): void {
    const { meter } = this.states;
    const queue: [View, boolean][] = [];
    for (const view of this.seeds.written) queue.push([view, true]);
    for (const view of this.seeds.known) queue.push([view, false]);
    for (const view of this.seeds.nots) this.nots.add(unaliased(view));
    meter.spend(1 + (this.nots.size >> 3), "");
    const branching: Atom[] = [];
    for (;;) {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
        const view = unaliased(next[0]);
        const isWritten = next[1];
        const before = this.seen.get(view);
        if (before === true || before === isWritten) continue;
        this.seen.set(view, isWritten);
        meter.spend(1, view.pointer);
        if (view.constant === false) this.isFalse = true;
        if (view.isTrivial || view.constant !== undefined) continue;
        if (before === undefined) this.#take(view, isWritten, branching);
        else
          this.atoms.splice(
            this.atoms.findIndex((atom) => atom.view === view),
            1,
            { view, isWritten },
          );
        for (const child of [...view.references, ...view.allOf]) queue.push([child(), isWritten]);
      }
      this.choices.length = 0;
      for (const atom of branching) this.#branch(atom, queue);
      if (queue.length === 0) return;
    }
  }

  #take(view: View, isWritten: boolean, branching: Atom[]): void {
    const atom = { view, isWritten };
    this.atoms.push(atom);
    if (view.not) this.nots.add(unaliased(view.not()));
    for (const name of view.required) this.#require(name);
    if (view.types !== undefined) this.#types &= view.types;
    const branches =
      view.anyOf.length + view.oneOf.length + view.dependentSchemas.size > 0 ||
      view.condition ||
      view.dependentRequired.size > 0;
    if (branches) branching.push(atom);
  }

  #require(name: string): void {
    this.#required.add(name);
  }

  /** Collects what is still open of one schema, and queues what is not. */
  #branch({ view, isWritten }: Atom, queue: [View, boolean][]): void {
    if (view.anyOf.length > 0) this.#alternatives(view.anyOf, false, isWritten, queue);
    if (view.oneOf.length > 0) this.#alternatives(view.oneOf, true, isWritten, queue);
    if (view.condition) this.#conditional(view, isWritten, queue);
    for (const [name, names] of view.dependentRequired) {
      if (this.#required.has(name)) for (const other of names) this.#require(other);
    }
    for (const [name, schema] of view.dependentSchemas) {
      // What is required of objects says nothing of other values.
      if (this.#required.has(name) && this.#types === TYPE.object) queueNew(this.seen, queue, schema(), isWritten);
      else if (!this.seen.has(this.states.views.absent(name))) {
        const options = [
          { views: [this.states.views.present(name)], nots: [] },
          { views: [this.states.views.absent(name)], nots: [] },
        ];
        this.choices.push({ options, isWritten: false });
      }
    }
  }

  #alternatives(lazy: readonly LazyView[], isExclusive: boolean, isWritten: boolean, queue: [View, boolean][]): void {
    const views = lazy.map((view) => unaliased(view()));
    const othersOf = (index: number) => (isExclusive ? views.filter((_, other) => other !== index) : []);
    const held = views.findIndex((view) => this.seen.has(view));
    if (held !== -1) {
      for (const other of othersOf(held)) this.nots.add(other);
      return;
    }
    const options = views
      .map((view, index) => ({ views: [view], nots: othersOf(index) }))
      .filter(({ views: [view] }) => !this.nots.has(view!) && view!.constant !== false);
    const [only] = options;
    if (only === undefined) this.isFalse = true;
    else if (options.length > 1) this.choices.push({ options, isWritten });
    else {
      for (const other of only.nots) this.nots.add(other);
      queueNew(this.seen, queue, only.views[0]!, isWritten);
    }
  }

  #conditional(view: View, isWritten: boolean, queue: [View, boolean][]): void {
    const condition = unaliased(view.condition!());
    const holds =
      condition.constant ?? (this.seen.has(condition) ? true : this.nots.has(condition) ? false : undefined);
    if (holds !== undefined) {
      const applied = holds ? view.consequence : view.alternative;
      if (applied) queueNew(this.seen, queue, applied(), isWritten);
      return;
    }
    if (!view.consequence && !view.alternative) return;
    this.choices.push({
      options: [
        { views: view.consequence ? [condition, view.consequence()] : [condition], nots: [] },
        { views: view.alternative ? [view.alternative()] : [], nots: [condition] },
      ],
      isWritten,
    });
  }

  get shape(): Shape {
    this.#shape ??= shapeOf(this.atoms, this.#required);
    return this.#shape;
  }

  /** The types that values may have here. */
  get types(): number {
    if (this.isFalse) return 0;
    const values = this.values;
    return values === undefined ? this.#openTypes : values.reduce((bits, value) => bits | typeOf(value), 0);
  }

  /** Types that are asked for and not refused as a whole. */
  get #openTypes(): number {
    let { types } = this.shape;
    for (const not of this.nots) if (not.isTypeOnly) types &= ~not.types!;
    return types;
  }

  /** All values that may come, where they are listed; undefined where there are too many. */
  get values(): readonly JsonNode[] | undefined {
    if (this.#values === undefined) this.#values = this.#listValues() ?? null;
    return this.#values ?? undefined;
  }

  #listValues(): readonly JsonNode[] | undefined {
    if (this.isFalse) return [];
    let candidates = this.shape.values;
    if (candidates === undefined) {
      const types = this.#openTypes;
      if ((types & ~(TYPE.null | TYPE.boolean)) !== 0) return undefined;
      candidates = NULL_AND_BOOLEANS.filter((value) => (typeOf(value) & types) !== 0);
    }
    const { evaluator } = this.states;
    return candidates.filter(
      (value) =>
        this.atoms.every(({ view }) => evaluator.accepts(view, value) !== false) &&
        [...this.nots].every((view) => evaluator.accepts(view, value) !== true) &&
        this.#isDeclared(value),
    );
  }

  /** Whether the writer declares every name in a value that somebody else lists. */
  #isDeclared(value: JsonNode): boolean {
    const { declared } = this;
    if (declared === null) return true;
    if (value.type === "array") return value.items.every((item, index) => this.item(index).#isDeclared(item));
    if (value.type !== "object") return true;
    return [...value.members].every(
      ([name, member]) => declared.declares(name, this.states.patterns) && this.property(name).#isDeclared(member),
    );
  }

  /** Whether no value can come, as far as that shows without looking at alternatives. */
  isEmpty(depth = EMPTINESS_DEPTH): boolean {
    this.#empty[depth] ??= this.#findEmpty(depth);
    return this.#empty[depth]!;
  }

  #findEmpty(depth: number): boolean {
    if (this.isFalse) return true;
    for (const not of this.nots) if (this.seen.has(not) || not.isTrivial) return true;
    if (this.values !== undefined) return this.values.length === 0;
    let types = this.#openTypes;
    if ((types & TYPE.integer) !== 0 && this.shape.hasNoInteger) types &= ~TYPE.integer;
    if ((types & TYPE.fraction) !== 0 && this.shape.hasNoNumber) types &= ~TYPE.fraction;
    if ((types & TYPE.string) !== 0 && this.shape.minLength > (this.shape.maxLength ?? this.shape.minLength))
      types &= ~TYPE.string;
    if (types === 0) return true;
    if (types === TYPE.array) return this.#isEmptyArray(depth);
    return types === TYPE.object && depth > 0 && this.#isEmptyObject(depth);
  }

  #isEmptyArray(depth: number): boolean {
    if (this.shape.minItems > (this.maxItems(depth) ?? this.shape.minItems)) return true;
    if (depth <= 0) return false;
    return this.atoms.some(({ view }) => {
      if (!view.contains || view.minContains === 0) return false;
      if (view.minContains > (view.maxContains ?? view.minContains)) return true;
      const contained = view.contains();
      const places = Array.from({ length: Math.min(this.prefixLength, MAX_CONTAINED_PLACES) + 1 }, (_, index) => index);
      return (
        this.prefixLength <= MAX_CONTAINED_PLACES &&
        places.every((index) =>
          this.item(index)
            .with({ known: [contained] })
            .isEmpty(depth - 1),
        )
      );
    });
  }

  #isEmptyObject(depth: number): boolean {
    const { required, minProperties, maxProperties } = this.shape;
    if (Math.max(minProperties, required.size) > (maxProperties ?? Number.POSITIVE_INFINITY)) return true;
    for (const name of required) if (!this.mayHave(name, depth - 1)) return true;
    return false;
  }

  /** Whether a property of this name may come. */
  mayHave(name: string, depth = EMPTINESS_DEPTH): boolean {
    if (this.declared && !this.declared.declares(name, this.states.patterns)) return false;
    const text: JsonNode = { type: "string", start: 0, value: name };
    const isRefused = this.atoms.some(
      ({ view }) => view.propertyNames && this.states.evaluator.accepts(view.propertyNames(), text) === false,
    );
    return !isRefused && !this.property(name).isEmpty(depth);
  }

  /** What is known of the value of a property. */
  property(name: string): State {
    return this.#child(
      `p${name}`,
      (view) => this.#schemasOfName(view, name),
      (view) => this.#declaringOfName(view, name),
    );
  }

  /** Every schema of a view that may say something of a property: what is doubtful declares names all the same. */
  #declaringOfName(view: View, name: string): LazyView[] {
    const schemas: LazyView[] = [];
    const own = view.properties.get(name);
    if (own) schemas.push(own);
    let isNamed = own !== undefined;
    for (const [pattern, schema] of view.patternProperties) {
      const matches = this.states.patterns.matches(pattern, name);
      if (matches !== false) schemas.push(schema);
      if (matches) isNamed = true;
    }
    return isNamed ? schemas : [...schemas, ...restOf(view)];
  }

  #schemasOfName(view: View, name: string): LazyView[] {
    const schemas: LazyView[] = [];
    const own = view.properties.get(name);
    if (own) schemas.push(own);
    let mayMatch = own !== undefined;
    for (const [pattern, schema] of view.patternProperties) {
      const matches = this.states.patterns.matches(pattern, name);
      if (matches) schemas.push(schema);
      if (matches !== false) mayMatch = true;
    }
    if (!mayMatch && view.additionalProperties) schemas.push(view.additionalProperties);
    if (view.unevaluatedProperties && !this.#mayEvaluate(view, name)) schemas.push(view.unevaluatedProperties);
    return schemas;
  }

  /** What is known of the values of properties whose names match a pattern. */
  patternProperty(pattern: string): State {
    return this.#child(
      `q${pattern}`,
      (view) => {
        const own = view.patternProperties.get(pattern);
        if (own) return [own];
        const isAlone = view.properties.size === 0 && view.patternProperties.size === 0;
        return isAlone && view.additionalProperties ? [view.additionalProperties] : [];
      },
      declaringOfOthers,
    );
  }

  /** What is known of the values of properties that no schema here names or matches. */
  otherProperty(): State {
    return this.#child(
      "o",
      (view) => {
        const schemas = view.additionalProperties ? [view.additionalProperties] : [];
        if (view.unevaluatedProperties && !this.#mayEvaluate(view, undefined)) schemas.push(view.unevaluatedProperties);
        return schemas;
      },
      declaringOfOthers,
    );
  }

  /** What is known of the item at an index; of all items from there on where `index` is beyond every prefix. */
  item(index: number): State {
    return this.#child(
      `i${index}`,
      (view) => {
        const schema = view.prefixItems[index] ?? view.items;
        if (schema) return [schema];
        return view.unevaluatedItems && !mentionsItems(view) ? [view.unevaluatedItems] : [];
      },
      (view) => declaringOfItem(view, index),
    );
  }

  /** The length of the longest tuple here. */
  get prefixLength(): number {
    return this.atoms.reduce((length, { view }) => Math.max(length, view.prefixItems.length), 0);
  }

  /** How many items may come: by a limit, or because none fits after some index. */
  maxItems(depth = EMPTINESS_DEPTH): number | undefined {
    let known = this.#mostItems[depth];
    if (known === undefined) {
      known = this.#findMostItems(depth) ?? null;
      this.#mostItems[depth] = known;
    }
    return known ?? undefined;
  }

  #findMostItems(depth: number): number | undefined {
    const { maxItems } = this.shape;
    if (depth <= 0) return maxItems;
    const end = Math.min(this.prefixLength, maxItems ?? Number.POSITIVE_INFINITY, MAX_SEARCHED_PREFIX);
    for (let index = 0; index <= end; index += 1) {
      if (index === maxItems) return maxItems;
      if (this.item(index).isEmpty(depth - 1)) return index;
    }
    return maxItems;
  }

  /** `declaringOf` gives at least the schemas of `schemasOf`: names are declared by whatever may apply. */
  #child(key: string, schemasOf: (view: View) => LazyView[], declaringOf: (view: View) => LazyView[]): State {
    const known = this.#children.get(key);
    if (known) return known;
    const written: View[] = [];
    const others: View[] = [];
    for (const atom of this.atoms) {
      for (const schema of schemasOf(atom.view)) (atom.isWritten ? written : others).push(unaliased(schema()));
    }
    // Where the writer says nothing of a value, the value may be anything, with any names in it.
    const { declared } = this;
    const declaring =
      declared === null || written.every(isFree)
        ? null
        : this.states.declaringBelow(declared, key, (view) => declaringOf(view).map((schema) => unaliased(schema())));
    const child = this.states.of({ written, known: others, nots: [], declaring });
    this.#children.set(key, child);
    return child;
  }

  /** Whether anything that applies to the same value may evaluate a name (undefined: a name nobody lists). */
  #mayEvaluate(root: View, name: string | undefined): boolean {
    const visited = new Set<View>();
    const stack: View[] = [root];
    for (let view = stack.pop(); view !== undefined; view = stack.pop()) {
      if (visited.has(view)) continue;
      visited.add(view);
      if (view.additionalProperties || view.unresolved.length > 0 || (view !== root && view.unevaluatedProperties))
        return true;
      if (name === undefined) {
        // Names of schemas that hold here are told apart by the caller; those of open alternatives are not.
        if (view.properties.size + view.patternProperties.size > 0 && !this.seen.has(view)) return true;
      } else {
        if (view.properties.has(name)) return true;
        for (const pattern of view.patternProperties.keys()) {
          if (this.states.patterns.matches(pattern, name) !== false) return true;
        }
      }
      for (const child of inPlace(view)) stack.push(unaliased(child()));
    }
    return false;
  }
}

function queueNew(seen: ReadonlyMap<View, boolean>, queue: [View, boolean][], schema: View, isWritten: boolean): void {
  const before = seen.get(unaliased(schema));
  if (before !== true && before !== isWritten) queue.push([schema, isWritten]);
}

const NULL_AND_BOOLEANS: readonly JsonNode[] = [
  { type: "null", start: 0 },
  { type: "boolean", start: 0, value: false },
  { type: "boolean", start: 0, value: true },
];
