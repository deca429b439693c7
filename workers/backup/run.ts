/**
 * One backup run: applies hard deletes to segments already exported, then exports new entries, up to a limit. Segments are
 * written, read back and verified before one conditional write adds them to the manifest. A run that fails anywhere has
 * therefore changed nothing in the backup, and the next run continues.
 */

import { openPrimary } from "../../durable-objects/primary/client.ts";
import { errorFields, logLine } from "../../observe/log-line.ts";
import { type AsOf, EPOCH, toHex } from "../../registry/log-entry.ts";
import { decodeSegment, segmentName } from "../../registry/segment.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import {
  backupPrefix,
  emptyManifest,
  MANIFEST_NAME,
  type Manifest,
  type ManifestSegment,
  parseManifest,
} from "./manifest.ts";
import { type BackupHost, Operations, primaryFor, readWholeSegment, type WholeSegment } from "./segments.ts";
import { type RunReport, readReport, writeReport } from "./status.ts";

/** Segments per run: at most 250 ms of CPU each, and a cron invocation has 30 s. */
export const MAX_RUN_SEGMENTS = 40;
export const MAX_RUN_MS = 60_000;
/** Unlisted objects may belong to a running export until this age; after it they are garbage. */
export const ORPHAN_GRACE_MS = 10 * MAX_RUN_MS;
/** How often the bucket is searched for unlisted objects. */
export const SWEEP_EVERY_MS = 60 * 60 * 1_000;
/** How often the state of a long log is digested: 100,000 versions take a second or more. */
export const MAX_SMALL_LOG_ENTRIES = 10_000;
export const STATE_EVERY_MS = 60 * 60 * 1_000;
const STATE_DEADLINE_MS = 60_000;
/** https://developers.cloudflare.com/r2/api/workers/workers-api-reference/ (keys of one delete). */
const MAX_DELETED_KEYS = 1_000;

type BackupRun =
  /** `more`: the limit was reached; the next run continues. */
  Result<{ lastSeq: number; exported: number; more: boolean }, string>;

/** Runs once and stores the result for `backupStatus`. */
export async function backUp(host: BackupHost, tenant: string): Promise<BackupRun> {
  const before = await readReport(host.env, tenant).catch(() => undefined);
  const run = new Run(host, tenant, before?.sweptAtMs ?? 0);
  let failure: unknown;
  try {
    await run.perform();
  } catch (error) {
    failure = error;
  }
  const { lastSeq, exported, more, sweptAtMs } = run;
  const nowMs = host.now();
  const report: RunReport = {
    lastSeq: lastSeq ?? before?.lastSeq ?? 0,
    exportedAtMs: exported > 0 ? nowMs : (before?.exportedAtMs ?? null),
    levelAtMs: failure === undefined && !more ? nowMs : (before?.levelAtMs ?? null),
    lastFailure: failure === undefined ? null : { atMs: nowMs, message: messageOf(failure) },
    sweptAtMs,
  };
  await writeReport(host.env, tenant, report);
  if (failure === undefined) return ok({ lastSeq: report.lastSeq, exported, more });
  logLine("error", "The backup failed; the next run continues it.", { tenant, ...errorFields(failure) });
  return refuse(messageOf(failure));
}

class Run {
  /** Entries this run added to the manifest. */
  exported = 0;
  /** The manifest's last entry; undefined until read. */
  lastSeq: number | undefined;
  more = false;
  sweptAtMs: number;
  readonly #host: BackupHost;
  readonly #tenant: string;
  readonly #prefix: string;
  readonly #operations = new Operations();
  readonly #untilMs: number;
  #segmentsLeft = MAX_RUN_SEGMENTS;
  #manifest: Manifest;
  #etag: string | null = null;
  #isChanged = false;

  constructor(host: BackupHost, tenant: string, sweptAtMs: number) {
    this.#host = host;
    this.#tenant = tenant;
    this.#prefix = backupPrefix(tenant, EPOCH);
    this.#untilMs = host.now() + MAX_RUN_MS;
    this.#manifest = emptyManifest(tenant);
    this.sweptAtMs = sweptAtMs;
  }

