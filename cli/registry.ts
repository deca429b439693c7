/** The native API, with the retries, limits and tokens of the TypeScript SDK's engine. */
import { Breaker } from "../sdks/typescript/src/engine/breaker.ts";
import { type CallSettings, type Operation, runCall } from "../sdks/typescript/src/engine/call.ts";
import { systemClock } from "../sdks/typescript/src/engine/clock.ts";
import { ATTEMPT_TIMEOUT_MS, CALL_TIMEOUT_MS, MAX_ATTEMPTS } from "../sdks/typescript/src/engine/constants.ts";
import { Tokens } from "../sdks/typescript/src/engine/token.ts";
import { BadAnswer, ConnectionLost } from "../sdks/typescript/src/errors.ts";
import { type EventParams, readEvents, readRefusal } from "../sdks/typescript/src/events.ts";
import type { RegistryEvent } from "../sdks/typescript/src/models.ts";
import { describeUserAgent } from "../sdks/typescript/src/user-agent.ts";
import { VERSION } from "../sdks/typescript/src/version.ts";
import type { Address } from "./address.ts";
import type { Shell } from "./shell.ts";

type ApiQuery = Readonly<Record<string, string | undefined>>;

type Write = Pick<Operation, "method" | "path"> & { json?: unknown; query?: ApiQuery };

export class Registry {
  readonly url: string;
  readonly #settings: CallSettings;
  readonly #signal: AbortSignal;

  constructor({ url, headers }: Address, { fetch, signal }: Pick<Shell, "fetch" | "signal">) {
    this.url = url.replace(/\/+$/, "");
    this.#signal = signal;
    this.#settings = {
      baseUrl: this.url,
      headers: {
        Accept: "application/json",
        "User-Agent": `llmsr/${VERSION} ${describeUserAgent(undefined) ?? ""}`.trim(),
        ...headers,
      },
      timeoutMs: CALL_TIMEOUT_MS,
      attemptTimeoutMs: ATTEMPT_TIMEOUT_MS,
      maxAttempts: MAX_ATTEMPTS,
      fetch,
      clock: systemClock,
      random: Math.random,
      newId: () => crypto.randomUUID(),
      tokens: new Tokens(),
      breaker: new Breaker(),
      emit: () => {},
      debug: () => {},
    };
  }

  get<Value>(path: string, query: ApiQuery = {}): Promise<Value> {
    return this.#json<Value>({ name: path, method: "GET", path, query });
  }

  /** The text of an answer that is not JSON. */
  async text(path: string, query: ApiQuery = {}): Promise<string> {
    return (await this.#call({ name: path, method: "GET", path, query, headers: { Accept: "*/*" } })).text;
  }

  /** The text of an answer that may be larger than memory, in pieces. Not retried; an answer that is cut off is an error. */
  async *stream(path: string, query: ApiQuery = {}): AsyncGenerator<string, void, undefined> {
    const { headers, fetch, newId, clock } = this.#settings;
    const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
    const search = given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
    let response: Response;
    try {
      response = await fetch(`${this.url}/api/v1${path}${search}`, {
        headers: { ...headers, Accept: "*/*", "X-Request-ID": newId() },
        // A redirect would carry the key to another server.
        redirect: "manual",
        signal: this.#signal,
      });
    } catch (error) {
      throw new ConnectionLost(`${this.url} is unreachable.`, false, 1, error);
    }
    if (response.status !== 200 || response.body === null) throw await readRefusal(response, clock.wallMs());
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body) yield decoder.decode(chunk as Uint8Array, { stream: true });
    } catch (error) {
      throw new ConnectionLost(`${this.url} broke off its response.`, true, 1, error);
    }
  }

  /** A POST that changes nothing. */
  ask<Value>(path: string, json: unknown, query: ApiQuery = {}): Promise<Value> {
    return this.#json<Value>({ name: path, method: "POST", path, json, query });
  }

  /** A change; repeated under one Idempotency-Key. */
  write<Value>({ method, path, json, query = {} }: Write): Promise<Value> {
    return this.#json<Value>({ name: path, method, path, json, query, takesKey: true, writes: true });
  }

  /** Items of a list, page by page as they are read. */
  async *items<Item>(path: string, query: ApiQuery = {}): AsyncGenerator<Item, void, undefined> {
    for (let cursor: string | undefined; ; ) {
      const page = await this.get<{ items: Item[]; next_cursor?: string }>(path, { ...query, cursor });
      yield* page.items;
      if (page.next_cursor === undefined || page.next_cursor === null) return;
      cursor = page.next_cursor;
    }
  }

  async all<Item>(path: string, query: ApiQuery = {}): Promise<Item[]> {
    const found: Item[] = [];
    for await (const item of this.items<Item>(path, query)) found.push(item);
    return found;
  }

  events(params: EventParams): AsyncGenerator<RegistryEvent, void, undefined> {
    return readEvents(this.#settings, { ...params, signal: this.#signal });
  }

  async #json<Value>(operation: Operation): Promise<Value> {
    const { text, status, attempts } = await this.#call(operation);
    try {
      return (text === "" ? undefined : JSON.parse(text)) as Value;
    } catch {
      throw new BadAnswer(status, `${this.url}/api/v1${operation.path} answers something other than JSON.`, attempts);
    }
  }

  #call(operation: Operation) {
    return runCall(this.#settings, operation, { signal: this.#signal });
  }
}

export function subjectPath(subject: string): string {
  return `/subjects/${encodeURIComponent(subject)}`;
}

export function printVersionPath(subject: string, version: string | number): string {
  return `${subjectPath(subject)}/versions/${encodeURIComponent(String(version))}`;
}
