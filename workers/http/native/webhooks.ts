/** `/webhooks`: endpoints, their signing keys and their deliveries. */

import type { Delivery, DeliveryStatus, EndpointHealth } from "../../../durable-objects/webhooks/rpc.ts";
import { timestamp } from "../../../registry/record-view.ts";
import type { WebhookEndpoint, WebhookSettings } from "../../../registry/webhook.ts";
import {
  createWebhook,
  deleteWebhook,
  listDeliveries,
  listWebhooks,
  readWebhook,
  replayDeadLetters,
  replayDelivery,
  rotateWebhook,
  type ShownKey,
  testWebhook,
  updateWebhook,
  webhookHealth,
} from "../../registry/follow/webhooks.ts";
import { type Answer, jsonAnswer, provenance } from "../answer.ts";
import { requireValue } from "../errors.ts";
import { idempotencyKey, ifMatchSeq, textParameter } from "./fields.ts";
import type { NativeRequest } from "./request.ts";
import { parseTime } from "./rule-books.ts";
import type { Shape } from "./shapes.ts";

export async function postWebhook(request: NativeRequest): Promise<Answer> {
  const { edge, caller } = request;
  const field = request.body as Shape<"NewWebhook">;
  const webhook: WebhookSettings = {
    description: null,
    subjects: [],
    types: [],
    enabled: true,
    algorithms: ["hmac-sha256"],
    ...field,
  };
  const shown = requireValue(await createWebhook(edge, caller, webhook, idempotencyKey(request)));
  const headers = addETag(shown.webhook, provenance(shown.asOf, "primary"));
  return jsonAnswer(201, { ...webhookJson(shown.webhook, shown.keys), secret: currentSecret(shown.keys) }, headers);
}

export async function getWebhooks({ edge }: NativeRequest): Promise<Answer> {
  const { items, asOf } = requireValue(await listWebhooks(edge));
  return jsonAnswer(
    200,
    { items: items.map(({ webhook, keys }) => webhookJson(webhook, keys)) },
    provenance(asOf, "primary"),
  );
}

export async function getWebhook({ edge, path }: NativeRequest): Promise<Answer> {
  const id = path.webhook!;
  const { webhook, keys, asOf } = requireValue(await readWebhook(edge, id, { secrets: false }));
  const health = requireValue(await webhookHealth(edge, id));
  return jsonAnswer(
    200,
    { ...webhookJson(webhook, keys), health: healthJson(health) },
    addETag(webhook, provenance(asOf, "primary")),
  );
}

export async function patchWebhook(request: NativeRequest): Promise<Answer> {
  const { edge, caller, path } = request;
  const changes = request.body as Shape<"WebhookChanges">;
  const wanted = { id: path.webhook!, changes, ifMatchSeq: ifMatchSeq(request) };
  const { webhook, keys, asOf } = requireValue(await updateWebhook(edge, caller, wanted, idempotencyKey(request)));
  return jsonAnswer(200, webhookJson(webhook, keys), addETag(webhook, provenance(asOf, "primary")));
}

export async function removeWebhook(request: NativeRequest): Promise<Answer> {
  const { edge, caller, path } = request;
  const asOf = requireValue(await deleteWebhook(edge, caller, path.webhook!, idempotencyKey(request)));
  return { status: 204, headers: provenance(asOf, "primary"), body: null };
}

export async function postRotation(request: NativeRequest): Promise<Answer> {
  const { edge, caller, path } = request;
  const shown = requireValue(await rotateWebhook(edge, caller, path.webhook!, idempotencyKey(request)));
  return jsonAnswer(
    200,
    { ...webhookJson(shown.webhook, shown.keys), secret: currentSecret(shown.keys) },
    addETag(shown.webhook, provenance(shown.asOf, "primary")),
  );
}

export async function getSecret({ edge, path }: NativeRequest): Promise<Answer> {
  const shown = requireValue(await readWebhook(edge, path.webhook!, { secrets: true }));
  const keys = shown.keys.map((key) => ({ ...keyJson(key), ...(key.secret === null ? {} : { secret: key.secret }) }));
  return jsonAnswer(200, { keys }, provenance(shown.asOf, "primary"));
}

