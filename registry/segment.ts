/**
 * A segment of a backup (docs/backup.md): consecutive log entries with their payloads and texts, self-contained, as gzipped
 * lines of JSON. Workers, objects and Node all use these functions to read, write and verify segments.
 */

import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { type ContentHash, contentHash } from "../schema/content-hash.ts";
import { ok, type Result, refuse } from "../schema/result.ts";
import {
  ENTRY_TYPES,
  type EntryType,
  headerBytes,
  type LogEntry,
  type LogHeader,
  type LogTip,
  leafHash,
  parseHeader,
  payloadDigest,
  SALT_BYTES,
  toHex,
} from "./log-entry.ts";
import { NATIVE_HASHES } from "./native-hashes.ts";
import type { Payloads, RegisteredPayload } from "./payloads.ts";

const SEGMENT_FORMAT = "llm-schema-registry/segment";
const SEGMENT_VERSION = 1;

/** Entries per segment. */
export const MAX_SEGMENT_ENTRIES = 500;
/** Headers, payloads and texts per segment; a single larger entry gets its own segment. */
export const MAX_SEGMENT_CONTENT_BYTES = 4 * 1024 * 1024;
/** Stored size of a segment, larger than the largest possible entry. */
export const MAX_SEGMENT_BYTES = 16 * 1024 * 1024;
/** Inflated size: an isolate has 128 MB for everything. */
export const MAX_SEGMENT_INFLATED_BYTES = 32 * 1024 * 1024;

export type Segment = {
  tenant: string;
  epoch: number;
  /** The log's tip before the first entry. */
  before: LogTip;
  entries: readonly LogEntry[];
  /** Texts of all contents that surviving entries registered, in order of first use. */
  texts: ReadonlyMap<ContentHash, string>;
};

export type EncodedSegment = {
  /** Gzipped. Only the lines are hashed, because compression may vary. */
  bytes: Uint8Array;
  /** Digest of the lines before the last, lower-case hex. */
  sha256: string;
};

/** The first problem. `line` counts from 1 in the inflated segment. */
export type SegmentProblem = { line: number; message: string };
type DecodedSegment = Result<{ segment: Segment; sha256: string }, SegmentProblem>;

/** Entry types whose payload a hard delete removes. */
const HARD_DELETABLE: ReadonlySet<EntryType> = new Set<EntryType>([
  "schema.registered",
  "schema.updated",
  "proposal.opened",
  "evidence.attached",
]);

export function encodeSegment(segment: Segment): EncodedSegment {
  const lines = segmentLines(segment);
  const sha256 = createHash("sha256").update(lines).digest("hex");
  const whole = Buffer.concat([lines, Buffer.from(`${JSON.stringify({ sha256 })}\n`)]);
  return { bytes: gzipSync(whole), sha256 };
}

/** All lines except the last, each ending in a line feed. */
export function segmentLines({ tenant, epoch, before, entries, texts }: Segment): Uint8Array {
  const decoder = strictDecoder();
  const last = entries.at(-1);
  const lines: string[] = [
    JSON.stringify({
      format: SEGMENT_FORMAT,
      v: SEGMENT_VERSION,
      tenant,
      epoch,
      first: before.seq + 1,
      last: last?.seq ?? before.seq,
      tip_before: before.leafHash,
      tip_after: last === undefined ? before.leafHash : toHex(last.leafHash),
      entries: entries.length,
      texts: texts.size,
    }),
  ];
  for (const { seq, header, leafHash: leaf, payload } of entries) {
    lines.push(
      JSON.stringify({
        seq,
        header: decoder.decode(header),
        leaf_hash: toHex(leaf),
        salt: payload === null ? null : Buffer.from(payload.salt).toString("base64"),
        payload: payload === null ? null : decoder.decode(payload.bytes),
      }),
    );
  }
  for (const [content_hash, text] of texts) lines.push(JSON.stringify({ content_hash, text }));
  return Buffer.from(`${lines.join("\n")}\n`, "utf8");
}

