/** Restores the log from the segments of a backup, into an empty primary or continuing an earlier attempt. */

import { deflateRawSync } from "node:zlib";
import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import {
  type Answered,
  type AsOf,
  EPOCH,
  type LogEntry,
  type LogTip,
  parseHeader,
  toHex,
} from "../../../registry/log-entry.ts";
import { findPayloadProblem } from "../../../registry/payload-problem.ts";
import type { AbandonAnswer, FinishAnswer, FinishRequest, RestoreAnswer } from "../../../registry/rpc.ts";
import {
  contentNamedBy,
  decodeSegment,
  MAX_SEGMENT_CONTENT_BYTES,
  MAX_SEGMENT_ENTRIES,
  type Segment,
  type SegmentProblem,
} from "../../../registry/segment.ts";
import type { ContentHash } from "../../../schema/content-hash.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { RememberedNumbers } from "../../remembered-numbers.ts";
import { findDigestDifference, stateDigests } from "../answer/segments.ts";
import type { DecidedText } from "../decide/decision.ts";
import { MAX_INLINE_TEXT_BYTES } from "../decide/register.ts";
import { readEntries, tipAt } from "../state/log.ts";
import { STATE_TABLE_ORDER } from "../state/migrations.ts";
import type { TextDeletions } from "../state/text-deletions.ts";
import { replay } from "./replay.ts";

/** https://developers.cloudflare.com/workers/platform/limits/ (simultaneous open connections). */
const MAX_PARALLEL_PUTS = 6;
const RETRY_AFTER_SECONDS = 5;
/** A segment begins with a header line. */
const FIRST_ENTRY_LINE = 2;
/**
 * Entries that the verification replays: a call has 30 s of CPU time
 * (https://developers.cloudflare.com/durable-objects/platform/limits/).
 */
export const MAX_REPLAYED_ENTRIES = 50_000;

/** What a restore uses of its primary. */
type RestoreHost = {
  storage: DurableObjectStorage;
  /** `restoring` during a restore; `restored`, the last entry that a restore wrote. */
  marks: RememberedNumbers<"restoring" | "restored">;
  putText(contentHash: ContentHash, deflated: Uint8Array): Promise<unknown>;
  tip(): LogTip;
  asOf(): AsOf;
  transaction(write: () => void): void;
  /** Writes an entry unchanged, applies it, and stores the text of its content. */
  append(entry: LogEntry, text: DecidedText | undefined): void;
  nudgeSoon(): void;
  maxReplayedEntries(): number;
  /** Resets the log to empty. */
  reset(): void;
  textDeletions: Pick<TextDeletions, "add" | "cancel" | "settled">;
};

/** What a segment adds to the log. */
type Plan = { entries: readonly LogEntry[]; texts: TextsToStore };
type TextsToStore = ReadonlyMap<ContentHash, { deflated: Uint8Array; textBytes: number }>;

export class LogRestore {
  readonly #host: RestoreHost;
  #isUnderWay: boolean;
  #restoredThrough: number;
  #appending = 0;

  constructor(host: RestoreHost) {
    this.#host = host;
    this.#isUnderWay = host.marks.get("restoring") > 0;
    this.#restoredThrough = host.marks.get("restored");
  }

  /** From the first segment until the restore is verified: entries of other writers would make it a different log. */
  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /** Whether texts are in R2, or being uploaded, that only a later append will reference. */
  get isAppending(): boolean {
    return this.#appending > 0;
  }

  /** Whether an entry was restored: it happened elsewhere, and its followers were notified then. */
  isRestored(seq: number): boolean {
    return this.#isUnderWay || seq <= this.#restoredThrough;
  }

  /** The refusal that writers get during a restore. */
  refusal(): Refusal {
    const detail =
      "A backup is being restored into this registry; other writes are refused until the restore is finished.";
    return makeRefusal("NOT_READY", [detail], detail, { retryAfterSeconds: RETRY_AFTER_SECONDS });
  }

  /** Verifies a segment and appends the entries that the log lacks, in one transaction. */
  async append(bytes: Uint8Array): Promise<RestoreAnswer> {
    this.#appending += 1;
    try {
      return await this.#append(bytes);
    } finally {
      this.#appending -= 1;
    }
  }

  async #append(bytes: Uint8Array): Promise<RestoreAnswer> {
    const segment = readSegmentToRestore(bytes);
    if (!segment.ok) return this.#refused(segment.refusal);
    const foreseen = this.#plan(segment.value);
    if (!foreseen.ok) return this.#refused(foreseen.refusal);
    try {
      await this.#putLargeTexts(foreseen.value.texts);
    } catch (error) {
      const detail = `Nothing was restored: a large text could not be written to R2. ${(error as Error).message}`;
      return this.#refused(makeRefusal("NOT_READY", [detail], detail, { retryAfterSeconds: RETRY_AFTER_SECONDS }));
    }
    // The log may have grown during the uploads to R2, by another restore or a writer.
    const plan = this.#plan(segment.value);
    if (!plan.ok) return this.#refused(plan.refusal);
    const problem = this.#write(plan.value);
    if (problem) return this.#refused(problem);
    const [first, last] = [segment.value.before.seq + 1, segment.value.entries.at(-1)!.seq];
    return { ...ok({ first, last, appended: plan.value.entries.length }), asOf: this.#host.asOf() };
  }

