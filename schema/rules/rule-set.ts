/**
 * Runs a data contract's rules over one message: conditions and transforms in CEL, over the whole message or per field, and
 * migrations in JSONATA. A failing rule triggers its action.
 */
import { ok, type Result, refuse } from "../result.ts";
import { type CelBudget, celPlainValue, celValue, compileCel } from "./cel.ts";
import type { RuleSetRule } from "./data-contract.ts";
import { evaluateJsonata } from "./jsonata.ts";
import { type MessageFields, transformFields } from "./message-fields.ts";

/** Steps of all CEL rules per run: a rule over all fields of a message may take them without a pause. */
const MAX_RULE_STEPS = 200_000;
/** The time per step on the slowest core in use. */
const STEP_MICROS = 1;

export type RuleMode = "WRITE" | "READ" | "UPGRADE" | "DOWNGRADE";
type RulePhase = "domain" | "migration";

/** Rules of one mode in execution order. */
export type RuleStage = {
  phase: RulePhase;
  mode: RuleMode;
  /** The version that owns the rules. */
  versionNumber: number;
  rules: readonly RuleSetRule[];
  fields: MessageFields;
};

type RuleRun = {
  name: string;
  phase: RulePhase;
  mode: RuleMode;
  versionNumber: number;
  result: "SUCCESS" | "FAILURE";
  /** The action taken on the result: NONE, ERROR, DLQ or a custom name. */
  action: string;
  message: string | null;
};

export type RulesOutcome = {
  /** False if a rule ended the run. */
  passed: boolean;
  /** The message after the transforms that ran. */
  message: unknown;
  runs: RuleRun[];
};

/** Awaits `pause` after every rule, with its work. */
export async function runRules(
  stages: readonly RuleStage[],
  message: unknown,
  pause: (workMicros: number) => Promise<void> = async () => {},
): Promise<RulesOutcome> {
  const budget: CelBudget = { remaining: MAX_RULE_STEPS };
  const runs: RuleRun[] = [];
  let current = message;
  for (const { phase, mode, versionNumber, rules, fields } of stages) {
    for (const rule of rulesInMode(rules, mode)) {
      const before = budget.remaining;
      const outcome = await runRule(rule, current, fields, budget);
      await pause((before - budget.remaining) * STEP_MICROS);
      const result = outcome.ok ? "SUCCESS" : "FAILURE";
      const action = outcome.ok
        ? chooseAction(rule.onSuccess, mode, "NONE")
        : chooseAction(rule.onFailure, mode, "ERROR");
      const said = outcome.ok ? null : outcome.refusal;
      runs.push({ name: rule.name, phase, mode, versionNumber, result, action, message: said });
      if (outcome.ok) current = outcome.value;
      if (action !== "NONE") return { passed: false, message: current, runs };
    }
  }
  return { passed: true, message: current, runs };
}

/** The rules of a mode. READ and DOWNGRADE undo, so their rules run last to first. */
function rulesInMode(rules: readonly RuleSetRule[], mode: RuleMode): RuleSetRule[] {
  const both = mode === "WRITE" || mode === "READ" ? "WRITEREAD" : "UPDOWN";
  const counting = rules.filter((rule) => !rule.disabled && (rule.mode === mode || rule.mode === both));
  return mode === "READ" || mode === "DOWNGRADE" ? counting.reverse() : counting;
}

/** `a,b` gives one action for writing or upgrading and another for reading or downgrading. */
function chooseAction(actions: string | undefined, mode: RuleMode, fallback: string): string {
  if (!actions) return fallback;
  const [first = "", second = first] = actions.split(",").map((action) => action.trim());
  const chosen = mode === "WRITE" || mode === "UPGRADE" ? first : second;
  return chosen || fallback;
}

type Ran = Result<unknown, string>;

async function runRule(rule: RuleSetRule, message: unknown, fields: MessageFields, budget: CelBudget): Promise<Ran> {
  switch (rule.type) {
    case "CEL": {
      const variables = { message: celValue(message, budget) };
      return concluded(rule, evaluateGuarded(rule, variables, message, budget), message);
    }
    case "CEL_FIELD":
      return transformFields(message, fields, (field) => {
        if (rule.tags && !rule.tags.some((tag) => field.tags.includes(tag))) return ok(field.value);
        const { value, fullName, name, typeName, tags, containing } = field;
        const variables = {
          value,
          fullName,
          name,
          typeName,
          tags: celValue(tags, budget),
          message: celValue(containing, budget),
        };
        const ran = concluded(rule, evaluateGuarded(rule, variables, value, budget), value);
        return ran.ok ? ran : refuse(`Field ${fullName}: ${ran.refusal}`);
      });
    case "JSONATA": {
      const outcome = await evaluateJsonata(rule.expr ?? "", message);
      return concluded(rule, outcome, message);
    }
    default:
      return refuse(`Could not find rule executor of type ${rule.type}`);
  }
}

type Evaluated = Result<unknown, string>;

/** `guard ; expression`: if the guard is false, a condition holds and a transform changes nothing. */
function evaluateGuarded(
  { expr = "", kind }: RuleSetRule,
  variables: Readonly<Record<string, unknown>>,
  unchanged: unknown,
  budget: CelBudget,
): Evaluated {
  const separator = expr.indexOf(";");
  const guard = separator === -1 ? "" : expr.slice(0, separator).trim();
  if (guard !== "") {
    const guarded = evaluate(guard, variables, budget);
    if (!guarded.ok) return guarded;
    if (guarded.value === false) return ok(kind === "CONDITION" ? true : unchanged);
  }
  return evaluate(expr.slice(separator + 1).trim(), variables, budget);
}

function evaluate(expression: string, variables: Readonly<Record<string, unknown>>, budget: CelBudget): Evaluated {
  const compiled = compileCel(expression);
  if (!compiled.ok) return compiled;
  const outcome = compiled.value.evaluate(variables, budget);
  return outcome.ok ? ok(celPlainValue(outcome.value)) : outcome;
}

function concluded(rule: RuleSetRule, evaluated: Evaluated, before: unknown): Ran {
  if (!evaluated.ok) return evaluated;
  if (rule.kind !== "CONDITION") return ok(evaluated.value);
  if (evaluated.value === true) return ok(before);
  return refuse(rule.doc ?? `The condition "${rule.expr ?? ""}" is false`);
}
