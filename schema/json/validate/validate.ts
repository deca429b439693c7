/**
 * Validates a value against a schema: an interpreter for all five dialects that generates no code and always
 * terminates. Each schema is turned into a list of checks on first use, which is cached with the model.
 */

import { ok, type Result, refuse } from "../../result.ts";
import { enterScope, type JsonSchemaModel, type SchemaLocation } from "../model.ts";
import type { Evaluate, KeywordCheck } from "./applying.ts";
import { compileChecks } from "./checks.ts";
import {
  describeFailure,
  Evaluated,
  Evaluation,
  EvaluationStopped,
  FALSE_SCHEMA,
  type InstanceError,
  isDeeperThan,
  MAX_INSTANCE_DEPTH,
  MAX_INSTANCE_ERRORS,
} from "./evaluation.ts";

type InstanceValidation = Result<
  /** `steps`: the work done, see Evaluation. */
  { valid: boolean; errors: InstanceError[]; steps: number },
  /**
   * `unsupported_pattern`: the result depends on a pattern that no linear-time engine can run, such as one with back
   * references; `unresolved_reference`: it depends on an unresolved reference, which only stored schemas have.
   */
  { reason: EvaluationStopped["reason"]; pointer: string; schema_pointer: string; message: string; steps: number }
>;

type ValidateOptions = {
  /** Whether `format` is asserted rather than an annotation. */
  formats: boolean;
};

/** Validates a value as JSON.parse returns it: its numbers are doubles. */
export function validateInstance(
  model: JsonSchemaModel,
  instance: unknown,
  options: ValidateOptions,
): InstanceValidation {
  return validateAt(model, model.root, instance, options);
}

/** Validates a value against one schema inside the model. */
export function validateAt(
  model: JsonSchemaModel,
  location: SchemaLocation,
  instance: unknown,
  options: ValidateOptions,
): InstanceValidation {
  if (isDeeperThan(instance, MAX_INSTANCE_DEPTH)) {
    const message = `The value is nested deeper than ${MAX_INSTANCE_DEPTH} levels.`;
    return refuse({ reason: "too_complex", pointer: "", schema_pointer: "", message, steps: 0 });
  }
  const evaluation = new Evaluation(options.formats);
  try {
    const valid = validatorOf(model).evaluate(evaluation, location, instance, null, undefined);
    return ok({
      valid,
      errors: valid ? [] : evaluation.failures.slice(0, MAX_INSTANCE_ERRORS).map(describeFailure),
      steps: evaluation.steps,
    });
  } catch (error) {
    if (!(error instanceof EvaluationStopped)) throw error;
    const { reason, pointer, schemaPointer, message } = error;
    return refuse({ reason, pointer, schema_pointer: schemaPointer, message, steps: evaluation.steps });
  }
}

type Plan = { checks: readonly KeywordCheck[]; needsEvaluated: boolean };

/** The checks of one model, created on demand. */
class Validator {
  readonly #plans = new Map<unknown, Plan>();
  readonly #hasOneResource: boolean;

  readonly model: JsonSchemaModel;

  constructor(model: JsonSchemaModel) {
    this.model = model;
    this.#hasOneResource = model.resources.size === 1;
  }

  /** Recursion is bounded by MAX_EVALUATION_DEPTH. */
  readonly evaluate: Evaluate = (evaluation, location, value, path, evaluated) => {
    const { node } = location;
    if (node.type === "boolean")
      return node.value || evaluation.fail(location, FALSE_SCHEMA, path, value, "no value here");
    let plan = this.#plans.get(node);
    if (plan === undefined) {
      plan = compileChecks(this.model, location, this.evaluate);
      this.#plans.set(node, plan);
    }
    evaluation.enter(location);
    const outerScope = evaluation.scope;
    if (!this.#hasOneResource) evaluation.scope = enterScope(outerScope, location);
    const collected = plan.needsEvaluated ? new Evaluated() : evaluated;
    let valid = true;
    for (const check of plan.checks) if (!check(evaluation, value, path, collected)) valid = false;
    if (valid && evaluated !== undefined && collected !== undefined && collected !== evaluated)
      evaluated.merge(collected);
    evaluation.scope = outerScope;
    evaluation.leave();
    return valid;
  };
}

/** Derived only from a model, so it may be cached as long as the model. */
const VALIDATORS = new WeakMap<JsonSchemaModel, Validator>();

function validatorOf(model: JsonSchemaModel): Validator {
  const known = VALIDATORS.get(model) ?? new Validator(model);
  VALIDATORS.set(model, known);
  return known;
}
