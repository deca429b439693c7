/** Moves of aliases, and evidence about versions. Gates are evaluated here, on the evidence of this moment. */
import {
  ALIAS_PATTERN,
  type AliasGate,
  type AliasSettings,
  type AttachEvidenceCommand,
  type DeleteAliasCommand,
  type EvidenceResult,
  MAX_ALIASES,
  type MoveAliasCommand,
} from "../../../registry/alias.ts";
import type { Need } from "../../../registry/commands.ts";
import { type Difference, isCompatible } from "../../../schema/compatibility.ts";
import { ok } from "../../../schema/result.ts";
import { type CelBudget, celValue, compileCel, MAX_CEL_STEPS } from "../../../schema/rules/cel.ts";
import { applyOverrides } from "../../../schema/rules/rule-book.ts";
import { isRange, parseSemver } from "../../../schema/semver.ts";
import { printSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import type { RecordRow, SubjectRow } from "../state/reader.ts";
import { selectVersion } from "../state/select-version.ts";
import { closureOfRecord } from "./compatibility.ts";
import { type Deciding, type Decision, refused, verdictFor } from "./decision.ts";

const DEFAULT_SETTINGS: AliasSettings = { protected: false, gates: [] };

export function decideMoveAlias(deciding: Deciding, command: MoveAliasCommand): Decision {
  const { state } = deciding;
  const name = state.resolveAlias(command.name);
  const { alias, selector, reason } = command;
  const subject = state.subject(name);
  if (!subject) return refusedAsMissing(name);
  const known = state.aliasOf(subject.subject_key, alias);
  if (!ALIAS_PATTERN.test(alias) || parseSemver(alias) !== undefined || isRange(alias)) {
    const detail = `"${alias}" cannot be an alias (expected 2 to 64 letters, digits, - and _ that begin with a letter and do not form a version, a range or "latest").`;
    return refused("INVALID_VERSION", [alias], detail);
  }
  if (!known && state.aliasesOf(subject.subject_key).length >= MAX_ALIASES) {
    const detail = `"${printSubjectName(name)}" has ${MAX_ALIASES} aliases, which is the most; delete one of them.`;
    return refused("CONFLICT", [detail], detail);
  }
  const before = known?.alias.settings ?? DEFAULT_SETTINGS;
  const settings = { ...before, ...command.settings };
  const changesSettings = JSON.stringify(settings) !== JSON.stringify(before);
  const held = known?.recordKey == null ? undefined : state.recordByKey(known.recordKey);
  const wanted = selector === null ? held : selectVersion(state, subject, selector, false);
  if (selector !== null && wanted === undefined) {
    return refused("VERSION_NOT_FOUND", [selector], `"${printSubjectName(name)}" has no version ${selector}.`);
  }
  const isMove = wanted?.record_key !== held?.record_key;
  if (known && !isMove && !changesSettings) return unchanged(name, subject, alias);
  if ((before.protected || settings.protected) && !command.mayMoveProtected) return refusedAsProtected(name, alias);
  if (wanted && isMove) {
    // The gates that stood before the request decide, so one request cannot both remove a gate and pass it.
    const passed = decideGates(deciding, { name, alias, gates: before.gates, held, wanted });
    if (passed) return passed;
  }
  return ok({
    type: "done",
    entries: [
      {
        type: "alias.moved",
        subject: printSubjectName(name),
        payload: {
          v: 1,
          subjectKey: subject.subject_key,
          alias,
          settings,
          target: wanted ? { recordKey: wanted.record_key, number: wanted.number! } : null,
          from: held?.number ?? null,
          reason,
        },
      },
    ],
    texts: [],
    outcome: (after) => ({ type: "alias", alias: after.aliasOf(subject.subject_key, alias)!.alias }),
  });
}

export function decideDeleteAlias(deciding: Deciding, command: DeleteAliasCommand): Decision {
  const { state } = deciding;
  const name = state.resolveAlias(command.name);
  const { alias, reason } = command;
  const subject = state.subject(name);
  const known = subject && state.aliasOf(subject.subject_key, alias);
  if (!known) {
    return refused("VERSION_NOT_FOUND", [alias], `"${printSubjectName(name)}" has no alias "${alias}".`);
  }
  if (known.alias.settings.protected && !command.mayMoveProtected) return refusedAsProtected(name, alias);
  const payload = {
    v: 1 as const,
    subjectKey: subject.subject_key,
    alias,
    settings: null,
    target: null,
    from: known.alias.target?.versionNumber ?? null,
    reason,
  };
  return ok({
    type: "done",
    entries: [{ type: "alias.moved", subject: printSubjectName(name), payload }],
    texts: [],
    outcome: () => ({ type: "alias", alias: known.alias }),
  });
}

export function decideAttachEvidence(deciding: Deciding, command: AttachEvidenceCommand): Decision {
  const { state } = deciding;
  const name = state.resolveAlias(command.name);
  const subject = state.subject(name);
  if (!subject) return refusedAsMissing(name);
  const record = selectVersion(state, subject, command.selector, false);
  if (!record) {
    const detail = `"${printSubjectName(name)}" has no version ${command.selector}.`;
    return refused("VERSION_NOT_FOUND", [command.selector], detail);
  }
  const payload = { v: 1 as const, recordKey: record.record_key, results: command.results };
  return ok({
    type: "done",
    entries: [{ type: "evidence.attached", subject: printSubjectName(name), payload }],
    texts: [],
    outcome: (after) => ({ type: "evidence", evidence: after.evidenceOf(record.record_key)[0]! }),
  });
}

function unchanged(name: SubjectName, subject: SubjectRow, alias: string): Decision {
  return ok({
    type: "done",
    entries: [],
    texts: [],
    outcome: (after) => {
      const known = after.aliasOf(subject.subject_key, alias);
      if (!known) throw new Error(`"${printSubjectName(name)}" lost its alias "${alias}" while it was read.`);
      return { type: "alias", alias: known.alias };
    },
  });
}

function refusedAsMissing(name: SubjectName) {
  const printed = printSubjectName(name);
  return refused("SUBJECT_NOT_FOUND", [printed], `There is no subject "${printed}".`);
}

function refusedAsProtected(name: SubjectName, alias: string) {
  const detail = `The alias "${alias}" of "${printSubjectName(name)}" is protected; moving it needs the permission subject:promote.`;
  return refused("FORBIDDEN", [detail], detail);
}

type GatedMove = {
  name: SubjectName;
  alias: string;
  gates: readonly AliasGate[];
  held: RecordRow | undefined;
  wanted: RecordRow;
};

/** The verdict as gates see it: what users of the version before meet. */
type GateVerdict = { compatible: boolean; breaking: number; warnings: number; behaviour: number };
const NOTHING_TO_COMPARE: GateVerdict = { compatible: true, breaking: 0, warnings: 0, behaviour: 0 };

/** The first gate that refuses the move, or the facts that are missing; undefined if it may be made. */
function decideGates(deciding: Deciding, move: GatedMove): Decision | undefined {
  const { name, alias, gates, wanted } = move;
  if (gates.length === 0) return undefined;
  const needsVerdict = gates.some(({ expression }) => /\bverdict\b/.test(expression));
  const verdict = needsVerdict ? findVerdict(deciding, move) : NOTHING_TO_COMPARE;
  if ("needs" in verdict) return ok({ type: "needs", needs: verdict.needs });
  const evidence = deciding.state.evidenceOf(wanted.record_key).flatMap(({ results }) => results);
  const budget: CelBudget = { remaining: MAX_CEL_STEPS };
  const failed = gates.flatMap((gate) => {
    const why = gateProblem(gate, { evidence, verdict }, budget);
    return why === undefined ? [] : [{ name: gate.name, why: gate.message ?? why }];
  });
  if (failed.length === 0) return undefined;
  const reasons = failed.map(({ name: gate, why }) => `Gate "${gate}": ${why}`);
  const detail = `The alias "${alias}" of "${printSubjectName(name)}" cannot move to version ${wanted.number}. ${reasons.join(" ")}`;
  return refused("CONFLICT", [detail], detail, {
    items: failed.map(({ name: gate, why }) => ({ rule: gate, pointer: "/version", message: why })),
    extra: { gates: failed.map(({ name: gate, why }) => ({ gate, reason: why })) },
  });
}

function gateProblem(
  { expression }: AliasGate,
  { evidence, verdict }: { evidence: readonly EvidenceResult[]; verdict: GateVerdict },
  budget: CelBudget,
): string | undefined {
  const compiled = compileCel(expression);
  if (!compiled.ok) return `The expression cannot be read: ${compiled.refusal}`;
  const variables = { evidence: celValue(evidence, budget), verdict: celValue(verdict, budget) };
  const outcome = compiled.value.evaluate(variables, budget);
  if (!outcome.ok) return `The expression cannot be evaluated: ${outcome.refusal}`;
  if (outcome.value === true) return undefined;
  return `"${expression}" is ${outcome.value === false ? "false" : "not a boolean"}, with ${evidence.length} results of evaluations.`;
}

function findVerdict(deciding: Deciding, { name, held, wanted }: GatedMove): GateVerdict | { needs: Need[] } {
  if (!held || held.content_key === wanted.content_key) return NOTHING_TO_COMPARE;
  const { state } = deciding;
  const reader = closureOfRecord(state, wanted);
  const writer = closureOfRecord(state, held);
  const config = state.effectiveConfig(name, "native");
  const { policies } = deciding.formatOf(wanted.format);
  if (!reader || !writer || held.format !== wanted.format || !policies.includes(config.policy)) {
    return { compatible: false, breaking: 1, warnings: 0, behaviour: 0 };
  }
  const book = state.effectiveRules(name);
  const role = state.roleOf(state.subject(name), config);
  const request = {
    reader: reader.hash,
    writer: writer.hash,
    readerDialect: wanted.dialect,
    writerDialect: held.dialect,
    policy: config.policy,
    writers: config.writers,
    role,
    rules: book.rules,
  };
  const { key, comparison } = verdictFor(deciding, wanted.format, request);
  if (!comparison) {
    return { needs: [{ type: "verdict", key, request, reader, writer, candidate: null, format: wanted.format }] };
  }
  if (!comparison.ok) return { compatible: false, breaking: 1, warnings: 0, behaviour: 0 };
  const differences = applyOverrides(comparison.value, book, deciding.nowMs);
  const count = (severity: Difference["severity"]) => differences.filter((each) => each.severity === severity).length;
  return {
    compatible: isCompatible(differences),
    breaking: count("breaking"),
    warnings: count("warning"),
    behaviour: count("behaviour"),
  };
}
