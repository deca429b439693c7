/** Soft and hard deletes of versions, records and subjects. */

import type { Refusal } from "../../../contract/errors.ts";
import type {
  DeleteRecordCommand,
  DeleteSubjectCommand,
  DeleteVersionCommand,
  HardDeleted,
} from "../../../registry/commands.ts";
import { schemaNotFound } from "../../../registry/record.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { printSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import type { RecordRow, StateReader } from "../state/reader.ts";
import {
  type DecidedEntry,
  type Deciding,
  type Decision,
  isReadOnly,
  type Refused,
  refused,
  refuseReadOnly,
} from "./decision.ts";
import { eraseEntry } from "./hard-delete.ts";
import { staleProblem, toSubjectName } from "./register.ts";

/**
 * Maximum number of versions that one command deletes: 250 ms of the primary's CPU at about 50 µs each. The stored
 * outcome lists all of them and stays below the 2 MB of a row.
 */
export const MAX_DELETED_RECORDS = 5_000;

export function decideDeleteVersion(deciding: Deciding, command: DeleteVersionCommand): Decision {
  const { state } = deciding;
  const name = state.resolveAlias(command.name);
  const printed = printSubjectName(name);
  const subject = state.subject(name);
  if (!subject || !state.hasVersions(subject.subject_key, true)) return subjectNotFound(printed);
  const { versionNumber } = command;
  const record =
    versionNumber === "latest"
      ? state.newestLive(subject.subject_key)
      : state.recordByNumber(subject.subject_key, versionNumber);
  if (!record) {
    const shown = versionNumber === "latest" ? -1 : versionNumber;
    return refused("VERSION_NOT_FOUND", [shown], `"${printed}" has no version ${versionNumber}.`);
  }
  if (isReadOnly(state.effectiveMode(name))) return refuseReadOnly(name);
  return deleteRecord(state, record, command.permanent);
}

export function decideDeleteRecord(deciding: Deciding, command: DeleteRecordCommand): Decision {
  const { state } = deciding;
  const record = state.recordById(command.id);
  if (!record) return refuse(schemaNotFound(command.id));
  const stale = staleProblem(record, command.ifMatchSeq);
  if (stale) return stale;
  if (isReadOnly(state.effectiveMode(toSubjectName(record)))) return refuseReadOnly(toSubjectName(record));
  return deleteRecord(state, record, command.permanent);
}

export function decideDeleteSubject(
  deciding: Deciding,
  { name: asked, permanent, needsVersion = false }: DeleteSubjectCommand,
): Decision {
  const { state } = deciding;
  const name = state.resolveAlias(asked);
  const printed = printSubjectName(name);
  const subject = state.subject(name);
  if (!subject || (needsVersion && !state.hasVersions(subject.subject_key, true))) return subjectNotFound(printed);
  const records = state.allRecords(subject.subject_key);
  const live = records.filter(({ deleted }) => deleted === 0);
  if (isReadOnly(state.effectiveMode(name)) && (permanent || live.length > 0)) return refuseReadOnly(name);
  if (permanent && live.length > 0) {
    const detail = `Subject "${printed}" still has live versions; delete it without permanent first.`;
    return refused("SUBJECT_NOT_SOFT_DELETED", [printed], detail);
  }
  if (!permanent && live.length === 0) {
    const detail = `Subject "${printed}" is soft-deleted; use permanent=true to hard-delete it.`;
    return refused("SUBJECT_SOFT_DELETED", [printed], detail);
  }
  if (!permanent && state.associationsOf(name).length > 0) {
    return refused("ASSOCIATION_EXISTS", [printed], `"${printed}" is associated with a resource.`);
  }
  const going = permanent ? records : live;
  const tooMany = deletedCountProblem(going.length);
  if (tooMany) return tooMany;
  const within = listKeys(records);
  for (const record of going) {
    const blocked = referenceProblem(state, record, permanent, within);
    if (blocked) return blocked;
  }
  return deletion(state, going, permanent);
}

function deleteRecord(state: StateReader, record: RecordRow, permanent: boolean): Decision {
  const printed = printSubjectName(toSubjectName(record));
  const shown = record.number ?? record.id;
  if (permanent && record.deleted === 0) {
    const detail = `Version ${shown} of "${printed}" is live; delete it without permanent first.`;
    return refused("VERSION_NOT_SOFT_DELETED", [printed, shown], detail);
  }
  if (!permanent && record.deleted === 1) {
    const detail = `Version ${shown} of "${printed}" is soft-deleted; use permanent=true to hard-delete it.`;
    return refused("VERSION_SOFT_DELETED", [printed, shown], detail);
  }
  if (!permanent && record.number !== null && state.associationsOf(toSubjectName(record)).length > 0) {
    const [only, ...others] = state.liveRecords(record.subject_key);
    if (others.length === 0 && only?.id === record.id) {
      const detail = `"${printed}" is associated with a resource and must keep at least one live version.`;
      return refused("NO_ACTIVE_VERSION", [printed], detail);
    }
  }
  return referenceProblem(state, record, permanent, new Set()) ?? deletion(state, [record], permanent);
}