export async function postTest(request: NativeRequest): Promise<Answer> {
  const { edge, caller, path } = request;
  const delivery = requireValue(await testWebhook(edge, caller, path.webhook!, idempotencyKey(request)));
  return jsonAnswer<Shape<"Delivery">>(200, deliveryJson(delivery));
}

export async function getDeliveries(request: NativeRequest): Promise<Answer> {
  const { edge, path, query } = request;
  const page = requireValue(
    await listDeliveries(edge, {
      id: path.webhook!,
      status: (query.status as DeliveryStatus | undefined) ?? null,
      limit: query.limit as number,
      cursor: textParameter(request, "cursor"),
    }),
  );
  const next = page.nextCursor === undefined ? {} : { next_cursor: page.nextCursor };
  return jsonAnswer<Shape<"DeliveryPage">>(
    200,
    { items: page.items.map(deliveryJson), ...next },
    provenance(page.asOf, "primary"),
  );
}

export async function postReplayOfOne(request: NativeRequest): Promise<Answer> {
  const { edge, caller, path } = request;
  const wanted = { id: path.webhook!, deliveryId: path.delivery! };
  const { delivery, asOf } = requireValue(await replayDelivery(edge, caller, wanted, idempotencyKey(request)));
  return jsonAnswer<Shape<"Delivery">>(200, deliveryJson(delivery), provenance(asOf, "primary"));
}

export async function postReplay(request: NativeRequest): Promise<Answer> {
  const { edge, caller, path, body } = request;
  const { since, since_seq } = body as Shape<"ReplayRequest">;
  const { replayed, remaining, asOf } = requireValue(
    await replayDeadLetters(
      edge,
      caller,
      {
        id: path.webhook!,
        sinceSeq: since_seq ?? null,
        sinceMs: since === undefined ? null : parseTime(since, "/since"),
      },
      idempotencyKey(request),
    ),
  );
  return jsonAnswer<Shape<"Replayed">>(200, { replayed, remaining }, provenance(asOf, "primary"));
}

function webhookJson(webhook: WebhookEndpoint, keys: readonly ShownKey[]) {
  const { id, url, description, subjects, types, enabled, disabledBy, algorithms, seq } = webhook;
  return {
    id,
    url,
    description,
    subjects,
    types,
    enabled,
    disabled_by: disabledBy,
    algorithms,
    keys: keys.map(keyJson),
    created_at: timestamp(webhook.createdAtMs),
    created_by: webhook.createdBy,
    updated_at: timestamp(webhook.updatedAtMs),
    seq,
  };
}

function keyJson({ generation, createdAtMs, signsUntilMs, publicKey }: ShownKey) {
  return {
    generation,
    created_at: timestamp(createdAtMs),
    signs_until: optionalTime(signsUntilMs),
    ...(publicKey === null ? {} : { public_key: publicKey }),
  };
}

/** The newest key's secret; absent if no algorithm uses a secret. */
function currentSecret(keys: readonly ShownKey[]): string | undefined {
  return keys.at(-1)?.secret ?? undefined;
}

function healthJson(health: EndpointHealth) {
  return {
    circuit: health.circuit,
    consecutive_failures: health.consecutiveFailures,
    open_until: optionalTime(health.openUntilMs),
    pending: health.pending,
    dead: health.dead,
    last_delivered_at: optionalTime(health.lastDeliveredAtMs),
  };
}

function deliveryJson(delivery: Delivery) {
  const { id, eventId, seq, type, subject, status, attempts } = delivery;
  return {
    id,
    event_id: eventId,
    seq,
    type,
    subject,
    status,
    event_at: timestamp(delivery.eventAtMs),
    next_attempt_at: optionalTime(delivery.nextAttemptAtMs),
    expires_at: timestamp(delivery.expiresAtMs),
    attempts: attempts.map(({ atMs, latencyMs, ...attempt }) => ({
      at: timestamp(atMs),
      status: attempt.status,
      latency_ms: latencyMs,
      error: attempt.error,
    })),
  };
}

function optionalTime(ms: number | null): string | null {
  return ms === null ? null : timestamp(ms);
}

function addETag({ seq }: WebhookEndpoint, headers: Record<string, string>): Record<string, string> {
  return { ...headers, ETag: `"${seq}"` };
}
