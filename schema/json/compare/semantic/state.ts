/**
 * What is known about the values at one location: which schemas they satisfy, which they do not, and which alternatives
 * are open. A state may know less than what is true, never more: everything derived from it holds for every value the
 * writer produces.
 */
import type { JsonNode } from "../../../json-text.ts";
import { LISTED_VALUE_MICROS } from "../bounds.ts";
import { type Declared, isFree, isFreeForm } from "./declared.ts";
import type { Tag, ViewFacts } from "./discriminators.ts";
import { classifyValue } from "./evaluate.ts";
import { type Atom, type Choice, Flattening, isApart, type Seeds, tagIn } from "./flatten.ts";
import { declaringOfItem, declaringOfOthers, listRestViews, mentionsItems } from "./part-schemas.ts";
import { deriveShape, type SchemaShape } from "./shape.ts";
import type { States } from "./states.ts";
import { inPlace, type LazyView, MAX_KEPT_PROPERTIES, TYPE, unaliased, type View } from "./view.ts";

/** Depth to which required properties are searched for emptiness. */
const EMPTINESS_DEPTH = 3;

/** Items of a tuple that are examined for one that cannot exist. */
const MAX_SEARCHED_PREFIX = 256;
/** Bytes of one part that a state caches. */
const CHILD_BYTES = 120;
/** Steps to find what one schema says about a part. */
const PART_STEPS = 0.02;
/** Longer tuples are not searched for the index of a required item. */
const MAX_CONTAINED_PLACES = 16;

export class State {
  /** Every schema that holds here, and whether it is the writer's. */
  readonly seen: ReadonlyMap<View, boolean>;
  readonly atoms: readonly Atom[];
  readonly nots: ReadonlySet<View>;
  readonly choices: readonly Choice[];
  readonly required: ReadonlySet<string>;
  readonly isFalse: boolean;
  readonly #declared: Declared | null;
  #isFreeForm: boolean | undefined;
  #shape: SchemaShape | undefined;
  #values: readonly JsonNode[] | null | undefined;
  #listedTypes: number | undefined;
  #children: Map<string, State> | undefined;
  #options: Map<Choice, State[]> | undefined;
  #empty: (boolean | undefined)[] | undefined;
  #mostItems: (number | null)[] | undefined;

  readonly states: States;
  readonly id: number;
  readonly seeds: Seeds;

  constructor(states: States, id: number, seeds: Seeds) {
    this.states = states;
    this.id = id;
    this.seeds = seeds;
    const flat = new Flattening(states.views, states.discriminators, states.meter, seeds);
    this.seen = flat.seen;
    this.atoms = flat.atoms;
    this.nots = flat.nots;
    this.choices = flat.choices;
    this.required = flat.required;
    this.isFalse = flat.isFalse;
    this.#declared = seeds.declaring === null ? null : states.declared(seeds.declaring);
  }

  with(added: { known?: readonly View[]; written?: readonly View[]; nots?: readonly View[] }): State {
    const { written, known, nots } = this.seeds;
    return this.states.of({
      ...this.seeds,
      written: added.written ? [...written, ...added.written] : written,
      known: added.known ? [...known, ...added.known] : known,
      nots: added.nots ? [...nots, ...added.nots] : nots,
    });
  }

