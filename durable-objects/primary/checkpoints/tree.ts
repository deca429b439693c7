/**
 * The Merkle tree of the log as stored by the primary: leaf hashes are in the log, and of the nodes above only the
 * roots of complete tiles are stored. A root or a proof reads at most one tile's hashes per level; an append writes
 * nothing here.
 */
import { leafHash } from "../../../registry/log-entry.ts";
import { foldHashes, type Hash, type ReadNode, sameHash } from "../../../tlog/merkle.ts";
import { TILE_HEIGHT, TILE_WIDTH } from "../../../tlog/tiles.ts";

/** Tiles built per alarm: 16,384 hashes, about 50 ms. */
const TILES_AT_ONCE = 64;

/** An entry does not match its leaf hash. */
export class TamperedLog extends Error {
  readonly seq: number;

  constructor(seq: number) {
    super(`Entry ${seq} of the log does not match its stored hash.`);
    this.seq = seq;
  }
}

/** Stores the roots of complete tiles, a limited number per call; true if more are left. Throws TamperedLog. */
export function buildTiles(sql: SqlStorage, size: number, most = TILES_AT_ONCE): boolean {
  let built = tilesBuilt(sql);
  const complete = Math.floor(size / TILE_WIDTH);
  const until = Math.min(complete, built + most);
  for (; built < until; built += 1) {
    insertHash(sql, 1, built, foldHashes(verifiedLeaves(sql, built)));
    // The last of a tile's hashes completes a tile of the level above.
    for (let level = 2, done = built + 1; done % TILE_WIDTH === 0; level += 1, done /= TILE_WIDTH) {
      insertHash(
        sql,
        level,
        done / TILE_WIDTH - 1,
        foldHashes(readHashes(sql, level - 1, done - TILE_WIDTH, TILE_WIDTH)),
      );
    }
  }
  return built < complete;
}

/** Whether roots and proofs of this size need a bounded number of reads. */
export function isTreeBuilt(sql: SqlStorage, size: number): boolean {
  return Math.floor(size / TILE_WIDTH) - tilesBuilt(sql) <= TILES_AT_ONCE;
}

/** Called after a restore was abandoned. */
export function clearTree(sql: SqlStorage): void {
  sql.exec("DELETE FROM tree_hashes");
  sql.exec("DELETE FROM checkpoints");
}

/** Reads complete nodes; those of tiles that are not built yet are computed. */
export function nodeReader(sql: SqlStorage): ReadNode {
  return (level, index) => {
    const tileLevel = Math.floor(level / TILE_HEIGHT);
    const count = 2 ** (level % TILE_HEIGHT);
    return foldHashes(readHashes(sql, tileLevel, index * count, count));
  };
}

/** Hashes of one tile level: of leaves (0), or roots of the tiles below. */
export function readHashes(sql: SqlStorage, level: number, first: number, count: number): Hash[] {
  const rows =
    level === 0
      ? sql.exec<{ hash: ArrayBuffer }>(
          "SELECT leaf_hash AS hash FROM log WHERE seq > ? AND seq <= ? ORDER BY seq",
          first,
          first + count,
        )
      : sql.exec<{ hash: ArrayBuffer }>(
          "SELECT hash FROM tree_hashes WHERE level = ? AND position >= ? AND position < ? ORDER BY position",
          level,
          first,
          first + count,
        );
  const hashes: Hash[] = rows.toArray().map(({ hash }) => new Uint8Array(hash));
  if (level === 0 && hashes.length < count) throw new Error(`The log has no entry ${first + hashes.length + 1}.`);
  for (let at = hashes.length; at < count; at += 1) {
    hashes.push(foldHashes(readHashes(sql, level - 1, (first + at) * TILE_WIDTH, TILE_WIDTH)));
  }
  return hashes;
}

function verifiedLeaves(sql: SqlStorage, tile: number): Hash[] {
  const first = tile * TILE_WIDTH;
  return sql
    .exec<{ seq: number; header: ArrayBuffer; leaf_hash: ArrayBuffer }>(
      "SELECT seq, header, leaf_hash FROM log WHERE seq > ? AND seq <= ? ORDER BY seq",
      first,
      first + TILE_WIDTH,
    )
    .toArray()
    .map(({ seq, header, leaf_hash }) => {
      const hash = leafHash(new Uint8Array(header));
      if (!sameHash(hash, new Uint8Array(leaf_hash))) throw new TamperedLog(seq);
      return hash;
    });
}

function tilesBuilt(sql: SqlStorage): number {
  return sql
    .exec<{ built: number }>("SELECT coalesce(max(position) + 1, 0) AS built FROM tree_hashes WHERE level = 1")
    .one().built;
}

function insertHash(sql: SqlStorage, level: number, position: number, hash: Hash): void {
  sql.exec("INSERT INTO tree_hashes (level, position, hash) VALUES (?, ?, ?)", level, position, hash);
}