/** The content an entry registered, if it registered one and its payload has not been erased. */
export function contentNamedBy(entry: Pick<LogEntry, "header" | "payload">): ContentHash | undefined {
  if (entry.payload === null || parseHeader(entry.header).type !== "schema.registered") return undefined;
  return (JSON.parse(new TextDecoder().decode(entry.payload.bytes)) as RegisteredPayload).content.hash;
}

/** Inflates, parses and verifies a segment. */
export function decodeSegment(bytes: Uint8Array): DecodedSegment {
  if (bytes.byteLength > MAX_SEGMENT_BYTES) {
    return wrong(1, `The segment is larger than ${MAX_SEGMENT_BYTES} bytes.`);
  }
  let inflated: Uint8Array;
  try {
    inflated = gunzipSync(bytes, { maxOutputLength: MAX_SEGMENT_INFLATED_BYTES });
  } catch (error) {
    // The only possible RangeError: Node gives it a code, the Worker runtime does not.
    return wrong(
      1,
      error instanceof RangeError
        ? `The segment inflates to more than ${MAX_SEGMENT_INFLATED_BYTES} bytes.`
        : "The segment is not gzip, or is truncated.",
    );
  }
  return decodeSegmentLines(inflated);
}

/** Decodes a segment that is already inflated. */
function decodeSegmentLines(bytes: Uint8Array): DecodedSegment {
  try {
    return ok({ ...new SegmentReader(bytes).read() });
  } catch (error) {
    if (error instanceof Flaw) return refuse(error.problem);
    throw error;
  }
}

function wrong(line: number, message: string): DecodedSegment {
  return refuse({ line, message });
}

/** Never escapes this file. */
class Flaw extends Error {
  readonly problem: SegmentProblem;

  constructor(problem: SegmentProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

type Opening = {
  tenant: string;
  epoch: number;
  first: number;
  last: number;
  tip_before: string;
  tip_after: string;
  entries: number;
  texts: number;
};

class SegmentReader {
  readonly #bytes: Uint8Array;
  readonly #decoder = strictDecoder();
  #offset = 0;
  #line = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(): { segment: Segment; sha256: string } {
    // Damage is reported first, because everything else in a damaged file is unreliable.
    const sha256 = this.#requireIntact();
    const opening = this.#readOpening();
    const before = { seq: opening.first - 1, leafHash: opening.tip_before };
    const entries: LogEntry[] = [];
    const named = new Map<ContentHash, RegisteredPayload["content"]>();
    let tip: LogTip = before;
    while (entries.length < opening.entries) {
      const entry = this.#readEntry(tip, opening.epoch, named);
      entries.push(entry);
      tip = { seq: entry.seq, leafHash: toHex(entry.leafHash) };
    }
    if (tip.seq !== opening.last || tip.leafHash !== opening.tip_after) {
      this.#fail(`The segment ends with entry ${tip.seq}, but its first line says ${opening.last}.`, 1);
    }
    const texts = this.#readTexts(opening.texts, named);
    const { tenant, epoch } = opening;
    return { segment: { tenant, epoch, before, entries, texts }, sha256 };
  }

  /** The last line, after verifying that it is the hash of all lines before it. */
  #requireIntact(): string {
    const bytes = this.#bytes;
    if (bytes.byteLength === 0 || bytes.at(-1) !== LINE_FEED) this.#fail("The segment is truncated.", 1);
    const begin = bytes.lastIndexOf(LINE_FEED, bytes.byteLength - 2) + 1;
    const lines = bytes.subarray(0, begin);
    const last = this.#parse(bytes.subarray(begin, -1), countLines(lines) + 1);
    const { sha256 } = this.#members(last, { sha256: isHash }, "the segment's hash") as { sha256: string };
    if (createHash("sha256").update(lines).digest("hex") !== sha256) {
      this.#fail("The hash in the segment's last line does not match its lines.");
    }
    this.#line = 0;
    return sha256;
  }

