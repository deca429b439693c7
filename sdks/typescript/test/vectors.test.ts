/** The behaviour that all SDKs share, from contract/vectors/sdk. README.md there says what each member means. */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  AvroSchema,
  type ClientEvent,
  type ClientOptions,
  isRegistryError,
  JSONSchema,
  ProtobufSchema,
  type RegistryEvent,
  type SchemaInput,
  SchemaRegistry,
} from "../src/index.ts";
import { FakeClock } from "./fake-clock.ts";
import { ScriptedServer } from "./scripted-server.ts";

/** The arguments of every call, each where its call has it. */
interface Args {
  id: string;
  subject: string;
  version: number;
  schema: Record<string, string>;
  data: unknown;
  remote?: boolean;
  query: string;
  consistent?: boolean;
  prefix: string;
  change: object;
  if_match?: string;
  permanent?: boolean;
  after: number;
}

interface Step {
  call?: string;
  args: Args;
  options?: { idempotency_key?: string; min_token?: string; timeout_ms?: number };
  returns?: unknown;
  fields?: Record<string, unknown>;
  error?: Record<string, unknown>;
  source?: string;
  items?: number;
  take?: number;
  seqs?: number[];
  advance_ms?: number;
  cancel_after_ms?: number;
  cancel_in_wait?: boolean;
  parallel?: Step[];
}

interface Vector {
  description: string;
  client?: Record<string, unknown>;
  random?: number[];
  wall_ms?: number;
  exchanges: unknown[];
  steps: Step[];
  slept_ms?: number[];
  token?: string;
  seen?: string;
  breaker?: string;
  cache_stats?: Record<string, number>;
  token_unreadable?: number;
  log_lacks?: string[];
}

const FOLDER = new URL("../../../contract/vectors/sdk/", import.meta.url);
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));

let server: ScriptedServer;
beforeAll(async () => {
  server = await ScriptedServer.start();
});
afterAll(() => server.stop());

describe.each(FILES)("contract/vectors/sdk/%s", (file) => {
  const { vectors } = JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as { vectors: Vector[] };
  it.each(vectors.map((vector) => [vector.description, vector] as const))("%s", async (_description, vector) => {
    const { url, end } = await server.script(vector.exchanges);
    const run = new VectorRun(url, vector);

    for (const step of vector.steps) await run.take(step);

    expect(await end()).toMatchObject({ mismatches: [], left: 0 });
    run.expectEnd();
  });
});

class VectorRun {
  readonly #vector: Vector;
  readonly #clock: FakeClock;
  readonly #log: string[] = [];
  readonly #events: ClientEvent[] = [];
  readonly #client: SchemaRegistry;

