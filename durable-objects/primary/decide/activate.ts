/** Activation of drafts and undelete: an existing record becomes a live version. */

import type { ActivateCommand, UndeleteCommand } from "../../../registry/commands.ts";
import type { EffectiveConfig } from "../../../registry/config.ts";
import { toHex } from "../../../registry/log-entry.ts";
import { type Closure, schemaNotFound } from "../../../registry/record.ts";
import { ok, refuse } from "../../../schema/result.ts";
import { printSubjectName } from "../../../schema/subject-name.ts";
import {
  type RecordRow,
  readAttributes,
  readDataContract,
  readStoredReferences,
  type SubjectRow,
  toRecord,
} from "../state/reader.ts";
import { type Candidate, closureOfRecord, decideCompatibility, tooWide } from "./compatibility.ts";
import {
  type Deciding,
  type Decision,
  isImporting,
  isReadOnly,
  refused,
  refuseMode,
  refuseReadOnly,
} from "./decision.ts";
import { readContentHash } from "./lookup.ts";
import { decideNumbering } from "./numbering.ts";
import { replacedEntries, resolveRole, staleProblem, toSubjectName } from "./register.ts";

export function decideActivate(deciding: Deciding, command: ActivateCommand): Decision {
  const { state } = deciding;
  const record = state.recordById(command.id);
  if (!record || record.deleted) return refuse(schemaNotFound(command.id));
  const stale = staleProblem(record, command.ifMatchSeq);
  if (stale) return stale;
  if (record.state !== "draft") {
    const detail = `Schema ${command.id} is ${record.state}; only a draft can be activated.`;
    return refused("CONFLICT", [detail], detail);
  }
  const name = toSubjectName(record);
  const config = state.effectiveConfig(name, "native", readAttributes(record).role);
  const mode = state.effectiveMode(name);
  if (isReadOnly(mode)) return refuseReadOnly(name);
  // An imported version brings its id; a draft has none, so it cannot be activated in mode IMPORT.
  if (isImporting(mode)) return refuseMode(name, "not in read-write mode");
  const subject = state.subject(name)!;
  const blocked = liveTwin(deciding, subject, record, { equivalent: true }) ?? lostReference(deciding, record);
  if (blocked) return blocked;
  const closure = closureOfRecord(state, record);
  if (!closure) return tooWide(name);
  const numbered = decideNumbering(deciding, {
    name,
    subject,
    mode,
    config,
    candidate: toCandidate(deciding, record, subject, config, closure),
    hash: readContentHash(record),
    number: subject.last_number + 1,
    command: { api: "native", versionNumber: null, semver: null, confluentId: null },
    skipCompatibility: false,
  });
  if (!numbered.ok) return numbered;
  if (numbered.value.type === "needs") return ok(numbered.value);
  const { numbering } = numbered.value;
  return ok({
    type: "done",
    entries: [
      {
        type: "schema.activated",
        subject: printSubjectName(name),
        payload: { v: 1, recordKey: record.record_key, numbering, reason: command.reason },
      },
      ...replacedEntries(deciding, subject, name, readContentHash(record), numbering),
    ],
    texts: [],
    outcome: (after) => ({ type: "record", record: toRecord(after.recordById(command.id)!) }),
  });
}

export function decideUndelete(deciding: Deciding, command: UndeleteCommand): Decision {
  const { state } = deciding;
  const record = state.recordById(command.id);
  if (!record) return refuse(schemaNotFound(command.id));
  if (!record.deleted) {
    const detail = `Schema ${command.id} is not deleted.`;
    return refused("CONFLICT", [detail], detail);
  }
  const name = toSubjectName(record);
  const mode = state.effectiveMode(name);
  if (isReadOnly(mode)) return refuseReadOnly(name);
  if (record.number !== null) {
    const subject = state.subject(name)!;
    const blocked = liveTwin(deciding, subject, record, { equivalent: false }) ?? lostReference(deciding, record);
    if (blocked) return blocked;
    const closure = closureOfRecord(state, record);
    if (!closure) return tooWide(name);
    if (!isImporting(mode)) {
      const config = state.effectiveConfig(name, "native", readAttributes(record).role);
      const candidate = toCandidate(deciding, record, subject, config, closure);
      const verdict = decideCompatibility(deciding, candidate, subject, config);
      if (!verdict.ok) return verdict;
      if (verdict.value.type === "needs") return ok(verdict.value);
    }
  }
  return ok({
    type: "done",
    entries: [
      {
        type: "schema.undeleted",
        subject: printSubjectName(name),
        payload: { v: 1, recordKeys: [record.record_key] },
      },
    ],
    texts: [],
    outcome: (after) => ({ type: "record", record: toRecord(after.recordById(command.id)!) }),
  });
}

/** A content that was parsed when it was registered. */
function toCandidate(
  deciding: Deciding,
  record: RecordRow,
  subject: SubjectRow,
  config: EffectiveConfig,
  closure: Closure,
): Candidate {
  return {
    name: toSubjectName(record),
    format: record.format,
    contract: readDataContract(record),
    closure,
    dialect: record.dialect,
    topLevelNames: null,
    role: resolveRole(deciding, readAttributes(record), subject, config),
  };
}

/**
 * A live version that a record would duplicate: the same content in the same dialect. A former draft must also differ
 * by more than the order of keys, as if it were registered now; a former version may coexist with versions that differ
 * only in order.
 */
function liveTwin(
  { state }: Deciding,
  subject: SubjectRow,
  record: RecordRow,
  { equivalent }: { equivalent: boolean },
): Decision | undefined {
  const hash = record.orderless_hash;
  const candidates = [
    ...state.recordsOfContent(subject.subject_key, readContentHash(record)),
    ...(equivalent && hash
      ? state.similarRecords(subject.subject_key, { orderlessHash: toHex(new Uint8Array(hash)) })
      : []),
  ];
  const twin = candidates.find(
    (row) =>
      row.number !== null &&
      row.deleted === 0 &&
      row.id !== record.id &&
      row.format === record.format &&
      row.dialect === record.dialect &&
      row.refs === record.refs &&
      row.contract === record.contract,
  );
  if (!twin) return undefined;
  const detail = `The same content is live as version ${twin.number} of "${printSubjectName(toSubjectName(record))}".`;
  return refused("CONFLICT", [detail], detail);
}

function lostReference({ state }: Deciding, record: RecordRow): Decision | undefined {
  const lost = readStoredReferences(record).find((reference) => {
    const target = state.referenceTarget(record.context, reference);
    return !target || target.deleted === 1;
  });
  if (!lost) return undefined;
  const detail = `Reference "${lost.name}" names version ${lost.version} of "${lost.subject}", which is deleted.`;
  return refused("CONFLICT", [detail], detail);
}
