/**
 * Signed batches of denied attempts in R2: JSON lines, the first of which holds a signed note with the digest of the others.
 * Batches are evidence; queries read Postgres.
 */
import { parseSigningSeeds } from "../../durable-objects/primary/checkpoints/checkpoints.ts";
import { logOrigin } from "../../registry/audit.ts";
import { type Denial, denialKey, mergeDenial } from "../../registry/denial.ts";
import { timestamp } from "../../registry/record-view.ts";
import { sha256Hex } from "../../schema/content-hash.ts";
import { makeSigner, printVerifier, type Signer, signNote } from "../../tlog/note.ts";
import type { Bindings } from "../edge.ts";

type RecordBindings = Pick<Bindings, "ACCESS_RECORD" | "CHECKPOINT_SIGNING_KEYS" | "LOG_ORIGIN">;

/** Objects of one R2 listing, and keys of one delete. */
const MAX_LISTED_BATCHES = 1_000;

const BATCH_ID_CHARACTERS = 32;

function accessRecordPrefix(tenant: string): string {
  return `${tenant}/access/`;
}

/** The same messages give the same object, so a redelivered batch replaces itself. */
export async function storeBatch(
  env: RecordBindings,
  tenant: string,
  messages: readonly { id: string; denials: readonly Denial[] }[],
): Promise<void> {
  const merged = new Map<string, Denial>();
  for (const { denials } of messages) for (const denial of denials) mergeDenial(merged, denial);
  const denials = [...merged.values()].sort(
    (a, b) => a.firstAtMs - b.firstAtMs || (denialKey(a) < denialKey(b) ? -1 : 1),
  );
  const ids = messages.map(({ id }) => id).sort();
  const id = sha256Hex(JSON.stringify([tenant, ids])).slice(0, BATCH_ID_CHARACTERS);
  const lines = denials.map((denial) => `${JSON.stringify(deniedJson(denial))}\n`).join("");
  const note = await signedNote(env, tenant, id, lines);
  const head = JSON.stringify({ v: 1, tenant, batch: id, messages: ids, denials: denials.length, note });
  const day = timestamp(denials[0]!.firstAtMs).slice(0, "2026-01-01".length);
  await env.ACCESS_RECORD.put(`${accessRecordPrefix(tenant)}${day}/${id}.ndjson`, `${head}\n${lines}`, {
    httpMetadata: { contentType: "application/x-ndjson" },
  });
}

/** Null if the deployment has no signing key. */
async function signedNote(env: RecordBindings, tenant: string, id: string, lines: string): Promise<string | null> {
  const signers = await signersOf(env, tenant);
  if (signers.length === 0) return null;
  return signNote(batchText(env, tenant, id, lines), signers);
}

/** Its first line differs from every checkpoint's, which the same keys sign. */
function batchText(env: RecordBindings, tenant: string, id: string, lines: string): string {
  return `${logOrigin(env.LOG_ORIGIN, tenant)}/access\n${id}\n${sha256Hex(lines)}\n`;
}

async function signersOf(env: RecordBindings, tenant: string): Promise<Signer[]> {
  const origin = logOrigin(env.LOG_ORIGIN, tenant);
  return Promise.all(parseSigningSeeds(env.CHECKPOINT_SIGNING_KEYS).map((seed) => makeSigner(origin, seed)));
}

/** The public keys that sign a tenant's batches now. */
export async function batchVerifiers(env: RecordBindings, tenant: string): Promise<string[]> {
  return (await signersOf(env, tenant)).map(({ verifier }) => printVerifier(verifier));
}

/** A denial as auditors read it. */
export function deniedJson(denial: Denial) {
  const { firstAtMs, lastAtMs, status, code, method, route, subject, actor, credential, address, network } = denial;
  return {
    type: "access.denied",
    at: timestamp(firstAtMs),
    last_at: timestamp(lastAtMs),
    count: denial.count,
    status,
    code,
    method,
    route,
    subject,
    actor,
    credential,
    address,
    network,
    request_id: denial.requestId,
  };
}

type ListedBatch = { id: string; day: string; bytes: number };

/** Oldest day first. */
export async function listBatches(
  env: RecordBindings,
  tenant: string,
  asked: { after: string | undefined; limit: number },
): Promise<{ batches: ListedBatch[]; next: string | null }> {
  const prefix = accessRecordPrefix(tenant);
  const { objects, truncated } = await env.ACCESS_RECORD.list({
    prefix,
    limit: asked.limit,
    ...(asked.after === undefined ? {} : { startAfter: `${prefix}${asked.after}.ndjson` }),
  });
  const batches = objects.flatMap(({ key, size }) => {
    const [, day, id] = BATCH_PATH.exec(key.slice(prefix.length)) ?? [];
    return day === undefined || id === undefined ? [] : [{ id, day, bytes: size }];
  });
  const last = batches.at(-1);
  return { batches, next: truncated && last ? `${last.day}/${last.id}` : null };
}

/** Whether a text names a batch as `<day>/<id>`. */
export function isBatchPath(text: string): boolean {
  return BATCH_PATH.test(`${text}.ndjson`);
}

const BATCH_PATH = /^(\d{4}-\d\d-\d\d)\/([0-9a-f]{32})\.ndjson$/;

/** Null if there is no such batch. */
export async function readBatch(env: RecordBindings, tenant: string, day: string, id: string) {
  const path = `${day}/${id}.ndjson`;
  return BATCH_PATH.test(path) ? env.ACCESS_RECORD.get(`${accessRecordPrefix(tenant)}${path}`) : null;
}

/** Deletes a page of batches from before a day; returns whether more may be left. */
export async function deleteOldBatches(env: RecordBindings, tenant: string, beforeDay: string): Promise<boolean> {
  const prefix = accessRecordPrefix(tenant);
  const { objects, truncated } = await env.ACCESS_RECORD.list({ prefix, limit: MAX_LISTED_BATCHES });
  const old = objects.map(({ key }) => key).filter((key) => key.slice(prefix.length) < beforeDay);
  if (old.length > 0) await env.ACCESS_RECORD.delete(old);
  return truncated && old.length === objects.length;
}
