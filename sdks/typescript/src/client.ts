/** The client: each method builds one request and reads one answer. One class with the signature and documentation of every method, which is why it is long. */
import { Breaker, type BreakerState } from "./engine/breaker.js";
import { Cache, type CacheStats } from "./engine/cache.js";
import { type CallAnswer, type Operation, runCall } from "./engine/call.js";
import { systemClock } from "./engine/clock.js";
import {
  ATTEMPT_TIMEOUT_MS,
  CALL_TIMEOUT_MS,
  CONTENT_LIFETIME_MS,
  HEAD_LIFETIME_MS,
  MAX_ATTEMPTS,
  RECORD_LIFETIME_MS,
  STALE_LIFETIME_MS,
} from "./engine/constants.js";
import { Flights, orAborted } from "./engine/flight.js";
import { type CachedRead, type ReadAnswer, Reader, type ReadSettings } from "./engine/reads.js";
import { parseToken, Tokens } from "./engine/token.js";
import { ApiError, BadAnswer, ConfigurationError, isRegistryError } from "./errors.js";
import { type EventParams, readEvents } from "./events.js";
import type {
  Health,
  Projection,
  RegistryEvent,
  SchemaContent,
  SchemaFormat,
  SchemaRecord,
  SearchHit,
  SubjectSummary,
  ValidationResult,
  Verdict,
} from "./models.js";
import {
  type CallOptions,
  type ClientEvent,
  type ClientOptions,
  checkOptions,
  checkTimeout,
  type Source,
} from "./options.js";
import { type Page, Pages } from "./pages.js";
import type { CheckParams, DecodeParams, ListParams, RegisterParams, SearchParams, UpdateParams } from "./params.js";
import type { SchemaInput } from "./schema.js";
import { qualify, splitSubject } from "./subject-name.js";
import { describeUserAgent } from "./user-agent.js";
import { type LocalValidator, LocalValidators } from "./validation/local.js";

export interface ClientStats extends CacheStats {
  breaker: BreakerState;
  /** The newest token of all answers. */
  tokenSeen: string | undefined;
  /** Answers whose token could not be read. */
  tokenUnreadable: number;
}

/** What copies of a client share. */
interface Shared {
  tokens: Tokens;
  breaker: Breaker;
  cache: Cache;
  flights: Flights;
  validators: LocalValidators;
  sharedTimeoutMs: number;
}

/** Passes the shared state to a copy's constructor, without a public parameter for it. */
const SHARED = new WeakMap<ClientOptions, Shared>();

type Outcome<Value> = { value: Value; source: Source; attempts: number };

export class SchemaRegistry {
  readonly #settings: ReadSettings;
  readonly #reader: Reader;
  readonly #shared: Shared;
  readonly #options: ClientOptions;
  readonly #url: string;
  #hookFailed = false;

