/** A deployment with access control, from the callers' view: every request names its credential. */
import { makeFirstKey, makeHashKey } from "../../scripts/access-vars.ts";
import { HeldDenials } from "../../workers/access-record/held-denials.ts";
import type { Bindings } from "../../workers/edge.ts";
import { createApp } from "../../workers/http/app.ts";
import { Clock } from "./clock.ts";

export type Answered = { status: number; headers: Headers; body: Record<string, unknown>; text: string };

type CallOptions = {
  /** Sent as a bearer token. */
  key?: string | undefined;
  headers?: Record<string, string>;
  body?: unknown;
  ip?: string;
};

export class GuardedRegistry {
  /** The administrator of a new deployment. */
  readonly admin: string;
  readonly clock = new Clock();
  readonly env: Bindings;
  #app: ReturnType<typeof createApp>;
  #background: Promise<unknown>[] = [];

  readonly #sendDenialsEveryMs: number | undefined;

  constructor(env: Bindings, vars: Partial<Bindings> = {}, sendDenialsEveryMs?: number) {
    const hashKey = makeHashKey();
    const { key, kept } = makeFirstKey(hashKey);
    this.admin = key;
    const access = { AUTH: "required", ACCESS_HASH_KEY: hashKey, FIRST_ADMINISTRATOR_KEY: kept };
    this.env = { ...env, ...access, CLIENT_ADDRESS_HEADER: "CF-Connecting-IP", ...vars };
    this.#sendDenialsEveryMs = sendDenialsEveryMs;
    this.#app = this.#open();
  }

  #open(): ReturnType<typeof createApp> {
    return createApp({ now: this.clock.now, denials: new HeldDenials(this.#sendDenialsEveryMs) });
  }

  /** A newly started isolate. */
  restart(): void {
    this.#app = this.#open();
  }

  /** The response with its body unread, for a test that reads a stream at its own pace. */
  async fetch(method: string, path: string, { key, headers = {}, body, ip }: CallOptions = {}): Promise<Response> {
    const request = new Request(`https://registry.test${path}`, {
      method,
      headers: {
        ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
        ...(ip === undefined ? {} : { "CF-Connecting-IP": ip }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      redirect: "manual",
    });
    const waitUntil = (promise: Promise<unknown>) => {
      this.#background.push(promise.catch(() => undefined));
    };
    const ctx = { waitUntil, passThroughOnException: () => undefined, props: {} } as unknown as ExecutionContext;
    return this.#app.fetch(request, this.env, ctx);
  }

  async call(method: string, path: string, options: CallOptions = {}): Promise<Answered> {
    const response = await this.fetch(method, path, options);
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parsed(text), text };
  }

  async settled(): Promise<void> {
    await Promise.all(this.#background.splice(0));
  }

  /** A new key's text. */
  async makeKey(grants: readonly object[], more: { by?: string; [field: string]: unknown } = {}): Promise<string> {
    const { by = this.admin, ...fields } = more;
    const made = await this.call("POST", "/api/v1/keys", { key: by, body: { name: "test", grants, ...fields } });
    if (made.status !== 201) throw new Error(`No key was made: ${made.text}`);
    return made.body.key as string;
  }

  /** A new tenant's name and the key of its first administrator. */
  async makeTenant(fields: Record<string, unknown> = {}): Promise<{ name: string; admin: string }> {
    const name = `t${crypto.randomUUID().slice(0, 12)}`;
    const made = await this.call("POST", "/api/v1/tenants", { key: this.admin, body: { name, ...fields } });
    if (made.status !== 201) throw new Error(`No tenant was made: ${made.text}`);
    return { name: made.body.name as string, admin: made.body.key as string };
  }
}

/** A response that is not a JSON object counts as an empty one. */
function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

export function keyIdOf(key: string): string {
  return key.split("_")[2]!;
}
