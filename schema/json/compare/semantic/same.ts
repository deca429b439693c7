/** Whether two schemas are equal, with references followed and annotations ignored. */
import { equalityKey, equalityKeys } from "../../validate/equality.ts";
import type { ComparisonMeter } from "../bounds.ts";
import { compareDecimals, type Decimal, decimalText } from "../decimal.ts";
import { type Bound, type LazyView, unaliased, type View, type ViewMap } from "./view.ts";

/** Two schemas, and the two that contain them. */
type Pair = { readonly a: View; readonly b: View; readonly above: Pair | undefined };

export class Sameness {
  readonly #same = new Map<View, Set<View>>();
  readonly #different = new Map<View, Set<View>>();
  readonly #signatures = new Map<View, string>();
  readonly #indexes = new WeakMap<ReadonlyMap<View, unknown>, ReadonlyMap<string, readonly View[]>>();
  readonly #meter: ComparisonMeter;

  constructor(meter: ComparisonMeter) {
    this.#meter = meter;
  }

  /** Whether one of the views with a location is equal. The map must not change afterwards. */
  isAmong(views: ReadonlyMap<View, unknown>, view: View): boolean {
    const candidates =
      views.size > MAX_UNINDEXED ? this.#indexOf(views).get(this.#signatureOf(unaliased(view))) : views.keys();
    for (const candidate of candidates ?? []) if (candidate.location && this.isSame(candidate, view)) return true;
    return false;
  }

