/**
 * Texts in R2 that nothing names any more, until they are gone. A text may be named again at any moment: what was put before its
 * deletion began is then not taken for granted, so that no deletion ever takes a text that a commit counts on.
 */

import { fromHex, toHex } from "../../../registry/log-entry.ts";
import type { ContentHash } from "../../../schema/content-hash.ts";

/** What a text's deletion has come to. Begun and not done: whether the text is still there is not known. */
const WAITING = 0;
const BEGUN = 1;
const DONE = 2;
/** A put that a commit may still speak of is not older than this: a request to the edge ends within seconds. */
const REMEMBERED_MS = 10 * 60 * 1_000;

type TextBucket = Pick<R2Bucket, "head" | "delete">;

export class TextDeletions {
  readonly #sql: SqlStorage;
  readonly #bucket: TextBucket;
  readonly #keyOf: (hash: ContentHash) => string;
  readonly #underWay = new Map<ContentHash, Promise<void>>();

  constructor(sql: SqlStorage, bucket: TextBucket, keyOf: (hash: ContentHash) => string) {
    this.#sql = sql;
    this.#bucket = bucket;
    this.#keyOf = keyOf;
  }

  /** Part of the transaction that takes away the last name of a text. */
  add(hash: ContentHash): void {
    this.#sql.exec("INSERT OR REPLACE INTO text_deletions (content_hash, state) VALUES (?, ?)", fromHex(hash), WAITING);
  }

  /**
   * For a text that was found in R2 without a name. False where its deletion is known: a done one must stay so, for a commit
   * may still speak of a put that came before it.
   */
  addUnlessKnown(hash: ContentHash): boolean {
    const { rowsWritten } = this.#sql.exec(
      "INSERT INTO text_deletions (content_hash, state) VALUES (?, ?) ON CONFLICT DO NOTHING",
      fromHex(hash),
      WAITING,
    );
    return rowsWritten > 0;
  }

  /** Part of the transaction that names a text, or ahead of putting it. */
  cancel(hash: ContentHash): void {
    this.#sql.exec("DELETE FROM text_deletions WHERE content_hash = ?", fromHex(hash));
  }

  /** Whether a deletion of this text has been sent and not answered. */
  isUnderWay(hash: ContentHash): boolean {
    return this.#underWay.has(hash);
  }

  /** Deletes all that waits, and what was begun by an object that died. Throws where R2 does; what is left is done by the next call. */
  async run(nowMs: number): Promise<void> {
    for (let hash = this.#next(); hash !== undefined; hash = this.#next()) {
      // Looked up again for each, for meanwhile it may have been named.
      this.#setState(hash, BEGUN, nowMs);
      const deleting = this.#bucket.delete(this.#keyOf(hash));
      this.#underWay.set(hash, deleting);
      try {
        await deleting;
      } finally {
        this.#underWay.delete(hash);
      }
      this.#setState(hash, DONE, nowMs);
    }
    const old = this.#sql.exec(
      "SELECT 1 FROM text_deletions WHERE state = ? AND at <= ? LIMIT 1",
      DONE,
      nowMs - REMEMBERED_MS,
    );
    if (old.toArray().length === 0) return;
    this.#sql.exec("DELETE FROM text_deletions WHERE state = ? AND at <= ?", DONE, nowMs - REMEMBERED_MS);
  }

  /** Those of some texts, which somebody says to have put, that no deletion has taken since. */
  async confirmed(hashes: readonly ContentHash[]): Promise<Set<ContentHash>> {
    for (const hash of hashes) {
      if (!this.#wasBegun(hash)) continue;
      await this.settled(hash);
      if ((await this.#bucket.head(this.#keyOf(hash))) !== null) this.cancel(hash);
    }
    return new Set(hashes.filter((hash) => !this.#wasBegun(hash)));
  }

  /** Waits for a deletion of this text that is under way, however it ends. */
  async settled(hash: ContentHash): Promise<void> {
    await this.#underWay.get(hash)?.catch(() => undefined);
  }

  #next(): ContentHash | undefined {
    const rows = this.#sql.exec<{ content_hash: ArrayBuffer }>(
      "SELECT content_hash FROM text_deletions WHERE state <> ? ORDER BY state",
      DONE,
    );
    for (const { content_hash } of rows) {
      const hash = toHex(new Uint8Array(content_hash));
      if (!this.#underWay.has(hash)) return hash;
    }
    return undefined;
  }

  #wasBegun(hash: ContentHash): boolean {
    const [row] = this.#sql
      .exec<{ state: number }>("SELECT state FROM text_deletions WHERE content_hash = ?", fromHex(hash))
      .toArray();
    return row !== undefined && row.state !== WAITING;
  }

  /** Only of one that is still wanted: whoever named the text meanwhile has taken the row away. */
  #setState(hash: ContentHash, state: number, nowMs: number): void {
    this.#sql.exec("UPDATE text_deletions SET state = ?, at = ? WHERE content_hash = ?", state, nowMs, fromHex(hash));
  }
}
