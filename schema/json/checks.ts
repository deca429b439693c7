/** The keywords that apply schemas to a value or its parts, as checks; `assertions.ts` has those that look at the value alone. */
import type { JsonNode } from "../json-text";
import { assertionOf } from "./assertions";
import { isAtLeast } from "./dialects";
import {
  Evaluated,
  type Evaluation,
  EvaluationStopped,
  type Failure,
  isMembers,
  type Path,
  schemaPointer,
} from "./evaluation";
import {
  childLocation,
  followReference,
  type JsonSchemaModel,
  keyword,
  keywords,
  type ReferenceKeyword,
  type SchemaLocation,
} from "./model";
import { compilePattern, type Pattern } from "./patterns";

/** Evaluates one schema; `evaluated` collects what is known of the value's parts, where somebody asks. */
export type Evaluate = (
  evaluation: Evaluation,
  location: SchemaLocation,
  value: unknown,
  path: Path,
  evaluated: Evaluated | undefined,
) => boolean;

/** One keyword against one value; every failure is noted before false is returned. */
export type Check = (evaluation: Evaluation, value: unknown, path: Path, evaluated: Evaluated | undefined) => boolean;

/** All checks of one schema, in an order that lets the last ones see what the others evaluated. */
export function checksOf(
  model: JsonSchemaModel,
  location: SchemaLocation,
  evaluate: Evaluate,
): { checks: Check[]; needsEvaluated: boolean } {
  const builder = new CheckBuilder(model, location, evaluate);
  const checks: Check[] = [];
  const last: Check[] = [];
  for (const [name, value] of keywords(location)) {
    const check = builder.check(name, value);
    if (check === undefined) continue;
    (name.startsWith("unevaluated") ? last : checks).push(check);
  }
  return { checks: [...checks, ...last], needsEvaluated: last.length > 0 };
}

class CheckBuilder {
  readonly #since2019: boolean;
  readonly #since2020: boolean;

  constructor(
    readonly model: JsonSchemaModel,
    readonly location: SchemaLocation,
    readonly evaluate: Evaluate,
  ) {
    this.#since2019 = isAtLeast(location.resource.dialect, "2019-09");
    this.#since2020 = location.resource.dialect === "2020-12";
  }

  check(name: string, value: JsonNode): Check | undefined {
    switch (name) {
      case "$ref":
      case "$dynamicRef":
      case "$recursiveRef":
        return this.#reference(name);
      case "allOf":
        return this.#allOf(this.#branches(name, value));
      case "anyOf":
        return this.#anyOf(this.#branches(name, value));
      case "oneOf":
        return this.#oneOf(this.#branches(name, value));
      case "not":
        return this.#not(value);
      case "if":
        return isAtLeast(this.location.resource.dialect, "draft-07") ? this.#conditional(value) : undefined;
      case "properties":
        return this.#members();
      case "patternProperties":
        return this.#has("properties") ? undefined : this.#members();
      case "additionalProperties":
        return this.#has("properties") || this.#has("patternProperties") ? undefined : this.#members();
      case "propertyNames":
        return isAtLeast(this.location.resource.dialect, "draft-06") ? this.#propertyNames(value) : undefined;
      case "dependencies":
        return this.#dependencies(name, value);
      case "dependentSchemas":
      case "dependentRequired":
        return this.#since2019 ? this.#dependencies(name, value) : undefined;
      case "prefixItems":
        return this.#since2020 ? this.#items("prefixItems", value, "items") : undefined;
      case "items":
        if (!this.#since2020) return this.#items("items", value, "additionalItems");
        return this.#has("prefixItems") ? undefined : this.#items("prefixItems", undefined, "items");
      case "contains":
        return isAtLeast(this.location.resource.dialect, "draft-06") ? this.#contains(value) : undefined;
      case "unevaluatedProperties":
        return this.#since2019 ? this.#unevaluatedProperties(value) : undefined;
      case "unevaluatedItems":
        return this.#since2019 ? this.#unevaluatedItems(value) : undefined;
      default:
        return assertionOf(this.location, name, value);
    }
  }

  #has(name: string): boolean {
    const value = keyword(this.location, name);
    return value !== undefined && (name === "prefixItems" ? value.type === "array" : value.type === "object");
  }