function deletion(state: StateReader, records: readonly RecordRow[], permanent: boolean): Decision {
  const printed = printSubjectName(toSubjectName(records[0]!));
  const recordKeys = records.map(({ record_key }) => record_key);
  return ok({
    type: "done",
    entries: [
      permanent
        ? eraseEntry(state, printed, records)
        : { type: "schema.deleted", subject: printed, payload: { v: 1, recordKeys } },
    ],
    texts: [],
    outcome: () => ({
      type: "deleted",
      versions: records.flatMap(({ number }) => (number === null ? [] : [number])),
      records: records.map(({ id }) => id),
      guids: records.map(({ guid }) => guid),
    }),
  });
}

/**
 * Live referrers block a soft delete, soft-deleted ones also a hard delete. Referrers in `within`, by record key, are
 * deleted as well and do not block.
 */
function referenceProblem(
  state: StateReader,
  record: RecordRow,
  permanent: boolean,
  within: ReadonlySet<number>,
): Refused | undefined {
  if (record.number === null) return undefined;
  const referrer = state
    .referrers(record.subject_key, record.number)
    .find((row) => (permanent || row.deleted === 0) && !within.has(row.record_key));
  if (!referrer) return undefined;
  const printed = printSubjectName(toSubjectName(record));
  const by = `${printSubjectName(toSubjectName(referrer))} version ${referrer.number ?? "(draft)"}`;
  const detail = `Version ${record.number} of "${printed}" is referenced by ${by}.`;
  return refused("REFERENCE_EXISTS", [printed, record.number, by], detail);
}

function listKeys(records: readonly RecordRow[]): Set<number> {
  return new Set(records.map(({ record_key }) => record_key));
}

/** Also bounds the deletes of a change set together, because it has one transaction and one stored outcome. */
export function deletedCountProblem(records: number): Refused | undefined {
  if (records <= MAX_DELETED_RECORDS) return undefined;
  const detail = `More than ${MAX_DELETED_RECORDS} versions would be deleted at once; delete some of them one by one first.`;
  return refused("TOO_COMPLEX", [detail], detail);
}

function subjectNotFound(printed: string): Decision {
  return refused("SUBJECT_NOT_FOUND", [printed], `There is no subject "${printed}".`);
}

/** Soft- and hard-deletes every version of a subject in one commit, or returns what still references one. */
export function decideSubjectDeletion(state: StateReader, name: SubjectName): Result<DecidedEntry[], Refusal> {
  const subject = state.subject(name);
  const records = subject ? state.allRecords(subject.subject_key) : [];
  if (!subject || records.length === 0) return ok([]);
  const tooMany = deletedCountProblem(records.length);
  if (tooMany) return tooMany;
  const within = listKeys(records);
  for (const record of records) {
    const blocked = referenceProblem(state, record, true, within);
    if (blocked) return blocked;
  }
  const live = records.filter(({ deleted }) => deleted === 0);
  const printed = printSubjectName(name);
  const softDeleted: DecidedEntry[] =
    live.length === 0
      ? []
      : [
          {
            type: "schema.deleted",
            subject: printed,
            payload: { v: 1, recordKeys: live.map(({ record_key }) => record_key) },
          },
        ];
  return ok([...softDeleted, eraseEntry(state, printed, records)]);
}

/** Hard-deletes the soft-deleted versions of subjects, or returns what still references them. */
export function eraseLeftovers(
  state: StateReader,
  subjects: readonly (SubjectName & { subject_key: number })[],
): Result<{ entries: ReturnType<typeof eraseEntry>[]; hardDeleted: HardDeleted }, Refusal> {
  const entries: ReturnType<typeof eraseEntry>[] = [];
  const hardDeleted: { records: string[]; guids: string[] } = { records: [], guids: [] };
  for (const subject of subjects) {
    const leftovers = state.allRecords(subject.subject_key).filter(({ deleted }) => deleted === 1);
    if (leftovers.length === 0) continue;
    const tooMany = deletedCountProblem(hardDeleted.records.length + leftovers.length);
    if (tooMany) return tooMany;
    const within = listKeys(leftovers);
    for (const record of leftovers) {
      const blocked = referenceProblem(state, record, true, within);
      if (blocked) return blocked;
      hardDeleted.records.push(record.id);
      hardDeleted.guids.push(record.guid);
    }
    entries.push(eraseEntry(state, printSubjectName(subject), leftovers));
  }
  return ok({ entries, hardDeleted });
}
