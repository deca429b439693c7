/**
 * Folds log entries into their net effect, which a constant number of statements writes regardless of the entry types.
 * The counterpart of durable-objects/primary/state/apply.ts for the read model.
 */

import { fittingId } from "../../registry/confluent-id.ts";
import type { EntryType, LogEntry, LogHeader } from "../../registry/log-entry.ts";
import type { Numbering, Payloads } from "../../registry/payloads.ts";
import { timestamp } from "../../registry/record-view.ts";
import { type DerivedContent, NO_CONTENT } from "./derive.ts";
import {
  type AttributeColumns,
  attributeColumns,
  type FieldRow,
  fieldRows,
  type KeyedRecord,
  type LogEntryRow,
  logEntryRow,
  type ReadModelScopeRow,
  type ReadModelSubjectRow,
  type ReferenceRow,
  referenceRows,
  type VersionRow,
  versionRow,
} from "./rows.ts";

/** A log entry with what has been derived from it. */
export type ProjectedEntry = {
  entry: LogEntry;
  header: LogHeader;
  /** Null after a hard delete. */
  payload: unknown;
  /** Derived from a registration's text; absent for other entries. */
  derived?: DerivedContent;
  /** The reason nothing could be derived. */
  failure?: string;
};

/** Changes that later entries make to a version of an earlier batch. */
export type VersionPatch = {
  record_key: number;
  state?: string;
  deleted?: boolean;
  number?: number;
  semver?: string;
  confluent_id?: number | null;
  attributes?: AttributeColumns;
  updated_at: string;
  updated_seq: number;
};

type ScopePatch = Pick<ReadModelScopeRow, "context" | "subject"> & Partial<ReadModelScopeRow>;

export type RowChanges = {
  logEntries: LogEntryRow[];
  subjects: Map<number, ReadModelSubjectRow>;
  goneSubjects: Set<number>;
  versions: Map<number, VersionRow>;
  fields: Map<number, FieldRow[]>;
  references: Map<number, ReferenceRow[]>;
  patches: Map<number, VersionPatch>;
  hardDeleted: Set<number>;
  /** Contexts whose scopes are all removed before `scopes` are written. */
  goneContexts: Set<string>;
  /** By context and subject. Absent parts stay unchanged. */
  scopes: Map<string, ScopePatch>;
};

/** The net effect of consecutive entries. Throws if one of them cannot be read. */
export function foldEntries(entries: readonly ProjectedEntry[]): RowChanges {
  const changes: RowChanges = {
    logEntries: [],
    subjects: new Map(),
    goneSubjects: new Set(),
    versions: new Map(),
    fields: new Map(),
    references: new Map(),
    patches: new Map(),
    hardDeleted: new Set(),
    goneContexts: new Set(),
    scopes: new Map(),
  };
  for (const projected of entries) {
    changes.logEntries.push(logEntryRow(projected.entry, projected.header));
    if (projected.failure !== undefined) throw new Error(projected.failure);
    if (projected.payload === null) continue;
    const fold = FOLD[projected.header.type] as Fold<keyof Payloads> | undefined;
    // A type of a newer build has only its row in log_entries, and the reconciliation of that build adds the rest.
    fold?.(changes, projected, projected.payload as never);
  }
  return changes;
}

type Fold<T extends keyof Payloads> = (changes: RowChanges, projected: ProjectedEntry, payload: Payloads[T]) => void;

