/**
 * Whether one concrete value satisfies a view: yes, no, or undefined if that cannot be decided here (unreadable
 * patterns, evaluated parts).
 */
import type { JsonArray, JsonNode, JsonObject } from "../../../json-text.ts";
import { equalityKey, equalityKeys } from "../../validate/equality.ts";
import { FORMATS } from "../../validate/format-keyword.ts";
import { type ComparisonMeter, divisionSteps } from "../bounds.ts";
import { compareDecimals, type Decimal, isInteger, isMultipleOf, readDecimal } from "../decimal.ts";
import type { PatternMatches } from "../pattern-matches.ts";
import type { Discriminators } from "./discriminators.ts";
import { type Bound, type LazyView, TYPE, unaliased, type View } from "./view.ts";

type Answer = boolean | undefined;

export class Evaluator {
  /** Every nested schema at a location queries the same value. */
  readonly #known = new WeakMap<JsonNode, Map<View, Answer>>();

  readonly patterns: PatternMatches;
  readonly discriminators: Discriminators;
  readonly meter: ComparisonMeter;

  constructor(patterns: PatternMatches, discriminators: Discriminators, meter: ComparisonMeter) {
    this.patterns = patterns;
    this.discriminators = discriminators;
    this.meter = meter;
  }

  accepts(schema: View, value: JsonNode): Answer {
    const view = unaliased(schema);
    if (view.constant !== undefined) return view.constant;
    if (view.isTrivial) return true;
    const answers = value.type === "object" || value.type === "array" ? this.#answersAbout(value) : undefined;
    if (answers?.has(view)) return answers.get(view);
    this.meter.spend(0.5, view.pointer);
    this.meter.enter(view.pointer);
    const answer = this.#judge(view, value);
    this.meter.leave();
    answers?.set(view, answer);
    return answer;
  }

  #answersAbout(value: JsonNode): Map<View, Answer> {
    let answers = this.#known.get(value);
    if (answers === undefined) {
      answers = new Map();
      this.#known.set(value, answers);
    }
    return answers;
  }

  #judge(view: View, value: JsonNode): Answer {
    return every([
      () => this.#scalar(view, value),
      () => this.#ofType(view, value),
      () => every(view.references.map((target) => () => this.accepts(target(), value))),
      () => every(view.allOf.map((member) => () => this.accepts(member(), value))),
      () =>
        view.anyOf.length === 0 || some(this.#likely(view.anyOf, value).map((each) => () => this.accepts(each, value))),
      () =>
        view.oneOf.length === 0 || exactlyOne(this.#likely(view.oneOf, value).map((each) => this.accepts(each, value))),
      () => view.not === undefined || negated(this.accepts(view.not(), value)),
      () => this.#conditional(view, value),
      () => (view.unresolved.length > 0 ? undefined : true),
    ]);
  }

  /** The alternatives that the value's tag does not exclude. */
  #likely(lazy: readonly LazyView[], value: JsonNode): readonly View[] {
    const { views, tag } = this.discriminators.alternatives(lazy);
    if (tag === undefined) return views;
    const member = value.type === "object" ? value.members.get(tag.name) : undefined;
    return member === undefined ? [] : (tag.byValue.get(equalityKey(member)) ?? []).map((index) => views[index]!);
  }

  #conditional(view: View, value: JsonNode): Answer {
    if (view.condition === undefined) return true;
    const holds = this.accepts(view.condition(), value);
    const whenTrue = () => view.consequence === undefined || this.accepts(view.consequence(), value);
    const whenFalse = () => view.alternative === undefined || this.accepts(view.alternative(), value);
    if (holds === undefined) return whenTrue() === true && whenFalse() === true ? true : undefined;
    return holds ? whenTrue() : whenFalse();
  }

  #scalar(view: View, value: JsonNode): boolean {
    if (view.types !== undefined && (view.types & classifyValue(value)) === 0) return false;
    if (view.enumeration || view.constantValue) {
      const key = equalityKey(value);
      if (view.enumeration && !equalityKeys(view.enumeration).has(key)) return false;
      if (view.constantValue && equalityKey(view.constantValue) !== key) return false;
    }
    if (value.type !== "number") return true;
    const number = readDecimal(value);
    if (view.multipleOf) this.meter.spend(divisionSteps(view.multipleOf), view.pointer);
    return (
      isAbove(number, view.minimum) &&
      isBelow(number, view.maximum) &&
      (view.multipleOf === undefined || isMultipleOf(number, view.multipleOf))
    );
  }

  #ofType(view: View, value: JsonNode): Answer {
    switch (value.type) {
      case "string":
        return this.#string(view, value.value);
      case "object":
        return this.#object(view, value);
      case "array":
        return this.#array(view, value);
      default:
        return true;
    }
  }

  #string(view: View, value: string): Answer {
    return every(STRING_KEYWORDS.map((keyword) => () => this.acceptsString(view, keyword, value)));
  }

  /** One string keyword on its own. */
  acceptsString(view: View, keyword: (typeof STRING_KEYWORDS)[number], value: string): Answer {
    switch (keyword) {
      case "minLength":
        return view.minLength === 0 || lengthOf(value) >= view.minLength;
      case "maxLength":
        return view.maxLength === undefined || lengthOf(value) <= view.maxLength;
      case "format":
        return view.format === undefined || (FORMATS.get(view.format)?.(value) ?? true);
      case "pattern":
        return view.pattern === undefined || this.patterns.matches(view.pattern, value);
    }
  }

  #object(view: View, value: JsonObject): Answer {
    const { members } = value;
    if (view.required.some((name) => !members.has(name))) return false;
    if (members.size < view.minProperties || members.size > (view.maxProperties ?? members.size)) return false;
    for (const [name, names] of view.dependentRequired) {
      if (members.has(name) && names.some((other) => !members.has(other))) return false;
    }
    const checks: (() => Answer)[] = [];
    for (const [name, member] of members) {
      checks.push(() => this.#member(view, name, member));
      if (view.propertyNames) {
        checks.push(() => this.accepts(view.propertyNames!(), { type: "string", start: 0, value: name }));
      }
    }
    for (const [name, dependent] of view.dependentSchemas) {
      if (members.has(name)) checks.push(() => this.accepts(dependent(), value));
    }
    const unevaluated = view.unevaluatedProperties?.();
    if (unevaluated && !unevaluated.isTrivial && members.size > 0) checks.push(() => undefined);
    return every(checks);
  }

  #member(view: View, name: string, member: JsonNode): Answer {
    const own = view.properties.get(name);
    const checks: (() => Answer)[] = own ? [() => this.accepts(own(), member)] : [];
    let isNamed: Answer = own !== undefined;
    for (const [pattern, schema] of view.patternProperties) {
      const matches = this.patterns.matches(pattern, name);
      if (matches) checks.push(() => this.accepts(schema(), member));
      if (matches === undefined) checks.push(() => this.accepts(schema(), member) || undefined);
      if (!isNamed) isNamed = matches === false ? isNamed : matches;
    }
    if (!isNamed && view.additionalProperties) {
      const additional = view.additionalProperties;
      checks.push(() => this.accepts(additional(), member) || (isNamed === undefined ? undefined : false));
    }
    return every(checks);
  }

  #array(view: View, { items }: JsonArray): Answer {
    if (items.length < view.minItems || items.length > (view.maxItems ?? items.length)) return false;
    if (view.uniqueItems && new Set(items.map(equalityKey)).size < items.length) return false;
    const checks = items.map((item, index) => () => {
      const schema: LazyView | undefined = view.prefixItems[index] ?? view.items;
      return schema === undefined || this.accepts(schema(), item);
    });
    if (view.contains) {
      const contained = view.contains;
      checks.push(() =>
        withinCount(
          items.map((item) => this.accepts(contained(), item)),
          view.minContains,
          view.maxContains,
        ),
      );
    }
    const unevaluated = view.unevaluatedItems?.();
    if (unevaluated && !unevaluated.isTrivial && items.length > 0) checks.push(() => undefined);
    return every(checks);
  }
}

