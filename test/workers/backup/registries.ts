/** Common steps of backup tests: fill, export, restore, compare. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { expect } from "vitest";
import type { PrimaryObject } from "../../../durable-objects/primary/object.ts";
import type { StateTables } from "../../../durable-objects/primary/restore/replay.ts";
import { decodeSegment, encodeSegment, type Segment } from "../../../registry/segment.ts";
import { type Manifest, parseManifest } from "../../../workers/backup/manifest.ts";
import { type Ask, fillEventfully } from "../../support/eventful-history.ts";
import { type Called, type CallOptions, plainRegistry, type Registry } from "../http/native-calls.ts";

const BINDINGS = env as unknown as { PRIMARIES: DurableObjectNamespace<PrimaryObject>; BACKUPS: R2Bucket };

export function primaryStub({ platform }: Registry): DurableObjectStub<PrimaryObject> {
  return BINDINGS.PRIMARIES.getByName(`${platform.tenant}/1`);
}

/** A schema whose text stays above 4 KiB when deflated; the same for the same seed. */
export function largeSchema(seed: string): object {
  const symbols = Array.from(
    { length: 400 },
    (_, index) => `S${index}_${createHash("sha256").update(`${seed}${index}`).digest("hex").slice(0, 24)}_${seed}`,
  );
  return { type: "enum", name: "Large", symbols };
}

export async function filledRegistry(registry: Registry = plainRegistry()): Promise<Registry> {
  await fillEventfully(askOf(registry), largeSchema);
  // The alarm deletes texts of hard-deleted versions.
  await runDurableObjectAlarm(primaryStub(registry));
  return registry;
}

/** Both APIs, called like a client that retries when the response asks it to. */
function askOf({ platform }: Registry): Ask {
  return async (method, path, body) => {
    for (let attempt = 1; ; attempt += 1) {
      const response = await platform.fetch(path, {
        method,
        headers: { "Content-Type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (response.status === 503 && attempt < 3) platform.clock.advance(2_000);
      else return { status: response.status, body: text === "" ? null : JSON.parse(text) };
    }
  };
}

/** The whole downloaded log: each segment in its own gzip member. */
export async function exportedSegments(registry: Registry): Promise<Uint8Array[]> {
  const segments: Uint8Array[] = [];
  for (let after = 0; ; ) {
    const response = await registry.platform.fetch(`/api/v1/backup/export?after=${after}`);
    if (response.status === 204) return segments;
    expect(response.status).toBe(200);
    for (const bytes of splitMembers(new Uint8Array(await response.arrayBuffer()))) {
      segments.push(bytes);
      after = decoded(bytes).entries.at(-1)!.seq;
    }
  }
}

/** Every member begins with the same ten bytes, which are very unlikely in compressed data. */
function splitMembers(bytes: Uint8Array): Uint8Array[] {
  const buffer = Buffer.from(bytes);
  const opening = buffer.subarray(0, 10);
  const begins: number[] = [];
  for (let at = 0; at !== -1; at = buffer.indexOf(opening, at + 1)) begins.push(at);
  return begins.map((begin, index) => Uint8Array.from(buffer.subarray(begin, begins[index + 1])));
}

export function decoded(bytes: Uint8Array): Segment {
  const result = decodeSegment(bytes);
  if (!result.ok) throw new Error(result.refusal.message);
  return result.value.segment;
}

export function encoded(segment: Segment): Uint8Array {
  return encodeSegment(segment).bytes;
}

export function restoreSegment(registry: Registry, bytes: Uint8Array, options: CallOptions = {}): Promise<Called> {
  return registry.call("POST", "/backup/restore", {
    raw: bytes,
    headers: { "Content-Type": "application/gzip" },
    ...options,
  });
}

/** Restores and verifies; returns the new registry. */
export async function restored(
  segments: readonly Uint8Array[],
  expected: { seq: number; leaf_hash: string; state: unknown },
  registry: Registry = plainRegistry(),
): Promise<Registry> {
  for (const segment of segments) {
    const { status, text } = await restoreSegment(registry, segment);
    expect(status, text).toBe(200);
  }
  const finish = await registry.call("POST", "/backup/restore/finish", { body: expected });
  expect(finish.status, finish.text).toBe(200);
  expect(finish.body).toMatchObject({ compared: true });
  return registry;
}

export async function stateOf(
  registry: Registry,
): Promise<{ seq: number; leaf_hash: string; state: { version: number; tables: Record<string, { rows: number }> } }> {
  const { body } = await registry.get("/backup/state");
  return body as Awaited<ReturnType<typeof stateOf>>;
}

/** Every row of every state table, after verifying that they match the log. */
export async function rowsOf(registry: Registry): Promise<StateTables> {
  const { current, replayed } = await primaryStub(registry).replayState();
  expect(replayed).toEqual(current);
  return current;
}

/** Every object of the tenant in the bucket, by key. */
export async function bucketOf({ platform }: Registry): Promise<Map<string, Uint8Array>> {
  const objects = new Map<string, Uint8Array>();
  const { objects: listed } = await BINDINGS.BACKUPS.list({ prefix: `${platform.tenant}/` });
  for (const { key } of listed) {
    objects.set(key, new Uint8Array(await (await BINDINGS.BACKUPS.get(key))!.arrayBuffer()));
  }
  return objects;
}

export async function manifestOf(registry: Registry): Promise<Manifest | undefined> {
  const bytes = (await bucketOf(registry)).get(`${registry.platform.tenant}/1/manifest.json`);
  if (bytes === undefined) return undefined;
  const manifest = parseManifest(new TextDecoder().decode(bytes));
  if ("problem" in manifest) throw new Error(manifest.problem);
  return manifest;
}

/** Verifies that everything in the manifest exists, matches it, and follows its predecessor. Returns the segments. */
export async function soundBackupOf(registry: Registry): Promise<Uint8Array[]> {
  const manifest = await manifestOf(registry);
  const bucket = await bucketOf(registry);
  const segments: Uint8Array[] = [];
  let tip = "0".repeat(64);
  for (const { name, first, last, sha256, bytes, erased } of manifest?.segments ?? []) {
    const object = bucket.get(`${registry.platform.tenant}/1/${name}`);
    expect(object?.byteLength, name).toBe(bytes);
    const { before, entries } = decoded(object!);
    expect(encodeSegment(decoded(object!)).sha256).toBe(sha256);
    expect([before, entries.length]).toEqual([{ seq: first - 1, leafHash: tip }, last - first + 1]);
    expect(entries.filter(({ payload }) => payload === null)).toHaveLength(erased);
    tip = Buffer.from(entries.at(-1)!.leafHash).toString("hex");
    segments.push(object!);
  }
  if (manifest) expect(manifest.tip).toBe(tip);
  return segments;
}

/** Whether words occur anywhere in the tenant's part of the bucket. */
export async function bucketHolds(registry: Registry, words: readonly string[]): Promise<boolean> {
  for (const [key, bytes] of await bucketOf(registry)) {
    const text = key.endsWith(".gz") ? gunzipSync(bytes).toString("utf8") : new TextDecoder().decode(bytes);
    if (words.some((word) => text.includes(word))) return true;
  }
  return false;
}
