/** Record attributes, lifecycle changes, config, mode and contexts: decided and committed in one call. */

import type {
  AddExceptionCommand,
  DeleteConfigCommand,
  DeleteContextCommand,
  DeleteModeCommand,
  HardDeleted,
  SetConfigCommand,
  SetModeCommand,
  SetRulesCommand,
  UpdateRecordCommand,
} from "../../../registry/commands.ts";
import { policyProblem } from "../../../registry/comparison-refusal.ts";
import type { Config } from "../../../registry/config.ts";
import { schemaNotFound } from "../../../registry/record.ts";
import { ok, refuse } from "../../../schema/result.ts";
import { ruleSetProblem } from "../../../schema/rules/data-contract.ts";
import { EMPTY_RULE_BOOK, MAX_RULES, ruleBookProblems } from "../../../schema/rules/rule-book.ts";
import {
  ANY_CONTEXT,
  DEFAULT_CONTEXT,
  GLOBAL_CONTEXT,
  printSubjectName,
  type SubjectName,
  subjectNameProblem,
} from "../../../schema/subject-name.ts";
import { readAttributes, toRecord } from "../state/reader.ts";
import { attributesProblem, configProblem } from "./bounds.ts";
import {
  type DecidedEntry,
  type Deciding,
  type Decision,
  isReadOnly,
  type Refused,
  refused,
  refuseReadOnly,
} from "./decision.ts";
import { eraseLeftovers } from "./delete.ts";
import { staleProblem, toSubjectName } from "./register.ts";

const STATE_ENTRIES = {
  active: "schema.activated",
  deprecated: "schema.deprecated",
  archived: "schema.archived",
} as const;

export function decideUpdateRecord(deciding: Deciding, command: UpdateRecordCommand): Decision {
  const { state } = deciding;
  const record = state.recordById(command.id);
  if (!record || record.deleted) return refuse(schemaNotFound(command.id));
  const stale = staleProblem(record, command.ifMatchSeq);
  if (stale) return stale;
  const name = toSubjectName(record);
  if (isReadOnly(state.effectiveMode(name))) return refuseReadOnly(name);
  const printed = printSubjectName(name);
  const recordKey = record.record_key;
  const tooLarge = attributesProblem(command.changes.metadata);
  if (tooLarge) return tooLarge;
  const entries: DecidedEntry[] = [];
  const before = readAttributes(record);
  const attributes = { ...before, ...command.changes };
  if (JSON.stringify(attributes) !== JSON.stringify(before)) {
    entries.push({ type: "schema.updated", subject: printed, payload: { v: 1, recordKey, attributes } });
  }
  if (command.state !== null && command.state !== record.state) {
    if (record.state === "draft") {
      const detail = `Schema ${record.id} is a draft; it can only be activated or deleted.`;
      return refused("CONFLICT", [detail], detail);
    }
    const { reason } = command;
    entries.push(
      command.state === "active"
        ? { type: "schema.activated", subject: printed, payload: { v: 1, recordKey, numbering: null, reason } }
        : { type: STATE_ENTRIES[command.state], subject: printed, payload: { v: 1, recordKey, reason } },
    );
  }
  return ok({
    type: "done",
    entries,
    texts: [],
    outcome: (after) => ({ type: "record", record: toRecord(after.recordById(record.id)!) }),
  });
}

export function decideSetConfig(deciding: Deciding, { scope, changes }: SetConfigCommand): Decision {
  const { state } = deciding;
  const problem = scopeProblem(scope);
  if (problem) return problem;
  if (isReadOnly(state.effectiveMode(scope))) return refuseReadOnly(scope);
  for (const key of ["defaultRuleSet", "overrideRuleSet"] as const) {
    const ruleSet = changes[key];
    const ruleProblem = ruleSet ? ruleSetProblem(ruleSet) : undefined;
    if (ruleProblem !== undefined) return refused("INVALID_RULE_SET", [ruleProblem], ruleProblem);
  }
  const policy = changes.policy;
  if (policy && scope.subject !== "") {
    const subject = state.subject(scope);
    const newest = subject && state.newestLive(subject.subject_key);
    const inapplicable = newest && policyProblem(policy, deciding.formatOf(newest.format));
    if (inapplicable) return refuse(inapplicable);
  }
  const merged: Record<string, unknown> = { ...state.scopeConfig(scope) };
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) delete merged[key];
    else if (value !== undefined) merged[key] = value;
  }
  const config = merged as Config;
  const tooLarge = configProblem(config);
  if (tooLarge) return tooLarge;
  return ok({
    type: "done",
    entries: [
      {
        type: "config.changed",
        subject: printSubjectName(scope),
        payload: { v: 1, ...scope, config: Object.keys(config).length === 0 ? null : config },
      },
    ],
    texts: [],
    outcome: (after) => ({ type: "config", config, effective: after.effectiveConfig(scope, "native") }),
  });
}

