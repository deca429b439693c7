/** Assembles segments at the edge: entries from the primary, large texts from R2. */
import { inflateRawSync } from "node:zlib";
import { openPrimary, type PrimaryClient } from "../../durable-objects/primary/client.ts";
import { type AsOf, EPOCH } from "../../registry/log-entry.ts";
import type { SegmentSource } from "../../registry/rpc.ts";
import {
  decodeText,
  type EncodedSegment,
  encodeSegment,
  MAX_SEGMENT_ENTRIES,
  type Segment,
} from "../../registry/segment.ts";
import { textKey } from "../../registry/text-key.ts";
import type { ContentHash } from "../../schema/content-hash.ts";
import type { Bindings } from "../edge.ts";

/** R2 calls per run: an invocation may make 1,000 (https://developers.cloudflare.com/kv/platform/limits/), and a cron has other jobs. */
const MAX_OPERATIONS = 900;
/** R2 calls one segment may need: its large texts, writing and reading it back, and the manifest. */
const SEGMENT_OPERATIONS = MAX_SEGMENT_ENTRIES + 4;
/** https://developers.cloudflare.com/workers/platform/limits/ (simultaneous open connections). */
const MAX_PARALLEL_READS = 6;
/** Attempts: a missing text may have been hard-deleted since the primary named it. */
const READS_OF_ONE_SEGMENT = 2;

export type BackupHost = {
  env: Pick<Bindings, "BACKUPS" | "TEXTS" | "CACHE" | "PRIMARIES">;
  now(): number;
};

/** The R2 calls an invocation has left. */
export class Operations {
  #left = MAX_OPERATIONS;

  spend(count: number): void {
    this.#left -= count;
  }

  /** Whether another segment is certain to fit. */
  get allowSegment(): boolean {
    return this.#left >= SEGMENT_OPERATIONS;
  }
}

/** A large text could not be read or is missing. */
export class TextUnavailable extends Error {}

export type WholeSegment = {
  first: number;
  last: number;
  segment: Segment;
  encoded: EncodedSegment;
  /** Whether more entries follow. */
  more: boolean;
  asOf: AsOf;
};

/** The segment after an entry; undefined at the end of the log. */
export async function readWholeSegment(
  host: Pick<BackupHost, "env">,
  tenant: string,
  range: { after: number; upTo: number },
  operations: Operations,
): Promise<WholeSegment | { tip: string; asOf: AsOf }> {
  for (let attempt = 1; ; attempt += 1) {
    const source = await primaryFor(host, tenant).readSegment(range);
    const { before, entries, more, asOf } = source;
    const last = entries.at(-1);
    if (last === undefined) return { tip: before.leafHash, asOf };
    const texts = await readTexts(host, tenant, source, operations);
    if (typeof texts !== "string") {
      const segment = { tenant, epoch: EPOCH, before, entries, texts };
      return { first: before.seq + 1, last: last.seq, segment, encoded: encodeSegment(segment), more, asOf };
    }
    if (attempt === READS_OF_ONE_SEGMENT) {
      throw new TextUnavailable(`Text ${texts} is not in R2, although the log references it.`);
    }
  }
}

/** The texts by hash, or the hash of a missing one. */
async function readTexts(
  { env }: Pick<BackupHost, "env">,
  tenant: string,
  source: SegmentSource,
  operations: Operations,
): Promise<Map<ContentHash, string> | ContentHash> {
  const stored = new Map(source.texts.map(({ contentHash, deflated }) => [contentHash, deflated]));
  const large = source.texts.filter(({ deflated }) => deflated === null);
  for (let at = 0; at < large.length; at += MAX_PARALLEL_READS) {
    const read = large.slice(at, at + MAX_PARALLEL_READS);
    operations.spend(read.length);
    const objects = await Promise.all(
      read.map(({ contentHash }) =>
        env.TEXTS.get(textKey(tenant, contentHash)).catch((error: Error) => {
          throw new TextUnavailable(`Text ${contentHash} cannot be read: ${error.message}`, { cause: error });
        }),
      ),
    );
    for (const [index, object] of objects.entries()) {
      const { contentHash } = read[index]!;
      if (object === null) return contentHash;
      stored.set(contentHash, new Uint8Array(await object.arrayBuffer()));
    }
  }
  return new Map([...stored].map(([hash, deflated]) => [hash, decodeText(inflateRawSync(deflated!))]));
}

/** A new client per call: each has its own deadline, and a run outlives it. */
export function primaryFor({ env }: Pick<BackupHost, "env">, tenant: string): PrimaryClient {
  return openPrimary(env, tenant);
}
