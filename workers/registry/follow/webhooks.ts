/** Webhooks: the primary owns endpoints, the webhooks object owns deliveries, and keys are derived here for display. */

import { type ErrorItem, makeRefusal, type Refusal } from "../../../contract/errors.ts";
import { PRIMARY_DEADLINE_MS } from "../../../durable-objects/primary/client.ts";
import { readWebhookUrl } from "../../../durable-objects/webhooks/address.ts";
import { signingKeys, signsUntilMs } from "../../../durable-objects/webhooks/keys.ts";
import type {
  Delivery,
  DeliveryStatus,
  EndpointHealth,
  OnceKey,
  Webhooks,
} from "../../../durable-objects/webhooks/rpc.ts";
import { ed25519PublicKey, hmacSecret } from "../../../durable-objects/webhooks/signing.ts";
import { EVENT_TYPE_PREFIX } from "../../../registry/cloud-event.ts";
import type { Command } from "../../../registry/commands.ts";
import { withinDeadline } from "../../../registry/deadline.ts";
import { type AsOf, ENTRY_TYPES } from "../../../registry/log-entry.ts";
import { type Caller, PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import {
  MAX_WEBHOOK_SUBJECTS_CHARACTERS,
  type WebhookEndpoint,
  type WebhookSettings,
} from "../../../registry/webhook.ts";
import { sha256Hex } from "../../../schema/content-hash.ts";
import { matchesGlob } from "../../../schema/glob.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { Edge } from "../../edge.ts";
import { parseCursor, printCursor } from "../read/cursor.ts";
import { commitCommand } from "../write/commit.ts";
import { openWebhooks } from "./followers.ts";

/** A generation of an endpoint's keys, as shown to the caller. */
export type ShownKey = {
  generation: number;
  createdAtMs: number;
  /** Until when it signs alongside a newer one; null for the current one. */
  signsUntilMs: number | null;
  /** `whsec_…`; null if the endpoint does not use it or the caller did not request it. */
  secret: string | null;
  /** `whpk_…`; null if the endpoint does not use it. */
  publicKey: string | null;
};

type ShownWebhook = { webhook: WebhookEndpoint; keys: ShownKey[]; asOf: AsOf };
type Options = { idempotencyKey?: string | undefined };

/** Creates an endpoint and returns its first keys, including the secret. */
export async function createWebhook(
  edge: Edge,
  caller: Caller,
  webhook: WebhookSettings,
  options: Options,
): Promise<Result<ShownWebhook, Refusal>> {
  const checked = checkedSettings(edge, webhook);
  if (!checked.ok) return checked;
  const command: Command = { type: "createWebhook", webhook: { ...webhook, ...checked.value } };
  return committed(edge, caller, command, true, options);
}

export async function updateWebhook(
  edge: Edge,
  caller: Caller,
  { id, changes, ifMatchSeq }: { id: string; changes: Partial<WebhookSettings>; ifMatchSeq: number | null },
  options: Options,
): Promise<Result<ShownWebhook, Refusal>> {
  const checked = checkedSettings(edge, changes);
  if (!checked.ok) return checked;
  const command: Command = { type: "updateWebhook", id, changes: checked.value, gone: false, ifMatchSeq };
  return committed(edge, caller, command, false, options);
}

/** Creates new keys for an endpoint; the previous ones keep signing for a day. */
export async function rotateWebhook(
  edge: Edge,
  caller: Caller,
  id: string,
  options: Options,
): Promise<Result<ShownWebhook, Refusal>> {
  return committed(edge, caller, { type: "rotateWebhook", id }, true, options);
}

export async function deleteWebhook(
  edge: Edge,
  caller: Caller,
  id: string,
  options: Options,
): Promise<Result<AsOf, Refusal>> {
  const done = await commitCommand(edge, caller, { type: "deleteWebhook", id }, options);
  if (!done.ok) return done;
  nudgeWebhooks(edge, done.value.asOf.seq);
  return ok(done.value.asOf);
}

/** Oldest first, without secrets. */
export async function listWebhooks(
  edge: Edge,
): Promise<Result<{ items: Omit<ShownWebhook, "asOf">[]; asOf: AsOf }, Refusal>> {
  const answer = await edge.primary.read("webhooks", {});
  if (!answer.ok) return answer;
  const items = await Promise.all(
    answer.value.value.map(async (webhook) => ({ webhook, keys: await shownKeys(edge, webhook, false) })),
  );
  return ok({ items, asOf: answer.value.asOf });
}

export async function readWebhook(
  edge: Edge,
  id: string,
  options: { secrets: boolean },
): Promise<Result<ShownWebhook, Refusal>> {
  if (options.secrets) {
    const missing = missingKey(edge);
    if (missing) return refuse(missing);
  }
  const found = await findWebhook(edge, id);
  if (!found.ok) return found;
  const keys = await shownKeys(edge, found.value.webhook, options.secrets);
  return ok({ webhook: found.value.webhook, keys, asOf: found.value.asOf });
}

export async function webhookHealth(edge: Edge, id: string): Promise<Result<EndpointHealth, Refusal>> {
  return askWebhooks(edge, async (webhooks) => ok(await webhooks.health({ webhookId: id })));
}

type DeliveryPage = { items: Delivery[]; nextCursor: string | undefined; asOf: AsOf };

/** Newest first. */
export async function listDeliveries(
  edge: Edge,
  {
    id,
    status,
    limit,
    cursor,
  }: { id: string; status: DeliveryStatus | null; limit: number; cursor: string | undefined },
): Promise<Result<DeliveryPage, Refusal>> {
  const start = cursor === undefined ? undefined : parseCursor("deliveries", cursor);
  if (start?.ok === false) return start;
  const found = await findWebhook(edge, id);
  if (!found.ok) return found;
  const before = (start?.value[0] as number | undefined) ?? null;
  const page = await askWebhooks(edge, async (webhooks) =>
    ok(await webhooks.deliveries({ webhookId: id, status, before, limit })),
  );
  if (!page.ok) return page;
  const { items, next } = page.value;
  const nextCursor = next === null ? undefined : printCursor("deliveries", [next]);
  return ok({ items, nextCursor, asOf: found.value.asOf });
}

/** Repeats a delivery in any state. */
export async function replayDelivery(
  edge: Edge,
  caller: Caller,
  { id, deliveryId }: { id: string; deliveryId: string },
  options: Options,
): Promise<Result<{ delivery: Delivery; asOf: AsOf }, Refusal>> {
  const found = await findWebhook(edge, id);
  if (!found.ok) return found;
  const once = onceKey(caller, ["replay", id, deliveryId], null, options);
  const delivery = await askWebhooks(edge, (webhooks) => webhooks.replay({ webhookId: id, deliveryId, once }));
  return delivery.ok ? ok({ delivery: delivery.value, asOf: found.value.asOf }) : delivery;
}

/** Repeats deliveries that were given up. */
export async function replayDeadLetters(
  edge: Edge,
  caller: Caller,
  { id, sinceSeq, sinceMs }: { id: string; sinceSeq: number | null; sinceMs: number | null },
  options: Options,
): Promise<Result<{ replayed: number; remaining: number; asOf: AsOf }, Refusal>> {
  const found = await findWebhook(edge, id);
  if (!found.ok) return found;
  const once = onceKey(caller, ["replayDead", id], [sinceSeq, sinceMs], options);
  const answer = await askWebhooks(edge, (webhooks) => webhooks.replayDead({ webhookId: id, sinceSeq, sinceMs, once }));
  return answer.ok ? ok({ ...answer.value, asOf: found.value.asOf }) : answer;
}

/** Sends a test delivery and returns its result. */
export async function testWebhook(
  edge: Edge,
  caller: Caller,
  id: string,
  options: Options,
): Promise<Result<Delivery, Refusal>> {
  const missing = missingKey(edge);
  if (missing) return refuse(missing);
  const { actor, requestId } = caller;
  const once = onceKey(caller, ["test", id], null, options);
  return askWebhooks(edge, (webhooks) => webhooks.sendTest({ webhookId: id, actor, requestId, once }));
}

/** These requests change nothing in the log, so the webhooks object remembers their results. */
function onceKey(
  { actor }: Caller,
  target: readonly string[],
  asked: unknown,
  { idempotencyKey }: Options,
): OnceKey | undefined {
  if (idempotencyKey === undefined) return undefined;
  return {
    key: sha256Hex(JSON.stringify([actor, idempotencyKey, ...target])),
    digest: sha256Hex(JSON.stringify(asked)),
  };
}

async function committed(
  edge: Edge,
  caller: Caller,
  command: Command,
  secrets: boolean,
  options: Options,
): Promise<Result<ShownWebhook, Refusal>> {
  const missing = missingKey(edge);
  if (missing) return refuse(missing);
  const done = await commitCommand(edge, caller, command, options);
  if (!done.ok) return done;
  if (done.value.outcome.type !== "webhook")
    throw new Error(`A webhook's command had the unexpected outcome ${done.value.outcome.type}.`);
  nudgeWebhooks(edge, done.value.asOf.seq);
  const { webhook } = done.value.outcome;
  return ok({ webhook, keys: await shownKeys(edge, webhook, secrets), asOf: done.value.asOf });
}

async function findWebhook(edge: Edge, id: string): Promise<Result<{ webhook: WebhookEndpoint; asOf: AsOf }, Refusal>> {
  const answer = await edge.primary.read("webhook", { id });
  if (!answer.ok) return answer;
  const { value, asOf } = answer.value;
  return value === null
    ? refuse(makeRefusal("WEBHOOK_NOT_FOUND", [id], `There is no webhook with id ${id}.`))
    : ok({ webhook: value, asOf });
}

/** Oldest first. Without the operator's key nothing can be derived, and only numbers are shown. */
async function shownKeys(
  { settings, now, tenant }: Pick<Edge, "settings" | "now" | "tenant">,
  webhook: WebhookEndpoint,
  secrets: boolean,
): Promise<ShownKey[]> {
  const { webhookSigningKey } = settings;
  const { id, algorithms, keys } = webhook;
  const signing = signingKeys(webhook, now()).toReversed();
  return Promise.all(
    signing.map(async (key) => {
      const owner = { tenant, webhookId: id, generation: key.generation };
      const has = (algorithm: (typeof algorithms)[number]) => algorithms.includes(algorithm) && webhookSigningKey;
      return {
        ...key,
        signsUntilMs: signsUntilMs(keys, keys.indexOf(key)),
        secret: secrets && webhookSigningKey && has("hmac-sha256") ? hmacSecret(webhookSigningKey, owner) : null,
        publicKey: webhookSigningKey && has("ed25519") ? await ed25519PublicKey(webhookSigningKey, owner) : null,
      };
    }),
  );
}

/** Without the signing key nothing can be sent, so operations that lead to a delivery are refused. */
function missingKey({ settings }: Edge): Refusal | undefined {
  if (settings.webhookSigningKey !== undefined) return undefined;
  const detail =
    "Webhooks are disabled: the operator has not set WEBHOOK_SIGNING_KEY, from which signing keys are derived.";
  return makeRefusal("NOT_READY", [detail], detail);
}

/** The normalised settings (URL as requested, types without prefix), or all their problems. */
function checkedSettings(
  { settings }: Edge,
  given: Partial<WebhookSettings>,
): Result<Partial<WebhookSettings>, Refusal> {
  const items: ErrorItem[] = [];
  const url = given.url === undefined ? undefined : readWebhookUrl(given.url, settings.webhookUrls);
  if (url?.ok === false) items.push({ pointer: "/url", rule: "webhook_url", message: url.refusal });
  const characters = (given.subjects ?? []).reduce((sum, glob) => sum + glob.length, 0);
  if (characters > MAX_WEBHOOK_SUBJECTS_CHARACTERS) {
    const message = `All globs together may have at most ${MAX_WEBHOOK_SUBJECTS_CHARACTERS} characters, these have ${characters}.`;
    items.push({ pointer: "/subjects", rule: "subjects_length", message });
  }
  const types = given.types?.map((type) =>
    type.startsWith(EVENT_TYPE_PREFIX) ? type.slice(EVENT_TYPE_PREFIX.length) : type,
  );
  for (const [index, type] of (types ?? []).entries()) {
    if (ENTRY_TYPES.some((known) => matchesGlob(type, known))) continue;
    const message = `No event type matches "${type}"; known types: ${ENTRY_TYPES.join(", ")}.`;
    items.push({ pointer: `/types/${index}`, rule: "event_type", message });
  }
  const [first] = items;
  if (first)
    return refuse(makeRefusal("UNPROCESSABLE", [first.message], `The webhook is invalid: ${first.message}`, { items }));
  return ok({ ...given, ...(url?.ok ? { url: url.value } : {}), ...(types ? { types } : {}) });
}

/** The object's answer, or a refusal if it is unreachable. Exceptions from its code are bugs and are rethrown. */
async function askWebhooks<T extends object>(
  edge: Edge,
  ask: (webhooks: Webhooks) => Promise<Result<T, Refusal>>,
): Promise<Result<T, Refusal>> {
  try {
    return await withinDeadline(PRIMARY_DEADLINE_MS, ask(openWebhooks(edge.env, edge.tenant)), () =>
      refuse(outOfReach()),
    );
  } catch (error) {
    if ((error as { remote?: unknown }).remote === true) throw error;
    return refuse(outOfReach());
  }
}

function outOfReach(): Refusal {
  const detail = "Webhook deliveries are currently unreachable: retry the request.";
  return makeRefusal("NOT_READY", [detail], detail, { retryAfterSeconds: 1 });
}

/** Runs in the background, so that the change applies to the next event; the queue's nudge follows anyway. */
function nudgeWebhooks(edge: Edge, upToSeq: number): void {
  const nudging = openWebhooks(edge.env, edge.tenant).nudge({ v: PROTOCOL_VERSION, upToSeq });
  edge.waitUntil(nudging.catch(() => undefined));
}