  #indexOf(views: ReadonlyMap<View, unknown>): ReadonlyMap<string, readonly View[]> {
    const known = this.#indexes.get(views);
    if (known) return known;
    const index = new Map<string, View[]>();
    for (const view of views.keys()) {
      const key = this.#signatureOf(unaliased(view));
      const others = index.get(key);
      if (others) others.push(view);
      else index.set(key, [view]);
    }
    this.#meter.spend(views.size / 10, "");
    this.#indexes.set(views, index);
    return index;
  }

  /** Recursive schemas are equal as long as no difference is found. Iterative, because references may nest deeply. */
  isSame(a: View, b: View): boolean {
    const [left, right] = [unaliased(a), unaliased(b)];
    if (left === right) return true;
    if (left.isLeaf || right.isLeaf) {
      this.#meter.spend(LEAF_STEPS, "");
      return left.isLeaf && right.isLeaf && sameScalars(left, right);
    }
    if (this.#signatureOf(left) !== this.#signatureOf(right)) return false;
    const assumed = new Map<View, Set<View>>();
    const queue: Pair[] = [{ a, b, above: undefined }];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const pair: Pair = { a: unaliased(next.a), b: unaliased(next.b), above: next.above };
      if (pair.a === pair.b || has(this.#same, pair) || has(assumed, pair)) continue;
      this.#meter.spend(0.3, pair.b.pointer);
      if (pair.a.isLeaf && pair.b.isLeaf) {
        if (sameScalars(pair.a, pair.b)) continue;
        return this.#differ(pair.above);
      }
      if (has(this.#different, pair) || !sameScalars(pair.a, pair.b) || !queueChildren(pair, queue)) {
        return this.#differ(pair);
      }
      this.#meter.keep(PAIR_BYTES, pair.b.pointer);
      remember(assumed, pair);
    }
    for (const [left, rights] of assumed) for (const right of rights) remember(this.#same, { a: left, b: right });
    return true;
  }

  /** A schema that contains a difference is different too. */
  #differ(pair: Pair | undefined): false {
    for (let at = pair; at !== undefined; at = at.above) {
      this.#meter.keep(PAIR_BYTES, at.b.pointer);
      remember(this.#different, at);
    }
    return false;
  }

  /** A signature of a schema, one level deep: most unequal schemas differ in it, and the pair need not be cached. */
  #signatureOf(view: View): string {
    const known = this.#signatures.get(view);
    if (known !== undefined) return known;
    const signature = signatureOf(view);
    this.#meter.keep(signature.length + PAIR_BYTES / 2, view.pointer);
    this.#signatures.set(view, signature);
    return signature;
  }
}

/** Bytes of a cached pair. */
const PAIR_BYTES = 200;
/** Steps to compare two schemas without subschemas. */
const LEAF_STEPS = 0.05;
/** More views than this are searched by their signatures. */
const MAX_UNINDEXED = 16;

function signatureOf(view: View): string {
  const children = [view.items, view.additionalProperties, view.unevaluatedProperties, view.unevaluatedItems, view.not];
  return [
    view.constant,
    view.types,
    view.enumeration && setText(equalityKeys(view.enumeration)),
    signed(view.constantValue ? equalityKey(view.constantValue) : ""),
    boundText(view.minimum),
    boundText(view.maximum),
    view.multipleOf && signed(decimalText(view.multipleOf)),
    view.minLength,
    view.maxLength,
    signed(view.pattern ?? ""),
    view.format,
    setText(new Set(view.required)),
    view.properties.size,
    view.patternProperties.size,
    [view.references, view.allOf, view.anyOf, view.oneOf, view.prefixItems].map(({ length }) => length).join("."),
    children.map((child) => (child === undefined ? "" : "x")).join("."),
  ].join();
}

/** Characters of one text in a signature, from its end, where numbered texts differ. */
const MAX_SIGNED_CHARACTERS = 80;
/** Members of one set in a signature. */
const MAX_SIGNED_MEMBERS = 16;

function signed(text: string): string {
  return text.slice(-MAX_SIGNED_CHARACTERS);
}

/** The size of a set, and the members of a small one: sorting large ones would cost more than it tells apart. */
function setText(members: ReadonlySet<string>): string {
  const listed = members.size > MAX_SIGNED_MEMBERS ? "" : signed([...members].sort().join());
  return `${members.size}${listed}`;
}

function boundText(bound: Bound | undefined): string {
  return bound === undefined ? "" : `${bound.exclusive}${signed(decimalText(bound.limit))}`;
}

/** Queues the parts that must be equal; false if the number or the names of the children already differ. */
function queueChildren(pair: Pair, queue: Pair[]): boolean {
  const { a, b } = pair;
  const one = (x: LazyView | undefined, y: LazyView | undefined) => {
    if (x === undefined || y === undefined) return x === y;
    queue.push({ a: x(), b: y(), above: pair });
    return true;
  };
  const list = (x: readonly LazyView[], y: readonly LazyView[]) =>
    x.length === y.length && x.every((view, index) => one(view, y[index]));
  const map = (x: ViewMap, y: ViewMap) =>
    x.size === y.size && [...x].every(([name, view]) => y.has(name) && one(view, y.get(name)));
  return (
    one(a.items, b.items) &&
    one(a.additionalProperties, b.additionalProperties) &&
    one(a.unevaluatedProperties, b.unevaluatedProperties) &&
    one(a.unevaluatedItems, b.unevaluatedItems) &&
    one(a.propertyNames, b.propertyNames) &&
    one(a.contains, b.contains) &&
    one(a.not, b.not) &&
    one(a.condition, b.condition) &&
    one(a.consequence, b.consequence) &&
    one(a.alternative, b.alternative) &&
    list(a.references, b.references) &&
    list(a.allOf, b.allOf) &&
    list(a.anyOf, b.anyOf) &&
    list(a.oneOf, b.oneOf) &&
    list(a.prefixItems, b.prefixItems) &&
    map(a.properties, b.properties) &&
    map(a.patternProperties, b.patternProperties) &&
    map(a.dependentSchemas, b.dependentSchemas)
  );
}

function has(pairs: ReadonlyMap<View, ReadonlySet<View>>, { a, b }: { a: View; b: View }): boolean {
  return pairs.get(a)?.has(b) === true;
}

function remember(pairs: Map<View, Set<View>>, { a, b }: { a: View; b: View }): void {
  const partners = pairs.get(a);
  if (partners) partners.add(b);
  else pairs.set(a, new Set([b]));
}

function sameScalars(a: View, b: View): boolean {
  return (
    // Equal unresolved references count as equal.
    sameSet(a.unresolved, b.unresolved) &&
    a.constant === b.constant &&
    a.types === b.types &&
    a.minLength === b.minLength &&
    a.maxLength === b.maxLength &&
    a.pattern === b.pattern &&
    a.format === b.format &&
    a.minProperties === b.minProperties &&
    a.maxProperties === b.maxProperties &&
    a.minItems === b.minItems &&
    a.maxItems === b.maxItems &&
    a.uniqueItems === b.uniqueItems &&
    a.minContains === b.minContains &&
    a.maxContains === b.maxContains &&
    sameBound(a.minimum, b.minimum) &&
    sameBound(a.maximum, b.maximum) &&
    sameDecimal(a.multipleOf, b.multipleOf) &&
    sameSet(a.required, b.required) &&
    a.dependentRequired.size === b.dependentRequired.size &&
    [...a.dependentRequired].every(([name, names]) => sameSet(names, b.dependentRequired.get(name))) &&
    sameSet(a.enumeration && equalityKeys(a.enumeration), b.enumeration && equalityKeys(b.enumeration)) &&
    (a.constantValue === undefined || b.constantValue === undefined
      ? a.constantValue === b.constantValue
      : equalityKey(a.constantValue) === equalityKey(b.constantValue))
  );
}

function sameBound(a: Bound | undefined, b: Bound | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.exclusive === b.exclusive && sameDecimal(a.limit, b.limit);
}

function sameDecimal(a: Decimal | undefined, b: Decimal | undefined): boolean {
  return a === undefined || b === undefined ? a === b : compareDecimals(a, b) === 0;
}

function sameSet(a: Iterable<string> | undefined, b: Iterable<string> | undefined): boolean {
  if (a === undefined || b === undefined || a === b) return a === b;
  const left = new Set(a);
  const right = new Set(b);
  return left.size === right.size && [...left].every((member) => right.has(member));
}
