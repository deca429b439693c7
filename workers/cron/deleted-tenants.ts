/**
 * Purges deleted tenants after a grace period: their objects, texts, backups, rows and access record. A run does a bounded
 * part; the directory notes the completion once a later run has found nothing left.
 */

import { purgeSomeRows } from "../../db/purge.ts";
import { callDirectory } from "../../durable-objects/directory/client.ts";
import { DIRECTORY_VERSION, type PurgeStep } from "../../durable-objects/directory/protocol.ts";
import { openObject } from "../../durable-objects/placement.ts";
import type { Purgeable } from "../../durable-objects/purge.ts";
import { errorFields, logLine } from "../../observe/log-line.ts";
import { DEFAULT_TENANT } from "../../registry/permission.ts";
import { PROTOCOL_VERSION } from "../../registry/rpc.ts";
import { forgetReport } from "../backup/status.ts";
import type { Bindings } from "../edge.ts";
import { parseSettings } from "../settings.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Tenants of one run; the others follow in the next ones. */
const MAX_PURGED_TENANTS = 10;
/** R2 listings and batches of rows of one tenant in one run: at most 20,000 objects and 100,000 rows. */
const MAX_STEPS = 20;
/** R2 lists and deletes this many objects at once. */
const OBJECTS_PER_STEP = 1_000;

/** Throws after all tenants were tried if any failed. */
export async function purgeDeletedTenants(env: Bindings, nowMs: number): Promise<void> {
  const deletedBeforeMs = nowMs - parseSettings(env).tenantPurgeAfterDays * DAY_MS;
  const args = { deletedBeforeMs, limit: MAX_PURGED_TENANTS };
  const due = await callDirectory(env, (directory) =>
    directory.ask({ v: DIRECTORY_VERSION, name: "tenantsToPurge", args }),
  );
  if (!due.ok) return;
  let failed = 0;
  for (const { name, isStarted } of due.value) {
    try {
      await purgeTenant(env, name, isStarted);
    } catch (error) {
      failed += 1;
      logLine("error", "A deleted tenant could not be purged.", { tenant: name, ...errorFields(error) });
    }
  }
  if (failed > 0) throw new Error(`${failed} deleted tenants could not be purged.`);
}

async function purgeTenant(env: Bindings, tenant: string, isStarted: boolean): Promise<void> {
  if (tenant === DEFAULT_TENANT) throw new Error("The default tenant is never deleted.");
  // In this order, because the first two ask the primary, and asking it creates it.
  for (const namespace of [env.WEBHOOKS, env.FEEDS, env.PRIMARIES]) {
    await (openObject(namespace, tenant) as Purgeable).purge({ v: PROTOCOL_VERSION });
  }
  const objects = { deleted: 0, left: false };
  for (const bucket of [env.TEXTS, env.BACKUPS, env.ACCESS_RECORD]) {
    const emptied = await emptyPrefix(bucket, `${tenant}/`);
    objects.deleted += emptied.deleted;
    objects.left ||= emptied.left;
  }
  await forgetReport(env, tenant);
  const rows = env.DATABASE_URL ? await deleteRows(env, tenant) : { deleted: 0, left: false };
  const found = objects.deleted + rows.deleted;
  // A run that follows another and finds nothing proves that late messages have written nothing meanwhile.
  const isDone = isStarted && found === 0 && !objects.left && !rows.left;
  const step: PurgeStep = { tenant, objects: objects.deleted, rows: rows.deleted, isDone };
  await callDirectory(env, (directory) => directory.notePurge({ v: DIRECTORY_VERSION, ...step }));
  if (isDone) logLine("info", "A deleted tenant has been purged.", { tenant });
}

async function emptyPrefix(
  bucket: Pick<R2Bucket, "list" | "delete">,
  prefix: string,
): Promise<{ deleted: number; left: boolean }> {
  let deleted = 0;
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const { objects, truncated } = await bucket.list({ prefix, limit: OBJECTS_PER_STEP });
    if (objects.length > 0) await bucket.delete(objects.map(({ key }) => key));
    deleted += objects.length;
    if (!truncated) return { deleted, left: false };
  }
  return { deleted, left: true };
}

async function deleteRows(env: Bindings, tenant: string): Promise<{ deleted: number; left: boolean }> {
  let deleted = 0;
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const rows = await purgeSomeRows(env, tenant);
    if (rows === 0) return { deleted, left: false };
    deleted += rows;
  }
  return { deleted, left: true };
}
