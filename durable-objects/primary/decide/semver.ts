/**
 * The semver of a version: given or assigned, in either case increasing within its subject. If a subject enforces
 * versions, a given semver must be at least as large a step as the change from the newest live version requires.
 */

import type { Need, RegisterCommand } from "../../../registry/commands.ts";
import { policyProblem } from "../../../registry/comparison-refusal.ts";
import type { EffectiveConfig } from "../../../registry/config.ts";
import { suggestBump } from "../../../schema/bump.ts";
import type { Comparison, Difference } from "../../../schema/compatibility.ts";
import type { Plan } from "../../../schema/plan.ts";
import { ok, refuse } from "../../../schema/result.ts";
import { applyOverrides } from "../../../schema/rules/rule-book.ts";
import {
  type Bump,
  compareSemvers,
  FIRST_SEMVER,
  isStepEnough,
  leastRelease,
  nextSemver,
} from "../../../schema/semver.ts";
import { printSubjectName } from "../../../schema/subject-name.ts";
import type { RecordRow, SubjectRow } from "../state/reader.ts";
import { type Candidate, closureOfRecord } from "./compatibility.ts";
import { type Deciding, type DecisionStep, refused, verdictFor } from "./decision.ts";

type SemverDecision = DecisionStep<{ type: "semver"; semver: string }>;

type SemverInput = {
  subject: SubjectRow | undefined;
  config: EffectiveConfig;
  candidate: Candidate;
  command: Pick<RegisterCommand, "api" | "semver">;
  /** Whether the version is imported and was therefore decided elsewhere. */
  isImport: boolean;
};

export function decideSemver(deciding: Deciding, input: SemverInput): SemverDecision {
  const { subject, command, config, candidate } = input;
  const highest = subject?.last_label ?? null;
  if (command.semver !== null) return decideGivenSemver(deciding, input, command.semver);
  if (highest === null) return ok({ type: "semver", semver: FIRST_SEMVER });
  // The second direction is compared only for the API that shows semvers, and only if a semver is computed anyway.
  const weighed = command.api === "native" && config.compatibilityLevel !== "NONE" && !input.isImport;
  const newest = subject && weighed ? deciding.state.newestLive(subject.subject_key) : undefined;
  const change = newest
    ? weighChange(deciding, candidate, newest, config)
    : ok({ type: "weighed", bump: "minor" } as const);
  if (!change.ok) return change;
  if (change.value.type === "needs") return ok(change.value);
  const semver = nextSemver(highest, change.value.bump);
  if (semver !== undefined) return ok({ type: "semver", semver });
  const detail = `No semver follows ${highest}, the highest of "${printSubjectName(candidate.name)}".`;
  return refused("CONFLICT", [detail], detail);
}

function decideGivenSemver(deciding: Deciding, input: SemverInput, semver: string): SemverDecision {
  const { subject, config, candidate } = input;
  const highest = subject?.last_label ?? null;
  const printed = printSubjectName(candidate.name);
  if (highest !== null && compareSemvers(semver, highest) <= 0) {
    const taken = subject && deciding.state.recordBySemver(subject.subject_key, semver);
    const detail = taken
      ? `Version ${semver} of "${printed}" exists with other content.`
      : `Version ${semver} is not higher than ${highest}, the highest of "${printed}".`;
    return refused(taken ? "VERSION_EXISTS" : "CONFLICT", [detail], detail);
  }
  const enforced = config.enforceVersion === true && !input.isImport;
  const newest = subject && enforced ? deciding.state.newestLive(subject.subject_key) : undefined;
  if (!newest || newest.label === null) return ok({ type: "semver", semver });
  const weighed = weighChange(deciding, candidate, newest, config);
  if (!weighed.ok) return weighed;
  if (weighed.value.type === "needs") return ok(weighed.value);
  const { bump, reasons } = weighed.value;
  if (isStepEnough(semver, newest.label, bump)) return ok({ type: "semver", semver });
  const least = leastRelease(newest.label, bump);
  const step = stepName(newest.label, bump);
  const detail = `Version ${semver} of "${printed}" is too small a step from ${newest.label}: the change requires a ${step}${least === undefined ? "" : `, ${least} at least`}. ${reasons.join(" ")}`;
  return refused("CONFLICT", [detail], detail, {
    items: reasons.map((message) => ({ pointer: "/version", rule: `demands_${step}`, message })),
    extra: { demanded: { step, at_least: least ?? null, from: newest.label, reasons } },
  });
}

