/**
 * Turns every keyword into a check. This file has those that apply schemas to the value itself; other files have those
 * for its parts and those that apply none.
 */
import type { JsonNode } from "../../json-text.ts";
import {
  followReference,
  type JsonSchemaModel,
  keyword,
  keywords,
  type ReferenceKeyword,
  type SchemaLocation,
} from "../model.ts";
import { isAtLeast } from "../parse/dialects.ts";
import { Applying, type Evaluate, type KeywordCheck } from "./applying.ts";
import { compileAssertion } from "./assertions.ts";
import { EvaluationStopped, type Failure, schemaPointer } from "./evaluation.ts";
import { containsCheck, itemsCheck, unevaluatedItemsCheck } from "./item-checks.ts";
import { dependenciesCheck, membersCheck, propertyNamesCheck, unevaluatedPropertiesCheck } from "./member-checks.ts";

/** All checks of one schema, ordered so that the last ones see what the others evaluated. */
export function compileChecks(
  model: JsonSchemaModel,
  location: SchemaLocation,
  evaluate: Evaluate,
): { checks: KeywordCheck[]; needsEvaluated: boolean } {
  const builder = new CheckBuilder(model, location, evaluate);
  const checks: KeywordCheck[] = [];
  const last: KeywordCheck[] = [];
  for (const [name, value] of keywords(location)) {
    const check = builder.check(name, value);
    if (check === undefined) continue;
    (name.startsWith("unevaluated") ? last : checks).push(check);
  }
  return { checks: [...checks, ...last], needsEvaluated: last.length > 0 };
}

class CheckBuilder extends Applying {
  check(name: string, value: JsonNode): KeywordCheck | undefined {
    switch (name) {
      case "$ref":
      case "$dynamicRef":
      case "$recursiveRef":
        return this.#reference(name);
      case "allOf":
        return this.#allOf(this.branches(name, value));
      case "anyOf":
        return this.#anyOf(this.branches(name, value));
      case "oneOf":
        return this.#oneOf(this.branches(name, value));
      case "not":
        return this.#not(value);
      case "if":
        return isAtLeast(this.location.resource.dialect, "draft-07") ? this.#conditional(value) : undefined;
      case "properties":
        return membersCheck(this);
      case "patternProperties":
        return this.has("properties") ? undefined : membersCheck(this);
      case "additionalProperties":
        return this.has("properties") || this.has("patternProperties") ? undefined : membersCheck(this);
      case "propertyNames":
        return isAtLeast(this.location.resource.dialect, "draft-06") ? propertyNamesCheck(this, value) : undefined;
      case "dependencies":
        return dependenciesCheck(this, name, value);
      case "dependentSchemas":
      case "dependentRequired":
        return this.since2019 ? dependenciesCheck(this, name, value) : undefined;
      case "prefixItems":
        return this.since2020 ? itemsCheck(this, "prefixItems", value, "items") : undefined;
      case "items":
        if (!this.since2020) return itemsCheck(this, "items", value, "additionalItems");
        return this.has("prefixItems") ? undefined : itemsCheck(this, "prefixItems", undefined, "items");
      case "contains":
        return isAtLeast(this.location.resource.dialect, "draft-06") ? containsCheck(this, value) : undefined;
      case "unevaluatedProperties":
        return this.since2019 ? unevaluatedPropertiesCheck(this, value) : undefined;
      case "unevaluatedItems":
        return this.since2019 ? unevaluatedItemsCheck(this, value) : undefined;
      default:
        return compileAssertion(this.location, name, value);
    }
  }

  #reference(name: ReferenceKeyword): KeywordCheck {
    const { model, location, evaluate } = this;
    const fixed = name === "$ref" ? followReference(model, location, name) : undefined;
    return (evaluation, value, path, evaluated) => {
      const target = fixed ?? followReference(model, location, name, evaluation.scope);
      if (target !== undefined) return evaluate(evaluation, target, value, path, evaluated);
      throw new EvaluationStopped(
        "unresolved_reference",
        `The "${name}" at ${schemaPointer(location)} does not resolve.`,
        location,
      );
    };
  }

  #allOf(branches: readonly SchemaLocation[]): KeywordCheck {
    return (evaluation, value, path, evaluated) => {
      let valid = true;
      for (const branch of branches) {
        if (!this.apply(evaluation, "allOf", branch, value, path, evaluated)) valid = false;
      }
      return valid;
    };
  }

  #anyOf(branches: readonly SchemaLocation[]): KeywordCheck {
    return (evaluation, value, path, evaluated) => {
      let matched = false;
      let nearest: Failure[] | undefined;
      for (const branch of branches) {
        const failures = this.attempt(evaluation, branch, value, path, evaluated);
        if (failures === undefined) {
          // Every valid branch contributes evaluated parts, so all are tried if they are collected.
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

  #oneOf(branches: readonly SchemaLocation[]): KeywordCheck {
    return (evaluation, value, path, evaluated) => {
      const matched: number[] = [];
      let nearest: Failure[] | undefined;
      for (const [index, branch] of branches.entries()) {
        const failures = this.attempt(evaluation, branch, value, path, evaluated);
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

  #not(node: JsonNode): KeywordCheck {
    const schema = this.child(node, "not");
    return (evaluation, value, path) =>
      this.attempt(evaluation, schema, value, path, undefined) !== undefined ||
      evaluation.fail(this.location, "not", path, value, 'a value that the schema under "not" refuses');
  }

  #conditional(node: JsonNode): KeywordCheck {
    const condition = this.child(node, "if");
    const [then, otherwise] = (["then", "else"] as const).map((name) => {
      const branch = keyword(this.location, name);
      return branch === undefined ? undefined : this.child(branch, name);
    });
    return (evaluation, value, path, evaluated) => {
      const holds = this.attempt(evaluation, condition, value, path, evaluated) === undefined;
      const branch = holds ? then : otherwise;
      return branch === undefined || this.apply(evaluation, holds ? "then" : "else", branch, value, path, evaluated);
    };
  }
}

/** The shorter of two lists of failures, because it most likely belongs to the intended branch. */
function nearer(known: Failure[] | undefined, failures: Failure[]): Failure[] {
  return known !== undefined && known.length <= failures.length ? known : failures;
}
