/** Export and restore of the log. */

import { openPrimary } from "../../../durable-objects/primary/client.ts";
import { EPOCH } from "../../../registry/log-entry.ts";
import type { StateDigests } from "../../../registry/rpc.ts";
import { MAX_SEGMENT_BYTES } from "../../../registry/segment.ts";
import { backupPrefix, MANIFEST_NAME, parseManifest } from "../../backup/manifest.ts";
import { backUp } from "../../backup/run.ts";
import { Operations, readWholeSegment, TextUnavailable, type WholeSegment } from "../../backup/segments.ts";
import { backupStatus } from "../../backup/status.ts";
import type { Edge } from "../../edge.ts";
import { type Answer, jsonAnswer, provenance } from "../answer.ts";
import { readBody } from "../body.ts";
import { RegistryError, refusing } from "../errors.ts";
import type { NativeRequest } from "./request.ts";
import type { Shape } from "./shapes.ts";

const SEGMENT_MEDIA_TYPE = "application/gzip";
/** Segments per response; clients request more. Each takes up to a quarter of a second of CPU time. */
export const MAX_EXPORT_SEGMENTS = 100;
/** Applying a segment or replaying a whole log may take longer than the usual request deadline. */
const RESTORE_DEADLINE_MS = 60_000;
const RETRY_AFTER_SECONDS = 60;

export async function getBackup({ edge }: NativeRequest): Promise<Answer> {
  const head = await edge.primary.read("head", {});
  if (!head.ok) throw new RegistryError(head.refusal);
  const status = await backupStatus(edge.env, edge.tenant, head.value.asOf.seq).catch(() => {
    throw refusing("NOT_READY", "The report of the newest run is currently unreadable.", {
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  });
  const { lastFailure } = status;
  return jsonAnswer(
    200,
    {
      last_seq: status.lastSeq,
      log_seq: head.value.asOf.seq,
      lag_entries: status.lagEntries,
      exported_at: timestampOrNull(status.exportedAtMs),
      level_at: timestampOrNull(status.levelAtMs),
      last_failure: lastFailure && { at: timestampOrNull(lastFailure.atMs), message: lastFailure.message },
      bucket: await describeBucket(edge),
    },
    provenance(head.value.asOf, "primary"),
  );
}

/**
 * The manifest's contents; null if there is none or R2 is unreachable, because the rest of the status is still useful.
 */
async function describeBucket(edge: Edge) {
  const prefix = backupPrefix(edge.tenant, EPOCH);
  const text = await edge.env.BACKUPS.get(prefix + MANIFEST_NAME).then(
    (object) => object?.text(),
    () => undefined,
  );
  const manifest = text === undefined ? undefined : parseManifest(text);
  if (manifest === undefined || "problem" in manifest) return null;
  const { segments, last_seq, state, exported_at } = manifest;
  return {
    prefix,
    last_seq,
    exported_at,
    segments: segments.length,
    bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    state_seq: state?.seq ?? null,
  };
}

export async function runBackup({ edge }: NativeRequest): Promise<Answer> {
  const run = await backUp(edge, edge.tenant);
  if (run.ok)
    return jsonAnswer(200, { last_seq: run.value.lastSeq, exported: run.value.exported, more: run.value.more });
  throw refusing("NOT_READY", `The backup failed: ${run.refusal}`, { retryAfterSeconds: RETRY_AFTER_SECONDS });
}

/** The first segment is read before the response starts, so that an immediate failure gets its own status. */
export async function exportBackup({ edge, query }: NativeRequest): Promise<Answer> {
  const operations = new Operations();
  const read = (after: number) =>
    readWholeSegment(edge, edge.tenant, { after, upTo: Number.MAX_SAFE_INTEGER }, operations);
  const first = await read(query.after as number).catch((error: unknown) => {
    if (!(error instanceof TextUnavailable)) throw error;
    throw refusing("NOT_READY", error.message, { retryAfterSeconds: RETRY_AFTER_SECONDS });
  });
  const headers = provenance(first.asOf, "primary");
  if (!("segment" in first)) return { status: 204, headers, body: null };

  let next: WholeSegment | undefined = first;
  let left = MAX_EXPORT_SEGMENTS;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { encoded, last, more } = next!;
      controller.enqueue(encoded.bytes);
      left -= 1;
      const following = more && left > 0 && operations.allowSegment ? await read(last) : undefined;
      next = following !== undefined && "segment" in following ? following : undefined;
      if (next === undefined) controller.close();
    },
  });
  return {
    status: 200,
    headers: {
      ...headers,
      "Content-Type": SEGMENT_MEDIA_TYPE,
      "Content-Disposition": `attachment; filename="${edge.tenant}.backup.ndjson.gz"`,
    },
    body,
  };
}

export async function getBackupState({ edge }: NativeRequest): Promise<Answer> {
  const { state, leafHash, asOf } = await openPrimary(edge.env, edge.tenant, {
    deadlineMs: RESTORE_DEADLINE_MS,
  }).readState();
  return jsonAnswer<Shape<"BackupState">>(
    200,
    { seq: asOf.seq, leaf_hash: leafHash, state },
    provenance(asOf, "primary"),
  );
}

export async function restoreSegment({ edge, request }: NativeRequest): Promise<Answer> {
  const mediaType = request.headers.get("Content-Type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (mediaType !== SEGMENT_MEDIA_TYPE) {
    throw refusing("UNSUPPORTED_MEDIA_TYPE", `The body must be one segment of a backup, as ${SEGMENT_MEDIA_TYPE}.`);
  }
  const segment = await readBody(request, MAX_SEGMENT_BYTES);
  const answer = await openPrimary(edge.env, edge.tenant, { deadlineMs: RESTORE_DEADLINE_MS }).restoreSegment(segment);
  if (!answer.ok) throw new RegistryError(answer.refusal);
  const { first, last, appended } = answer.value;
  return jsonAnswer(200, { first, last, appended }, provenance(answer.asOf, "primary"));
}

export async function finishRestore({ edge, body }: NativeRequest): Promise<Answer> {
  const { seq, leaf_hash, state } = body as { seq: number; leaf_hash: string; state: StateDigests | null };
  const primary = openPrimary(edge.env, edge.tenant, { deadlineMs: RESTORE_DEADLINE_MS });
  const answer = await primary.finishRestore({ seq, leafHash: leaf_hash, state });
  if (!answer.ok) throw new RegistryError(answer.refusal);
  const proven = { seq, leaf_hash, ...answer.value };
  return jsonAnswer(200, proven, provenance(answer.asOf, "primary"));
}

export async function abandonRestore({ edge }: NativeRequest): Promise<Answer> {
  const answer = await openPrimary(edge.env, edge.tenant, { deadlineMs: RESTORE_DEADLINE_MS }).abandonRestore();
  if (!answer.ok) throw new RegistryError(answer.refusal);
  return jsonAnswer(200, { removed: answer.value.removed }, provenance(answer.asOf, "primary"));
}

function timestampOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