/** For 0.y.z versions, a break is a minor step and everything else a patch. */
function stepName(from: string, bump: Bump): Bump {
  if (!from.startsWith("0.")) return bump;
  return bump === "major" ? "minor" : "patch";
}

type WeighedChange = { type: "weighed"; bump: Bump; reasons: string[] };

/** What users of the newest live version must do when the candidate follows it, or the fact that says so. */
export function planFor(
  deciding: Deciding,
  candidate: Candidate,
  subject: SubjectRow | undefined,
  { policy, writers }: EffectiveConfig,
): { needs?: Need[]; plan?: Plan } {
  const newest = subject && deciding.state.newestLive(subject.subject_key);
  const other = newest && closureOfRecord(deciding.state, newest);
  const isComparable = newest?.format === candidate.format && other?.hash !== candidate.closure.hash;
  if (!other || !isComparable || !deciding.formatOf(candidate.format).policies.includes(policy)) return {};
  const { rules } = deciding.state.effectiveRules(candidate.name);
  const dialects = { readerDialect: candidate.dialect, writerDialect: newest?.dialect ?? null };
  const shared = { policy, writers, role: candidate.role, rules };
  const request = { reader: candidate.closure.hash, writer: other.hash, ...dialects, ...shared };
  const { key, comparison } = verdictFor(deciding, candidate.format, request);
  if (comparison) return comparison.ok && comparison.value.plan ? { plan: comparison.value.plan } : {};
  const sides = { candidate: "reader", reader: candidate.closure, writer: other } as const;
  return { needs: [{ type: "verdict", key, request, ...sides, format: candidate.format }] };
}

/**
 * The size of the step from an earlier version, by the differences in both directions. An override removes a
 * difference; an exception allows a break, which still counts as one.
 */
function weighChange(
  deciding: Deciding,
  candidate: Candidate,
  earlier: RecordRow,
  config: EffectiveConfig,
): DecisionStep<WeighedChange> {
  if (earlier.format !== candidate.format) {
    return ok({
      type: "weighed",
      bump: "major",
      reasons: [`The format changes from ${earlier.format} to ${candidate.format}.`],
    });
  }
  const other = closureOfRecord(deciding.state, earlier);
  if (!other)
    return ok({
      type: "weighed",
      bump: "major",
      reasons: ["The earlier version reaches too many schemas to compare with."],
    });
  if (other.hash === candidate.closure.hash && earlier.dialect === candidate.dialect) {
    return ok({ type: "weighed", bump: "patch", reasons: ["The schema has not changed."] });
  }
  const { policy, writers } = config;
  const inapplicable = policyProblem(policy, deciding.formatOf(candidate.format));
  if (inapplicable) return refuse(inapplicable);
  const book = deciding.state.effectiveRules(candidate.name);
  const shared = { policy, writers, role: candidate.role, rules: book.rules };
  const sides = [
    {
      side: { candidate: "reader", reader: candidate.closure, writer: other },
      dialects: { readerDialect: candidate.dialect, writerDialect: earlier.dialect },
    },
    {
      side: { candidate: "writer", reader: other, writer: candidate.closure },
      dialects: { readerDialect: earlier.dialect, writerDialect: candidate.dialect },
    },
  ] as const;
  const needs: Need[] = [];
  const [backward, forward] = sides.map(({ side, dialects }) => {
    const request = { reader: side.reader.hash, writer: side.writer.hash, ...dialects, ...shared };
    const { key, comparison } = verdictFor(deciding, candidate.format, request);
    if (!comparison) needs.push({ type: "verdict", key, request, ...side, format: candidate.format });
    return comparison;
  });
  if (!backward || !forward) return ok({ type: "needs", needs });
  for (const comparison of [backward, forward]) {
    if (!comparison.ok) {
      const reason = `The change is too complex to classify, at ${comparison.refusal.pointer}: ${comparison.refusal.message}`;
      return ok({ type: "weighed", bump: "major", reasons: [reason] });
    }
  }
  const ruled = (comparison: Comparison): readonly Difference[] =>
    comparison.ok ? applyOverrides(comparison.value, { ...book, exceptions: [] }, deciding.nowMs) : [];
  const differences = { backward: ruled(backward), forward: ruled(forward) };
  return ok({ type: "weighed", ...suggestBump(differences, config.compatibilityLevel, candidate.role) });
}