  constructor(url: string, options: ClientOptions = {}) {
    const base = checkOptions(url, options);
    this.#url = url;
    this.#options = options;
    this.#shared = SHARED.get(options) ?? {
      tokens: new Tokens(),
      breaker: new Breaker(options.breaker),
      cache: new Cache(options.cache?.maxEntries, options.cache?.maxBytes),
      flights: new Flights(),
      validators: new LocalValidators(),
      sharedTimeoutMs: options.timeoutMs ?? CALL_TIMEOUT_MS,
    };
    this.#settings = {
      ...this.#shared,
      baseUrl: `${base.origin}${base.pathname.replace(/\/+$/, "")}`,
      headers: describeHeaders(options),
      timeoutMs: options.timeoutMs ?? CALL_TIMEOUT_MS,
      attemptTimeoutMs: options.attemptTimeoutMs ?? ATTEMPT_TIMEOUT_MS,
      maxAttempts: options.maxAttempts ?? MAX_ATTEMPTS,
      staleLifetimeMs: options.cache?.staleLifetimeMs ?? STALE_LIFETIME_MS,
      fetch: options.fetch ?? ((input, init) => fetch(input, init)),
      clock: options.clock ?? systemClock,
      random: options.random ?? Math.random,
      newId: () => crypto.randomUUID(),
      emit: (event) => this.#emit(event),
      debug: options.debug ?? (() => {}),
      warn: options.debug ?? (() => {}),
    };
    this.#reader = new Reader(this.#settings);
    if (options.apiKey !== undefined && base.protocol === "http:" && !isLoopback(base.hostname)) {
      this.#settings.debug("The key is sent over plain HTTP to a host that is not this machine.");
    }
  }

  /** A client with other options that shares cache, token and breaker. */
  withOptions(options: ClientOptions): SchemaRegistry {
    const merged = { ...this.#options, ...options };
    SHARED.set(merged, this.#shared);
    return new SchemaRegistry(this.#url, merged);
  }

  /** The newest token of this client's own writes, to hand to another process as `minToken`. */
  get token(): string | undefined {
    return this.#shared.tokens.wrote?.text;
  }

  /** Registers a schema as the next version of a subject and returns the version's id. POST /schemas. Throws `incompatible_schema` with the verdict. */
  async registerSchema(params: RegisterParams, call: CallOptions = {}): Promise<string> {
    const { subject, schema, compatibilityLevel, ...rest } = params;
    const json = {
      subject: this.#qualified(subject),
      ...describeSchema(schema),
      compatibility_level: compatibilityLevel,
      ...rest,
    };
    const operation: Operation = {
      name: "register_schema",
      method: "POST",
      path: "/schemas",
      json,
      takesKey: true,
      writes: true,
    };
    const record = await this.#write<SchemaRecord>(operation, call, subject);
    this.#storeRecord(record.value, record.answer);
    return record.value.id;
  }

  /** Reads a version by its id. GET /schemas/{id}. */
  async getSchema(id: string, call: CallOptions = {}): Promise<SchemaRecord> {
    return (
      await this.#read<SchemaRecord>(
        recordRead(id, (record) => this.#subjectOf(record)),
        call,
      )
    ).value;
  }

  /** Reads a version by subject and number, semantic version, range (`^2`, `1.x`), alias or `latest`. GET /subjects/{s}/versions/{v}. */
  async getVersion(subject: string, version: number | string, call: CallOptions = {}): Promise<SchemaRecord> {
    return (await this.#readVersion(subject, version, call)).value;
  }

  /** Reads a subject's newest active version. */
  async latest(subject: string, call: CallOptions = {}): Promise<SchemaRecord> {
    return this.getVersion(subject, "latest", call);
  }

  /** Whether the schema accepts the data. Decided locally once the schema is cached; `remote` asks the registry. */
  async validate(data: unknown, schemaId: string, call: CallOptions & { remote?: boolean } = {}): Promise<boolean> {
    return (await this.#validate("validate", data, schemaId, call)).valid;
  }

  /** Why data is valid or not, with the location of each error. */
  async explainValidation(
    data: unknown,
    schemaId: string,
    call: CallOptions & { remote?: boolean } = {},
  ): Promise<ValidationResult> {
    return this.#validate("explain_validation", data, schemaId, call);
  }

  /** Validates several data against one schema, in their order. */
  async validateBatch(
    items: readonly unknown[],
    schemaId: string,
    call: CallOptions & { remote?: boolean } = {},
  ): Promise<ValidationResult[]> {
    const results: ValidationResult[] = [];
    for (const item of items) results.push(await this.#validate("validate_batch", item, schemaId, call));
    return results;
  }

  /** Whether a schema may become the subject's next version. POST /compatibility/check. */
  async checkCompatibility(
    subject: string,
    schema: SchemaInput,
    params: CheckParams = {},
    call: CallOptions = {},
  ): Promise<boolean> {
    return (await this.explainCompatibility(subject, schema, params, call)).compatible;
  }

  /** What a schema would break as the subject's next version, with data that shows it. */
  async explainCompatibility(
    subject: string,
    schema: SchemaInput,
    params: CheckParams = {},
    call: CallOptions = {},
  ): Promise<Verdict> {
    const json = { subject: this.#qualified(subject), ...describeSchema(schema), ...params };
    return this.#ask<Verdict>(
      { name: "check_compatibility", method: "POST", path: "/compatibility/check", json },
      call,
    );
  }

  /**
   * Searches names, documentation and schema texts. POST /search. The index lags slightly behind writes unless
   * `consistent` is set.
   */
  search(query = "", params: SearchParams = {}, call: CallOptions = {}): Pages<SearchHit> {
    const { subjectPrefix, ...filters } = params.filters ?? {};
    const token = params.consistent ? "wrote" : "none";
    return this.#pages(
      (cursor) => ({
        name: "search",
        method: "POST",
        path: "/search",
        json: { query, limit: params.limit, cursor, filters: { ...filters, subject_prefix: subjectPrefix } },
        token,
      }),
      call,
    );
  }

  /** Lists subjects by name. GET /subjects. */
  listSubjects(params: ListParams = {}, call: CallOptions = {}): Pages<SubjectSummary> {
    const query = { prefix: params.prefix, limit: params.limit?.toString(), context: this.#options.context };
    return this.#pages(
      (cursor) => ({ name: "list_subjects", method: "GET", path: "/subjects", query: { ...query, cursor } }),
      call,
    );
  }

  /** Lists a subject's versions, oldest first. GET /subjects/{s}/versions. */
  listVersions(subject: string, call: CallOptions = {}): Pages<SchemaRecord> {
    const path = `${this.#subjectPath(subject)}/versions`;
    return this.#pages((cursor) => ({ name: "list_versions", method: "GET", path, query: { cursor } }), call);
  }

  /** Changes a version's attributes or lifecycle state, never its content. PATCH /schemas/{id}. */
  async update(id: string, change: UpdateParams, call: CallOptions & { ifMatch?: string } = {}): Promise<SchemaRecord> {
    const headers: Record<string, string> = call.ifMatch === undefined ? {} : { "If-Match": call.ifMatch };
    const operation: Operation = {
      name: "update_schema",
      method: "PATCH",
      path: `/schemas/${encodeURIComponent(id)}`,
      json: change,
      headers,
      takesKey: true,
      writes: true,
    };
    return this.#change(operation, call, id);
  }

  /** Deletes a version; it can be brought back unless `permanent` is set. DELETE /schemas/{id}. */
  async delete(id: string, params: { permanent?: boolean } = {}, call: CallOptions = {}): Promise<void> {
    const query = params.permanent ? { permanent: "true" } : {};
    const path = `/schemas/${encodeURIComponent(id)}`;
    const known = this.#shared.cache.read(JSON.stringify(["record", id]))?.value as SchemaRecord | undefined;
    await this.#write({ name: "delete_schema", method: "DELETE", path, query, takesKey: true, writes: true }, call);
    // The subject is known only if the record was read before; otherwise every head entry is removed.
    if (known === undefined) this.#shared.cache.clear();
    else this.#forget(known.subject, known.context, id);
    if (params.permanent) this.#shared.cache.remove(JSON.stringify(["content", id]));
  }

  /** Brings a deleted version back, with its number and ids. POST /schemas/{id}/undelete. */
  async undelete(id: string, call: CallOptions = {}): Promise<SchemaRecord> {
    const path = `/schemas/${encodeURIComponent(id)}/undelete`;
    const operation: Operation = { name: "undelete_schema", method: "POST", path, takesKey: true, writes: true };
    return this.#change(operation, call, id);
  }

  /** Rewrites a schema for a model provider. GET /schemas/{id}/project/{profile}. */
  async project(id: string, profile: string, call: CallOptions = {}): Promise<Projection> {
    const path = `/schemas/${encodeURIComponent(id)}/project/${encodeURIComponent(profile)}`;
    return this.#ask<Projection>({ name: "project_schema", method: "GET", path }, call);
  }

  /** Turns a model's answer back into data of the original schema, and validates it. POST /decode-answer. */
  async decode(id: string, params: DecodeParams, call: CallOptions = {}): Promise<Record<string, unknown>> {
    return this.#ask({ name: "decode_answer", method: "POST", path: "/decode-answer", json: { id, ...params } }, call);
  }

  /** Whether the registry answers. GET /health. */
  async health(call: CallOptions = {}): Promise<Health> {
    return this.#ask<Health>({ name: "health", method: "GET", path: "/health", token: "none" }, call);
  }

  /** Streams every change in order and without duplicates. GET /events. */
  events(params: EventParams = {}): AsyncIterable<RegistryEvent> {
    return readEvents(this.#settings, params);
  }

  /** Clears the cache, or the part that belongs to one subject. */
  clearCache(subject?: string): void {
    if (subject === undefined) this.#shared.cache.clear();
    else this.#shared.cache.forgetSubject(this.#qualified(subject));
  }

  /** Counts of the cache, and the state of the breaker and the tokens. */
  cacheStats(): ClientStats {
    const { cache, breaker, tokens } = this.#shared;
    return {
      ...cache.describe(),
      breaker: breaker.state,
      tokenSeen: tokens.seen?.text,
      tokenUnreadable: tokens.unreadable,
    };
  }

  /** Releases the cache. Connections belong to `fetch` and close by themselves. */
  async close(): Promise<void> {
    this.#shared.cache.clear();
  }

  async #validate(
    operation: string,
    data: unknown,
    schemaId: string,
    call: CallOptions & { remote?: boolean },
  ): Promise<ValidationResult> {
    if (!call.remote) {
      const { answer, validator } = await this.#localValidator(operation, schemaId, call);
      const result = validator?.(data);
      if (result !== undefined) return { ...result, warnings: [], engine: "local", stale: answer.stale };
    }
    const path = `/schemas/${encodeURIComponent(schemaId)}/validate`;
    const result = await this.#ask<ValidationResult>({ name: operation, method: "POST", path, json: { data } }, call);
    return { ...result, stale: false };
  }

  async #localValidator(
    operation: string,
    schemaId: string,
    call: CallOptions,
  ): Promise<{ answer: ReadAnswer; validator: LocalValidator | undefined }> {
    const answer = await this.#readAnswer(contentRead(operation, schemaId), call);
    // All callers that validate with this content share the validator, so one caller's cancellation does not stop the work.
    const preparing = this.#shared.validators.prepare(answer.value as SchemaContent, () =>
      this.#readBundled(operation, schemaId),
    );
    const validator = await orAborted(preparing, call.signal);
    return { answer, validator };
  }

  async #readBundled(operation: string, schemaId: string): Promise<SchemaContent | undefined> {
    const bundled = { ...contentRead(operation, schemaId).operation, query: { bundle: "true" } };
    try {
      return await this.#ask<SchemaContent>(bundled, {});
    } catch (error) {
      if (error instanceof ApiError && error.status === 422) return undefined;
      throw error;
    }
  }

  async #readVersion(
    subject: string,
    version: number | string,
    call: CallOptions,
  ): Promise<{ value: SchemaRecord; stale: boolean }> {
    const name = splitSubject(subject, this.#options.context);
    const isNumber = /^[1-9]\d*$/.test(String(version));
    const headLifetimeMs = this.#options.cache?.headLifetimeMs ?? HEAD_LIFETIME_MS;
    const path = `${this.#subjectPath(subject)}/versions/${encodeURIComponent(String(version))}`;
    return this.#read<SchemaRecord>(
      {
        key: isNumber
          ? ["version", name.context, name.subject, Number(version)]
          : ["head", name.context, name.subject, String(version)],
        operation: { name: "get_version", method: "GET", path },
        scope: "record",
        lifetimeMs: () => (isNumber ? RECORD_LIFETIME_MS : headLifetimeMs),
        subject: qualify(name),
      },
      call,
    );
  }

  async #read<Value>(read: CachedRead, call: CallOptions): Promise<{ value: Value; stale: boolean }> {
    const answer = await this.#readAnswer(read, call);
    return { value: answer.value as Value, stale: answer.stale };
  }

  #readAnswer(read: CachedRead, call: CallOptions): Promise<ReadAnswer> {
    return this.#observe(read.operation.name, call, async () => {
      const answer = await this.#reader.read(read, call);
      return {
        value: answer,
        source: answer.source,
        attempts: answer.source === "network" || answer.source === "revalidated" ? 1 : 0,
      };
    });
  }

  async #ask<Value>(operation: Operation, call: CallOptions): Promise<Value> {
    return this.#observe(operation.name, call, async () => {
      const answer = await runCall(this.#settings, operation, call);
      return { value: readJson<Value>(answer), source: "network", attempts: answer.attempts };
    });
  }

  async #write<Value>(
    operation: Operation,
    call: CallOptions,
    subject?: string,
  ): Promise<{ value: Value; answer: CallAnswer }> {
    return this.#observe(operation.name, call, async () => {
      const answer = await runCall(this.#settings, operation, call);
      if (subject !== undefined) this.#shared.cache.forgetSubject(this.#qualified(subject));
      const value = answer.status === 204 ? (undefined as Value) : readJson<Value>(answer);
      return { value: { value, answer }, source: "network", attempts: answer.attempts };
    });
  }

  /**
   * Removes what the change made outdated; if its answer cannot be read, the subject is unknown and everything is
   * removed.
   */
  async #change(operation: Operation, call: CallOptions, id: string): Promise<SchemaRecord> {
    try {
      const { value } = await this.#write<SchemaRecord>(operation, call);
      this.#forget(value.subject, value.context, id);
      return value;
    } catch (error) {
      if (error instanceof BadAnswer) this.#shared.cache.clear();
      throw error;
    }
  }

  async #observe<Value>(operation: string, call: CallOptions, work: () => Promise<Outcome<Value>>): Promise<Value> {
    if (call.timeoutMs !== undefined) checkTimeout("timeoutMs", call.timeoutMs);
    if (call.minToken !== undefined && parseToken(call.minToken) === undefined) {
      throw new ConfigurationError("minToken is not a token; expected <epoch>.<seq>.<seq of the last hard delete>.");
    }
    const { clock, breaker } = this.#settings;
    const beganMs = clock.monotonicMs();
    const event = { kind: "call" as const, operation, status: undefined, waitMs: 0 };
    try {
      const { value, source, attempts } = await work();
      this.#emit({
        ...event,
        attempt: attempts,
        code: undefined,
        ms: clock.monotonicMs() - beganMs,
        source,
        breaker: breaker.state,
      });
      return value;
    } catch (error) {
      const code = isRegistryError(error) ? error.code : "cancelled";
      const attempt = isRegistryError(error) ? error.attempts : 0;
      this.#emit({
        ...event,
        attempt,
        code,
        ms: clock.monotonicMs() - beganMs,
        source: undefined,
        breaker: breaker.state,
      });
      throw error;
    }
  }

  #pages<Item>(operation: (cursor: string | undefined) => Operation, call: CallOptions): Pages<Item> {
    return new Pages((cursor) => this.#ask<Page<Item>>(operation(cursor), call));
  }

  #emit(event: ClientEvent): void {
    try {
      this.#options.onEvent?.(event);
    } catch {
      if (!this.#hookFailed) this.#settings.debug("The metrics hook threw; it is ignored.");
      this.#hookFailed = true;
    }
  }

  #storeRecord(record: SchemaRecord, answer: CallAnswer): void {
    const entry = {
      value: Object.freeze(record),
      etag: answer.headers.get("ETag") ?? undefined,
      token: answer.token,
      storedAtMs: this.#settings.clock.monotonicMs(),
      lifetimeMs: RECORD_LIFETIME_MS,
      bytes: answer.text.length,
      subject: this.#subjectOf(record),
      staleUntilMs: 0,
    };
    this.#shared.cache.store(JSON.stringify(["record", record.id]), entry);
  }

  #forget(subject: string, context: string, id: string): void {
    this.#shared.cache.forgetSubject(qualify({ subject, context }));
    this.#shared.cache.remove(JSON.stringify(["record", id]));
  }

  #subjectOf(record: unknown): string {
    const { context, subject } = record as SchemaRecord;
    return qualify({ context, subject });
  }

  #qualified(subject: string): string {
    return qualify(splitSubject(subject, this.#options.context));
  }

  #subjectPath(subject: string): string {
    return `/subjects/${encodeURIComponent(this.#qualified(subject))}`;
  }
}

