/** The primary's table of endpoints: read here, and written only on behalf of apply.ts. */
import type { LogHeader } from "../../../registry/log-entry.ts";
import type { StoredEndpoint, WebhookEndpoint } from "../../../registry/webhook.ts";

type WebhookRow = {
  webhook_key: number;
  id: string;
  endpoint: string;
  created_at: number;
  created_by: string;
  updated_at: number;
  updated_seq: number;
};

/** Oldest first. */
export function readWebhooks(sql: SqlStorage): WebhookEndpoint[] {
  return sql.exec<WebhookRow>("SELECT * FROM webhooks ORDER BY webhook_key").toArray().map(toEndpoint);
}

export function loadWebhook(sql: SqlStorage, id: string): WebhookEndpoint | undefined {
  return sql.exec<WebhookRow>("SELECT * FROM webhooks WHERE id = ?", id).toArray().map(toEndpoint)[0];
}

/** Advances the table by one entry. */
export function setWebhook(sql: SqlStorage, header: LogHeader, id: string, endpoint: StoredEndpoint | null): void {
  if (endpoint === null) {
    sql.exec("DELETE FROM webhooks WHERE id = ?", id);
    return;
  }
  sql.exec(
    `INSERT INTO webhooks (webhook_key, id, endpoint, created_at, created_by, updated_at, updated_seq)
     VALUES (?1, ?2, ?3, ?4, ?5, ?4, ?1)
     ON CONFLICT (id) DO UPDATE SET endpoint = excluded.endpoint,
       updated_at = excluded.updated_at, updated_seq = excluded.updated_seq`,
    header.seq,
    id,
    JSON.stringify(endpoint),
    header.at,
    header.actor,
  );
}

function toEndpoint(row: WebhookRow): WebhookEndpoint {
  return {
    id: row.id,
    ...(JSON.parse(row.endpoint) as StoredEndpoint),
    createdSeq: row.webhook_key,
    createdAtMs: row.created_at,
    createdBy: row.created_by,
    updatedAtMs: row.updated_at,
    seq: row.updated_seq,
  };
}
