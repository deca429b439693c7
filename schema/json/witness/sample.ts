/**
 * Values that a state's writer may produce, built to satisfy its simple constraints. They are candidates and must be
 * checked before use.
 */
import { type JsonNode, toPlainValue } from "../../json-text.ts";
import type { Random } from "../../random.ts";
import type { Choice } from "../compare/semantic/flatten.ts";
import type { SchemaShape } from "../compare/semantic/shape.ts";
import type { State } from "../compare/semantic/state.ts";
import { NUMBER, TYPE, type View } from "../compare/semantic/view.ts";
import type { Views } from "../compare/semantic/views.ts";
import { NearbyNumbers } from "./numbers.ts";
import { ALL_EXAMPLES, formatExamples, stringMatching } from "./strings.ts";

/** Deeper values are made as small as possible. */
const MAX_RICH_DEPTH = 5;
/** Values of this depth are abandoned: the schema may require infinite nesting. */
const MAX_SAMPLE_DEPTH = 40;
const MAX_SAMPLED_ITEMS = 300;
const MAX_STRING_LENGTH = 12_000;
const MAX_CHOICES = 24;
/** Names of properties that cost as much as one value. */
const NAMES_PER_VALUE = 5;

/** Additional material for values: constants in either schema. */
export type Pool = {
  readonly numbers: readonly number[];
  readonly strings: readonly string[];
  readonly names: readonly string[];
  /** Numbers computed so far: of integers or fractions, and whether both are admitted. */
  readonly nearby: WeakMap<SchemaShape, Map<string, NearbyNumbers>>;
};

/** Marks the absence of a value: the constraints contradict each other, or are not simple enough. */
export const NO_SAMPLE = Symbol("no sample");

/** The remaining budget of values, including their parts: for all samples, and for one. */
export type SampleBudget = { remaining: number };
/** Keeps a single sample from exploding. */
const MAX_SAMPLE_PARTS = 600;

export class Sampler {
  #left = 0;

  readonly views: Views;
  readonly random: Random;
  readonly pool: Pool;
  /** The probability of adding optional parts, 0 to 1. */
  readonly richness: number;
  readonly budget: SampleBudget;

  constructor(views: Views, random: Random, pool: Pool, richness: number, budget: SampleBudget) {
    this.views = views;
    this.random = random;
    this.pool = pool;
    this.richness = richness;
    this.budget = budget;
  }

  sample(state: State): unknown {
    this.#left = MAX_SAMPLE_PARTS;
    return this.#value(state, 0);
  }

  /** An object of the state with one member fixed. */
  objectWith(state: State, name: string, member: unknown): unknown {
    this.#left = MAX_SAMPLE_PARTS;
    const decided = this.decide(state.with({ known: [this.views.ofTypes(TYPE.object), this.views.present(name)] }));
    return decided ? this.#object(decided, 0, { name, member }) : NO_SAMPLE;
  }

  /** An array of the state with one item fixed. */
  arrayWith(state: State, index: number, item: unknown): unknown {
    this.#left = MAX_SAMPLE_PARTS;
    const decided = this.decide(state.with({ known: [this.views.ofTypes(TYPE.array)] }));
    return decided ? this.#array(decided, 0, { index, item }) : NO_SAMPLE;
  }

  /** Settles every open choice at random. */
  decide(state: State): State | undefined {
    let current = state;
    for (let count = 0; count < MAX_CHOICES && current.choices.length > 0; count += 1) {
      const choice = this.random.pick(current.choices);
      const next = this.#option(current, choice);
      if (next === undefined) return undefined;
      current = next;
    }
    return current.isEmpty() ? undefined : current;
  }