/** The same class under a descriptive name. */
export { SchemaRegistry as SchemaRegistryClient };

function recordRead(id: string, subjectOf: (record: unknown) => string): CachedRead {
  const operation: Operation = { name: "get_schema", method: "GET", path: `/schemas/${encodeURIComponent(id)}` };
  return { key: ["record", id], operation, scope: "record", lifetimeMs: () => RECORD_LIFETIME_MS, subjectOf };
}

function contentRead(name: string, id: string): CachedRead {
  const operation: Operation = { name, method: "GET", path: `/schemas/${encodeURIComponent(id)}/content` };
  return { key: ["content", id], operation, scope: "content", lifetimeMs: contentLifetimeMs };
}

function contentLifetimeMs(headers: Headers): number {
  const seconds = /(?:^|[\s,])max-age=(\d{1,9})/.exec(headers.get("Cache-Control") ?? "")?.[1];
  return seconds === undefined ? CONTENT_LIFETIME_MS : Math.min(Number(seconds) * 1000, CONTENT_LIFETIME_MS);
}

function describeSchema({ format, content }: SchemaInput): { format: SchemaFormat; content: unknown } {
  return { format, content };
}

function describeHeaders({ apiKey, app }: ClientOptions): Record<string, string> {
  const userAgent = describeUserAgent(app);
  return {
    Accept: "application/json",
    ...(apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` }),
    ...(userAgent === undefined ? {} : { "User-Agent": userAgent }),
  };
}

function readJson<Value>(answer: CallAnswer): Value {
  try {
    return JSON.parse(answer.text) as Value;
  } catch {
    throw new BadAnswer(answer.status, "The answer's body is not JSON.", answer.attempts);
  }
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\./.test(hostname);
}
