/**
 * The modules `cloudflare:workers` and `cloudflare:test` for Node, over node:sqlite and memory: enough for tests of the
 * primary and of both APIs. Workerd starts anew for each mutant, which takes longer than the tests. Limits, eviction
 * under load and the order of concurrent calls are the real runtime's, so tests of those do not run here.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

type Row = Record<string, SqlStorageValue>;

class Cursor {
  readonly columnNames: string[];
  readonly rowsRead = 0;
  readonly rowsWritten = 0;
  readonly #rows: Row[];

  constructor(columnNames: string[], rows: Row[]) {
    this.columnNames = columnNames;
    this.#rows = rows;
  }

  toArray(): Row[] {
    return this.#rows.splice(0);
  }

  one(): Row {
    const rows = this.toArray();
    if (rows.length !== 1) throw new Error(`Expected exactly one result from SQL query, but got ${rows.length}.`);
    return rows[0]!;
  }

  *raw(): Generator<SqlStorageValue[]> {
    for (const row of this) yield Object.values(row);
  }

  *[Symbol.iterator](): Generator<Row> {
    for (let row = this.#rows.shift(); row !== undefined; row = this.#rows.shift()) yield row;
  }
}

class Sql {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get databaseSize(): number {
    const number = (pragma: string) => Number(Object.values(this.#database.prepare(`PRAGMA ${pragma}`).get()!)[0]);
    return number("page_count") * number("page_size");
  }

  exec(query: string, ...bindings: unknown[]): Cursor {
    if (bindings.length === 0 && /;\s*\S/.test(query)) {
      this.#database.exec(query);
      return new Cursor([], []);
    }
    const statement = this.#statements.get(query) ?? this.#database.prepare(query);
    this.#statements.set(query, statement);
    const values = bindings.map((value) => (value instanceof ArrayBuffer ? new Uint8Array(value) : (value ?? null)));
    const columns = statement.columns().map(({ name }) => name);
    if (columns.length === 0) statement.run(...(values as SQLInputValue[]));
    const rows = columns.length === 0 ? [] : statement.all(...(values as SQLInputValue[]));
    return new Cursor(
      columns,
      rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, toStored(value)]))),
    );
  }
}

function toStored(value: unknown): SqlStorageValue {
  return value instanceof Uint8Array ? Uint8Array.from(value).buffer : (value as SqlStorageValue);
}

class Storage {
  readonly #database = new DatabaseSync(":memory:");
  readonly sql = new Sql(this.#database);
  #depth = 0;
  #alarmAtMs: number | null = null;

  transactionSync<T>(write: () => T): T {
    const savepoint = `t${this.#depth}`;
    this.#database.exec(`SAVEPOINT ${savepoint}`);
    this.#depth += 1;
    try {
      return write();
    } catch (error) {
      this.#database.exec(`ROLLBACK TO ${savepoint}`);
      throw error;
    } finally {
      this.#depth -= 1;
      this.#database.exec(`RELEASE ${savepoint}`);
    }
  }

  async setAlarm(atMs: number): Promise<void> {
    this.#alarmAtMs = atMs;
  }

  async getAlarm(): Promise<number | null> {
    return this.#alarmAtMs;
  }

  async deleteAlarm(): Promise<void> {
    this.#alarmAtMs = null;
  }
}

/** An object's context: its storage survives an eviction, its instance does not. */
class Context {
  readonly storage = new Storage();
  readonly id: { name: string; toString(): string };
  #block: Promise<unknown> | undefined;

  constructor(name: string) {
    this.id = { name, toString: () => name };
  }

  blockConcurrencyWhile<T>(block: () => Promise<T>): Promise<T> {
    const result = block();
    const ended = result
      .catch(() => undefined)
      .then(() => {
        if (this.#block === ended) this.#block = undefined;
      });
    this.#block = ended;
    return result;
  }

  /** The block that other calls wait for. */
  get block(): Promise<unknown> | undefined {
    return this.#block;
  }

  getWebSockets(): [] {
    return [];
  }

  waitUntil(promise: Promise<unknown>): void {
    promise.catch(() => undefined);
  }
}

export class DurableObject {
  readonly ctx: Context;
  readonly env: unknown;

  constructor(ctx: Context, bindings: unknown) {
    this.ctx = ctx;
    this.env = bindings;
  }
}

type Instance = DurableObject & { alarm?(): Promise<void> } & Record<string, (...args: unknown[]) => unknown>;

class Hosted {
  readonly context: Context;
  readonly #className: string;
  #instance: Instance | undefined;

  constructor(className: string, name: string) {
    this.#className = className;
    this.context = new Context(name);
  }

  async instance(): Promise<Instance> {
    const classes = (await import("../../workers/index.ts")) as unknown as Record<
      string,
      new (
        ctx: Context,
        bindings: unknown,
      ) => Instance
    >;
    this.#instance ??= new classes[this.#className]!(this.context, env);
    return this.#instance;
  }

  evict(): void {
    this.#instance = undefined;
  }