  constructor(url: string, vector: Vector) {
    this.#vector = vector;
    this.#clock = new FakeClock(vector.wall_ms);
    const random = [...(vector.random ?? [])];
    this.#client = new SchemaRegistry(url, {
      ...readOptions(vector.client ?? {}),
      clock: this.#clock,
      random: () => random.shift() ?? 0.5,
      debug: (line) => this.#log.push(line),
      onEvent: (event) => this.#events.push(event),
    });
  }

  async take(step: Step): Promise<void> {
    if (step.advance_ms !== undefined) this.#clock.advance(step.advance_ms);
    else if (step.parallel !== undefined) await Promise.all(step.parallel.map((one) => this.#call(one)));
    else await this.#call(step);
  }

  expectEnd(): void {
    const { slept_ms, token, seen, breaker, cache_stats, token_unreadable, log_lacks = [] } = this.#vector;
    const stats = this.#client.cacheStats();
    if (slept_ms !== undefined) expect(this.#clock.slept).toEqual(slept_ms);
    if (token !== undefined) expect(this.#client.token).toBe(token);
    if (seen !== undefined) expect(stats.tokenSeen).toBe(seen);
    if (breaker !== undefined) expect(stats.breaker).toBe(breaker);
    if (cache_stats !== undefined) expect(stats).toMatchObject(cache_stats);
    if (token_unreadable !== undefined) expect(stats.tokenUnreadable).toBe(token_unreadable);
    for (const secret of log_lacks) expect(this.#log.join("\n")).not.toContain(secret);
  }

  async #call(step: Step): Promise<void> {
    const stop = new AbortController();
    if (step.cancel_after_ms !== undefined) setTimeout(() => stop.abort(), step.cancel_after_ms);
    this.#clock.onSleep = step.cancel_in_wait ? () => stop.abort() : undefined;
    const options = {
      signal: stop.signal,
      ...(step.options?.idempotency_key ? { idempotencyKey: step.options.idempotency_key } : {}),
      ...(step.options?.timeout_ms ? { timeoutMs: step.options.timeout_ms } : {}),
      ...(step.options?.min_token ? { minToken: step.options.min_token } : {}),
    };
    const before = this.#events.length;
    const outcome = await invoke(this.#client, step, options).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    if (step.error !== undefined) {
      expectError(outcome, step.error);
      return;
    }
    if ("error" in outcome) throw outcome.error;
    const { value } = outcome;
    if (typeof step.returns === "object") expect(value).toMatchObject(step.returns as object);
    else if (step.returns !== undefined) expect(value).toBe(step.returns);
    if (step.fields !== undefined) expect(value).toMatchObject(step.fields);
    if (step.items !== undefined) expect(value).toHaveLength(step.items);
    if (step.seqs !== undefined) expect((value as RegistryEvent[]).map(({ seq }) => seq)).toEqual(step.seqs);
    const sources = this.#events
      .slice(before)
      .filter(({ kind }) => kind === "call")
      .map(({ source }) => source);
    if (step.source !== undefined) expect(sources).toContain(step.source);
  }
}

function expectError(outcome: { value: unknown } | { error: unknown }, expected: Record<string, unknown>): void {
  if (!("error" in outcome)) throw new Error(`It answered ${JSON.stringify(outcome.value)}.`);
  const { error } = outcome;
  if (expected.cancelled) {
    expect((error as Error).name).toBe("AbortError");
    return;
  }
  if (!isRegistryError(error)) throw error;
  const { verdict_kinds, retry_after_ms, may_have_been_sent, timed_out, ...rest } = expected;
  if (timed_out) expect(error.code).toBe("deadline_exceeded");
  expect(error).toMatchObject(rest);
  if (retry_after_ms !== undefined) expect(error).toMatchObject({ retryAfterMs: retry_after_ms });
  if (may_have_been_sent !== undefined) expect(error).toMatchObject({ mayHaveBeenSent: may_have_been_sent });
  if (verdict_kinds !== undefined && isRegistryError(error, "incompatible_schema")) {
    expect(error.verdict.differences.map(({ kind }) => kind)).toEqual(verdict_kinds);
  }
}

function readOptions(client: Record<string, unknown>): ClientOptions {
  const names: Record<string, string> = {
    api_key: "apiKey",
    context: "context",
    timeout_ms: "timeoutMs",
    attempt_timeout_ms: "attemptTimeoutMs",
    max_attempts: "maxAttempts",
  };
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(client)) if (names[name] !== undefined) options[names[name]] = value;
  const cache = {
    ...(client.stale_max_age_ms === undefined ? {} : { staleLifetimeMs: client.stale_max_age_ms as number }),
    ...(client.cache_max_entries === undefined ? {} : { maxEntries: client.cache_max_entries as number }),
  };
  return { ...options, cache };
}

function readSchema(schema: Record<string, string>): SchemaInput {
  const [format, content] = Object.entries(schema)[0] as [string, string];
  if (format === "avro") return new AvroSchema(content);
  return format === "protobuf" ? new ProtobufSchema(content) : new JSONSchema(content);
}

async function invoke(client: SchemaRegistry, step: Step, options: { signal: AbortSignal }): Promise<unknown> {
  const { args } = step;
  switch (step.call) {
    case "register_schema":
      return client.registerSchema({ subject: args.subject, schema: readSchema(args.schema) }, options);
    case "get_schema":
      return client.getSchema(args.id, options);
    case "get_version":
      return client.getVersion(args.subject, args.version, options);
    case "latest":
      return client.latest(args.subject, options);
    case "validate":
      return client.validate(args.data, args.id, { ...options, remote: args.remote === true });
    case "explain_validation":
      return client.explainValidation(args.data, args.id, options);
    case "check_compatibility":
      return client.checkCompatibility(args.subject, readSchema(args.schema), {}, options);
    case "search":
      return client.search(args.query, { consistent: args.consistent === true }, options).toArray();
    case "list_subjects":
      return client.listSubjects({ prefix: args.prefix }, options).toArray();
    case "update":
      return client.update(args.id, args.change, {
        ...options,
        ...(args.if_match ? { ifMatch: args.if_match } : {}),
      });
    case "delete":
      return client.delete(args.id, { permanent: args.permanent === true }, options);
    case "clear_cache":
      client.clearCache(args.subject);
      return undefined;
    case "events": {
      const events: RegistryEvent[] = [];
      for await (const event of client.events({ after: args.after, signal: options.signal })) {
        events.push(event);
        if (events.length >= (step.take ?? 1)) break;
      }
      return events;
    }
    default:
      throw new Error(`The vectors call ${step.call}, which this runner does not know.`);
  }
}
