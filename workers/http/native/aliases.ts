/** `/subjects/{s}/aliases` and `/subjects/{s}/versions/{v}/evidence`. */
import type { AliasMove, Evidence, EvidenceResult, VersionAlias } from "../../../registry/alias.ts";
import { timestamp } from "../../../registry/record-view.ts";
import { parseSubjectName } from "../../../schema/subject-name.ts";
import {
  attachEvidence,
  deleteAlias,
  listAliases,
  listAliasMoves,
  listEvidence,
  moveAlias,
  type SubjectText,
} from "../../registry/artefacts/aliases.ts";
import { type Answer, jsonAnswer, provenance } from "../answer.ts";
import { requireValue } from "../errors.ts";
import { idempotencyKey, textParameter } from "./fields.ts";
import type { NativeRequest } from "./request.ts";
import type { Shape } from "./shapes.ts";

/** Moves in one answer. */
const DEFAULT_LISTED_MOVES = 100;

export async function getAliases(request: NativeRequest): Promise<Answer> {
  const { aliases, asOf } = requireValue(await listAliases(request.edge, readSubjectText(request)));
  return jsonAnswer(200, { items: aliases.map(aliasJson) }, provenance(asOf, "primary"));
}

export async function putAlias(request: NativeRequest): Promise<Answer> {
  const { edge, caller } = request;
  const { version, gates, protected: isProtected, reason = null } = request.body as Shape<"AliasMoveRequest">;
  const settings = {
    ...(gates === undefined ? {} : { gates }),
    ...(isProtected === undefined ? {} : { protected: isProtected }),
  };
  const move = {
    version: version === undefined ? undefined : String(version),
    settings,
    reason,
    mayMoveProtected: mayPromote(request),
  };
  const moved = await moveAlias(edge, caller, readAliasText(request), move, idempotencyKey(request));
  const { alias, asOf } = requireValue(moved);
  return jsonAnswer(200, aliasJson(alias), provenance(asOf, "primary"));
}

export async function removeAlias(request: NativeRequest): Promise<Answer> {
  const { edge, caller } = request;
  const move = { reason: null, mayMoveProtected: mayPromote(request) };
  const removed = await deleteAlias(edge, caller, readAliasText(request), move, idempotencyKey(request));
  const { alias, asOf } = requireValue(removed);
  return jsonAnswer(200, aliasJson(alias), provenance(asOf, "primary"));
}

export async function getAliasMoves(request: NativeRequest): Promise<Answer> {
  const { query } = request;
  const page = {
    before: (query.before as number | undefined) ?? Number.MAX_SAFE_INTEGER,
    limit: (query.limit as number | undefined) ?? DEFAULT_LISTED_MOVES,
  };
  const { moves, asOf } = requireValue(await listAliasMoves(request.edge, readAliasText(request), page));
  return jsonAnswer(200, { items: moves.map(moveJson) }, provenance(asOf, "primary"));
}

export async function postEvidence(request: NativeRequest): Promise<Answer> {
  const { edge, caller } = request;
  const results = toEvidenceResults(request.body as Shape<"EvaluationResults">);
  const attached = await attachEvidence(edge, caller, readVersionText(request), results, idempotencyKey(request));
  const { evidence, asOf } = requireValue(attached);
  return jsonAnswer(201, evidenceJson(evidence), provenance(asOf, "primary"));
}

export async function getEvidence(request: NativeRequest): Promise<Answer> {
  const { evidence, asOf } = requireValue(await listEvidence(request.edge, readVersionText(request)));
  return jsonAnswer(200, { items: evidence.map(evidenceJson) }, provenance(asOf, "primary"));
}

function readSubjectText(request: NativeRequest): SubjectText {
  return { subject: request.path.subject!, context: textParameter(request, "context") };
}

function readAliasText(request: NativeRequest): SubjectText & { alias: string } {
  return { ...readSubjectText(request), alias: request.path.alias! };
}

function readVersionText(request: NativeRequest): SubjectText & { version: string } {
  return { ...readSubjectText(request), version: request.path.version! };
}

/** Without access control everybody may do everything. */
function mayPromote({ actor, edge, path }: NativeRequest): boolean {
  if (edge.access === undefined) return actor.permissions.has("subject:promote");
  return edge.access.allows("subject:promote", parseSubjectName(path.subject!));
}

function aliasJson({ alias, target, settings }: VersionAlias): Shape<"VersionAlias"> {
  return {
    alias,
    version: target?.semver ?? null,
    version_number: target?.versionNumber ?? null,
    id: target?.id ?? null,
    protected: settings.protected,
    gates: [...settings.gates],
  };
}

function moveJson({ seq, atMs, actor, fromNumber, toNumber, reason }: AliasMove): Shape<"AliasMove"> {
  return { seq, at: timestamp(atMs), actor, from: fromNumber, to: toNumber, reason };
}

function evidenceJson({ seq, atMs, actor, results }: Evidence): Shape<"Evidence"> {
  return { seq, at: timestamp(atMs), actor, results: [...results] };
}

/** What gates need of an Every-Eval-Ever record. */
function toEvidenceResults(record: Shape<"EvaluationResults">): EvidenceResult[] {
  const model = record.model_info?.name ?? record.model_info?.id ?? "";
  return record.evaluation_results.map(
    ({ evaluation_name: evaluation, metric_config: metric, score_details: score }) => ({
      metric: metric.metric_id ?? metric.metric_name ?? evaluation,
      score: score.score,
      lower_is_better: metric.lower_is_better,
      evaluation,
      evaluation_id: record.evaluation_id,
      model,
      standard_error: score.uncertainty?.standard_error?.value ?? null,
      samples: score.uncertainty?.num_samples ?? null,
    }),
  );
}