  /**
   * Verifies that the log ends at the given entry, that nothing is missing, that a replay gives the stored rows, and
   * that they equal the backup's.
   */
  finish({ seq, leafHash, state: expected }: FinishRequest): FinishAnswer {
    const { storage, tip, asOf } = this.#host;
    const end = tip();
    if (end.seq !== seq || end.leafHash !== leafHash) {
      return this.#unproven(`The log ends with entry ${end.seq} (${end.leafHash}), not with ${seq} (${leafHash}).`);
    }
    const lost = lostPayload(storage.sql);
    if (lost !== undefined)
      return this.#unproven(`The payload of entry ${lost} is missing, and no hard delete removed it.`);
    const state = stateDigests(storage.sql);
    // A longer log was applied entry by entry as it arrived; replaying it in one call would take too long.
    const replayed = seq <= this.#host.maxReplayedEntries();
    const misapplied = replayed ? findDigestDifference(replay(storage, stateDigests), state) : undefined;
    if (misapplied !== undefined) return this.#unproven(`The state differs from the log: ${misapplied}.`);
    const compared = expected?.version === state.version;
    const difference = compared ? findDigestDifference(expected, state) : undefined;
    if (difference !== undefined) return this.#unproven(`The state differs from the backup's: ${difference}.`);
    if (this.#isUnderWay) this.#end(seq);
    return { ...ok({ state, compared, replayed }), asOf: asOf() };
  }

  /** Abandons the restore: its entries are removed, and the registry is empty again. */
  abandon(): AbandonAnswer {
    const { storage, transaction, asOf, textDeletions, reset, nudgeSoon } = this.#host;
    if (!this.#isUnderWay) {
      const detail = "No restore is in progress, so there is nothing to abandon.";
      return this.#refused(makeRefusal("CONFLICT", [detail], detail));
    }
    const { sql } = storage;
    const removed = this.#host.tip().seq;
    transaction(() => {
      const inR2 = sql.exec<{ content_hash: ArrayBuffer }>(
        "SELECT content_hash FROM stored_texts WHERE deflated IS NULL",
      );
      for (const { content_hash } of inR2) textDeletions.add(toHex(new Uint8Array(content_hash)));
      for (const table of ["log", "payloads", "texts", ...Object.keys(STATE_TABLE_ORDER)]) {
        sql.exec(`DELETE FROM ${table}`);
      }
      this.#host.marks.remove("restoring");
      reset();
      nudgeSoon();
    });
    this.#isUnderWay = false;
    return { ...ok({ removed }), asOf: asOf() };
  }

  #end(seq: number): void {
    const { marks } = this.#host;
    marks.remove("restoring");
    marks.set("restored", seq);
    this.#isUnderWay = false;
    this.#restoredThrough = seq;
  }

