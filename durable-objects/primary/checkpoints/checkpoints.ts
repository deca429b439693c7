/**
 * Signs checkpoints of the log's tree: after a number of entries, or a time after the first uncovered one
 * (docs/audit.md).
 */
import { logLine } from "../../../observe/log-line.ts";
import type { StoredCheckpoint } from "../../../registry/audit.ts";
import { parseHeader } from "../../../registry/log-entry.ts";
import { computeRoot, sameHash } from "../../../tlog/merkle.ts";
import { makeSigner, printCheckpoint, printVerifier, SEED_BYTES, type Signer, signNote } from "../../../tlog/note.ts";
import { buildTiles, isTreeBuilt, nodeReader, readHashes, TamperedLog } from "./tree.ts";

/** One tile of entries. */
export const CHECKPOINT_ENTRIES = 256;
/** The maximum time until a signature covers an entry. */
export const CHECKPOINT_AFTER_MS = 5 * 60 * 1_000;
/** Stored checkpoints; the oldest are deleted. With 256 entries each they cover the last 2.5 million entries. */
const MAX_CHECKPOINTS = 10_000;

/** Seeds from CHECKPOINT_SIGNING_KEYS, newest first; each signs every checkpoint. */
export function parseSigningSeeds(text: string | undefined): Uint8Array[] {
  return (text ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => {
      const seed = new Uint8Array(Buffer.from(part, "base64"));
      if (/^[A-Za-z0-9+/]+=*$/.test(part) && seed.length === SEED_BYTES) return seed;
      throw new Error(
        `CHECKPOINT_SIGNING_KEYS must be base64 of ${SEED_BYTES} random bytes each, separated by commas.`,
      );
    });
}

type CheckpointHost = {
  sql: SqlStorage;
  /** The name of the log, and of its keys. */
  origin(): string;
  /** CHECKPOINT_SIGNING_KEYS. */
  keys: string | undefined;
  size(): number;
  isRestoring(): boolean;
};

export class Checkpoints {
  readonly #host: CheckpointHost;
  /** Imported once, because an object keeps the keys with which it was deployed. */
  #signers: Promise<Signer[]> | undefined;

  constructor(host: CheckpointHost) {
    this.#host = host;
  }

  /** Builds tiles and signs due checkpoints; returns the time of the next work, or undefined. */
  async run(nowMs: number): Promise<number | undefined> {
    const { sql, keys = "", size, isRestoring } = this.#host;
    if (isRestoring()) return undefined;
    try {
      if (buildTiles(sql, size())) return nowMs;
    } catch (error) {
      if (!(error instanceof TamperedLog)) throw error;
      // Nothing is signed from here on, which the age of the newest checkpoint makes visible.
      logLine("error", "The log has been tampered with.", { origin: this.#host.origin(), seq: error.seq });
      return nowMs + CHECKPOINT_AFTER_MS;
    }
    if (keys === "") return undefined;
    const dueAtMs = this.#dueAtMs(nowMs);
    if (dueAtMs === undefined || dueAtMs > nowMs) return dueAtMs;
    await this.#sign(size(), nowMs);
    return this.#dueAtMs(nowMs);
  }

  #dueAtMs(nowMs: number): number | undefined {
    const { sql, size } = this.#host;
    const covered = newestCheckpoint(sql)?.size ?? 0;
    if (covered >= size()) return undefined;
    if (size() - covered >= CHECKPOINT_ENTRIES) return nowMs;
    const { header } = sql.exec<{ header: ArrayBuffer }>("SELECT header FROM log WHERE seq = ?", covered + 1).one();
    return parseHeader(new Uint8Array(header)).at + CHECKPOINT_AFTER_MS;
  }

  async #sign(size: number, nowMs: number): Promise<void> {
    const { sql, isRestoring } = this.#host;
    if (!isTreeBuilt(sql, size)) return;
    const root = computeRoot(size, nodeReader(sql));
    const last = readHashes(sql, 0, size - 1, 1)[0]!;
    const origin = this.#host.origin();
    this.#signers ??= Promise.all(parseSigningSeeds(this.#host.keys).map((seed) => makeSigner(origin, seed)));
    const signers = await this.#signers;
    const note = await signNote(printCheckpoint({ origin, size, root }), signers);
    // A restore may have been abandoned in the meantime, so that the log is a different one.
    if (isRestoring() || this.#host.size() < size || !sameHash(readHashes(sql, 0, size - 1, 1)[0]!, last)) return;
    sql.exec("INSERT OR REPLACE INTO checkpoints (size, at, note) VALUES (?, ?, ?)", size, nowMs, note);
    for (const { verifier } of signers) {
      sql.exec(
        "INSERT OR IGNORE INTO checkpoint_keys (verifier, first_size, first_at) VALUES (?, ?, ?)",
        printVerifier(verifier),
        size,
        nowMs,
      );
    }
    sql.exec(
      "DELETE FROM checkpoints WHERE size <= (SELECT size FROM checkpoints ORDER BY size DESC LIMIT 1 OFFSET ?)",
      MAX_CHECKPOINTS,
    );
  }
}

type CheckpointRow = { size: number; at: number; note: string };

function newestCheckpoint(sql: SqlStorage): StoredCheckpoint | undefined {
  return readCheckpoints(sql, Number.MAX_SAFE_INTEGER, 1)[0];
}

/** Newest first, those with fewer entries than `before`. */
export function readCheckpoints(sql: SqlStorage, before: number, limit: number): StoredCheckpoint[] {
  return sql
    .exec<CheckpointRow>("SELECT * FROM checkpoints WHERE size < ? ORDER BY size DESC LIMIT ?", before, limit)
    .toArray()
    .map(({ size, at, note }) => ({ size, atMs: at, note }));
}
