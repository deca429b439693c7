/**
 * Webhook endpoints: created, changed, rotated and deleted in one call each. Whether a URL is allowed is checked by the
 * edge, which has the settings.
 */
import type {
  CreateWebhookCommand,
  DeleteWebhookCommand,
  RotateWebhookCommand,
  UpdateWebhookCommand,
} from "../../../registry/commands.ts";
import {
  MAX_WEBHOOKS,
  type StoredEndpoint,
  type WebhookEndpoint,
  type WebhookSettings,
} from "../../../registry/webhook.ts";
import { ok } from "../../../schema/result.ts";
import { KEY_OVERLAP_MS, MAX_SIGNING_KEYS, signingKeys } from "../../webhooks/keys.ts";
import { type DecidedEntry, type Deciding, type Decision, type Refused, refused } from "./decision.ts";

const GONE = "The endpoint answered 410 Gone.";

export function decideCreateWebhook({ state, nowMs, newId }: Deciding, { webhook }: CreateWebhookCommand): Decision {
  if (state.webhooks().length >= MAX_WEBHOOKS) {
    const detail = `There are already ${MAX_WEBHOOKS} webhooks, the maximum: delete one first.`;
    return refused("CONFLICT", [detail], detail);
  }
  const id = newId();
  const keys = [{ generation: 1, createdAtMs: nowMs }];
  return writing(id, { ...webhook, disabledBy: webhook.enabled ? null : "administrator", keys }, null);
}

export function decideUpdateWebhook({ state }: Deciding, command: UpdateWebhookCommand): Decision {
  const webhook = state.webhook(command.id);
  if (!webhook) return noWebhook(command.id);
  if (command.ifMatchSeq !== null && command.ifMatchSeq !== webhook.seq) {
    const detail = `Webhook ${webhook.id} has changed since: it is at "${webhook.seq}", not at "${command.ifMatchSeq}".`;
    return refused("PRECONDITION_FAILED", [detail], detail);
  }
  const before = stored(webhook);
  const changed = { ...before, ...command.changes };
  const disabledBy = changed.enabled ? null : (before.disabledBy ?? (command.gone ? "gone" : "administrator"));
  const after = { ...changed, disabledBy };
  if (JSON.stringify(after) === JSON.stringify(before)) return unchanged(webhook);
  return writing(webhook.id, after, command.gone ? GONE : null);
}

export function decideRotateWebhook({ state, nowMs }: Deciding, { id }: RotateWebhookCommand): Decision {
  const webhook = state.webhook(id);
  if (!webhook) return noWebhook(id);
  const signing = signingKeys(webhook, nowMs).toReversed();
  if (signing.length >= MAX_SIGNING_KEYS) {
    const hours = KEY_OVERLAP_MS / 3_600_000;
    const detail = `${MAX_SIGNING_KEYS} keys of webhook ${id} already sign; a rotated-out key keeps signing for ${hours} hours.`;
    return refused("CONFLICT", [detail], detail);
  }
  const generation = webhook.keys.at(-1)!.generation + 1;
  return writing(id, { ...stored(webhook), keys: [...signing, { generation, createdAtMs: nowMs }] }, null);
}

export function decideDeleteWebhook({ state }: Deciding, { id }: DeleteWebhookCommand): Decision {
  const webhook = state.webhook(id);
  if (!webhook) return noWebhook(id);
  return ok({
    type: "done",
    entries: [entry(id, null, null)],
    texts: [],
    outcome: () => ({ type: "webhook", webhook }),
  });
}

function writing(id: string, endpoint: StoredEndpoint, reason: string | null): Decision {
  return ok({
    type: "done",
    entries: [entry(id, endpoint, reason)],
    texts: [],
    outcome: (after) => ({ type: "webhook", webhook: after.webhook(id)! }),
  });
}

function unchanged(webhook: WebhookEndpoint): Decision {
  return ok({ type: "done", entries: [], texts: [], outcome: () => ({ type: "webhook", webhook }) });
}

function entry(id: string, endpoint: StoredEndpoint | null, reason: string | null): DecidedEntry {
  return { type: "webhook.changed", subject: null, payload: { v: 1, id, endpoint, reason } };
}

function stored(webhook: WebhookEndpoint): StoredEndpoint {
  const { url, description, subjects, types, enabled, algorithms, disabledBy, keys } = webhook;
  const settings: WebhookSettings = { url, description, subjects, types, enabled, algorithms };
  return { ...settings, disabledBy, keys };
}

function noWebhook(id: string): Refused {
  return refused("WEBHOOK_NOT_FOUND", [id], `There is no webhook with id ${id}.`);
}
