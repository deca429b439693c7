import { env } from "cloudflare:workers";
import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { MIGRATIONS } from "../../../durable-objects/primary/state/migrations.ts";
import { headerBytes, leafHash, parseHeader, payloadDigest, toHex } from "../../../registry/log-entry.ts";
import { MAX_SEGMENT_BYTES, MAX_SEGMENT_INFLATED_BYTES } from "../../../registry/segment.ts";
import type { Permission } from "../../../workers/edge.ts";
import { localActor } from "../../../workers/http/actor.ts";
import { createApp } from "../../../workers/http/app.ts";
import {
  avroRecord,
  hostileRegistry,
  type ProblemBody,
  plainRegistry,
  type Registry,
  WAYS,
} from "../http/native-calls.ts";
import kept from "./kept/export-v1.json";
import {
  decoded,
  encoded,
  exportedSegments,
  filledRegistry,
  primaryStub,
  restored,
  restoreSegment,
  rowsOf,
  stateOf,
} from "./registries.ts";

describe.each(WAYS)("a downloaded export on the $name platform", ({ open }) => {
  it("restores into an empty registry row by row, which then continues like the original", async () => {
    const source = await filledRegistry(open());
    const state = await stateOf(source);

    const target = await restored(await exportedSegments(source), state, open());

    expect(await rowsOf(target)).toEqual(await rowsOf(source));
    expect(await stateOf(target)).toEqual(state);
    const next = await Promise.all([source, target].map((registry) => registry.register("next", avroRecord("n"))));
    const { seq, version, confluent_id, guid } = next[0]!;
    expect(next[1]).toMatchObject({ seq, version, confluent_id, guid });
    const large = await target.get("/subjects/large/versions/latest?content=text");
    const there = await source.get("/subjects/large/versions/latest?content=text");
    expect(large.body).toEqual(there.body);
  });
});

describe("GET /backup/export", () => {
  it("returns the entries after a seq, and 204 at the end of the log", async () => {
    const registry = plainRegistry();
    await registry.register("a", avroRecord("id"));
    await registry.register("b", avroRecord("id"));

    const response = await registry.platform.fetch("/api/v1/backup/export?after=1");
    const segment = decoded(new Uint8Array(await response.arrayBuffer()));
    const end = await registry.get("/backup/export?after=2");
    const beyond = await registry.get("/backup/export?after=3");

    expect(response.headers.get("Content-Type")).toBe("application/gzip");
    expect(response.headers.get("X-Registry-Seq")).toBe("1.2.0");
    expect(segment).toMatchObject({ tenant: registry.platform.tenant, epoch: 1, before: { seq: 1 } });
    expect(segment.entries).toHaveLength(1);
    expect([end.status, beyond.status]).toEqual([204, 204]);
  });

  it("answers 503 while a large text is unavailable", async () => {
    const registry = hostileRegistry();
    await filledRegistry(registry);

    registry.platform.r2.away = true;
    const { status } = await registry.get("/backup/export");

    expect(status).toBe(503);
  });
});