  async perform(): Promise<void> {
    await this.#loadManifest();
    await this.#deleteUnneeded();
    const before = this.#manifest.last_seq;
    try {
      await this.#export();
    } finally {
      // Keeps the files written and verified before the failure.
      if (this.#isChanged) {
        await this.#saveManifest();
        this.exported = this.#manifest.last_seq - before;
        this.lastSeq = this.#manifest.last_seq;
      }
    }
    await this.#deleteUnneeded();
    if (this.#host.now() - this.sweptAtMs >= SWEEP_EVERY_MS) await this.#sweep();
  }

  async #export(): Promise<void> {
    const head = await this.#agreeingHead();
    if (head.lastHardDelete > this.#manifest.erased_through) {
      if (!(await this.#applyHardDeletes(head))) return;
    }
    if (head.seq > this.#manifest.last_seq) await this.#append();
  }

  /** The log's tip, after checking that the log contains the manifest's last entry. */
  async #agreeingHead(): Promise<AsOf> {
    const { last_seq, tip } = this.#manifest;
    const { before, asOf } = await primaryFor(this.#host, this.#tenant).readSegment({
      after: last_seq,
      upTo: last_seq,
    });
    if (asOf.seq < last_seq) {
      throw new Error(
        `The bucket holds entries up to ${last_seq}, but this registry only up to ${asOf.seq}: restore the backup, or move it away.`,
      );
    }
    if (before.leafHash !== tip) {
      throw new Error(`The bucket holds the backup of a different log: entry ${last_seq} differs.`);
    }
    return asOf;
  }

  /** Rewrites every segment that has lost payloads; false if the limit was reached first. */
  async #applyHardDeletes({ lastHardDelete }: AsOf): Promise<boolean> {
    const { segments } = this.#manifest;
    const ranges = segments.map(({ first, last }) => ({ first, last }));
    const erased = ranges.length === 0 ? [] : await primaryFor(this.#host, this.#tenant).erasedIn({ ranges });
    const stale = segments.filter((segment, index) => segment.erased !== erased[index]);
    for (const segment of stale) {
      if (!(await this.#rewrite(segment))) return false;
    }
    this.#manifest.erased_through = lastHardDelete;
    this.#isChanged = true;
    return true;
  }

  /** A build with other limits may need several segments for entries that were in one. */
  async #rewrite(stale: ManifestSegment): Promise<boolean> {
    const written: ManifestSegment[] = [];
    for (let after = stale.first - 1; after < stale.last; ) {
      if (!this.#mayGoOn()) return false;
      const whole = await this.#read({ after, upTo: stale.last });
      if (whole === undefined) throw new Error(`The log ends before entry ${stale.last}, which the bucket holds.`);
      written.push(await this.#write(whole, whole.last < stale.last || stale.full));
      after = whole.last;
    }
    const { segments } = this.#manifest;
    segments.splice(segments.indexOf(stale), 1, ...written);
    this.#discard(stale.name);
    return true;
  }

  /** Exports new entries, rewriting the last segment if it was not full, until the end of the log or the limit. */
  async #append(): Promise<void> {
    const manifest = this.#manifest;
    for (;;) {
      if (!this.#mayGoOn()) return;
      const tail = manifest.segments.at(-1);
      const after = tail === undefined || tail.full ? manifest.last_seq : tail.first - 1;
      const whole = await this.#read({ after, upTo: Number.MAX_SAFE_INTEGER });
      if (whole === undefined) break;
      // Hard deletes since the last sweep must be applied to earlier segments first.
      if (whole.asOf.lastHardDelete > manifest.erased_through) {
        this.more = true;
        return;
      }
      if (whole.last <= manifest.last_seq) {
        if (!whole.more) break;
        // A full segment never changes.
        tail!.full = true;
        this.#isChanged = true;
        continue;
      }
      const written = await this.#write(whole, whole.more);
      if (tail !== undefined && !tail.full) {
        manifest.segments.pop();
        this.#discard(tail.name);
      }
      manifest.segments.push(written);
      manifest.last_seq = whole.last;
      manifest.tip = toHex(whole.segment.entries.at(-1)!.leafHash);
      if (!whole.more) break;
    }
    await this.#digestState();
  }

  /** Digests the state once the export has caught up. Reading all state blocks writers, so a large one is digested rarely. */
  async #digestState(): Promise<void> {
    const manifest = this.#manifest;
    const takenMs = manifest.state === null ? 0 : Date.parse(manifest.state.taken_at);
    const isDue = this.#host.now() - takenMs >= STATE_EVERY_MS;
    if (manifest.last_seq > MAX_SMALL_LOG_ENTRIES && !isDue) return;
    const { state, asOf } = await openPrimary(this.#host.env, this.#tenant, {
      deadlineMs: STATE_DEADLINE_MS,
    }).readState();
    if (asOf.seq !== manifest.last_seq) {
      this.more = true;
      return;
    }
    manifest.state = { seq: asOf.seq, taken_at: new Date(this.#host.now()).toISOString(), ...state };
    this.#isChanged = true;
  }

  #mayGoOn(): boolean {
    if (this.#segmentsLeft > 0 && this.#operations.allowSegment && this.#host.now() < this.#untilMs) return true;
    this.more = true;
    return false;
  }

  async #read(range: { after: number; upTo: number }): Promise<WholeSegment | undefined> {
    const read = await readWholeSegment(this.#host, this.#tenant, range, this.#operations);
    return "segment" in read ? read : undefined;
  }

  /** Writes a segment and reads it back, so the manifest only lists segments that were seen in the bucket. */
  async #write({ first, last, segment, encoded }: WholeSegment, full: boolean): Promise<ManifestSegment> {
    const { BACKUPS } = this.#host.env;
    const { bytes, sha256 } = encoded;
    const name = `segments/${segmentName(first, last, sha256)}`;
    this.#segmentsLeft -= 1;
    this.#operations.spend(2);
    await BACKUPS.put(this.#prefix + name, bytes, { httpMetadata: { contentType: "application/gzip" } });
    const object = await BACKUPS.get(this.#prefix + name);
    if (object === null) throw new Error(`Segment ${name} is missing after it was written.`);
    const decoded = decodeSegment(new Uint8Array(await object.arrayBuffer()));
    if (!decoded.ok || decoded.value.sha256 !== sha256) {
      const why = decoded.ok ? "The stored segment differs." : decoded.refusal.message;
      throw new Error(`Segment ${name} differs from what was written: ${why}`);
    }
    this.#isChanged = true;
    const erased = segment.entries.filter(({ payload }) => payload === null).length;
    return { name, first, last, sha256, bytes: bytes.byteLength, erased, full };
  }

  #discard(name: string): void {
    this.#manifest.unneeded.push(name);
  }

  async #loadManifest(): Promise<void> {
    this.#operations.spend(1);
    const object = await this.#host.env.BACKUPS.get(this.#prefix + MANIFEST_NAME);
    if (object === null) return;
    const manifest = parseManifest(await object.text());
    if ("problem" in manifest) throw new Error(manifest.problem);
    this.#manifest = manifest;
    this.#etag = object.etag;
    this.lastSeq = manifest.last_seq;
  }

  async #saveManifest(): Promise<void> {
    const named = new Set(this.#manifest.segments.map(({ name }) => name));
    this.#manifest.unneeded = this.#manifest.unneeded.filter((name) => !named.has(name));
    this.#manifest.exported_at = new Date(this.#host.now()).toISOString();
    this.#operations.spend(2);
    const { BACKUPS } = this.#host.env;
    const key = this.#prefix + MANIFEST_NAME;
    const text = `${JSON.stringify(this.#manifest, null, 1)}\n`;
    const saved = await BACKUPS.put(key, text, {
      onlyIf: this.#etag === null ? { etagDoesNotMatch: "*" } : { etagMatches: this.#etag },
      httpMetadata: { contentType: "application/json" },
    });
    if (saved === null) throw new Error("Another run has written the manifest in the meantime.");
    // Objects of the previous manifest are deleted only after the new one was read back.
    const object = await BACKUPS.get(key);
    if ((await object?.text()) !== text) throw new Error("The manifest is missing after it was written.");
    this.#etag = saved.etag;
  }

  /** The manifest is written before its old objects are deleted, so a reader always finds what it lists. */
  async #deleteUnneeded(): Promise<void> {
    await this.#deleteObjects(this.#manifest.unneeded.map((name) => this.#prefix + name));
    this.#manifest.unneeded = [];
  }

  /** Deletes unlisted segments of failed runs, which may contain hard-deleted data. */
  async #sweep(): Promise<void> {
    const named = new Set(this.#manifest.segments.map(({ name }) => this.#prefix + name));
    const bornBeforeMs = this.#host.now() - ORPHAN_GRACE_MS;
    let cursor: string | undefined;
    do {
      this.#operations.spend(1);
      const page = await this.#host.env.BACKUPS.list({
        prefix: `${this.#prefix}segments/`,
        ...(cursor === undefined ? {} : { cursor }),
      });
      const orphans = page.objects.filter(({ key, uploaded }) => !named.has(key) && uploaded.getTime() < bornBeforeMs);
      await this.#deleteObjects(orphans.map(({ key }) => key));
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor !== undefined);
    this.sweptAtMs = this.#host.now();
  }

  async #deleteObjects(keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += MAX_DELETED_KEYS) {
      this.#operations.spend(1);
      await this.#host.env.BACKUPS.delete(keys.slice(at, at + MAX_DELETED_KEYS));
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