const STRING_KEYWORDS = ["minLength", "maxLength", "format", "pattern"] as const;

/** Counts code points. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}

/** Written as an integer, without a point or an exponent. */
const INTEGER = /^-?\d+$/;

/** The type bit of a value. */
export function classifyValue(value: JsonNode): number {
  if (value.type !== "number") return TYPE[value.type];
  return INTEGER.test(value.text) || isInteger(readDecimal(value)) ? TYPE.integer : TYPE.fraction;
}

export function isAbove(value: Decimal, bound: Bound | undefined): boolean {
  if (bound === undefined) return true;
  const order = compareDecimals(value, bound.limit);
  return order > 0 || (order === 0 && !bound.exclusive);
}

export function isBelow(value: Decimal, bound: Bound | undefined): boolean {
  if (bound === undefined) return true;
  const order = compareDecimals(value, bound.limit);
  return order < 0 || (order === 0 && !bound.exclusive);
}

function every(checks: readonly (() => Answer)[]): Answer {
  let isKnown = true;
  for (const check of checks) {
    const answer = check();
    if (answer === false) return false;
    if (answer === undefined) isKnown = false;
  }
  return isKnown ? true : undefined;
}

function some(checks: readonly (() => Answer)[]): Answer {
  return negated(every(checks.map((check) => () => negated(check()))));
}

function negated(answer: Answer): Answer {
  return answer === undefined ? undefined : !answer;
}

function exactlyOne(answers: readonly Answer[]): Answer {
  return withinCount(answers, 1, 1);
}

function withinCount(answers: readonly Answer[], min: number, max: number | undefined): Answer {
  const yes = answers.filter((answer) => answer === true).length;
  const unknown = answers.filter((answer) => answer === undefined).length;
  if (yes + unknown < min || yes > (max ?? yes)) return false;
  return yes >= min && yes + unknown <= (max ?? yes + unknown) ? true : undefined;
}