  async call(method: string, args: unknown[]): Promise<unknown> {
    const instance = await this.instance();
    // Another call that waited may have begun a block of its own.
    while (this.context.block !== undefined) await this.context.block;
    return structuredClone(await instance[method]!(...structuredClone(args)));
  }
}

const HOSTED = Symbol("hosted");

class Namespace {
  readonly #className: string;
  readonly #objects = new Map<string, Hosted>();

  constructor(className: string) {
    this.#className = className;
  }

  getByName(name: string): object {
    const hosted = this.#objects.get(name) ?? new Hosted(this.#className, name);
    this.#objects.set(name, hosted);
    return new Proxy(
      { [HOSTED]: hosted },
      {
        get(target, property) {
          if (property === HOSTED) return target[HOSTED];
          if (property === "name") return name;
          // A stub is not a promise.
          if (typeof property === "symbol" || property === "then") return undefined;
          return (...args: unknown[]) => hosted.call(property, args);
        },
      },
    );
  }
}

function hostedBy(stub: object): Hosted {
  return (stub as { [HOSTED]: Hosted })[HOSTED];
}

export async function runInDurableObject<T>(
  stub: object,
  run: (instance: Instance, ctx: Context) => T | Promise<T>,
): Promise<T> {
  const hosted = hostedBy(stub);
  return run(await hosted.instance(), hosted.context);
}

export async function evictDurableObject(stub: object): Promise<void> {
  hostedBy(stub).evict();
}

/** Whether an alarm was set; it has then run. */
export async function runDurableObjectAlarm(stub: object): Promise<boolean> {
  const hosted = hostedBy(stub);
  if ((await hosted.context.storage.getAlarm()) === null) return false;
  await hosted.context.storage.deleteAlarm();
  await (await hosted.instance()).alarm?.();
  return true;
}

class Bucket {
  readonly #values = new Map<string, { bytes: Uint8Array; uploaded: Date }>();

  async put(key: string, value: string | ArrayBuffer | ArrayBufferView): Promise<void> {
    const bytes = new Uint8Array(await new Response(value as BodyInit).arrayBuffer());
    this.#values.set(key, { bytes, uploaded: new Date() });
  }

  async head(key: string): Promise<object | null> {
    const held = this.#values.get(key);
    return held === undefined ? null : { key, size: held.bytes.byteLength, uploaded: held.uploaded };
  }

  async get(key: string): Promise<object | null> {
    const held = this.#values.get(key);
    if (held === undefined) return null;
    const response = new Response(held.bytes as BodyInit);
    return {
      key,
      size: held.bytes.byteLength,
      uploaded: held.uploaded,
      body: response.body,
      arrayBuffer: () => response.arrayBuffer(),
      text: () => response.text(),
      json: () => response.json(),
    };
  }

  async delete(keys: string | string[]): Promise<void> {
    for (const key of [keys].flat()) this.#values.delete(key);
  }

  async list({ prefix = "" }: { prefix?: string } = {}): Promise<object> {
    const keys = [...this.#values.keys()].filter((key) => key.startsWith(prefix)).sort();
    return { objects: await Promise.all(keys.map((key) => this.head(key))), truncated: false };
  }
}

class Cache {
  readonly #values = new Map<string, string>();

  async get(key: string, type?: string): Promise<unknown> {
    const value = this.#values.get(key);
    if (value === undefined) return null;
    return type === "json" ? (JSON.parse(value) as unknown) : value;
  }

  async put(key: string, value: string): Promise<void> {
    this.#values.set(key, value);
  }

  async delete(key: string): Promise<void> {
    this.#values.delete(key);
  }
}

const queue = { send: async () => undefined, sendBatch: async () => undefined };
const KEY = (name: string) => Buffer.alloc(32, name).toString("base64");

/** As wrangler.toml's local environment, and the secrets of vitest.config.ts. */
export const env = {
  ENVIRONMENT: "local",
  REQUEST_LOG: "none",
  DEFAULT_COMPATIBILITY_LEVEL: "BACKWARD",
  CONFLUENT_API_LEVEL: "8.2",
  CONFLUENT_STALENESS_SECONDS: "0",
  ACCESS_HASH_KEY: KEY("test"),
  WEBHOOK_SIGNING_KEY: KEY("test"),
  CHECKPOINT_SIGNING_KEYS: KEY("checkpoint"),
  PRIMARIES: new Namespace("PrimaryObject"),
  FEEDS: new Namespace("FeedObject"),
  WEBHOOKS: new Namespace("WebhooksObject"),
  METRICS: new Namespace("MetricsObject"),
  DIRECTORY: new Namespace("DirectoryObject"),
  CACHE: new Cache(),
  TEXTS: new Bucket(),
  BACKUPS: new Bucket(),
  ACCESS_RECORD: new Bucket(),
  CHANGES: queue,
  DENIALS: queue,
};

export const exports = {
  default: {
    async fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
      const { default: worker } = await import("../../workers/index.ts");
      const waiting: Promise<unknown>[] = [];
      const ctx = {
        waitUntil: (promise: Promise<unknown>) => void waiting.push(promise.catch(() => undefined)),
        passThroughOnException: () => undefined,
      };
      return worker.fetch(new Request(input, init) as never, env as never, ctx as never);
    },
  },
};
