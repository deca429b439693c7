/**
 * Deletes unreferenced texts from R2. A text may be referenced again at any moment. An upload from before the start of
 * its deletion is then not relied on, so no deletion ever removes a text that a commit needs.
 */

import { fromHex, toHex } from "../../../registry/log-entry.ts";
import type { ContentHash } from "../../../schema/content-hash.ts";

/** The state of a text's deletion. Between started and done, it is unknown whether the text still exists. */
const WAITING = 0;
const BEGUN = 1;
const DONE = 2;
/**
 * An upload that a commit may still refer to is not older than this, because a request to the edge ends within seconds.
 */
const REMEMBERED_MS = 10 * 60 * 1_000;

/** R2 deletes at most 1,000 keys per call, and an alarm may make 1,000 calls. */
export const MAX_DELETED_AT_ONCE = 1_000;

type TextBucket = Pick<R2Bucket, "head" | "delete">;

export class TextDeletions {
  readonly #sql: SqlStorage;
  readonly #bucket: TextBucket;
  readonly #keyOf: (hash: ContentHash) => string;
  readonly #underWay = new Map<ContentHash, Promise<void>>();
  /** Whether there may be any, so that a commit need not query; it stays true after a rollback. */
  #mayBeSome: boolean;

  constructor(sql: SqlStorage, bucket: TextBucket, keyOf: (hash: ContentHash) => string) {
    this.#sql = sql;
    this.#bucket = bucket;
    this.#keyOf = keyOf;
    this.#mayBeSome = sql.exec("SELECT 1 FROM text_deletions LIMIT 1").toArray().length > 0;
  }

  /** Part of the transaction that removes the last reference to a text. */
  add(hash: ContentHash): void {
    this.#mayBeSome = true;
    this.#sql.exec("INSERT OR REPLACE INTO text_deletions (content_hash, state) VALUES (?, ?)", fromHex(hash), WAITING);
  }

  /**
   * For an unreferenced text found in R2. False if its deletion is already known: a completed one must stay recorded,
   * because a commit may still refer to an earlier upload.
   */
  addUnlessKnown(hash: ContentHash): boolean {
    this.#mayBeSome = true;
    const { rowsWritten } = this.#sql.exec(
      "INSERT INTO text_deletions (content_hash, state) VALUES (?, ?) ON CONFLICT DO NOTHING",
      fromHex(hash),
      WAITING,
    );
    return rowsWritten > 0;
  }

  /** Part of the transaction that references a text, or before its upload. */
  cancel(hash: ContentHash): void {
    if (!this.#mayBeSome) return;
    this.#sql.exec("DELETE FROM text_deletions WHERE content_hash = ?", fromHex(hash));
  }

  /** Whether a deletion of this text has been sent and not answered. */
  isUnderWay(hash: ContentHash): boolean {
    return this.#underWay.has(hash);
  }

  /**
   * Runs all waiting deletions, and those started by an object that died. Throws if R2 does; the next call continues.
   */
  async run(nowMs: number): Promise<void> {
    for (let hashes = this.#next(); hashes.length > 0; hashes = this.#next()) {
      // Checked again for each call, because a text may have been referenced in the meantime.
      for (const hash of hashes) this.#setState(hash, BEGUN, nowMs);
      const deleting = this.#bucket.delete(hashes.map(this.#keyOf));
      for (const hash of hashes) this.#underWay.set(hash, deleting);
      try {
        await deleting;
      } finally {
        for (const hash of hashes) this.#underWay.delete(hash);
      }
      for (const hash of hashes) this.#setState(hash, DONE, nowMs);
    }
    const old = this.#sql.exec(
      "SELECT 1 FROM text_deletions WHERE state = ? AND at <= ? LIMIT 1",
      DONE,
      nowMs - REMEMBERED_MS,
    );
    if (old.toArray().length === 0) return;
    this.#sql.exec("DELETE FROM text_deletions WHERE state = ? AND at <= ?", DONE, nowMs - REMEMBERED_MS);
  }

  /** Those of the given uploaded texts that no deletion has removed since. */
  async confirmed(hashes: readonly ContentHash[]): Promise<Set<ContentHash>> {
    for (const hash of hashes) {
      if (!this.#wasBegun(hash)) continue;
      await this.settled(hash);
      if ((await this.#bucket.head(this.#keyOf(hash))) !== null) this.cancel(hash);
    }
    return new Set(hashes.filter((hash) => !this.#wasBegun(hash)));
  }

  /** Waits for a running deletion of this text, whether or not it succeeds. */
  async settled(hash: ContentHash): Promise<void> {
    await this.#underWay.get(hash)?.catch(() => undefined);
  }

  #next(): ContentHash[] {
    const next: ContentHash[] = [];
    const rows = this.#sql.exec<{ content_hash: ArrayBuffer }>(
      "SELECT content_hash FROM text_deletions WHERE state <> ? ORDER BY state",
      DONE,
    );
    for (const { content_hash } of rows) {
      const hash = toHex(new Uint8Array(content_hash));
      if (!this.#underWay.has(hash)) next.push(hash);
      if (next.length === MAX_DELETED_AT_ONCE) break;
    }
    return next;
  }

  #wasBegun(hash: ContentHash): boolean {
    const [row] = this.#sql
      .exec<{ state: number }>("SELECT state FROM text_deletions WHERE content_hash = ?", fromHex(hash))
      .toArray();
    return row !== undefined && row.state !== WAITING;
  }

  /** Only if the deletion is still wanted: a commit that referenced the text in the meantime has removed the row. */
  #setState(hash: ContentHash, state: number, nowMs: number): void {
    this.#sql.exec("UPDATE text_deletions SET state = ?, at = ? WHERE content_hash = ?", state, nowMs, fromHex(hash));
  }
}