  #option(state: State, choice: Choice): State | undefined {
    for (const index of this.random.shuffled([...choice.options.keys()])) {
      const option = state.option(choice, index);
      if (!option.isEmpty()) return option;
    }
    return undefined;
  }

  #value(state: State, depth: number): unknown {
    this.#left -= 1;
    this.budget.remaining -= 1;
    if (this.#left < 0 || this.budget.remaining < 0 || depth > MAX_SAMPLE_DEPTH) return NO_SAMPLE;
    const decided = this.decide(state);
    if (decided === undefined) return NO_SAMPLE;
    const { values, types } = decided;
    if (values !== undefined) return values.length === 0 ? NO_SAMPLE : toPlainValue(this.random.pick(values));
    const bits = TYPE_BITS.filter((bit) => (types & bit) !== 0);
    if (bits.length === 0) return NO_SAMPLE;
    const simple = bits.filter((bit) => bit !== TYPE.array && bit !== TYPE.object);
    const type = this.random.pick(depth > MAX_RICH_DEPTH && simple.length > 0 ? simple : bits);
    switch (type) {
      case TYPE.null:
        return null;
      case TYPE.boolean:
        return this.random.chance(0.5);
      case TYPE.string:
        return this.#string(decided.shape);
      case TYPE.array:
        return this.#array(decided, depth, undefined);
      case TYPE.object:
        return this.#object(decided, depth, undefined);
      default:
        return this.#number(decided.shape, types, type === TYPE.integer);
    }
  }

  #number(shape: SchemaShape, types: number, isInteger: boolean): unknown {
    const allowsBoth = (types & NUMBER) === NUMBER;
    const known = this.pool.nearby.get(shape) ?? new Map<string, NearbyNumbers>();
    this.pool.nearby.set(shape, known);
    const kind = `${isInteger} ${allowsBoth}`;
    const nearby = known.get(kind) ?? new NearbyNumbers(shape, isInteger, allowsBoth, this.pool.numbers);
    known.set(kind, nearby);
    return nearby.pick(this.random) ?? NO_SAMPLE;
  }

  #string(shape: SchemaShape): unknown {
    const { random } = this;
    const [least, most] = [shape.minLength, shape.maxLength ?? Number.POSITIVE_INFINITY];
    if (least > MAX_STRING_LENGTH) return NO_SAMPLE;
    const patterns = [...shape.patterns.keys()];
    const formats = [...shape.formats.keys()].flatMap(formatExamples);
    let text: string | undefined;
    if (patterns.length > 0 && random.chance(0.9)) text = stringMatching(random.pick(patterns), random);
    else if (formats.length > 0 && random.chance(0.95)) text = random.pick(formats);
    else if (random.chance(0.4) && this.pool.strings.length > 0) text = random.pick(this.pool.strings);
    else if (random.chance(0.1)) text = random.pick(ALL_EXAMPLES);
    text ??= random.pick(["", "a", "0", "abc", "A b", "\u00e4\u{1f600}"]);
    let characters = Array.from(text);
    if (characters.length < least && (patterns.length === 0 || random.chance(0.5))) {
      characters = [...characters, ...Array.from("x".repeat(least - characters.length))];
    } else if (random.chance(0.15) && patterns.length + formats.length === 0) {
      const length = random.pick([least, least + 1, Number.isFinite(most) ? most : least + 20]);
      if (length <= MAX_STRING_LENGTH) characters = Array.from("x".repeat(length));
    }
    return characters.slice(0, most).join("");
  }

  #array(state: State, depth: number, fixed: { index: number; item: unknown } | undefined): unknown {
    const { random } = this;
    const { shape } = state;
    const most = Math.min(state.maxItems() ?? Number.POSITIVE_INFINITY, MAX_SAMPLED_ITEMS);
    let length = Math.max(shape.minItems, fixed ? fixed.index + 1 : 0);
    if (length > most) return NO_SAMPLE;
    if (depth <= MAX_RICH_DEPTH && random.chance(this.richness)) {
      length = Math.min(most, random.pick([length, length + 1, length + 2, Math.max(length, state.prefixLength)]));
    }
    const items: unknown[] = [];
    const contained = this.#contained(state);
    for (let index = 0; index < length; index += 1) {
      if (index === fixed?.index) {
        items.push(fixed.item);
        continue;
      }
      let part = state.item(Math.min(index, Math.max(state.prefixLength, index)));
      const owed = contained.find(({ left }) => left > 0);
      if (owed && (index >= state.prefixLength || length - index <= owed.left)) {
        owed.left -= 1;
        part = part.with({ known: [owed.view] });
      }
      const item = this.#distinct(part, depth, shape.uniqueItems ? items : undefined);
      if (item === NO_SAMPLE) return index >= shape.minItems && !fixed ? items : NO_SAMPLE;
      items.push(item);
    }
    return items;
  }

  #contained(state: State): { view: View; left: number }[] {
    return state.atoms.flatMap(({ view }) =>
      view.contains ? [{ view: view.contains(), left: view.minContains }] : [],
    );
  }

  #distinct(part: State, depth: number, others: readonly unknown[] | undefined): unknown {
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const item = this.#value(part, depth + 1);
      if (item === NO_SAMPLE || others === undefined) return item;
      const text = JSON.stringify(item);
      if (!others.some((other) => JSON.stringify(other) === text)) return item;
    }
    return NO_SAMPLE;
  }

  #object(state: State, depth: number, fixed: { name: string; member: unknown } | undefined): unknown {
    const { random } = this;
    const { shape } = state;
    const members = new Map<string, unknown>();
    if (fixed) members.set(fixed.name, fixed.member);
    for (const name of shape.required) {
      if (members.has(name)) continue;
      const member = state.mayHave(name) ? this.#value(state.property(name), depth + 1) : NO_SAMPLE;
      if (member === NO_SAMPLE) return NO_SAMPLE;
      members.set(name, member);
    }
    const isRich = depth <= MAX_RICH_DEPTH;
    const most = shape.maxProperties ?? Number.POSITIVE_INFINITY;
    const names = this.#optionalNames(state);
    this.budget.remaining -= names.length / NAMES_PER_VALUE;
    for (const name of random.shuffled(names)) {
      if (members.has(name) || members.size >= most) continue;
      const isNeeded = members.size < shape.minProperties;
      if (!isNeeded && !(isRich && random.chance(this.richness))) continue;
      if (!state.mayHave(name)) continue;
      const member = this.#value(state.property(name), depth + 1);
      if (member !== NO_SAMPLE) members.set(name, member);
    }
    this.#fill(state, members, depth);
    if (members.size < shape.minProperties || members.size > most) return NO_SAMPLE;
    return Object.fromEntries(members);
  }

  /** Adds members with generated names if more are required and any name is allowed. */
  #fill(state: State, members: Map<string, unknown>, depth: number): void {
    const missing = state.shape.minProperties - members.size;
    if (missing <= 0 || missing > MAX_SAMPLED_ITEMS || (state.declared !== null && !state.declared.hasAdditional))
      return;
    for (let count = 0; count < 2 * missing && members.size < state.shape.minProperties; count += 1) {
      const name = `p${count}`;
      if (members.has(name) || !state.mayHave(name)) continue;
      const member = this.#value(state.property(name), depth + 1);
      if (member !== NO_SAMPLE) members.set(name, member);
    }
  }

  /** Declared names, names that match patterns, and, if any name is allowed, a few others. */
  #optionalNames(state: State): string[] {
    const names = new Set<string>();
    const patterns = new Set<string>();
    for (const { view } of state.atoms) {
      for (const name of view.properties.keys()) names.add(name);
      for (const name of view.dependentRequired.keys()) names.add(name);
      for (const name of view.dependentSchemas.keys()) names.add(name);
      for (const pattern of view.patternProperties.keys()) patterns.add(pattern);
    }
    for (const name of state.declared?.names ?? []) names.add(name);
    for (const pattern of state.declared?.patterns ?? []) patterns.add(pattern);
    for (const pattern of patterns) {
      const name = stringMatching(pattern, this.random);
      if (name !== undefined) names.add(name);
    }
    if (state.declared === null || state.declared.hasAdditional) {
      if (this.random.chance(this.richness)) for (const name of this.pool.names) names.add(name);
      const nameShape = this.#nameShape(state);
      const made = nameShape && this.#string(nameShape);
      if (typeof made === "string") names.add(made);
    }
    return [...names];
  }

  #nameShape(state: State): SchemaShape | undefined {
    const views = state.atoms.flatMap(({ view }) => (view.propertyNames ? [view.propertyNames()] : []));
    if (views.length === 0) return undefined;
    const named = this.decide(
      state.states.of({ written: views, known: [this.views.ofTypes(TYPE.string)], nots: [], declaring: null }),
    );
    return named?.shape;
  }
}

const TYPE_BITS = [TYPE.null, TYPE.boolean, TYPE.integer, TYPE.fraction, TYPE.string, TYPE.array, TYPE.object];

/** A plain value as a tree. */
export function toJsonNode(value: unknown): JsonNode {
  if (typeof value === "string") return { type: "string", start: 0, value };
  if (typeof value === "number") return { type: "number", start: 0, value, text: String(value) };
  if (typeof value === "boolean") return { type: "boolean", start: 0, value };
  if (Array.isArray(value)) return { type: "array", start: 0, items: value.map(toJsonNode) };
  if (typeof value !== "object" || value === null) return { type: "null", start: 0 };
  return {
    type: "object",
    start: 0,
    members: new Map(Object.entries(value).map(([name, member]) => [name, toJsonNode(member)])),
  };
}