export function decideDeleteConfig(deciding: Deciding, { scope }: DeleteConfigCommand): Decision {
  const { state } = deciding;
  const problem = scopeProblem(scope);
  if (problem) return problem;
  if (isReadOnly(state.effectiveMode(scope))) return refuseReadOnly(scope);
  const config = state.scopeConfig(scope);
  if (!config && !isTopLevel(scope)) {
    const printed = printSubjectName(scope);
    return refused("SUBJECT_NOT_FOUND", [printed], `No configuration is set for "${printed}".`);
  }
  return ok({
    type: "done",
    entries: config
      ? [{ type: "config.changed", subject: printSubjectName(scope), payload: { v: 1, ...scope, config: null } }]
      : [],
    texts: [],
    outcome: (after) => ({
      type: "config",
      config: config ?? {},
      effective: after.effectiveConfig(scope, "native"),
    }),
  });
}

export function decideSetMode(deciding: Deciding, { scope, mode, force }: SetModeCommand): Decision {
  const { state } = deciding;
  const problem = scopeProblem(scope);
  if (problem) return problem;
  if (mode === "FORWARD" && !(scope.context === GLOBAL_CONTEXT && scope.subject === "")) {
    const detail = `Mode FORWARD can only be set for the whole registry, at ":${GLOBAL_CONTEXT}:".`;
    return refused("FORWARD_MODE_IS_GLOBAL", [], detail);
  }
  const entries: DecidedEntry[] = [];
  let hardDeleted: HardDeleted = { records: [], guids: [] };
  if (mode === "IMPORT" && state.effectiveMode(scope) !== "IMPORT") {
    const subjects = state.subjectsInScope(scope);
    if (!force && subjects.some(({ subject_key }) => state.hasVersions(subject_key, false))) {
      const detail = "Cannot import since found existing subjects";
      return refused("OPERATION_NOT_PERMITTED", [detail], `${detail}; use force=true to import into them anyway.`);
    }
    if (!force) {
      const erased = eraseLeftovers(state, subjects);
      if (!erased.ok) return erased;
      entries.push(...erased.value.entries);
      hardDeleted = erased.value.hardDeleted;
    }
  }
  entries.push({
    type: "mode.changed",
    subject: printSubjectName(scope),
    payload: { v: 1, scopes: [{ ...scope, mode }] },
  });
  return ok({ type: "done", entries, texts: [], outcome: () => ({ type: "mode", mode, hardDeleted }) });
}

export function decideDeleteMode(deciding: Deciding, { scope, recursive }: DeleteModeCommand): Decision {
  const { state } = deciding;
  const problem = scopeProblem(scope);
  if (problem) return problem;
  const mode = state.scopeMode(scope);
  if (!mode && !recursive && !isTopLevel(scope)) {
    const printed = printSubjectName(scope);
    return refused("SUBJECT_NOT_FOUND", [printed], `No mode is set for "${printed}".`);
  }
  const below = recursive && scope.subject === "" ? state.modeScopes(scope.context) : [];
  const scopes = [scope, ...below.filter(({ subject }) => subject !== "")].map((cleared) => ({
    context: cleared.context,
    subject: cleared.subject,
    mode: null,
  }));
  return ok({
    type: "done",
    entries:
      mode || below.length > 0
        ? [{ type: "mode.changed", subject: printSubjectName(scope), payload: { v: 1, scopes } }]
        : [],
    texts: [],
    outcome: (after) => ({ type: "mode", mode: mode ?? (isTopLevel(scope) ? after.effectiveMode(scope) : null) }),
  });
}

