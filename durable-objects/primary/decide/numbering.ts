/**
 * The last steps of a new version: the verdict, then its number, semantic version and Confluent id
 * (docs/confluent-compatibility.md).
 */
import type { Refusal } from "../../../contract/errors.ts";
import type { Need, RegisterCommand } from "../../../registry/commands.ts";
import type { EffectiveConfig, Mode } from "../../../registry/config.ts";
import { LARGEST_INTEGER } from "../../../registry/confluent-id.ts";
import type { Numbering } from "../../../registry/payloads.ts";
import type { ContentHash } from "../../../schema/content-hash.ts";
import { isArtefact } from "../../../schema/format.ts";
import { ok, type Result } from "../../../schema/result.ts";
import { printSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import { counterAfter } from "../state/confluent-ids.ts";
import type { SubjectRow } from "../state/reader.ts";
import { type Candidate, decideCompatibility } from "./compatibility.ts";
import { type Deciding, type DecisionStep, isImporting, printContext, refused } from "./decision.ts";
import { readContentHash } from "./lookup.ts";
import { decideSemver, planFor } from "./semver.ts";

type NumberingInput = {
  name: SubjectName;
  subject: SubjectRow | undefined;
  mode: Mode;
  config: EffectiveConfig;
  candidate: Candidate;
  hash: ContentHash;
  /** The next number. */
  number: number;
  command: Pick<RegisterCommand, "api" | "versionNumber" | "semver" | "confluentId">;
  skipCompatibility: boolean;
};

/** The verdict, then number, semver and Confluent id: the last things a version gets. */
export function decideNumbering(
  deciding: Deciding,
  input: NumberingInput,
): DecisionStep<{ type: "numbered"; numbering: Numbering }> {
  const { state } = deciding;
  const { name, subject, mode, config, candidate, hash, command } = input;
  const needs: Need[] = [];
  if (!input.skipCompatibility) {
    const verdict = decideCompatibility(deciding, candidate, subject, config);
    if (!verdict.ok) return verdict;
    if (verdict.value.type === "needs") needs.push(...verdict.value.needs);
  }

  const number = decideNumber(deciding, input);
  if (!number.ok) return number;

  const planned = isArtefact(candidate.format) ? planFor(deciding, candidate, subject, config) : { needs: [] };
  if (planned.needs) needs.push(...planned.needs.filter(({ key }) => !needs.some((need) => need.key === key)));
  const semver = decideSemver(deciding, { subject, config, candidate, command, isImport: isImporting(mode) });
  if (semver.ok && semver.value.type === "needs") {
    needs.push(...semver.value.needs.filter(({ key }) => !needs.some((need) => need.key === key)));
  }
  // A break is reported before a semver that is too small for it, regardless of which facts are available.
  if (needs.length > 0) return ok({ type: "needs", needs });
  if (!semver.ok) return semver;
  if (semver.value.type === "needs") return ok(semver.value);

  const counter = state.nextConfluentId(name.context);
  if (isArtefact(candidate.format)) {
    const { plan } = planned;
    const { semver: label } = semver.value;
    const numbering = { number: number.value, label, confluentId: null, nextConfluentId: counter };
    return ok({ type: "numbered", numbering: plan === undefined ? numbering : { ...numbering, plan } });
  }
  const id = decideConfluentId(deciding, name.context, hash, isImporting(mode) ? command.confluentId : null);
  if (!id.ok) return id;
  return ok({
    type: "numbered",
    numbering: {
      number: number.value,
      label: semver.value.semver,
      confluentId: id.value,
      nextConfluentId: counterAfter(counter, id.value),
    },
  });
}

function decideNumber(
  deciding: Deciding,
  { name, subject, mode, number, command }: NumberingInput,
): Result<number, Refusal> {
  const printed = printSubjectName(name);
  const wanted = command.versionNumber ?? 0;
  if (wanted > 0 && wanted !== number && !isImporting(mode)) {
    const detail = "Version is not one more than previous version";
    return refused("INVALID_SCHEMA", [detail], `${detail}: the next version of "${printed}" is ${number}.`);
  }
  if (wanted >= LARGEST_INTEGER) {
    const detail = `Version ${wanted} of "${printed}" would leave no number for the next version; at most ${LARGEST_INTEGER - 1} can be imported.`;
    return refused("INVALID_SCHEMA", [detail], detail);
  }
  if (number > LARGEST_INTEGER && wanted <= 0) {
    const detail = `"${printed}" has used the largest version number, ${LARGEST_INTEGER}; register under another subject.`;
    return refused("CONFLICT", [detail], detail);
  }
  if (wanted <= 0 || wanted === number) return ok(number);
  if (subject && deciding.state.recordByNumber(subject.subject_key, wanted)) {
    const detail = `Version ${wanted} of "${printed}" exists with other content.`;
    return refused("OPERATION_NOT_PERMITTED", [detail], detail);
  }
  return ok(wanted);
}

/** The id that the content already has in the context, the one that an import brings, or the next. */
function decideConfluentId(
  deciding: Deciding,
  context: string,
  hash: ContentHash,
  imported: number | null,
): Result<number, Refusal> {
  const { state } = deciding;
  const content = state.contentByHash(hash);
  if (imported !== null) {
    const holder = state.contentByConfluentId(context, imported);
    if (holder && readContentHash(holder) !== hash) {
      const detail = `Overwrite new schema with id ${imported} in context ${printContext(context)} is not permitted.`;
      return refused("OPERATION_NOT_PERMITTED", [detail], detail);
    }
    return ok(imported);
  }
  const known = content && state.confluentIdOf(context, content.content_key);
  if (known !== undefined) return ok(known);
  const free = state.freeConfluentId(context);
  if (free !== undefined) return ok(free);
  const detail = `Context "${context}" has no free schema id left.`;
  return refused("CONFLICT", [detail], detail);
}
