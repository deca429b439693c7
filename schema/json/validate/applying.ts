/** The common part of all keywords that apply schemas. */
import type { JsonNode } from "../../json-text.ts";
import { childLocation, type JsonSchemaModel, keyword, type SchemaLocation } from "../model.ts";
import { isAtLeast } from "../parse/dialects.ts";
import { Evaluated, type Evaluation, type Failure, type Path } from "./evaluation.ts";

/** Evaluates one schema; `evaluated`, if given, collects which parts of the value were evaluated. */
export type Evaluate = (
  evaluation: Evaluation,
  location: SchemaLocation,
  value: unknown,
  path: Path,
  evaluated: Evaluated | undefined,
) => boolean;

/** One keyword against one value; every failure is recorded before false is returned. */
export type KeywordCheck = (
  evaluation: Evaluation,
  value: unknown,
  path: Path,
  evaluated: Evaluated | undefined,
) => boolean;

/** One schema while its keywords are turned into checks. */
export class Applying {
  readonly since2019: boolean;
  readonly since2020: boolean;

  readonly model: JsonSchemaModel;
  readonly location: SchemaLocation;
  readonly evaluate: Evaluate;

  constructor(model: JsonSchemaModel, location: SchemaLocation, evaluate: Evaluate) {
    this.model = model;
    this.location = location;
    this.evaluate = evaluate;
    this.since2019 = isAtLeast(location.resource.dialect, "2019-09");
    this.since2020 = location.resource.dialect === "2020-12";
  }

  has(name: string): boolean {
    const value = keyword(this.location, name);
    return value !== undefined && (name === "prefixItems" ? value.type === "array" : value.type === "object");
  }

  child(node: JsonNode, ...tokens: (string | number)[]): SchemaLocation {
    return childLocation(this.model, this.location, node, ...tokens);
  }

  branches(name: string, value: JsonNode): SchemaLocation[] {
    return value.type === "array" ? value.items.map((item, index) => this.child(item, name, index)) : [];
  }

  /** Evaluates a subschema of this keyword; a `false` there is reported as the keyword's own refusal. */
  apply(
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

  /**
   * Evaluates a branch that may fail: returns its failures, or undefined if it holds, and then keeps what it evaluated.
   */
  attempt(
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
}

/** What a `false` under a keyword requires. */
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