export function decideSetRules(deciding: Deciding, { scope, book }: SetRulesCommand): Decision {
  const { state } = deciding;
  const problem = scopeProblem(scope) ?? ruleScopeProblem(scope);
  if (problem) return problem;
  if (isReadOnly(state.effectiveMode(scope))) return refuseReadOnly(scope);
  const problems = book ? ruleBookProblems(book) : [];
  if (problems.length > 0) {
    const detail = problems[0]!.message;
    return refused("UNPROCESSABLE", [detail], detail, { items: problems });
  }
  const isEmpty = book === null || JSON.stringify(book) === JSON.stringify(EMPTY_RULE_BOOK);
  const stored = isEmpty ? null : book;
  const isChange = JSON.stringify(stored) !== JSON.stringify(state.scopeRules(scope) ?? null);
  return ok({
    type: "done",
    entries: isChange
      ? [{ type: "rule.changed", subject: printSubjectName(scope), payload: { v: 1, ...scope, book: stored } }]
      : [],
    texts: [],
    outcome: () => ({ type: "rules", book }),
  });
}

/** An expired exception may be replaced by one of the same name. */
export function decideAddException(deciding: Deciding, { scope, exception }: AddExceptionCommand): Decision {
  const book = deciding.state.scopeRules(scope) ?? EMPTY_RULE_BOOK;
  if (exception.expiresAtMs <= deciding.nowMs) {
    const detail = "An exception must expire in the future; this date has passed.";
    return refused("UNPROCESSABLE", [detail], detail, {
      items: [{ pointer: "/expires_at", rule: "past", message: detail }],
    });
  }
  const namesake = book.exceptions.find(({ name }) => name === exception.name);
  if (namesake && namesake.expiresAtMs > deciding.nowMs) {
    const detail = `An exception "${exception.name}" that has not expired already exists.`;
    return refused("CONFLICT", [detail], detail);
  }
  const standing = book.exceptions.filter((other) => other !== namesake);
  // Expired exceptions stay in the log; the book drops them when it runs out of room.
  const kept =
    standing.length < MAX_RULES ? standing : standing.filter(({ expiresAtMs }) => expiresAtMs > deciding.nowMs);
  const exceptions = [...kept, exception];
  const decision = decideSetRules(deciding, { type: "setRules", scope, book: { ...book, exceptions } });
  if (decision.ok) return decision;
  // Pointers are made relative to the one exception that the caller sent.
  const own = `/exceptions/${exceptions.length - 1}`;
  const items = decision.refusal.items?.map((item) => ({
    ...item,
    ...(item.pointer?.startsWith(own) ? { pointer: item.pointer.slice(own.length) } : {}),
  }));
  return refuse({ ...decision.refusal, ...(items ? { items } : {}) });
}

/** Rule books exist for the tenant and for subjects, not for contexts. */
function ruleScopeProblem({ context, subject }: SubjectName): Refused | undefined {
  if (subject !== "" || context === GLOBAL_CONTEXT) return undefined;
  const detail = "Rules can be set for a subject or for the whole tenant, not for a context.";
  return refused("UNPROCESSABLE", [detail], detail);
}

export function decideDeleteContext(deciding: Deciding, { context }: DeleteContextCommand): Decision {
  const { state } = deciding;
  const known = state.contexts().includes(context);
  if (state.subjectsInScope({ context, subject: "" }).length > 0) {
    return refused("CONTEXT_NOT_EMPTY", [context], `Context "${context}" still has subjects.`);
  }
  return ok({
    type: "done",
    entries:
      known && context !== DEFAULT_CONTEXT
        ? [
            {
              type: "context.deleted",
              subject: printSubjectName({ context, subject: "" }),
              payload: { v: 1, context, keepsCounter: true },
            },
          ]
        : [],
    texts: [],
    outcome: () => ({ type: "context", context }),
  });
}

function scopeProblem(scope: SubjectName): Refused | undefined {
  const printed = printSubjectName(scope);
  const problem =
    scope.context === ANY_CONTEXT
      ? "A wildcard context cannot be configured."
      : subjectNameProblem(scope, { allowGlobalContext: true });
  return problem === undefined ? undefined : refused("INVALID_SUBJECT", [printed], `"${printed}": ${problem}`);
}

function isTopLevel({ context, subject }: SubjectName): boolean {
  return subject === "" && (context === DEFAULT_CONTEXT || context === GLOBAL_CONTEXT);
}