  #readOpening(): Opening {
    const value = this.#next("the segment's first line");
    const { format, v } = value as { format?: unknown; v?: unknown };
    if (format !== SEGMENT_FORMAT) this.#fail(`This is not a backup segment: "format" is not "${SEGMENT_FORMAT}".`);
    if (v !== SEGMENT_VERSION) {
      this.#fail(`The segment has version ${String(v)}; this release reads version ${SEGMENT_VERSION}.`);
    }
    const opening = this.#members(
      value,
      {
        format: isString,
        v: isCount,
        tenant: isString,
        epoch: isCount,
        first: isCount,
        last: isCount,
        tip_before: isHash,
        tip_after: isHash,
        entries: isCount,
        texts: isCount,
      },
      "the segment's first line",
    ) as Opening;
    if (opening.entries > MAX_SEGMENT_ENTRIES) this.#fail(`A segment holds at most ${MAX_SEGMENT_ENTRIES} entries.`);
    if (opening.entries === 0) this.#fail("A segment holds at least one entry.");
    if (opening.first < 1 || opening.last - opening.first + 1 !== opening.entries) {
      this.#fail(`The range ${opening.first} to ${opening.last} does not hold ${opening.entries} entries.`);
    }
    return opening;
  }

  #readEntry(tip: LogTip, epoch: number, named: Map<ContentHash, RegisteredPayload["content"]>): LogEntry {
    const what = `entry ${tip.seq + 1}`;
    const shape = { seq: isCount, header: isString, leaf_hash: isHash, salt: isStringOrNull, payload: isStringOrNull };
    const line = this.#members(this.#next(what), shape, what) as {
      seq: number;
      header: string;
      leaf_hash: string;
      salt: string | null;
      payload: string | null;
    };
    if (line.seq !== tip.seq + 1) this.#fail(`Found entry ${line.seq}, expected entry ${tip.seq + 1}.`);
    const header = Buffer.from(line.header, "utf8");
    const said = this.#readHeader(line.seq, header);
    if (said.seq !== line.seq) this.#fail(`The header of entry ${line.seq} has seq ${said.seq}.`);
    if (said.epoch !== epoch) this.#fail(`Entry ${line.seq} has epoch ${said.epoch}, the segment has ${epoch}.`);
    if (said.prev_hash !== tip.leafHash) this.#fail(`Entry ${line.seq} does not link to the entry before it.`);
    const leaf = leafHash(header);
    if (toHex(leaf) !== line.leaf_hash) this.#fail(`Entry ${line.seq} does not match its leaf hash.`);
    if (line.payload === null || line.salt === null) {
      if (line.payload !== line.salt) this.#fail(`Entry ${line.seq} has a salt without a payload, or the reverse.`);
      if (!HARD_DELETABLE.has(said.type))
        this.#fail(`The payload of entry ${line.seq} is missing, and payloads of its type are never erased.`);
      return { seq: line.seq, header, leafHash: leaf, payload: null };
    }
    const payload = { salt: Buffer.from(line.salt, "base64"), bytes: Buffer.from(line.payload, "utf8") };
    if (payload.salt.byteLength !== SALT_BYTES) this.#fail(`The salt of entry ${line.seq} is not ${SALT_BYTES} bytes.`);
    if (payloadDigest(payload.salt, payload.bytes) !== said.payload_digest) {
      this.#fail(`The payload of entry ${line.seq} does not match the digest in its header.`);
    }
    const content = this.#readPayload(line.seq, said.type, line.payload);
    if (content && !named.has(content.hash)) named.set(content.hash, content);
    return { seq: line.seq, header, leafHash: leaf, payload };
  }

  #readHeader(seq: number, bytes: Uint8Array): LogHeader {
    let header: LogHeader;
    try {
      header = parseHeader(bytes);
    } catch {
      this.#fail(`The header of entry ${seq} is not JSON.`);
    }
    const isKnown = header !== null && typeof header === "object" && ENTRY_TYPES.includes(header.type);
    if (!isKnown || header.v !== 1 || toHex(headerBytes(header)) !== toHex(bytes)) {
      this.#fail(`The header of entry ${seq} does not have the form that this release writes.`);
    }
    return header;
  }

  /** The payload, if the entry registered a version. */
  #readPayload(seq: number, type: EntryType, text: string): RegisteredPayload["content"] | undefined {
    let payload: Payloads[EntryType];
    try {
      payload = JSON.parse(text) as Payloads[EntryType];
    } catch {
      this.#fail(`The payload of entry ${seq} is not JSON.`);
    }
    if (payload?.v !== 1) this.#fail(`The payload of entry ${seq} has a version that this release does not read.`);
    return type === "schema.registered" ? (payload as RegisteredPayload).content : undefined;
  }

  #readTexts(count: number, named: ReadonlyMap<ContentHash, RegisteredPayload["content"]>): Map<ContentHash, string> {
    const texts = new Map<ContentHash, string>();
    for (let at = 0; at < count; at += 1) {
      const line = this.#members(this.#next("a text"), { content_hash: isHash, text: isString }, "a text") as {
        content_hash: string;
        text: string;
      };
      const content = named.get(line.content_hash);
      if (content === undefined) this.#fail(`No entry of the segment references text ${line.content_hash}.`);
      if (texts.has(line.content_hash)) this.#fail(`Text ${line.content_hash} occurs twice.`);
      if (computeHash(content, line.text) !== line.content_hash) {
        this.#fail(`Text ${line.content_hash} does not match its hash.`);
      }
      texts.set(line.content_hash, line.text);
    }
    for (const hash of named.keys()) {
      if (!texts.has(hash)) this.#fail(`Text ${hash} is missing, although an entry references it.`, this.#line + 1);
    }
    if (this.#bytes.indexOf(LINE_FEED, this.#offset) !== this.#bytes.byteLength - 1) {
      this.#line += 1;
      this.#fail("There are more lines than the first line declares.");
    }
    return texts;
  }

  #next(what: string): unknown {
    const end = this.#bytes.indexOf(LINE_FEED, this.#offset);
    if (end === -1 || end === this.#bytes.byteLength - 1) {
      this.#fail(`The segment ends, expected ${what}.`, this.#line + 1);
    }
    const line = this.#bytes.subarray(this.#offset, end);
    this.#offset = end + 1;
    return this.#parse(line, this.#line + 1);
  }

  #parse(bytes: Uint8Array, line: number): unknown {
    this.#line = line;
    try {
      return JSON.parse(this.#decoder.decode(bytes));
    } catch {
      this.#fail("This line is not UTF-8 JSON.");
    }
  }

  #members(value: unknown, shape: Readonly<Record<string, (member: unknown) => boolean>>, what: string): unknown {
    if (value === null || typeof value !== "object" || Array.isArray(value)) {
      this.#fail(`Expected ${what}, found something other than an object.`);
    }
    const members = value as Record<string, unknown>;
    for (const [name, isValid] of Object.entries(shape)) {
      if (!isValid(members[name])) this.#fail(`"${name}" of ${what} is missing or invalid.`);
    }
    const stray = Object.keys(members).find((name) => shape[name] === undefined);
    if (stray !== undefined) this.#fail(`"${stray}" is not a member of ${what}.`);
    return value;
  }

  #fail(message: string, line: number = this.#line): never {
    throw new Flaw({ line, message });
  }
}