  #child(node: JsonNode, ...tokens: (string | number)[]): SchemaLocation {
    return childLocation(this.model, this.location, node, ...tokens);
  }

  #branches(name: string, value: JsonNode): SchemaLocation[] {
    return value.type === "array" ? value.items.map((item, index) => this.#child(item, name, index)) : [];
  }

  /** Evaluates a subschema of this keyword; a `false` there is told as the keyword's own refusal. */
  #apply(
    evaluation: Evaluation,
    name: string,
    schema: SchemaLocation,
    value: unknown,
    path: Path,
    evaluated: Evaluated | undefined,
  ): boolean {
    if (schema.node.type !== "boolean") return this.evaluate(evaluation, schema, value, path, evaluated);
    evaluation.spend(1, this.location);
    return schema.node.value || evaluation.fail(this.location, name, path, value, REFUSED[name] ?? "no value here");
  }

  #reference(name: ReferenceKeyword): Check {
    const { model, location, evaluate } = this;
    const fixed = name === "$ref" ? followReference(model, location, name) : undefined;
    return (evaluation, value, path, evaluated) => {
      const target = fixed ?? followReference(model, location, name, evaluation.scope);
      if (target !== undefined) return evaluate(evaluation, target, value, path, evaluated);
      throw new EvaluationStopped(
        "unresolved_reference",
        `The "${name}" at ${schemaPointer(location)} leads nowhere.`,
        location,
      );
    };
  }

  #allOf(branches: readonly SchemaLocation[]): Check {
    return (evaluation, value, path, evaluated) => {
      let valid = true;
      for (const branch of branches) {
        if (!this.#apply(evaluation, "allOf", branch, value, path, evaluated)) valid = false;
      }
      return valid;
    };
  }

  /** Evaluates a branch that may fail: gives its failures, or undefined where it holds, and then keeps what it evaluated. */
  #attempt(
    evaluation: Evaluation,
    branch: SchemaLocation,
    value: unknown,
    path: Path,
    evaluated: Evaluated | undefined,
  ): Failure[] | undefined {
    const outer = evaluation.failures;
    evaluation.failures = [];
    const collected = evaluated === undefined ? undefined : new Evaluated();
    const valid = this.evaluate(evaluation, branch, value, path, collected);
    const { failures } = evaluation;
    evaluation.failures = outer;
    if (!valid) return failures;
    if (evaluated !== undefined && collected !== undefined) evaluated.merge(collected);
    return undefined;
  }

  #anyOf(branches: readonly SchemaLocation[]): Check {
    return (evaluation, value, path, evaluated) => {
      let matched = false;
      let nearest: Failure[] | undefined;
      for (const branch of branches) {
        const failures = this.#attempt(evaluation, branch, value, path, evaluated);
        if (failures === undefined) {
          // Every branch that holds adds to what is evaluated, so all are tried where somebody asks.
          if (evaluated === undefined) return true;
          matched = true;
        } else nearest = nearer(nearest, failures);
      }
      if (matched) return true;
      evaluation.fail(this.location, "anyOf", path, value, `one of the ${branches.length} alternatives`);
      evaluation.failures.push(...(nearest ?? []));
      return false;
    };
  }

  #oneOf(branches: readonly SchemaLocation[]): Check {
    return (evaluation, value, path, evaluated) => {
      const matched: number[] = [];
      let nearest: Failure[] | undefined;
      for (const [index, branch] of branches.entries()) {
        const failures = this.#attempt(evaluation, branch, value, path, evaluated);
        if (failures === undefined) matched.push(index);
        else nearest = nearer(nearest, failures);
        if (matched.length > 1) {
          const both = `exactly one of the ${branches.length} alternatives, not both ${matched[0]} and ${matched[1]}`;
          return evaluation.fail(this.location, "oneOf", path, value, both);
        }
      }
      if (matched.length === 1) return true;
      evaluation.fail(this.location, "oneOf", path, value, `one of the ${branches.length} alternatives`);
      evaluation.failures.push(...(nearest ?? []));
      return false;
    };
  }

  #not(node: JsonNode): Check {
    const schema = this.#child(node, "not");
    return (evaluation, value, path) =>
      this.#attempt(evaluation, schema, value, path, undefined) !== undefined ||
      evaluation.fail(this.location, "not", path, value, "a value that the schema under not refuses");
  }

  #conditional(node: JsonNode): Check {
    const condition = this.#child(node, "if");
    const [then, otherwise] = (["then", "else"] as const).map((name) => {
      const branch = keyword(this.location, name);
      return branch === undefined ? undefined : this.#child(branch, name);
    });
    return (evaluation, value, path, evaluated) => {
      const holds = this.#attempt(evaluation, condition, value, path, evaluated) === undefined;
      const branch = holds ? then : otherwise;
      return branch === undefined || this.#apply(evaluation, holds ? "then" : "else", branch, value, path, evaluated);
    };
  }

  /** `properties`, `patternProperties` and `additionalProperties` in one pass over the members. */
  #members(): Check {
    const named = new Map<string, SchemaLocation>();
    const properties = keyword(this.location, "properties");
    if (properties?.type === "object") {
      for (const [name, node] of properties.members) named.set(name, this.#child(node, "properties", name));
    }
    const patterns = this.#patternProperties();
    const additional = keyword(this.location, "additionalProperties");
    const rest = additional === undefined ? undefined : this.#child(additional, "additionalProperties");
    return (evaluation, value, path, evaluated) => {
      if (!isMembers(value)) return true;
      let valid = true;
      for (const name of Object.keys(value)) {
        const member = value[name];
        const place: Path = { parent: path, token: name };
        const own = named.get(name);
        let isKnown = own !== undefined;
        if (own !== undefined && !this.#apply(evaluation, "properties", own, member, place, undefined)) valid = false;
        for (const { pattern, schema } of patterns) {
          if (!this.#matches(evaluation, pattern, name)) continue;
          isKnown = true;
          if (!this.#apply(evaluation, "patternProperties", schema, member, place, undefined)) valid = false;
        }
        if (!isKnown && rest !== undefined) {
          isKnown = true;
          if (!this.#apply(evaluation, "additionalProperties", rest, member, place, undefined)) valid = false;
        }
        if (isKnown) evaluated?.properties.add(name);
      }
      return valid;
    };
  }

  #patternProperties(): { pattern: Pattern | string; schema: SchemaLocation }[] {
    const value = keyword(this.location, "patternProperties");
    if (value?.type !== "object") return [];
    return [...value.members].map(([source, node]) => {
      const compiled = compilePattern(source);
      const schema = this.#child(node, "patternProperties", source);
      return { pattern: compiled.ok ? compiled.pattern : compiled.message, schema };
    });
  }

  #matches(evaluation: Evaluation, pattern: Pattern | string, text: string): boolean {
    const matches = typeof pattern === "string" ? undefined : pattern.matches(text, evaluation.patternBudget);
    if (matches !== undefined) return matches;
    if (typeof pattern === "string") throw new EvaluationStopped("unsupported_pattern", pattern, this.location);
    throw new EvaluationStopped("too_complex", "The patterns take too many steps on this value.", this.location);
  }

  #propertyNames(node: JsonNode): Check {
    const schema = this.#child(node, "propertyNames");
    return (evaluation, value, path) => {
      if (!isMembers(value)) return true;
      let valid = true;
      for (const name of Object.keys(value)) {
        const place: Path = { parent: path, token: name };
        if (!this.#apply(evaluation, "propertyNames", schema, name, place, undefined)) valid = false;
      }
      return valid;
    };
  }

  #dependencies(name: string, node: JsonNode): Check | undefined {
    if (node.type !== "object") return undefined;
    const dependencies = [...node.members].map(([trigger, rule]) => ({
      trigger,
      names:
        rule.type === "array" ? rule.items.flatMap((item) => (item.type === "string" ? [item.value] : [])) : undefined,
      schema: this.#child(rule, name, trigger),
    }));
    return (evaluation, value, path, evaluated) => {
      if (!isMembers(value)) return true;
      evaluation.spend(dependencies.length, this.location);
      let valid = true;
      for (const { trigger, names, schema } of dependencies) {
        if (!Object.hasOwn(value, trigger)) continue;
        if (names === undefined) {
          if (!this.#apply(evaluation, name, schema, value, path, evaluated)) valid = false;
          continue;
        }
        evaluation.spend(names.length, this.location);
        const missing = names.find((required) => !Object.hasOwn(value, required));
        if (missing !== undefined) {
          const expected = `a member ${JSON.stringify(missing)} where there is ${JSON.stringify(trigger)}`;
          valid = evaluation.fail(this.location, name, path, value, expected);
        }
      }
      return valid;
    };
  }

  /** A tuple of schemas for the first items, and one schema for the rest. */
  #items(
    tupleName: "prefixItems" | "items",
    value: JsonNode | undefined,
    restName: "items" | "additionalItems",
  ): Check {
    const isTuple = value?.type === "array";
    const tuple = isTuple ? value.items.map((item, index) => this.#child(item, tupleName, index)) : [];
    const restKeyword = isTuple || tupleName === "prefixItems" ? restName : "items";
    const restNode = keyword(this.location, restKeyword);
    const rest = restNode === undefined ? undefined : this.#child(restNode, restKeyword);
    return (evaluation, items, path, evaluated) => {
      if (!Array.isArray(items)) return true;
      let valid = true;
      const count = rest === undefined ? Math.min(tuple.length, items.length) : items.length;
      for (let index = 0; index < count; index += 1) {
        const schema = tuple[index] ?? rest!;
        const name = index < tuple.length ? tupleName : restKeyword;
        const place: Path = { parent: path, token: index };
        if (!this.#apply(evaluation, name, schema, items[index], place, undefined)) valid = false;
      }
      if (evaluated !== undefined) {
        if (rest !== undefined) evaluated.allItems = true;
        else evaluated.itemCount = Math.max(evaluated.itemCount, count);
      }
      return valid;
    };
  }

  #contains(node: JsonNode): Check {
    const schema = this.#child(node, "contains");
    const [least, most] = (["minContains", "maxContains"] as const).map((name) => {
      const bound = this.#since2019 ? keyword(this.location, name) : undefined;
      return bound?.type === "number" ? bound.value : undefined;
    });
    const atLeast = least ?? 1;
    return (evaluation, items, path, evaluated) => {
      if (!Array.isArray(items)) return true;
      let count = 0;
      for (const [index, item] of items.entries()) {
        const place: Path = { parent: path, token: index };
        if (this.#attempt(evaluation, schema, item, place, undefined) !== undefined) continue;
        count += 1;
        if (this.#since2020) evaluated?.items.add(index);
      }
      if (count < atLeast) {
        const name = least === undefined ? "contains" : "minContains";
        return evaluation.fail(this.location, name, path, items, `at least ${atLeast} items that contains accepts`);
      }
      if (most === undefined || count <= most) return true;
      return evaluation.fail(this.location, "maxContains", path, items, `at most ${most} items that contains accepts`);
    };
  }

  #unevaluatedProperties(node: JsonNode): Check {
    const schema = this.#child(node, "unevaluatedProperties");
    return (evaluation, value, path, evaluated) => {
      if (!isMembers(value) || evaluated === undefined || evaluated.allProperties) return true;
      let valid = true;
      for (const name of Object.keys(value)) {
        if (evaluated.properties.has(name)) continue;
        const place: Path = { parent: path, token: name };
        if (!this.#apply(evaluation, "unevaluatedProperties", schema, value[name], place, undefined)) valid = false;
      }
      evaluated.allProperties = true;
      return valid;
    };
  }

  #unevaluatedItems(node: JsonNode): Check {
    const schema = this.#child(node, "unevaluatedItems");
    return (evaluation, items, path, evaluated) => {
      if (!Array.isArray(items) || evaluated === undefined || evaluated.allItems) return true;
      let valid = true;
      for (let index = evaluated.itemCount; index < items.length; index += 1) {
        if (evaluated.items.has(index)) continue;
        const place: Path = { parent: path, token: index };
        if (!this.#apply(evaluation, "unevaluatedItems", schema, items[index], place, undefined)) valid = false;
      }
      evaluated.allItems = true;
      return valid;
    };
  }
}

/** What a `false` under a keyword asks for. */
const REFUSED: Record<string, string> = {
  properties: "no member of this name",
  patternProperties: "no member of this name",
  additionalProperties: "no further members",
  unevaluatedProperties: "no further members",
  items: "no further items",
  additionalItems: "no further items",
  unevaluatedItems: "no further items",
  propertyNames: "no members",
};

/** Of two lists of failures the shorter: it most likely belongs to the branch that was meant. */
function nearer(known: Failure[] | undefined, failures: Failure[]): Failure[] {
  return known !== undefined && known.length <= failures.length ? known : failures;
}
