/**
 * Custom compatibility rules: decisions of a subject or tenant on differences beyond its policy. CEL rules are pure and part
 * of the verdict; overrides and dated exceptions are applied when a change is decided. Every changed severity says who
 * changed it.
 */

import {
  type ComparedDifferences,
  type Comparison,
  type Difference,
  isCompatible,
  type Severity,
} from "../compatibility.ts";
import { matchesPointerPattern } from "../glob.ts";
import { ok } from "../result.ts";
import { runAtOnce, type Sliced } from "../slices.ts";
import { type CelBudget, type CelProgram, celValue, compileCel, MAX_CEL_STEPS } from "./cel.ts";
import type { Role } from "./roles.ts";

export const RULE_ACTIONS = ["allow", "warn", "deny"] as const;
type RuleAction = (typeof RULE_ACTIONS)[number];

/** `expr` sees `difference`, `reader`, `writer` (JSON formats as values, others as text), `format` and `role`; the rule acts if it is true. */
export type CompatibilityRule = { name: string; expr: string; action: RuleAction; message?: string };
/** Acts on differences whose reader or writer pointer matches; `*` is one token of a pointer, `**` any number. */
export type PointerOverride = { pointer: string; kinds?: readonly string[]; action: RuleAction; message?: string };
/** Allows the matching breaks until a date, on an owner's responsibility. */
export type DatedException = {
  name: string;
  pointer?: string;
  kinds?: readonly string[];
  owner: string;
  reason: string;
  /** Milliseconds since the Unix epoch; the exception has no effect from then on. */
  expiresAtMs: number;
};

export type RuleBook = {
  rules: readonly CompatibilityRule[];
  overrides: readonly PointerOverride[];
  exceptions: readonly DatedException[];
};

export const EMPTY_RULE_BOOK: RuleBook = { rules: [], overrides: [], exceptions: [] };

/** Of each kind per scope. */
export const MAX_RULES = 100;
/** Per book as JSON, in UTF-16 code units: books are part of every answer about a subject. */
export const MAX_RULE_BOOK_CHARACTERS = 256 * 1024;
const MAX_NAME_CHARACTERS = 128;

/** What decided a severity, if it was not the policy. */
export type DecidedBy = { type: "rule" | "override" | "exception"; name: string; was: Severity };
export type RuledDifference = Difference & { decided_by?: DecidedBy };

const SEVERITY_OF: Record<RuleAction, Severity> = { allow: "info", warn: "warning", deny: "breaking" };

/** The time per CEL step on the slowest core in use. */
const CEL_STEP_MICROS = 1;
/** CEL steps after which the rules pause: about 40 milliseconds. */
const SLICE_STEPS = 40_000;

type RuleProblem = { pointer: string; message: string };

/** All problems of a rule book, with their places. */
export function ruleBookProblems(book: RuleBook): RuleProblem[] {
  const problems: RuleProblem[] = [];
  const check = (pointer: string, message: string | undefined) => {
    if (message !== undefined) problems.push({ pointer, message });
  };
  for (const list of ["rules", "overrides", "exceptions"] as const) {
    if (book[list].length > MAX_RULES) check(`/${list}`, `A scope may have at most ${MAX_RULES} ${list}.`);
  }
  if (JSON.stringify(book).length > MAX_RULE_BOOK_CHARACTERS) {
    check("", `A rule book may have at most ${MAX_RULE_BOOK_CHARACTERS} characters.`);
  }
  const names = new Set<string>();
  book.rules.forEach(({ name, expr }, index) => {
    check(`/rules/${index}/name`, nameProblem(name, names));
    const compiled = compileCel(expr);
    if (!compiled.ok) check(`/rules/${index}/expr`, `The expression is invalid: ${compiled.refusal}`);
  });
  book.overrides.forEach(({ pointer }, index) => {
    check(`/overrides/${index}/pointer`, patternProblem(pointer));
  });
  const exceptionNames = new Set<string>();
  book.exceptions.forEach(({ name, pointer, owner, reason, expiresAtMs }, index) => {
    check(`/exceptions/${index}/name`, nameProblem(name, exceptionNames));
    if (pointer !== undefined) check(`/exceptions/${index}/pointer`, patternProblem(pointer));
    if (owner.trim() === "") check(`/exceptions/${index}/owner`, "An exception needs an owner.");
    if (reason.trim() === "") check(`/exceptions/${index}/reason`, "An exception needs a reason.");
    if (!Number.isSafeInteger(expiresAtMs))
      check(`/exceptions/${index}/expires_at`, "An exception needs an expiry date.");
  });
  return problems;
}

/** A subject's book: its own rules follow the tenant's, so the subject's win. */
export function mergeRuleBooks(tenant: RuleBook, subject: RuleBook): RuleBook {
  return {
    rules: [...tenant.rules, ...subject.rules],
    overrides: [...tenant.overrides, ...subject.overrides],
    exceptions: [...tenant.exceptions, ...subject.exceptions],
  };
}

/** The comparison after its CEL rules; the last rule that acts on a difference decides it. A rule that fails on a difference denies it. */
export function applyRules(...args: Parameters<typeof applyRulesInSlices>): Comparison {
  return runAtOnce(applyRulesInSlices(...args));
}