const LINE_FEED = 10;
const HASH = /^[0-9a-f]{64}$/;

const isString = (value: unknown) => typeof value === "string";
const isStringOrNull = (value: unknown) => value === null || typeof value === "string";
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isHash = (value: unknown) => typeof value === "string" && HASH.test(value);

/** A forged payload may lack members; then no text has its hash. */
function computeHash(
  { format, references, contract }: RegisteredPayload["content"],
  text: string,
): ContentHash | undefined {
  try {
    return contentHash({ format, text, references, contract }, NATIVE_HASHES);
  } catch {
    return undefined;
  }
}

function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) count += 1;
  return count;
}

/** Refuses invalid UTF-8 instead of replacing it, and keeps a byte order mark. */
function strictDecoder(): TextDecoder {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
}

/** The text of inflated bytes; throws for invalid UTF-8. */
export function decodeText(bytes: Uint8Array): string {
  return strictDecoder().decode(bytes);
}

/** Name of a segment: `000000000001-000000000500-<16 hex of the hash>.ndjson.gz`, sorted in log order. */
export function segmentName(first: number, last: number, sha256: string): string {
  return `${padded(first)}-${padded(last)}-${sha256.slice(0, 16)}.ndjson.gz`;
}

function padded(seq: number): string {
  return String(seq).padStart(12, "0");
}