const FOLD: { [T in EntryType]: Fold<T> } = {
  "schema.registered": (changes, { header, derived = NO_CONTENT }, payload) => {
    const { subject } = payload;
    changes.subjects.set(subject.key, {
      subject_key: subject.key,
      context: subject.context,
      subject: subject.subject,
      default_policy: subject.defaultPolicy,
    });
    const record = toRecord(header, payload);
    const row = versionRow(record, derived);
    if (payload.numbering) Object.assign(row, numberingColumns(payload.numbering));
    changes.versions.set(header.seq, row);
    changes.fields.set(header.seq, fieldRows(header.seq, derived));
    changes.references.set(header.seq, referenceRows(record));
  },

  "schema.activated": (changes, { header }, { recordKey, numbering }) =>
    patch(changes, header, recordKey, { state: "active", ...(numbering && numberingColumns(numbering)) }),
  "schema.updated": (changes, { header }, { recordKey, attributes }) =>
    patch(changes, header, recordKey, { attributes: attributeColumns(attributes) }),
  "schema.deprecated": (changes, { header }, { recordKey }) =>
    patch(changes, header, recordKey, { state: "deprecated" }),
  "schema.archived": (changes, { header }, { recordKey }) => patch(changes, header, recordKey, { state: "archived" }),

  "schema.deleted": (changes, { header }, { recordKeys }) => {
    for (const recordKey of recordKeys) patch(changes, header, recordKey, { deleted: true });
  },
  "schema.undeleted": (changes, { header }, { recordKeys }) => {
    for (const recordKey of recordKeys) patch(changes, header, recordKey, { deleted: false });
  },

  "schema.erased": (changes, _projected, { recordKeys, subjects }) => {
    for (const recordKey of recordKeys) {
      changes.versions.delete(recordKey);
      changes.fields.delete(recordKey);
      changes.references.delete(recordKey);
      changes.patches.delete(recordKey);
      changes.hardDeleted.add(recordKey);
    }
    for (const { key, context, subject, gone } of subjects) {
      if (!gone) continue;
      changes.subjects.delete(key);
      changes.goneSubjects.add(key);
      setScope(changes, { context, subject, config: null, mode: null, rules: null, associations: null });
    }
  },

  "config.changed": (changes, _projected, { context, subject, config }) =>
    setScope(changes, { context, subject, config }),
  "mode.changed": (changes, _projected, { scopes }) => {
    for (const { context, subject, mode } of scopes) setScope(changes, { context, subject, mode });
  },
  "rule.changed": (changes, _projected, { context, subject, book }) =>
    setScope(changes, { context, subject, rules: book }),
  "association.changed": (changes, _projected, { subjects }) => {
    for (const { context, subject, associations } of subjects) {
      setScope(changes, { context, subject, associations: associations.length === 0 ? null : associations });
    }
  },
  "context.deleted": (changes, _projected, { context }) => {
    changes.goneContexts.add(context);
    for (const [key, scope] of changes.scopes) if (scope.context === context) changes.scopes.delete(key);
  },

  // Webhooks have no rows in the read model; the entry itself is in log_entries.
  "webhook.changed": () => undefined,
  // The effects of a change set are in its other entries.
  "change_set.committed": () => undefined,
  // Change management has no rows in the read model.
  "governance.changed": () => undefined,
  "proposal.opened": () => undefined,
  "proposal.commented": () => undefined,
  "proposal.approved": () => undefined,
  "proposal.rejected": () => undefined,
  "proposal.applied": () => undefined,
  "proposal.expired": () => undefined,
  // Aliases and evidence are read from the primary alone.
  "alias.moved": () => undefined,
  "evidence.attached": () => undefined,
  "change.overridden": () => undefined,
};

function patch(
  changes: RowChanges,
  header: LogHeader,
  recordKey: number,
  columns: Omit<VersionPatch, "record_key" | "updated_at" | "updated_seq">,
): void {
  const { attributes, ...others } = columns;
  const updated = { updated_at: timestamp(header.at), updated_seq: header.seq };
  const row = changes.versions.get(recordKey);
  if (row) Object.assign(row, others, attributes, updated);
  else
    changes.patches.set(recordKey, {
      ...changes.patches.get(recordKey),
      record_key: recordKey,
      ...columns,
      ...updated,
    });
}

function setScope(changes: RowChanges, scope: ScopePatch): void {
  const key = `${scope.context}\n${scope.subject}`;
  changes.scopes.set(key, { ...changes.scopes.get(key), ...scope });
}

function numberingColumns({ number, label, confluentId }: Numbering) {
  const confluent_id = confluentId === null ? null : fittingId(confluentId);
  return { state: "active", number, semver: label, confluent_id };
}

function toRecord(header: LogHeader, payload: Payloads["schema.registered"]): KeyedRecord {
  const { subject, id, content, reading, attributes } = payload;
  return {
    recordKey: header.seq,
    subjectKey: subject.key,
    id,
    context: subject.context,
    subject: subject.subject,
    versionNumber: null,
    semver: null,
    confluentId: null,
    state: "draft",
    deleted: false,
    format: content.format,
    dialect: reading === undefined ? content.dialect : reading.dialect,
    contentHash: content.hash,
    guid: content.guid,
    references: content.references,
    contract: content.contract,
    attributes: attributes ?? { description: null, tags: [], owner: null, metadata: {}, role: null },
    createdAtMs: header.at,
    createdBy: header.actor,
    updatedAtMs: header.at,
    seq: header.seq,
  };
}
