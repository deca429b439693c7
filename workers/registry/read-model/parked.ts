/**
 * Repairs parked entries. Their records are set to the primary's current state, because later entries have already been
 * applied and an old one must not undo them.
 */

import { and, eq, sql } from "drizzle-orm";
import type { Refusal } from "../../../contract/errors.ts";
import { DatabaseUnreachable, inTransaction, readDatabase, type Transaction } from "../../../db/client.ts";
import { lockCheckpoint } from "../../../db/projection/checkpoint.ts";
import { replaceLogEntries, replaceRecords, replaceScopes, replaceSubjects } from "../../../db/projection/repair.ts";
import { logEntryRow } from "../../../db/projection/rows.ts";
import { entryFailures } from "../../../db/tables.ts";
import { PrimaryUnreachable } from "../../../durable-objects/primary/client.ts";
import { errorFields, logLine } from "../../../observe/log-line.ts";
import { EPOCH, type LogEntry, parseHeader } from "../../../registry/log-entry.ts";
import type { Payloads } from "../../../registry/payloads.ts";
import { timestamp } from "../../../registry/record-view.ts";
import { MAX_QUERY_ROWS } from "../../../registry/rpc.ts";
import type { Result } from "../../../schema/result.ts";
import type { Bindings } from "../../edge.ts";
import type { TextSource } from "../write/facts.ts";
import { expectedRecords, expectedSubjects } from "./expected-rows.ts";
import { textSource } from "./replicate.ts";

/** The expected rows currently cannot be determined; a later run retries. */
export class StateUnsettled extends Error {}

/** Parked entries per run; the next run takes the others. */
const PARKED_PER_RUN = 50;
/** Times the state is read again if the read model overtakes it. */
const MAX_READS = 5;
/** Records repaired per transaction. */
const RECORDS_AT_ONCE = 100;

/** Returns how many were repaired and how many are still parked. Throws if Postgres or the primary is unreachable. */
export async function retryParked(
  env: Bindings,
  tenant: string,
  nowMs: number,
): Promise<{ repaired: number; failed: number }> {
  const rows = await readDatabase(env, (db) =>
    db
      .select({ seq: entryFailures.seq })
      .from(entryFailures)
      .where(and(eq(entryFailures.tenant, tenant), entryFailures.parked))
      .orderBy(entryFailures.lastFailedAt, entryFailures.seq)
      .limit(PARKED_PER_RUN),
  );
  const source = textSource(env, tenant);
  let repaired = 0;
  for (const { seq } of rows) {
    try {
      await repairEntry(env, source, seq, nowMs);
      repaired += 1;
      logLine("info", "The rows of a parked log entry have been repaired.", { tenant, seq });
    } catch (error) {
      if (error instanceof DatabaseUnreachable || error instanceof PrimaryUnreachable) throw error;
      logLine("warn", "A parked log entry still cannot be projected.", { tenant, seq, ...errorFields(error) });
      await inTransaction(env, (transaction) =>
        transaction
          .update(entryFailures)
          .set({ attempts: sql`${entryFailures.attempts} + 1`, lastFailedAt: timestamp(nowMs) })
          .where(and(eq(entryFailures.tenant, tenant), eq(entryFailures.seq, seq))),
      );
    }
  }
  return { repaired, failed: rows.length - repaired };
}

async function repairEntry(env: Bindings, source: TextSource, seq: number, nowMs: number): Promise<void> {
  const { entries } = await source.primary.readLog({ after: seq - 1, limit: 1 });
  const [entry] = entries;
  if (entry?.seq === seq) await repairTargets(env, source, readTargets(entry), nowMs);
  await inTransaction(env, async (transaction) => {
    const checkpoint = await lockCheckpoint(transaction, source.tenant, EPOCH, nowMs);
    // If a rebuild has started, it applies the entry as usual.
    if (entry?.seq === seq && seq <= checkpoint.seq && checkpoint.rebuild !== "emptying") {
      await replaceLogEntries(transaction, source.tenant, [seq], [logEntryRow(entry, parseHeader(entry.header))]);
    }
    await transaction
      .delete(entryFailures)
      .where(and(eq(entryFailures.tenant, source.tenant), eq(entryFailures.seq, seq), entryFailures.parked));
  });
}

/** Keys of the records, subjects and scopes of an entry. */
type Targets = { records: readonly number[]; subjects: readonly number[]; scopes: boolean };

