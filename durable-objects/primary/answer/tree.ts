/** Checkpoints, proofs and tiles for verifiers of the log. */
import type { TreeProblem } from "../../../registry/audit.ts";
import { toHex } from "../../../registry/log-entry.ts";
import type { Queries } from "../../../registry/questions.ts";
import { MAX_QUERY_ROWS } from "../../../registry/rpc.ts";
import { computeRoot, consistencyProof, inclusionProof } from "../../../tlog/merkle.ts";
import { TILE_WIDTH } from "../../../tlog/tiles.ts";
import { readCheckpoints } from "../checkpoints/checkpoints.ts";
import { isTreeBuilt, nodeReader, readHashes } from "../checkpoints/tree.ts";

type Source = { sql: SqlStorage };
type Name = "checkpoints" | "checkpointKeys" | "inclusionProof" | "consistencyProof" | "tile" | "entryBundle";

const OUTSIDE: TreeProblem = { problem: "outside" };
const NOT_BUILT: TreeProblem = { problem: "not_built" };

export const TREE_ANSWERS: { [K in Name]: (source: Source, args: Queries[K][0]) => Queries[K][1] } = {
  checkpoints: ({ sql }, { before, limit }) => readCheckpoints(sql, before, Math.min(limit, MAX_QUERY_ROWS)),

  checkpointKeys: ({ sql }) =>
    sql
      .exec<{ verifier: string; first_size: number; first_at: number }>(
        "SELECT verifier, first_size, first_at FROM checkpoint_keys ORDER BY first_at, verifier LIMIT ?",
        MAX_QUERY_ROWS,
      )
      .toArray()
      .map(({ verifier, first_size, first_at }) => ({ verifier, firstSize: first_size, firstAtMs: first_at })),

  inclusionProof: ({ sql }, { seq, size }) => {
    const problem = sizeProblem(sql, size);
    if (problem) return problem;
    if (seq < 1 || seq > size) return OUTSIDE;
    const read = nodeReader(sql);
    return {
      root: toHex(computeRoot(size, read)),
      hashes: inclusionProof(seq - 1, size, read).map(toHex),
      leafHash: toHex(read(0, seq - 1)),
    };
  },

  consistencyProof: ({ sql }, { from, to }) => {
    const problem = sizeProblem(sql, to);
    if (problem) return problem;
    if (from > to) return OUTSIDE;
    const read = nodeReader(sql);
    return { root: toHex(computeRoot(to, read)), hashes: consistencyProof(from, to, read).map(toHex) };
  },

  tile: ({ sql }, { level, index, width }) => {
    const covered = (index * TILE_WIDTH + width) * TILE_WIDTH ** level;
    const problem = sizeProblem(sql, covered);
    if (problem) return problem;
    return { bytes: concatenated(readHashes(sql, level, index * TILE_WIDTH, width)) };
  },

  entryBundle: ({ sql }, { index, width }) => {
    const first = index * TILE_WIDTH;
    if (first + width > readSize(sql)) return OUTSIDE;
    const parts: Uint8Array[] = [];
    const rows = sql.exec<{ header: ArrayBuffer }>(
      "SELECT header FROM log WHERE seq > ? AND seq <= ? ORDER BY seq",
      first,
      first + width,
    );
    for (const { header } of rows) {
      parts.push(Uint8Array.of(header.byteLength >> 8, header.byteLength & 0xff), new Uint8Array(header));
    }
    return { bytes: concatenated(parts) };
  },
};

function sizeProblem(sql: SqlStorage, size: number): TreeProblem | undefined {
  if (size > readSize(sql)) return OUTSIDE;
  return isTreeBuilt(sql, size) ? undefined : NOT_BUILT;
}

function readSize(sql: SqlStorage): number {
  return sql.exec<{ size: number }>("SELECT coalesce(max(seq), 0) AS size FROM log").one().size;
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