  /** The state if one option of a choice holds. */
  option(choice: Choice, index: number): State {
    this.#options ??= new Map();
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

  get shape(): SchemaShape {
    this.#shape ??= deriveShape(this.atoms, this.required);
    return this.#shape;
  }

  /** The names that the writer declares here; null if any name may occur. */
  get declared(): Declared | null {
    if (this.#declared === null) return null;
    this.#isFreeForm ??= isFreeForm(this.atoms, this.choices, this.seeds.isBareEmpty);
    return this.#isFreeForm ? null : this.#declared;
  }

  /** Whether the state consists of a single schema without subschemas. */
  get isLeaf(): boolean {
    const { written, known, nots } = this.seeds;
    return known.length + nots.length === 0 && written.length === 1 && written[0]!.isLeaf;
  }

  /** The known facts about a property. */
  tagOf(name: string): Tag | undefined {
    return tagIn(this.atoms, this.states.discriminators, name);
  }

  /** Whether a schema with the given facts excludes every value here, judged by the facts alone. */
  isApartFrom(facts: ViewFacts): boolean {
    return isApart(facts, this.types, this.required, (name) => this.tagOf(name));
  }

  /** The types that values may have here. */
  get types(): number {
    if (this.isFalse) return 0;
    const { values } = this;
    if (values === undefined) return this.#openTypes;
    this.#listedTypes ??= values.reduce((bits, value) => bits | classifyValue(value), 0);
    return this.#listedTypes;
  }

  /** Types that are allowed and not completely refused. */
  get #openTypes(): number {
    let { types } = this.shape;
    for (const not of this.nots) if (not.isTypeOnly) types &= ~not.types!;
    return types;
  }

  /** All possible values, if they are listed; undefined if there are too many. */
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
      candidates = NULL_AND_BOOLEANS.filter((value) => (classifyValue(value) & types) !== 0);
    }
    const { evaluator } = this.states;
    this.states.meter.note(candidates.length * LISTED_VALUE_MICROS);
    return candidates.filter(
      (value) =>
        this.atoms.every(({ view }) => evaluator.accepts(view, value) !== false) &&
        [...this.nots].every((view) => evaluator.accepts(view, value) !== true) &&
        this.isDeclared(value),
    );
  }

  /** Whether the writer declares every name in a value listed elsewhere. */
  isDeclared(value: JsonNode): boolean {
    if (this.#declared === null) return true;
    if (value.type === "array") return value.items.every((item, index) => this.item(index).isDeclared(item));
    if (value.type !== "object") return true;
    const { declared } = this;
    return [...value.members].every(
      ([name, member]) =>
        declared?.declares(name, this.states.patterns) !== false && this.property(name).isDeclared(member),
    );
  }

  /** Whether no value is possible, judged without alternatives. */
  isEmpty(depth = EMPTINESS_DEPTH): boolean {
    this.#empty ??= [];
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

  /** Whether a property of this name may occur. */
  mayHave(name: string, depth = EMPTINESS_DEPTH): boolean {
    return this.admitsName(name) && !this.property(name).isEmpty(depth);
  }

  /** Whether the name may occur, with any value. */
  admitsName(name: string): boolean {
    if (this.declared && !this.declared.declares(name, this.states.patterns)) return false;
    const text: JsonNode = { type: "string", start: 0, value: name };
    return !this.atoms.some(
      ({ view }) => view.propertyNames && this.states.evaluator.accepts(view.propertyNames(), text) === false,
    );
  }

  /** The state of a property's value. */
  property(name: string): State {
    return this.#child(
      `p${name}`,
      (view) => this.#schemasOfName(view, name),
      (view) => this.#declaringOfName(view, name),
    );
  }

  /** Every schema of a view that may constrain a property: an uncertain one still declares names. */
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
    return isNamed ? schemas : [...schemas, ...listRestViews(view)];
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

  /** The state of the values of properties whose names match all the given patterns. */
  patternProperty(patterns: readonly string[]): State {
    return this.#child(
      `q${patterns.join("\n")}`,
      (view) => {
        const own = patterns.flatMap((pattern) => view.patternProperties.get(pattern) ?? []);
        if (own.length > 0) return own;
        const isAlone = view.properties.size === 0 && view.patternProperties.size === 0;
        return isAlone && view.additionalProperties ? [view.additionalProperties] : [];
      },
      declaringOfOthers,
    );
  }

  /** The state of the property names; undefined if they are unconstrained. */
  nameState(): State | undefined {
    const written = this.atoms.flatMap(({ view }) => (view.propertyNames ? [view.propertyNames()] : []));
    if (written.length === 0) return undefined;
    const known = [this.states.views.ofTypes(TYPE.string)];
    return this.states.of({ written, known, nots: [], declaring: null });
  }

  /** The state of the values of properties that no schema here declares or matches. */
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

  /** The state of the item at an index; of all further items if `index` is beyond every prefix. */
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

  /** The maximum number of items: by a limit, or because no item is possible after some index. */
  maxItems(depth = EMPTINESS_DEPTH): number | undefined {
    this.#mostItems ??= [];
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

  /** `declaringOf` returns at least the schemas of `schemasOf`, because every schema that may apply declares names. */
  #child(key: string, schemasOf: (view: View) => LazyView[], declaringOf: (view: View) => LazyView[]): State {
    this.#children ??= new Map();
    const known = this.#children.get(key);
    if (known) return known;
    this.states.meter.spend(this.atoms.length * PART_STEPS, "");
    const written: View[] = [];
    const others: View[] = [];
    for (const atom of this.atoms) {
      for (const schema of schemasOf(atom.view)) (atom.isWritten ? written : others).push(unaliased(schema()));
    }
    const [only] = written;
    if (only?.isLeaf && written.length + others.length === 1) {
      // Schemas without subschemas declare nothing, and there may be thousands: they are as cheap to create as to
      // cache.
      const leaf = { written, known: others, nots: [], declaring: null };
      if (this.#isWide) return this.states.transient(leaf);
    }
    // If the writer says nothing about a value, the value may be anything, with any names in it.
    const declared = this.#declared;
    const declaring =
      declared === null || written.every((view) => isFree(view) || view.isLeaf)
        ? null
        : this.states.declaringBelow(declared, key, (view) => declaringOf(view).map((schema) => unaliased(schema())));
    const child = this.states.of({ written, known: others, nots: [], declaring });
    this.states.meter.keep(CHILD_BYTES + key.length, only?.pointer ?? "");
    this.#children.set(key, child);
    return child;
  }

  /** Whether there are too many properties to cache their states. */
  get #isWide(): boolean {
    return this.atoms.some(({ view }) => view.properties.size > MAX_KEPT_PROPERTIES);
  }

  /** Whether any schema applied to the same value may evaluate a name (undefined: an undeclared name). */
  #mayEvaluate(root: View, name: string | undefined): boolean {
    const visited = new Set<View>();
    const stack: View[] = [root];
    for (let view = stack.pop(); view !== undefined; view = stack.pop()) {
      if (visited.has(view)) continue;
      visited.add(view);
      if (view.additionalProperties || view.unresolved.length > 0 || (view !== root && view.unevaluatedProperties))
        return true;
      if (name === undefined) {
        // The caller handles names of schemas that hold here, but not those of open alternatives.
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

const NULL_AND_BOOLEANS: readonly JsonNode[] = [
  { type: "null", start: 0 },
  { type: "boolean", start: 0, value: false },
  { type: "boolean", start: 0, value: true },
];
