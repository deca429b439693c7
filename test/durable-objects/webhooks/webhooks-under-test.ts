import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import type { WebhooksObject } from "../../../durable-objects/webhooks/object.ts";
import type { UpdateWebhookCommand } from "../../../registry/commands.ts";
import { type CommitAnswer, PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import type { WebhookEndpoint, WebhookSettings } from "../../../registry/webhook.ts";
import { Clock } from "../../support/clock.ts";
import { commit, type PrimaryStub, primaryWith, register } from "../primary/commands.ts";

export type WebhooksStub = DurableObjectStub<WebhooksObject>;

export type Received = {
  url: string;
  init: RequestInit;
  id: string;
  headers: Headers;
  body: string;
  event: { id: string; type: string };
};

/** The outside world: defines each endpoint's response and records the requests. */
export class Outside {
  readonly received: Received[] = [];
  /** Requests in flight. */
  open = 0;
  mostOpen = 0;
  answer: (request: Received, signal: AbortSignal | null | undefined) => Promise<Response> | Response = () =>
    new Response(null, { status: 204 });

  send = async (url: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    const body = init.body as string;
    const request = {
      url,
      init,
      id: headers.get("webhook-id")!,
      headers,
      body,
      event: JSON.parse(body) as Received["event"],
    };
    this.received.push(request);
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    try {
      return await this.answer(request, init.signal);
    } finally {
      this.open -= 1;
    }
  };

  /** Never responds, until the request is aborted. */
  static hang(signal: AbortSignal | null | undefined): Promise<Response> {
    return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error)));
  }

  /** Sorted by log order, because two deliveries to one endpoint may overtake each other. */
  idsTo(url: string): string[] {
    const ids = this.received.filter((request) => request.url === url).map(({ event }) => event.id);
    return ids.sort((one, other) => Number(one.split(".")[1]) - Number(other.split(".")[1]));
  }
}

/** A separate tenant with its primary, its webhooks, a clock and an outside world. */
export class WebhooksUnderTest {
  readonly clock = new Clock();
  readonly outside = new Outside();
  /** The source of the jitter. */
  chance = 0.5;
  attemptTimeoutMs = 10_000;
  eventsPerPage = 500;

  readonly primary: PrimaryStub;

  private constructor(primary: PrimaryStub) {
    this.primary = primary;
  }

  /** A fresh stub each time: one stays broken once the object was killed. */
  get object(): WebhooksStub {
    const namespace = (env as unknown as { WEBHOOKS: DurableObjectNamespace<WebhooksObject> }).WEBHOOKS;
    return namespace.getByName(this.primary.name!);
  }

  static async open(): Promise<WebhooksUnderTest> {
    const opened = new WebhooksUnderTest(await primaryWith());
    await opened.equip();
    return opened;
  }

  /** Sets the object's clock and outside world, as needed after every eviction. */
  async equip(): Promise<void> {
    await runInDurableObject(this.object, (object: WebhooksObject) => {
      object.now = this.clock.now;
      // Far in the future, so that only the test fires it.
      object.alarmAt = (atMs) => Date.now() + 3_600_000 + Math.max(0, atMs - this.clock.now());
      object.send = this.outside.send;
      object.random = () => this.chance;
      object.attemptTimeoutMs = this.attemptTimeoutMs;
      object.eventsPerPage = this.eventsPerPage;
    });
  }

  async create(more: Partial<WebhookSettings> = {}): Promise<WebhookEndpoint> {
    const webhook = { ...DEFAULTS, ...more };
    return outcomeOf(await commit(this.primary, { type: "createWebhook", webhook }));
  }

  async update(id: string, changes: UpdateWebhookCommand["changes"]): Promise<WebhookEndpoint> {
    const command = { type: "updateWebhook", id, changes, gone: false, ifMatchSeq: null } as const;
    return outcomeOf(await commit(this.primary, command));
  }

  async remove(id: string): Promise<void> {
    outcomeOf(await commit(this.primary, { type: "deleteWebhook", id }));
  }

  /** Registers a version of each subject and returns the seq of the last. */
  async registerIn(...subjects: string[]): Promise<number> {
    let seq = 0;
    for (const subject of subjects) seq = (await register(this.primary, subject, crypto.randomUUID())).record.seq;
    return seq;
  }

  async lastSeq(): Promise<number> {
    const answer = await this.primary.read({ v: PROTOCOL_VERSION, name: "head", args: {} });
    return (answer as { value: { asOf: { seq: number } } }).value.asOf.seq;
  }

  async nudge(upToSeq?: number): Promise<void> {
    await this.object.nudge({ v: PROTOCOL_VERSION, upToSeq: upToSeq ?? (await this.lastSeq()) });
  }

  /** Fires the alarm, as the runtime does at its time. */
  async ring(): Promise<void> {
    await runDurableObjectAlarm(this.object);
  }

  /** Follows the log and sends due deliveries. */
  async run(): Promise<void> {
    await this.nudge();
    await this.ring();
  }

  async deliveries(webhookId: string) {
    const { items } = await this.object.deliveries({ webhookId, status: null, before: null, limit: 1_000 });
    return items;
  }
}

export const URL_OF_ONE = "https://hooks.example.com/one";
export const DEFAULTS: WebhookSettings = {
  url: URL_OF_ONE,
  description: null,
  subjects: [],
  types: [],
  enabled: true,
  algorithms: ["hmac-sha256"],
};

function outcomeOf(answer: CommitAnswer): WebhookEndpoint {
  expect(answer).toMatchObject({ ok: true, value: { type: "done", outcome: { type: "webhook" } } });
  return (answer as unknown as { value: { outcome: { webhook: WebhookEndpoint } } }).value.outcome.webhook;
}