  /**
   * A segment may be appended to an empty log, or to one that holds exactly the entries before it; entries that the log
   * already holds are left unchanged. Comparing one leaf hash suffices, because it covers every header before it.
   */
  #plan(segment: Segment): Result<Plan, Refusal> {
    const { sql } = this.#host.storage;
    const { before, entries, texts } = segment;
    const tip = this.#host.tip();
    if (before.seq > tip.seq) {
      return conflicting(`The segment begins with entry ${before.seq + 1}, but this log ends with ${tip.seq}.`);
    }
    if (tipAt(sql, before.seq).leafHash !== before.leafHash) {
      return conflicting(`The segment follows an entry ${before.seq} that differs from this log's.`);
    }
    const other = entries.find(({ seq, leafHash }) => seq <= tip.seq && tipAt(sql, seq).leafHash !== toHex(leafHash));
    if (other) return conflicting(`Entry ${other.seq} differs between this log and the segment.`);
    const missing = entries.filter(({ seq }) => seq > tip.seq);
    if (missing.length > 0 && tip.seq > 0 && !this.#isUnderWay) {
      return conflicting(
        `This log ends with entry ${tip.seq} and is in use; a backup can only be restored into an empty registry.`,
      );
    }
    const named = new Set(missing.map(contentNamedBy).filter((hash) => hash !== undefined));
    return ok({
      entries: missing,
      texts: new Map([...named].map((hash) => [hash, deflate(texts.get(hash)!)])),
    });
  }

  /** Large texts are uploaded to R2 before the transaction that references them. */
  async #putLargeTexts(texts: TextsToStore): Promise<void> {
    const { putText, textDeletions } = this.#host;
    const large = [...texts].filter(([, { deflated }]) => !isInline(deflated));
    if (large.length === 0) return;
    // A deletion that is running, or scheduled by an earlier segment, must not delete the texts uploaded now.
    for (const [contentHash] of large) textDeletions.cancel(contentHash);
    for (const [contentHash] of large) await textDeletions.settled(contentHash);
    for (let at = 0; at < large.length; at += MAX_PARALLEL_PUTS) {
      const puts = large.slice(at, at + MAX_PARALLEL_PUTS);
      await Promise.all(puts.map(([contentHash, { deflated }]) => putText(contentHash, deflated)));
    }
  }

  #write({ entries, texts }: Plan): Refusal | undefined {
    if (entries.length === 0) return undefined;
    const { marks, transaction, append, nudgeSoon } = this.#host;
    let seq = entries[0]!.seq;
    try {
      transaction(() => {
        marks.set("restoring", 1);
        for (const entry of entries) {
          seq = entry.seq;
          // Repeated for each entry that references the text, because a hard delete between two of them removes it.
          const contentHash = contentNamedBy(entry);
          const text = contentHash === undefined ? undefined : texts.get(contentHash);
          append(
            entry,
            contentHash !== undefined && text !== undefined
              ? { contentHash, ...text, deflated: isInline(text.deflated) ? text.deflated : null }
              : undefined,
          );
        }
        nudgeSoon();
      });
    } catch (error) {
      // The payload matches the digest in its header, but this release cannot apply it.
      const detail = `Nothing was restored: entry ${seq} cannot be applied. ${(error as Error).message}`;
      return makeRefusal("UNPROCESSABLE", [detail], detail);
    }
    this.#isUnderWay = true;
    return undefined;
  }

  #refused(refusal: Refusal): Answered<never> {
    return { ...refuse(refusal), asOf: this.#host.asOf() };
  }

  #unproven(detail: string): FinishAnswer {
    return this.#refused(makeRefusal("CONFLICT", [detail], detail));
  }
}

function readSegmentToRestore(bytes: Uint8Array): Result<Segment, Refusal> {
  const decoded = decodeSegment(bytes);
  if (!decoded.ok) return refuse(flawed(decoded.refusal));
  const { epoch } = decoded.value.segment;
  if (epoch !== EPOCH) {
    return refuse(
      flawed({ line: 1, message: `The segment is of epoch ${epoch}; this registry is in epoch ${EPOCH}.` }),
    );
  }
  for (const [index, { seq, header, payload }] of decoded.value.segment.entries.entries()) {
    if (payload === null) continue;
    const { type } = parseHeader(header);
    const problem = findPayloadProblem(type, JSON.parse(new TextDecoder().decode(payload.bytes)));
    if (problem === undefined) continue;
    const message = `The payload of entry ${seq} (${type}) is not valid at "${problem.pointer}": ${problem.message}`;
    return refuse(flawed({ line: index + FIRST_ENTRY_LINE, message }));
  }
  return ok(decoded.value.segment);
}

/** The first registration whose payload is missing without a hard delete, or undefined. */
function lostPayload(sql: SqlStorage): number | undefined {
  const missing = new Set<number>();
  const rows = sql.exec<{ seq: number; header: ArrayBuffer }>("SELECT seq, header FROM entries WHERE salt IS NULL");
  for (const { seq, header } of rows) {
    if (parseHeader(new Uint8Array(header)).type === "schema.registered") missing.add(seq);
  }
  if (missing.size === 0) return undefined;
  for (let after = 0; ; ) {
    const entries = readEntries(sql, after, MAX_SEGMENT_ENTRIES, MAX_SEGMENT_CONTENT_BYTES);
    for (const { header, payload } of entries) {
      if (payload === null || parseHeader(header).type !== "schema.erased") continue;
      const { recordKeys } = JSON.parse(new TextDecoder().decode(payload.bytes)) as { recordKeys: readonly number[] };
      for (const key of recordKeys) missing.delete(key);
    }
    const last = entries.at(-1);
    if (!last) return missing.values().next().value;
    after = last.seq;
  }
}

function deflate(text: string): { deflated: Uint8Array; textBytes: number } {
  const bytes = Buffer.from(text, "utf8");
  return { deflated: Uint8Array.from(deflateRawSync(bytes)), textBytes: bytes.byteLength };
}

function isInline(deflated: Uint8Array): boolean {
  return deflated.byteLength <= MAX_INLINE_TEXT_BYTES;
}

function flawed({ line, message }: SegmentProblem): Refusal {
  return makeRefusal("UNPROCESSABLE", [message], `Nothing was restored. ${message}`, {
    items: [{ rule: "segment", message, line }],
  });
}

function conflicting(detail: string): Result<never, Refusal> {
  return refuse(makeRefusal("CONFLICT", [detail], `Nothing was restored. ${detail}`));
}
