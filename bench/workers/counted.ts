/** The registry with a count of everything that the platform bills: `GET /counted` gives the counts since the last call. */
import { DirectoryObject } from "../../durable-objects/directory/object.ts";
import { FeedObject } from "../../durable-objects/feed/object.ts";
import { MetricsObject } from "../../durable-objects/metrics/object.ts";
import { PrimaryObject as Primary } from "../../durable-objects/primary/object.ts";
import { WebhooksObject } from "../../durable-objects/webhooks/object.ts";
import type { Bindings } from "../../workers/edge.ts";
import { createApp } from "../../workers/http/app.ts";

export { DirectoryObject, FeedObject, MetricsObject, WebhooksObject };

export type BilledCounts = Record<
  "rowsRead" | "rowsWritten" | "objectCalls" | "alarms" | "kvReads" | "kvWrites" | "r2Writes" | "queueMessages",
  number
>;

const none = (): BilledCounts => ({
  rowsRead: 0,
  rowsWritten: 0,
  objectCalls: 0,
  alarms: 0,
  kvReads: 0,
  kvWrites: 0,
  r2Writes: 0,
  queueMessages: 0,
});

// Shared by the edge and its objects, which run in one isolate locally.
let counts = none();
let cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];

class CountedPrimary extends Primary {
  constructor(...[ctx, env]: ConstructorParameters<typeof Primary>) {
    const { storage } = ctx;
    const exec = storage.sql.exec.bind(storage.sql) as SqlStorage["exec"];
    override(storage.sql, "exec", (text: string, ...bindings: unknown[]) => {
      const cursor = exec(text, ...bindings);
      cursors.push(cursor);
      return cursor;
    });
    const setAlarm = storage.setAlarm.bind(storage);
    override(storage, "setAlarm", (at: number) => {
      // Setting an alarm is billed as one row written.
      counts.rowsWritten += 1;
      counts.alarms += 1;
      return setAlarm(at);
    });
    super(ctx, { ...env, CHANGES: counted(env.CHANGES, { send: "queueMessages" }) });
  }
}

export { CountedPrimary as PrimaryObject };

function override(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { configurable: true, value });
}

function counted<T extends object>(binding: T, methods: Readonly<Record<string, keyof BilledCounts>>): T {
  return new Proxy(binding, {
    get: (target, name) => {
      const member = (target as Record<string | symbol, unknown>)[name];
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        const count = methods[String(name)];
        if (count) counts[count] += 1;
        return (member as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

function taken(): BilledCounts {
  const sum = (count: "rowsRead" | "rowsWritten") => cursors.reduce((total, cursor) => total + cursor[count], 0);
  const answer = { ...counts, rowsRead: sum("rowsRead"), rowsWritten: counts.rowsWritten + sum("rowsWritten") };
  counts = none();
  cursors = [];
  return answer;
}

const app = createApp();

export default {
  fetch: (request, env, ctx) => {
    if (new URL(request.url).pathname === "/counted") return Response.json(taken());
    // Each call to an object gets its own stub, so counting stubs counts calls.
    const PRIMARIES = counted(env.PRIMARIES as object, { getByName: "objectCalls" });
    const CACHE = counted(env.CACHE as object, { get: "kvReads", getWithMetadata: "kvReads", put: "kvWrites" });
    const TEXTS = counted(env.TEXTS as object, { put: "r2Writes" });
    return app.fetch(request, { ...env, PRIMARIES, CACHE, TEXTS } as Bindings, ctx);
  },
  queue: () => undefined,
  scheduled: () => undefined,
} satisfies ExportedHandler<Bindings>;
