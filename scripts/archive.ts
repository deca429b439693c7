// A backup on disk: a folder laid out like the bucket, or one file of concatenated segments.
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { pipeline, type Readable } from "node:stream";
import { createGunzip, gzipSync } from "node:zlib";
import { GENESIS_HASH, type LogTip, toHex } from "../registry/log-entry.ts";
import { decodeSegment, type Segment } from "../registry/segment.ts";
import { MANIFEST_NAME, type Manifest, parseManifest } from "../workers/backup/manifest.ts";

/** An error whose message is shown to the user. */
export class ArchiveProblem extends Error {}

export type ReadSegment = { name: string; bytes: Uint8Array; segment: Segment; sha256: string };

type Archive = {
  /** The manifest stored with the segments; null for a file that was downloaded by other means. */
  manifest: Manifest | null;
  /** Verified segments, each following the one before it. */
  segments(): AsyncGenerator<ReadSegment>;
};

export function openArchive(path: string): Archive {
  if (!existsSync(path)) throw new ArchiveProblem(`${path} does not exist.`);
  if (!statSync(path).isDirectory()) {
    const manifest = readManifest(manifestOfFile(path));
    return { manifest, segments: () => verified(segmentsOfFile(path), manifest) };
  }
  const manifest = readManifest(join(path, MANIFEST_NAME));
  if (manifest === null) throw new ArchiveProblem(`${path} has no ${MANIFEST_NAME}, so it is not a finished backup.`);
  return { manifest, segments: () => verified(segmentsOfFolder(path, manifest), manifest) };
}

export function manifestOfFile(path: string): string {
  return `${path}.${MANIFEST_NAME}`;
}

export function readManifest(path: string): Manifest | null {
  if (!existsSync(path)) return null;
  const manifest = parseManifest(readFileSync(path, "utf8"));
  if ("problem" in manifest) throw new ArchiveProblem(`${path}: ${manifest.problem}`);
  return manifest;
}

/** Replaces the file atomically. */
export function writeWhole(path: string, bytes: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.unfinished`;
  writeFileSync(unfinished, bytes);
  renameSync(unfinished, path);
}

export function removeFile(path: string): void {
  rmSync(path, { force: true });
}

async function* segmentsOfFolder(
  folder: string,
  { segments }: Manifest,
): AsyncGenerator<{ name: string; bytes: Uint8Array }> {
  for (const { name } of segments) {
    const path = join(folder, name);
    if (!existsSync(path)) throw new ArchiveProblem(`${path} is missing, although the manifest lists it.`);
    yield { name, bytes: readFileSync(path) };
  }
}

async function* segmentsOfFile(path: string): AsyncGenerator<{ name: string; bytes: Uint8Array }> {
  let count = 0;
  try {
    for await (const bytes of segmentsOfStream(createReadStream(path))) {
      count += 1;
      yield { name: `${basename(path)}, segment ${count}`, bytes };
    }
  } catch (error) {
    if (!(error instanceof CutOff)) throw error;
    throw new ArchiveProblem(`${path} is not gzip or is truncated, after ${count} complete segments.`);
  }
}

/** The stream ended inside a segment. */
export class CutOff extends Error {}

/**
 * Members of the gzip stream need not be segments, so segments are found by their last lines and compressed again
 * individually.
 */
export async function* segmentsOfStream(stream: Readable): AsyncGenerator<Uint8Array> {
  let lines: Buffer[] = [];
  let line: Buffer[] = [];
  const inflated = createGunzip();
  // Handles both a failing stream and invalid gzip data.
  pipeline(stream, inflated, () => undefined);
  try {
    for await (const chunk of inflated as AsyncIterable<Buffer>) {
      let begin = 0;
      for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, begin)) {
        const whole = Buffer.concat([...line, chunk.subarray(begin, end + 1)]);
        begin = end + 1;
        line = [];
        lines.push(whole);
        if (!isLastLine(whole)) continue;
        yield gzipSync(Buffer.concat(lines));
        lines = [];
      }
      if (begin < chunk.byteLength) line.push(chunk.subarray(begin));
    }
  } catch (error) {
    throw new CutOff("The stream of segments is not gzip or was interrupted.", { cause: error });
  }
  if (lines.length > 0 || line.length > 0) throw new CutOff("The stream of segments is truncated.");
}

const LINE_FEED = 10;
/** Longer than the last line of any segment, so that texts are not parsed to find it. */
const MAX_LAST_LINE_BYTES = 200;

function isLastLine(line: Buffer): boolean {
  if (line.byteLength > MAX_LAST_LINE_BYTES) return false;
  try {
    return "sha256" in (JSON.parse(line.toString("utf8")) as object);
  } catch {
    return false;
  }
}

async function* verified(
  read: AsyncGenerator<{ name: string; bytes: Uint8Array }>,
  manifest: Manifest | null,
): AsyncGenerator<ReadSegment> {
  let tip: LogTip = { seq: 0, leafHash: GENESIS_HASH };
  let index = 0;
  for await (const { name, bytes } of read) {
    const decoded = decodeSegment(bytes);
    if (!decoded.ok) throw new ArchiveProblem(`${name}, line ${decoded.refusal.line}: ${decoded.refusal.message}`);
    const { segment, sha256 } = decoded.value;
    const { before, entries } = segment;
    if (before.seq !== tip.seq) {
      throw new ArchiveProblem(`${name} begins with entry ${before.seq + 1}, expected entry ${tip.seq + 1}.`);
    }
    if (before.leafHash !== tip.leafHash) throw new ArchiveProblem(`${name} follows a different entry ${tip.seq}.`);
    const expected = manifest?.segments[index];
    if (expected !== undefined && expected.sha256 !== sha256) {
      throw new ArchiveProblem(`${name} does not match its hash in the manifest.`);
    }
    index += 1;
    const last = entries.at(-1)!;
    tip = { seq: last.seq, leafHash: toHex(last.leafHash) };
    yield { name, bytes, segment, sha256 };
  }
  if (manifest !== null && (tip.seq !== manifest.last_seq || tip.leafHash !== manifest.tip)) {
    throw new ArchiveProblem(`The segments end with entry ${tip.seq}, but the manifest says ${manifest.last_seq}.`);
  }
}
