/** `/subjects`: summaries, versions, diffs, and deletion of a whole subject. */
import type { Policy, WriterAssumption } from "../../../schema/compatibility.ts";
import { type DirectionalDiff, diffVersions } from "../../registry/compatibility/diff.ts";
import { listSubjects, listVersions } from "../../registry/read/list.ts";
import { readBySelector, readSubject } from "../../registry/read/read.ts";
import { deleteSubject } from "../../registry/write/delete.ts";
import { type Answer, jsonAnswer, provenance } from "../answer.ts";
import { requireValue } from "../errors.ts";
import { totalJson } from "./compatibility.ts";
import { idempotencyKey, textParameter } from "./fields.ts";
import { pageAnswer, parseConsistency, recordAnswer } from "./records.ts";
import { contentForm, subjectJson } from "./rendering.ts";
import type { NativeRequest } from "./request.ts";
import type { Shape } from "./shapes.ts";

export async function listAllSubjects(request: NativeRequest): Promise<Answer> {
  const { edge, query } = request;
  const page = requireValue(
    await listSubjects(edge, {
      prefix: textParameter(request, "prefix"),
      context: textParameter(request, "context"),
      deleted: query.deleted === true,
      limit: query.limit as number,
      cursor: textParameter(request, "cursor"),
    }),
  );
  const next = page.nextCursor === undefined ? {} : { next_cursor: page.nextCursor };
  return jsonAnswer<Shape<"SubjectPage">>(
    200,
    { items: page.items.map(subjectJson), ...next },
    provenance(page.asOf, "primary"),
  );
}

export async function getSubject(request: NativeRequest): Promise<Answer> {
  const { edge, query } = request;
  const wanted = { ...readSubjectText(request), deleted: query.deleted === true };
  const { summary, asOf } = requireValue(await readSubject(edge, wanted));
  return jsonAnswer<Shape<"Subject">>(200, subjectJson(summary), provenance(asOf, "primary"));
}

export async function deleteWholeSubject(request: NativeRequest): Promise<Answer> {
  const { edge, caller, query } = request;
  const permanent = query.permanent === true;
  const gone = requireValue(
    await deleteSubject(
      edge,
      caller,
      { ...readSubjectText(request), permanent, needsVersion: false },
      idempotencyKey(request),
    ),
  );
  const { versions, records } = gone.deleted;
  return jsonAnswer<Shape<"DeletedSubject">>(
    200,
    { ...gone.name, permanent, versions, ids: records },
    provenance(gone.asOf, "primary"),
  );
}

export async function listSubjectVersions(request: NativeRequest): Promise<Answer> {
  const { edge, query } = request;
  const page = await listVersions(edge, {
    ...readSubjectText(request),
    deleted: query.deleted === true,
    limit: query.limit as number,
    cursor: textParameter(request, "cursor"),
    withTexts: true,
  });
  return pageAnswer(requireValue(page), contentForm(query.content));
}

export async function getVersion(request: NativeRequest): Promise<Answer> {
  const { edge, path, query } = request;
  const wanted = { ...readSubjectText(request), version: path.version!, deleted: query.deleted === true };
  return recordAnswer(request, requireValue(await readBySelector(edge, wanted, parseConsistency(request))));
}

export async function diffSubjectVersions(request: NativeRequest): Promise<Answer> {
  const { edge, query } = request;
  const diff = requireValue(
    await diffVersions(edge, {
      ...readSubjectText(request),
      from: textParameter(request, "from")!,
      to: textParameter(request, "to")!,
      deleted: query.deleted === true,
      policy: query.policy as Policy | undefined,
      writers: query.writers as WriterAssumption | undefined,
    }),
  );
  const side = ({ semver, versionNumber, id }: typeof diff.from) => ({
    version: semver,
    version_number: versionNumber,
    id,
  });
  const direction = ({ compatible, differences, total }: DirectionalDiff) => ({
    compatible,
    differences,
    ...totalJson(differences, total),
  });
  return jsonAnswer<Shape<"Diff">>(
    200,
    {
      subject: diff.to.subject,
      context: diff.to.context,
      from: side(diff.from),
      to: side(diff.to),
      policy: diff.policy,
      writers: diff.writers,
      role: diff.role,
      backward: direction(diff.backward),
      forward: direction(diff.forward),
      ...(diff.backward.plan === undefined ? {} : { plan: diff.backward.plan }),
    },
    provenance(diff.asOf, "primary"),
  );
}

function readSubjectText(request: NativeRequest): { subject: string; context: string | undefined } {
  return { subject: request.path.subject!, context: textParameter(request, "context") };
}