describe("POST /backup/restore", () => {
  async function oneSegment(): Promise<Uint8Array> {
    const source = plainRegistry();
    await source.register("a", avroRecord("id"));
    await source.register("b", avroRecord("id", "e?"));
    return (await exportedSegments(source))[0]!;
  }

  /** The segment with changed lines and a recomputed hash, because a forger can compute it too. */
  function tampered(segment: Uint8Array, change: (lines: string[]) => string[], isSealed = true): Uint8Array {
    const lines = gunzipSync(segment).toString("utf8").trimEnd().split("\n");
    const changed = change(lines.slice(0, -1));
    const text = changed.map((line) => `${line}\n`).join("");
    const sha256 = createHash("sha256").update(text).digest("hex");
    return gzipSync(`${text}${isSealed ? JSON.stringify({ sha256 }) : lines.at(-1)}\n`);
  }

  const line = (index: number, from: string | RegExp, to: string) => (lines: string[]) =>
    lines.with(index, lines[index]!.replace(from, to));

  it.each<[what: string, change: (lines: string[]) => string[], line: number, message: RegExp]>([
    ["a header", line(1, "schema.registered", "schema.updated"), 2, /leaf hash/],
    ["a payload", line(2, '\\"number\\":1', '\\"number\\":7'), 3, /payload of entry 2 does not match/],
    ["a salt", line(2, /"salt":"[^"]*"/, '"salt":"AAAAAAAAAAAAAAAAAAAAAA=="'), 3, /payload of entry 2 does not match/],
    ["a text", line(3, "Order", "Other"), 4, /does not match its hash/],
    [
      "the order",
      (lines) => [lines[0]!, lines[2]!, lines[1]!, ...lines.slice(3)],
      2,
      /Found entry 2, expected entry 1/,
    ],
    ["what is missing", (lines) => lines.toSpliced(1, 1), 2, /Found entry 2, expected entry 1/],
    ["what is doubled", (lines) => lines.toSpliced(2, 0, lines[1]!), 3, /Found entry 1, expected entry 2/],
    ["a text that is missing", (lines) => lines.toSpliced(3, 1), 5, /ends, expected a text/],
  ])(
    "refuses a segment with a change to %s, with the location, and changes nothing",
    async (_, change, at, message) => {
      const segment = await oneSegment();
      const target = plainRegistry();

      const refused = await restoreSegment(target, tampered(segment, change));

      expect(refused.status).toBe(422);
      expect(refused.body).toMatchObject({
        errors: [{ rule: "segment", line: at, message: expect.stringMatching(message) }],
      });
      expect(await target.lastSeq()).toBe(0);
    },
  );

  it("refuses a segment with any changed byte", { timeout: 60_000 }, async () => {
    const inflated = gunzipSync(await oneSegment());
    const target = plainRegistry();
    const places = Array.from({ length: 40 }, (_, n) => Math.floor((n * (inflated.byteLength - 1)) / 39));

    for (const place of places) {
      const damaged = Uint8Array.from(inflated);
      damaged[place]! ^= 1;
      const { status, text } = await restoreSegment(target, gzipSync(damaged));
      expect(status, `byte ${place}: ${text}`).toBe(422);
    }

    expect(await target.lastSeq()).toBe(0);
  });

  it("refuses a body that is not a segment, a truncated one, and one that inflates beyond the limit", async () => {
    const segment = await oneSegment();
    const target = plainRegistry();
    const bomb = gzipSync(Buffer.alloc(MAX_SEGMENT_INFLATED_BYTES + 1));

    const refusals = await Promise.all(
      [new TextEncoder().encode("{}"), segment.subarray(0, -20), bomb].map((bytes) => restoreSegment(target, bytes)),
    );

    expect(refusals.map(({ status }) => status)).toEqual([422, 422, 422]);
    expect(refusals.map(({ body }) => (body as ProblemBody).detail)).toEqual([
      expect.stringContaining("not gzip"),
      expect.stringContaining("truncated"),
      expect.stringContaining(`inflates to more than ${MAX_SEGMENT_INFLATED_BYTES}`),
    ]);
  });

  it("refuses a body that is larger than any segment, and one of another media type", async () => {
    const target = plainRegistry();

    const large = await restoreSegment(target, new Uint8Array(MAX_SEGMENT_BYTES + 1));
    const largest = await restoreSegment(target, new Uint8Array(MAX_SEGMENT_BYTES));
    const json = await target.call("POST", "/backup/restore", { body: {} });

    expect([large.status, largest.status, json.status]).toEqual([413, 422, 415]);
  });

  it("refuses a registry with other content, and leaves it unchanged", async () => {
    const target = plainRegistry();
    await target.register("mine", avroRecord("id"));

    const { status, body } = await restoreSegment(target, await oneSegment());

    expect(status).toBe(409);
    expect((body as ProblemBody).detail).toContain("Entry 1 differs between this log and the segment");
    expect(await target.lastSeq()).toBe(1);
  });

  /**
   * A segment whose entries have changed payloads and matching hashes: only the payloads are not what a command writes.
   */
  function forged(segment: Uint8Array, change: (payload: Record<string, unknown>) => unknown): Uint8Array {
    const { entries, before, ...rest } = decoded(segment);
    let tip = before.leafHash;
    const changed = entries.map((entry) => {
      const salt = entry.payload!.salt;
      const payload = JSON.parse(new TextDecoder().decode(entry.payload!.bytes)) as Record<string, unknown>;
      const bytes = new TextEncoder().encode(JSON.stringify(change(payload)));
      const header = headerBytes({
        ...parseHeader(entry.header),
        payload_digest: payloadDigest(salt, bytes),
        prev_hash: tip,
      });
      tip = toHex(leafHash(header));
      return { seq: entry.seq, header, leafHash: leafHash(header), payload: { salt, bytes } };
    });
    return encoded({ ...rest, before, entries: changed });
  }

  const numbered = (number: unknown) => (payload: Record<string, unknown>) => ({
    ...payload,
    numbering: { ...(payload.numbering as object), number },
  });

  it.each<[what: string, change: (payload: Record<string, unknown>) => unknown, pointer: string]>([
    ["a number of -5", numbered(-5), "/numbering/number"],
    ["a number beyond 2^31 - 1", numbered(2 ** 31), "/numbering/number"],
    ["a number that is a text", numbered("1"), "/numbering/number"],
    ["attributes of another shape", (payload) => ({ ...payload, attributes: { tags: "x" } }), "/attributes"],
    ["no numbering", ({ numbering: _, ...payload }) => payload, ""],
  ])("refuses an entry with %s, with the location, and changes nothing", async (_, change, pointer) => {
    const target = plainRegistry();

    const { status, body } = await restoreSegment(target, forged(await oneSegment(), change));

    expect(status).toBe(422);
    const [item] = (body as ProblemBody & { errors: { line: number; message: string }[] }).errors;
    expect(item).toMatchObject({ line: 2, message: expect.stringContaining(`not valid at "${pointer}`) });
    expect(await target.lastSeq()).toBe(0);
  });

  it("refuses an entry with a different predecessor, even if its own hashes are correct", async () => {
    const source = plainRegistry();
    for (const subject of ["a", "b"]) await source.register(subject, avroRecord("id"));
    const { entries, ...rest } = decoded((await exportedSegments(source))[0]!);
    const last = entries.at(-1)!;
    const header = headerBytes({ ...parseHeader(last.header), prev_hash: "ab".repeat(32) });
    const cut = encoded({
      ...rest,
      entries: [...entries.slice(0, -1), { ...last, header, leafHash: leafHash(header) }],
    });
    const target = plainRegistry();

    const { status, body } = await restoreSegment(target, cut);

    expect(status).toBe(422);
    const { errors } = body as ProblemBody & { errors: unknown[] };
    expect(errors).toMatchObject([{ message: `Entry ${last.seq} does not link to the entry before it.` }]);
    expect(await target.lastSeq()).toBe(0);
  });

  it("accepts a number at the limit", async () => {
    const target = plainRegistry();

    const { status, text } = await restoreSegment(target, forged(await oneSegment(), numbered(2 ** 31 - 1)));

    expect(status, text).toBe(200);
  });

  it("answers reads and refuses writes until the restore is finished", async () => {
    const source = plainRegistry();
    await source.register("a", avroRecord("id"));
    const target = plainRegistry();
    await restoreSegment(target, (await exportedSegments(source))[0]!);
    const write = () => target.call("PUT", "/compatibility", { body: { level: "NONE" } });

    const during = await write();
    const read = await target.get("/subjects/a/versions/latest");
    const wrong = await target.call("POST", "/backup/restore/finish", {
      body: { ...(await stateOf(source)), seq: 9 },
    });
    await target.call("POST", "/backup/restore/finish", { body: await stateOf(source) });
    const after = await write();

    expect([during.status, read.status, wrong.status, after.status]).toEqual([503, 200, 409, 200]);
    expect(during.headers.get("Retry-After")).not.toBeNull();
  });
});

describe.each(WAYS)("DELETE /backup/restore on the $name platform", ({ open }) => {
  it("empties a registry that is being restored, which then accepts writes or another restore", async () => {
    const source = await filledRegistry(open());
    const segments = await exportedSegments(source);
    const target = open();
    await restoreSegment(target, segments[0]!);
    const { seq } = decoded(segments[0]!).entries.at(-1)!;

    const abandoned = await target.call("DELETE", "/backup/restore");

    expect([abandoned.status, abandoned.body]).toEqual([200, { removed: seq }]);
    expect(await target.lastSeq()).toBe(0);
    expect((await target.get("/subjects")).body).toMatchObject({ items: [] });
    await rowsOf(target);
    const again = await restored(segments, await stateOf(source), target);
    expect(await rowsOf(again)).toEqual(await rowsOf(source));
  });

  it("is refused if no restore is in progress, and removes nothing", async () => {
    const registry = open();
    await registry.register("a", avroRecord("id"));

    expect((await registry.call("DELETE", "/backup/restore")).status).toBe(409);
    expect(await registry.lastSeq()).toBe(1);
  });
});

describe("the permissions of backup", () => {
  it.each<[permission: Permission, method: string, path: string]>([
    ["admin:config", "GET", "/backup"],
    ["admin:config", "GET", "/backup/export"],
    ["admin:config", "GET", "/backup/state"],
    ["admin:config", "POST", "/backup"],
    ["admin:config", "POST", "/backup/restore"],
    ["admin:config", "POST", "/backup/restore/finish"],
  ])("require %s for %s %s", async (permission, method, path) => {
    const others = [...localActor().permissions].filter((held) => held !== permission);
    const tenant = `permissions-${crypto.randomUUID()}`;
    const app = createApp({ actorOf: () => ({ tenant, actor: "somebody", permissions: new Set(others) }) });
    const context = { waitUntil: () => undefined } as unknown as ExecutionContext;

    const { status } = await app.fetch(new Request(`https://registry.test/api/v1${path}`, { method }), env, context);

    expect(status).toBe(403);
  });
});

describe("the export of release 0.1.0, restored by this build", () => {
  /** A stored export is never edited; a new release adds one. */
  const segments = kept.segments.map((segment) => Uint8Array.from(Buffer.from(segment, "base64")));

  async function restoredKept(): Promise<Registry> {
    const target = plainRegistry();
    for (const segment of segments) expect((await restoreSegment(target, segment)).status).toBe(200);
    const { seq, leaf_hash, state } = kept;
    const finish = await target.call("POST", "/backup/restore/finish", { body: { seq, leaf_hash, state } });
    expect(finish.status, finish.text).toBe(200);
    expect(finish.body).toMatchObject({ compared: kept.state.version === MIGRATIONS.length });
    return target;
  }

  it("has its original rows, and the additions of later builds", async () => {
    const target = await restoredKept();

    const rows = await rowsOf(target);
    for (const [table, keptRows] of Object.entries(kept.rows)) {
      expect(rows[table], table).toHaveLength(keptRows.length);
      expect(rows[table], table).toMatchObject(keptRows);
    }
  });

  it("is exported again unchanged", async () => {
    const target = await restoredKept();

    const [again] = await exportedSegments(target);

    const { tenant: _, ...was } = decoded(segments[0]!);
    expect(decoded(again!)).toMatchObject(was);
    expect(toHex(decoded(again!).entries.at(-1)!.leafHash)).toBe(kept.leaf_hash);
    expect(encoded({ ...decoded(again!), tenant: decoded(segments[0]!).tenant })).toEqual(
      encoded(decoded(segments[0]!)),
    );
  });

  it("continues with the next number and id", async () => {
    const target = await restoredKept();

    const record = await target.register("after-the-restore", avroRecord("id"), { compatibility_level: "NONE" });

    expect(record).toMatchObject({ seq: kept.seq + 1, version_number: 1 });
    const { current, replayed } = await primaryStub(target).replayState();
    expect(replayed).toEqual(current);
  });
});
