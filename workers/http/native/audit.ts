/**
 * `/audit`: the log for external verifiers. Paths below are those of https://c2sp.org/tlog-tiles with `/api/v1/audit`
 * as the prefix.
 */
import { makeRefusal } from "../../../contract/errors.ts";
import type { StoredCheckpoint, TreeProblem } from "../../../registry/audit.ts";
import { timestamp } from "../../../registry/record-view.ts";
import { parseTilePath, TILE_WIDTH } from "../../../tlog/tiles.ts";
import { type Answer, jsonAnswer, provenance } from "../answer.ts";
import { RegistryError, refusing, requireValue } from "../errors.ts";
import type { NativeRequest } from "./request.ts";

/** A complete tile never changes. */
const COMPLETE_TILE_CACHE = "private, max-age=31536000, immutable";
const NOT_BUILT_RETRY_SECONDS = 5;

export async function getCheckpoint({ edge }: NativeRequest): Promise<Answer> {
  const newest = { before: Number.MAX_SAFE_INTEGER, limit: 1 };
  const { asOf, value } = requireValue(await edge.primary.read("checkpoints", newest));
  const [checkpoint] = value;
  if (checkpoint === undefined) throw unsigned(edge.settings.signsCheckpoints);
  const headers = { ...provenance(asOf, "primary"), "Content-Type": "text/plain; charset=utf-8" };
  return { status: 200, headers, body: checkpoint.note };
}

export async function getCheckpoints({ edge, query }: NativeRequest): Promise<Answer> {
  const limit = query.limit as number;
  const before = query.before === undefined ? Number.MAX_SAFE_INTEGER : (query.before as number);
  const { asOf, value } = requireValue(await edge.primary.read("checkpoints", { before, limit: limit + 1 }));
  const items = value.slice(0, limit);
  const next = value.length > limit ? { next_before: items.at(-1)!.size } : {};
  return jsonAnswer(200, { items: items.map(checkpointJson), ...next }, provenance(asOf, "primary"));
}

export async function getCheckpointKeys({ edge }: NativeRequest): Promise<Answer> {
  const { asOf, value } = requireValue(await edge.primary.read("checkpointKeys", {}));
  const items = value.map(({ verifier, firstSize, firstAtMs }) => ({
    verifier,
    first_size: firstSize,
    first_at: timestamp(firstAtMs),
  }));
  return jsonAnswer(200, { items }, provenance(asOf, "primary"));
}

export async function getInclusionProof({ edge, query }: NativeRequest): Promise<Answer> {
  const [seq, size] = [query.seq as number, query.size as number];
  const { asOf, value } = requireValue(await edge.primary.read("inclusionProof", { seq, size }));
  if ("problem" in value) throw toTreeError(value, `entry ${seq} in a tree of ${size} entries`);
  const { root, hashes, leafHash } = value;
  return jsonAnswer(
    200,
    { seq, leaf_index: seq - 1, size, leaf_hash: leafHash, root_hash: root, hashes },
    provenance(asOf, "primary"),
  );
}

export async function getConsistencyProof({ edge, query }: NativeRequest): Promise<Answer> {
  const [from, to] = [query.from as number, query.to as number];
  const { asOf, value } = requireValue(await edge.primary.read("consistencyProof", { from, to }));
  if ("problem" in value) throw toTreeError(value, `trees of ${from} and ${to} entries`);
  const { root, hashes } = value;
  return jsonAnswer(200, { from, to, root_hash: root, hashes }, provenance(asOf, "primary"));
}

export async function getTile({ edge, path }: NativeRequest): Promise<Answer> {
  const tile = parseTilePath(path.tile!);
  if (tile === undefined)
    throw refusing("ROUTE_NOT_FOUND", `"${path.tile}" is not the path of a tile (expected e.g. 0/x001/234).`);
  const { level, index, width } = tile;
  const { asOf, value } =
    level === "entries"
      ? requireValue(await edge.primary.read("entryBundle", { index, width }))
      : requireValue(await edge.primary.read("tile", { level, index, width }));
  if ("problem" in value) throw toTreeError(value, `tile ${path.tile}`);
  const caching = width === TILE_WIDTH ? { "Cache-Control": COMPLETE_TILE_CACHE } : {};
  const headers = { ...provenance(asOf, "primary"), ...caching, "Content-Type": "application/octet-stream" };
  return { status: 200, headers, body: value.bytes };
}

function checkpointJson({ size, atMs, note }: StoredCheckpoint) {
  return { size, root_hash: Buffer.from(note.split("\n")[2]!, "base64").toString("hex"), at: timestamp(atMs), note };
}

function toTreeError({ problem }: TreeProblem, what: string): RegistryError {
  if (problem === "outside") return refusing("ENTRY_NOT_FOUND", `The log is too short: it has no ${what}.`);
  const detail = "The tree over this log is still being built; retry in a few seconds.";
  return new RegistryError(makeRefusal("NOT_READY", [detail], detail, { retryAfterSeconds: NOT_BUILT_RETRY_SECONDS }));
}

function unsigned(signsCheckpoints: boolean): RegistryError {
  return signsCheckpoints
    ? refusing(
        "ENTRY_NOT_FOUND",
        "No checkpoint has been signed yet; the first follows within five minutes of the first entry.",
      )
    : refusing("NOT_CONFIGURED", "This deployment signs no checkpoints: set CHECKPOINT_SIGNING_KEYS.");
}
