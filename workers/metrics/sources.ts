/** Figures read at the time of a scrape. Each source has a deadline; an unavailable one only drops its own metrics. */

import { openPrimary } from "../../durable-objects/primary/client.ts";
import type { AskedName } from "../../observe/metrics.ts";
import { PROTOCOL_VERSION } from "../../registry/rpc.ts";
import { backupStatus } from "../backup/status.ts";
import type { Bindings } from "../edge.ts";
import { openFeed, openWebhooks } from "../registry/follow/followers.ts";
import { readModelStatus } from "../registry/read-model/read-model.ts";
import { answerWithin } from "./deadline.ts";

/** Below a scraper's usual ten seconds. */
export const SOURCE_DEADLINE_MS = 3_000;

/** One sample; `label` is the value of the second label, if there is one. */
type Reading = { metric: AskedName; value: number; label?: string };
type Source = (env: Bindings, tenant: string, tipSeq: number) => Promise<Reading[]>;

async function readFeed(env: Bindings, tenant: string, tipSeq: number): Promise<Reading[]> {
  const status = await openFeed(env, tenant).status({ v: PROTOCOL_VERSION });
  return [
    { metric: "registry_feed_subscribers", value: status.subscribers },
    { metric: "registry_feed_stalled_subscribers", value: status.stalled },
    { metric: "registry_feed_sent_total", value: status.sent },
    { metric: "registry_feed_dropped_subscribers_total", value: status.droppedSlow },
    ...(status.tip === null
      ? []
      : [{ metric: "registry_feed_lag_entries" as const, value: Math.max(0, tipSeq - status.tip) }]),
  ];
}

async function readWebhooks(env: Bindings, tenant: string, tipSeq: number): Promise<Reading[]> {
  const { endpoints, counters, ...status } = await openWebhooks(env, tenant).status();
  return [
    { metric: "registry_webhook_endpoints", label: "enabled", value: endpoints.enabled },
    { metric: "registry_webhook_endpoints", label: "disabled", value: endpoints.disabled },
    { metric: "registry_webhook_circuits_open", value: status.circuitsOpen },
    { metric: "registry_webhook_pending_deliveries", value: status.pending },
    { metric: "registry_webhook_oldest_pending_seconds", value: (status.oldestPendingMs ?? 0) / 1_000 },
    { metric: "registry_webhook_dead_letters", value: status.deadLetters },
    // Without endpoints the object receives no nudges.
    { metric: "registry_webhook_lag_entries", value: endpoints.enabled === 0 ? 0 : Math.max(0, tipSeq - status.seq) },
    ...Object.entries(counters).map(([outcome, value]) => ({
      metric: "registry_webhook_outcomes_total" as const,
      label: outcome,
      value,
    })),
  ];
}

async function readBackup(env: Bindings, tenant: string, tipSeq: number): Promise<Reading[]> {
  const { levelAtMs, exportedAtMs, lagEntries, lastFailure } = await backupStatus(env, tenant, tipSeq);
  return [
    { metric: "registry_backup_lag_entries", value: lagEntries },
    { metric: "registry_backup_failing", value: lastFailure === null ? 0 : 1 },
    ...inSeconds("registry_backup_last_level_timestamp_seconds", levelAtMs),
    ...inSeconds("registry_backup_last_export_timestamp_seconds", exportedAtMs),
  ];
}

async function readReplication(env: Bindings, tenant: string): Promise<Reading[]> {
  const { lagEntries, lagSeconds, parkedCount } = await readModelStatus(env, tenant, Date.now());
  return [
    { metric: "registry_replication_lag_entries", value: lagEntries },
    { metric: "registry_replication_lag_seconds", value: lagSeconds },
    { metric: "registry_replication_parked_entries", value: parkedCount },
  ];
}

function inSeconds(metric: AskedName, atMs: number | null): Reading[] {
  return atMs === null ? [] : [{ metric, value: atMs / 1_000 }];
}

/** Followers of the log, compared with its tip. Without a database there is no read model. */
function followersOf({ DATABASE_URL }: Bindings): Readonly<Record<string, Source>> {
  const followers = { feed: readFeed, webhooks: readWebhooks, backup: readBackup };
  return DATABASE_URL ? { ...followers, read_model: readReplication } : followers;
}

export type Asked = { readings: Reading[]; up: Readonly<Record<string, boolean>> };

/** Asks the primary first, for the tip that the others are compared with, then the rest in parallel. */
export async function askSources(env: Bindings, tenant: string): Promise<Asked> {
  const primary = openPrimary(env, tenant, { deadlineMs: SOURCE_DEADLINE_MS });
  const [head, storage] = await Promise.all([
    answerWithin(SOURCE_DEADLINE_MS, primary.read("head", {})),
    answerWithin(SOURCE_DEADLINE_MS, primary.storageBytes()),
  ]);
  const tipSeq = head === undefined || !head.ok ? undefined : head.value.asOf.seq;
  const readings: Reading[] = [];
  if (tipSeq !== undefined) readings.push({ metric: "registry_log_seq", value: tipSeq });
  if (storage !== undefined) {
    readings.push({ metric: "registry_storage_used_bytes", value: storage.used });
    readings.push({ metric: "registry_storage_limit_bytes", value: storage.limit });
  }
  const up: Record<string, boolean> = { primary: tipSeq !== undefined && storage !== undefined };
  await Promise.all(
    Object.entries(followersOf(env)).map(async ([name, source]) => {
      // Without the tip a lag would be wrong, so followers are left out too.
      const found =
        tipSeq === undefined ? undefined : await answerWithin(SOURCE_DEADLINE_MS, source(env, tenant, tipSeq));
      up[name] = found !== undefined;
      if (found !== undefined) readings.push(...found);
    }),
  );
  return { readings, up };
}