/** `applyRules` in slices. */
export function* applyRulesInSlices(
  comparison: Comparison,
  rules: readonly CompatibilityRule[],
  schemas: { format: string; role: Role | null; reader: unknown; writer: unknown },
): Sliced<Comparison> {
  if (!comparison.ok || rules.length === 0) return comparison;
  const programs = rules.map((rule) => ({ rule, compiled: compileCel(rule.expr) }));
  const budget: CelBudget = { remaining: MAX_CEL_STEPS };
  const variables = {
    format: schemas.format,
    role: schemas.role,
    reader: celValue(schemas.reader, budget),
    writer: celValue(schemas.writer, budget),
  };
  const differences: RuledDifference[] = [];
  let taken = budget.remaining;
  for (const difference of comparison.value.differences) {
    let decided: RuledDifference = difference;
    for (const { rule, compiled } of programs) {
      if (taken - budget.remaining > SLICE_STEPS) {
        yield (taken - budget.remaining) * CEL_STEP_MICROS;
        taken = budget.remaining;
      }
      const acts = compiled.ok
        ? evaluates(compiled.value.evaluate, { ...variables, difference }, budget)
        : compiled.refusal;
      if (acts === false) continue;
      const by = { type: "rule", name: rule.name } as const;
      decided =
        acts === true
          ? decide(decided, difference, rule.action, by, rule.message)
          : failed(difference, by, `Rule "${rule.name}" failed: ${acts}`);
    }
    differences.push(decided);
  }
  yield (taken - budget.remaining) * CEL_STEP_MICROS;
  const hidesBreaking = mayDenyUnlisted(comparison.value, rules);
  return ok({ ...comparison.value, differences, ...(hidesBreaking ? { hides_breaking: true } : {}) });
}

/** A book acts only on listed differences, so allowing all of them does not allow the rest. */
const NOT_LISTED: Difference = {
  kind: "DIFFERENCES_NOT_LISTED",
  reader_pointer: "",
  writer_pointer: "",
  message: "There are more differences than are listed, and those that are not listed may be breaking.",
  severity: "breaking",
  fix: "Make the change in smaller steps, so that every difference is listed.",
};

/** The differences after overrides, then exceptions that have not expired. */
export function applyOverrides(comparison: ComparedDifferences, book: RuleBook, nowMs: number): RuledDifference[] {
  const ruled = overridden(comparison.differences, book, nowMs);
  const mayHide = comparison.hides_breaking === true || mayDenyUnlisted(comparison, book.overrides);
  return mayHide && isCompatible(ruled) ? [...ruled, NOT_LISTED] : ruled;
}

function mayDenyUnlisted(
  { differences_total, differences }: ComparedDifferences,
  rules: readonly { action: RuleAction }[],
): boolean {
  return (differences_total ?? 0) > differences.length && rules.some(({ action }) => action === "deny");
}

function overridden(differences: readonly Difference[], book: RuleBook, nowMs: number): RuledDifference[] {
  const current = book.exceptions.filter(({ expiresAtMs }) => nowMs < expiresAtMs);
  return differences.map((difference) => {
    let decided: RuledDifference = difference;
    for (const { pointer, kinds, action, message } of book.overrides) {
      if (matches(difference, pointer, kinds)) {
        decided = decide(decided, difference, action, { type: "override", name: pointer }, message);
      }
    }
    const exception = current.find(({ pointer, kinds }) => matches(difference, pointer, kinds));
    if (exception && decided.severity === "breaking") {
      const { name, owner, reason } = exception;
      decided = decide(decided, difference, "warn", { type: "exception", name }, `Allowed for ${owner}: ${reason}`);
    }
    return decided;
  });
}

/** Reported even if no severity changes, because the rule's author needs to know. */
function failed(difference: Difference, by: Omit<DecidedBy, "was">, message: string): RuledDifference {
  return {
    ...difference,
    severity: "breaking",
    message: `${difference.message} ${message}`,
    decided_by: { ...by, was: difference.severity },
  };
}

function decide(
  decided: RuledDifference,
  original: Difference,
  action: RuleAction,
  by: Omit<DecidedBy, "was">,
  message: string | undefined,
): RuledDifference {
  const severity = SEVERITY_OF[action];
  if (severity === decided.severity) return decided;
  return {
    ...decided,
    severity,
    ...(message ? { message: `${original.message} ${message}` } : {}),
    decided_by: { ...by, was: original.severity },
  };
}

function evaluates(
  program: CelProgram,
  variables: Readonly<Record<string, unknown>>,
  budget: CelBudget,
): boolean | string {
  const outcome = program(variables, budget);
  if (!outcome.ok) return outcome.refusal;
  return typeof outcome.value === "boolean" ? outcome.value : "it did not return true or false";
}

function matches(difference: Difference, pattern: string | undefined, kinds: readonly string[] | undefined): boolean {
  if (kinds && !kinds.includes(difference.kind)) return false;
  if (pattern === undefined) return true;
  return [difference.reader_pointer, difference.writer_pointer].some(
    (pointer) => pointer !== null && matchesPointerPattern(pattern, pointer),
  );
}

function nameProblem(name: string, seen: Set<string>): string | undefined {
  if (name.trim() === "" || name.length > MAX_NAME_CHARACTERS)
    return `A name must have 1 to ${MAX_NAME_CHARACTERS} characters.`;
  if (seen.has(name)) return `"${name}" occurs twice.`;
  seen.add(name);
  return undefined;
}

function patternProblem(pattern: string): string | undefined {
  return /^(?:#|#?\/.*|\*\*(?:\/.*)?)$/.test(pattern)
    ? undefined
    : `A pointer pattern must begin with "/" or "**", got "${pattern}".`;
}
