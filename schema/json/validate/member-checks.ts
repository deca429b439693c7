/** The keywords about the members of an object. */
import type { JsonNode } from "../../json-text.ts";
import { keyword, type SchemaLocation } from "../model.ts";
import type { Applying, KeywordCheck } from "./applying.ts";
import { type Evaluation, EvaluationStopped, isMembers, type Path } from "./evaluation.ts";
import { compilePattern, type Pattern } from "./patterns.ts";

/** `properties`, `patternProperties` and `additionalProperties` in one pass over the members. */
export function membersCheck(on: Applying): KeywordCheck {
  const named = new Map<string, SchemaLocation>();
  const properties = keyword(on.location, "properties");
  if (properties?.type === "object") {
    for (const [name, node] of properties.members) named.set(name, on.child(node, "properties", name));
  }
  const patterns = patternProperties(on);
  const additional = keyword(on.location, "additionalProperties");
  const rest = additional === undefined ? undefined : on.child(additional, "additionalProperties");
  return (evaluation, value, path, evaluated) => {
    if (!isMembers(value)) return true;
    let valid = true;
    for (const name of Object.keys(value)) {
      const member = value[name];
      const place: Path = { parent: path, token: name };
      const own = named.get(name);
      let isKnown = own !== undefined;
      if (own !== undefined && !on.apply(evaluation, "properties", own, member, place, undefined)) valid = false;
      for (const { pattern, schema } of patterns) {
        if (!matches(on, evaluation, pattern, name, path)) continue;
        isKnown = true;
        if (!on.apply(evaluation, "patternProperties", schema, member, place, undefined)) valid = false;
      }
      if (!isKnown && rest !== undefined) {
        isKnown = true;
        if (!on.apply(evaluation, "additionalProperties", rest, member, place, undefined)) valid = false;
      }
      if (isKnown) evaluated?.properties.add(name);
    }
    return valid;
  };
}

function patternProperties(on: Applying): { pattern: Pattern | string; schema: SchemaLocation }[] {
  const value = keyword(on.location, "patternProperties");
  if (value?.type !== "object") return [];
  return [...value.members].map(([source, node]) => {
    const compiled = compilePattern(source);
    const schema = on.child(node, "patternProperties", source);
    return { pattern: compiled.ok ? compiled.value : compiled.refusal.message, schema };
  });
}

function matches(on: Applying, evaluation: Evaluation, pattern: Pattern | string, text: string, path: Path): boolean {
  const matches = typeof pattern === "string" ? undefined : pattern.matches(text, evaluation.patternBudget);
  if (matches !== undefined) return matches;
  const at = { keyword: "patternProperties", path };
  if (typeof pattern === "string") throw new EvaluationStopped("unsupported_pattern", pattern, on.location, at);
  throw new EvaluationStopped("too_complex", "The patterns take too many steps on this value.", on.location, at);
}

export function propertyNamesCheck(on: Applying, node: JsonNode): KeywordCheck {
  const schema = on.child(node, "propertyNames");
  return (evaluation, value, path) => {
    if (!isMembers(value)) return true;
    let valid = true;
    for (const name of Object.keys(value)) {
      const place: Path = { parent: path, token: name };
      if (!on.apply(evaluation, "propertyNames", schema, name, place, undefined)) valid = false;
    }
    return valid;
  };
}

export function dependenciesCheck(on: Applying, name: string, node: JsonNode): KeywordCheck | undefined {
  if (node.type !== "object") return undefined;
  const dependencies = [...node.members].map(([trigger, rule]) => ({
    trigger,
    names:
      rule.type === "array" ? rule.items.flatMap((item) => (item.type === "string" ? [item.value] : [])) : undefined,
    schema: on.child(rule, name, trigger),
  }));
  return (evaluation, value, path, evaluated) => {
    if (!isMembers(value)) return true;
    evaluation.spend(dependencies.length, on.location);
    let valid = true;
    for (const { trigger, names, schema } of dependencies) {
      if (!Object.hasOwn(value, trigger)) continue;
      if (names === undefined) {
        if (!on.apply(evaluation, name, schema, value, path, evaluated)) valid = false;
        continue;
      }
      evaluation.spend(names.length, on.location);
      const missing = names.find((required) => !Object.hasOwn(value, required));
      if (missing !== undefined) {
        const expected = `a member ${JSON.stringify(missing)} where there is ${JSON.stringify(trigger)}`;
        valid = evaluation.fail(on.location, name, path, value, expected);
      }
    }
    return valid;
  };
}

export function unevaluatedPropertiesCheck(on: Applying, node: JsonNode): KeywordCheck {
  const schema = on.child(node, "unevaluatedProperties");
  return (evaluation, value, path, evaluated) => {
    if (!isMembers(value) || evaluated === undefined || evaluated.allProperties) return true;
    let valid = true;
    for (const name of Object.keys(value)) {
      if (evaluated.properties.has(name)) continue;
      const place: Path = { parent: path, token: name };
      if (!on.apply(evaluation, "unevaluatedProperties", schema, value[name], place, undefined)) valid = false;
    }
    evaluated.allProperties = true;
    return valid;
  };
}