function readTargets({ seq, header, payload }: LogEntry): Targets {
  const { type: entryType } = parseHeader(header);
  // Without its payload an entry has no effect, and a record it created is gone.
  if (payload === null) return { records: entryType === "schema.registered" ? [seq] : [], subjects: [], scopes: false };
  const said: unknown = JSON.parse(new TextDecoder().decode(payload.bytes));
  switch (entryType) {
    case "schema.registered":
      return { records: [seq], subjects: [(said as Payloads[typeof entryType]).subject.key], scopes: false };
    case "schema.activated":
    case "schema.updated":
    case "schema.deprecated":
    case "schema.archived":
      return { records: [(said as Payloads[typeof entryType]).recordKey], subjects: [], scopes: false };
    case "schema.deleted":
    case "schema.undeleted":
      return { records: (said as Payloads[typeof entryType]).recordKeys, subjects: [], scopes: false };
    case "schema.erased": {
      const { recordKeys, subjects } = said as Payloads[typeof entryType];
      return {
        records: recordKeys,
        subjects: subjects.map(({ key }) => key),
        scopes: subjects.some(({ gone }) => gone),
      };
    }
    // Settings, whose rows are in `scopes`, or entries without rows, for which comparing scopes is cheap.
    case "config.changed":
    case "mode.changed":
    case "rule.changed":
    case "context.deleted":
    case "association.changed":
    case "webhook.changed":
    case "change_set.committed":
    case "governance.changed":
    case "proposal.opened":
    case "proposal.commented":
    case "proposal.approved":
    case "proposal.rejected":
    case "proposal.applied":
    case "proposal.expired":
    case "alias.moved":
    case "evidence.attached":
    case "change.overridden":
      return { records: [], subjects: [], scopes: true };
    default: {
      // The compiler checks that every type of this build has a case; an entry of a newer build may have another type.
      entryType satisfies never;
      return { records: [], subjects: [], scopes: true };
    }
  }
}

async function repairTargets(
  env: Bindings,
  source: TextSource,
  { records, subjects, scopes }: Targets,
  nowMs: number,
): Promise<void> {
  const primary = () => source.primary;
  const withState = <T extends { asOf: { seq: number } }>(
    read: () => Promise<T>,
    work: (transaction: Transaction, state: T) => Promise<void>,
  ) => underCheckpoint(env, source.tenant, nowMs, read, work);

  if (subjects.length > 0) {
    await withState(
      async () => answered(await primary().read("copySubjects", { keys: subjects })),
      (transaction, { value }) =>
        replaceSubjects(transaction, source.tenant, subjects, expectedSubjects(value.subjects)),
    );
  }
  for (let at = 0; at < records.length; at += RECORDS_AT_ONCE) {
    let keys = records.slice(at, at + RECORDS_AT_ONCE);
    while (keys.length > 0) {
      const asked = keys;
      await withState(
        async () => {
          const { asOf, value } = answered(await primary().read("copyRecords", { keys: asked }));
          const covered = value.more ? asked.filter((key) => key <= value.records.at(-1)!.recordKey) : asked;
          return { asOf, covered, expected: await expectedRecords(source, value.records) };
        },
        async (transaction, { covered, expected }) => {
          await replaceRecords(transaction, source.tenant, covered, expected);
          keys = asked.filter((key) => !covered.includes(key));
        },
      );
    }
  }
  if (!scopes) return;
  for (let after = { context: "", subject: "" }, more = true; more; ) {
    const from = after;
    await withState(
      async () => answered(await primary().read("copyScopes", { after: from, limit: MAX_QUERY_ROWS })),
      async (transaction, { value }) => {
        const last = value.scopes.at(-1);
        const upTo = value.more && last ? { context: last.context, subject: last.subject } : null;
        await replaceScopes(transaction, source.tenant, { after: from, upTo }, value.scopes);
        more = upTo !== null;
        after = upTo ?? from;
      },
    );
  }
}

/** Reads state and locks the checkpoint, then runs the work if the state is no older than the checkpoint; otherwise reads again. */
export async function underCheckpoint<T extends { asOf: { seq: number } }, R>(
  env: Bindings,
  tenant: string,
  nowMs: number,
  read: () => Promise<T>,
  work: (transaction: Transaction, state: T, checkpointSeq: number) => Promise<R>,
): Promise<R> {
  for (let reads = 1; ; reads += 1) {
    const state = await read();
    const done = await inTransaction(env, async (transaction) => {
      const checkpoint = await lockCheckpoint(transaction, tenant, EPOCH, nowMs);
      if (checkpoint.rebuild === "emptying") throw new StateUnsettled("The read model is being emptied for a rebuild.");
      return checkpoint.seq > state.asOf.seq ? undefined : { result: await work(transaction, state, checkpoint.seq) };
    });
    if (done) return done.result;
    if (reads === MAX_READS) throw new StateUnsettled("The log grows faster than its state can be read.");
  }
}

/** The primary's answer. It only refuses a query during a deployment, because of an unknown version. */
export function answered<Value>(answer: Result<Value, Refusal>): Value {
  if (!answer.ok) throw new PrimaryUnreachable("unreachable", answer.refusal);
  return answer.value;
}
