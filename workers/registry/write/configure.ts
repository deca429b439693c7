/**
 * Compatibility settings of a subject, or of a context as defaults for its subjects: level, policy, assumption, group,
 * role.
 */

import type { Refusal } from "../../../contract/errors.ts";
import type { Outcome } from "../../../registry/commands.ts";
import type { ConfigChanges, EffectiveConfig } from "../../../registry/config.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { Caller } from "../../../registry/rpc.ts";
import { ok, type Result } from "../../../schema/result.ts";
import type { SubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { contextScope, parseContext, parseNewSubject, parseSubject } from "../read/subject-names.ts";
import { type Committed, commitCommand } from "./commit.ts";

type CompatibilityChanges = Pick<ConfigChanges, (typeof CLEARED_KEYS)[number]>;

export type EffectiveCompatibility = { scope: SubjectName; effective: EffectiveConfig; asOf: AsOf };

/** A subject, or with `subject` undefined a context. */
export type ScopeText = { subject: string | undefined; context: string | undefined };

export async function readCompatibility(
  edge: Edge,
  scopeText: ScopeText,
): Promise<Result<EffectiveCompatibility, Refusal>> {
  const scope = parseScopeText(scopeText, parseSubject);
  return scope.ok ? effectiveAt(edge, scope.value) : scope;
}

export async function setCompatibility(
  edge: Edge,
  caller: Caller,
  scopeText: ScopeText,
  changes: CompatibilityChanges,
  options: { idempotencyKey?: string | undefined },
): Promise<Result<EffectiveCompatibility, Refusal>> {
  const scope = parseScopeText(scopeText, parseNewSubject);
  if (!scope.ok) return scope;
  const committed = await commitCommand(edge, caller, { type: "setConfig", scope: scope.value, changes }, options);
  return committed.ok ? ok(effectiveAfter(committed.value, scope.value)) : committed;
}

/** Clears only the compatibility settings configured at the scope; has no effect if there are none. */
export async function resetCompatibility(
  edge: Edge,
  caller: Caller,
  scopeText: ScopeText,
  options: { idempotencyKey?: string | undefined },
): Promise<Result<EffectiveCompatibility, Refusal>> {
  const scope = parseScopeText(scopeText, parseNewSubject);
  if (!scope.ok) return scope;
  const current = await edge.primary.read("config", { scope: scope.value });
  if (!current.ok) return current;
  const set = CLEARED_KEYS.filter((key) => current.value.value?.[key] !== undefined);
  if (set.length > 0) {
    const changes: CompatibilityChanges = Object.fromEntries(set.map((key) => [key, null]));
    const committed = await commitCommand(edge, caller, { type: "setConfig", scope: scope.value, changes }, options);
    return committed.ok ? ok(effectiveAfter(committed.value, scope.value)) : committed;
  }
  return effectiveAt(edge, scope.value);
}

const CLEARED_KEYS = [
  "compatibilityLevel",
  "policy",
  "writers",
  "compatibilityGroup",
  "role",
  "enforceVersion",
  "undecided",
] as const;

function parseScopeText({ subject, context }: ScopeText, parse: typeof parseSubject): Result<SubjectName, Refusal> {
  if (subject !== undefined) return parse(subject, context);
  const parsed = parseContext(context);
  return parsed.ok ? ok(contextScope(parsed.value)) : parsed;
}

/**
 * The settings when the command was committed: a repeat of the request gets the same response, even if settings have changed since.
 */
function effectiveAfter({ outcome, asOf }: Committed, scope: SubjectName): EffectiveCompatibility {
  return { scope, effective: (outcome as Outcome & { type: "config" }).effective, asOf };
}

async function effectiveAt(edge: Edge, scope: SubjectName): Promise<Result<EffectiveCompatibility, Refusal>> {
  const answer = await edge.primary.read("effectiveConfig", { name: scope, api: "native" });
  return answer.ok ? ok({ scope, effective: answer.value.value, asOf: answer.value.asOf }) : answer;
}
