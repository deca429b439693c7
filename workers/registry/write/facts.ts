/**
 * Facts at the edge: fetches the texts by content hash and applies the pure functions to them. Facts are cached only in
 * this isolate's memory, because computing one is faster than reading it from KV.
 */

import { inflateRawSync } from "node:zlib";
import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { CandidateText } from "../../../durable-objects/primary/decide/compute.ts";
import type { Need } from "../../../registry/commands.ts";
import { NATIVE_HASHES } from "../../../registry/native-hashes.ts";
import type { Closure, RequestedReference, StoredContent } from "../../../registry/record.ts";
import { MAX_VERDICT_BYTES } from "../../../registry/rpc.ts";
import { textKey } from "../../../registry/text-key.ts";
import type { Comparison } from "../../../schema/compatibility.ts";
import type { ContentHash } from "../../../schema/content-hash.ts";
import { trimComparison } from "../../../schema/difference-list.ts";
import type { Fact, ReadingRequest, VerdictFact } from "../../../schema/facts.ts";
import {
  computeReadingInSlices,
  computeVerdictInSlices,
  readingKey,
  type VerdictOptions,
  type VerdictSide,
  verdictKey,
} from "../../../schema/facts.ts";
import type {
  FormatName,
  JsonDialect,
  ParseOptions,
  ParseResult,
  SchemaFormat,
  SchemaReference,
  SchemaSource,
} from "../../../schema/format.ts";
import { formatNamed } from "../../../schema/formats.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { Sliced } from "../../../schema/slices.ts";
import { buildSource, sourceOver } from "../../../schema/sources.ts";
import type { SubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { workIsSpent } from "../turns.ts";

/** Contents per call: with at most 4 KiB deflated each, a response stays below 4 MiB. */
const CONTENTS_PER_CALL = 500;
/** Overhead of a cached text beyond its characters. */
const ENTRY_OVERHEAD_BYTES = 128;

/**
 * Characters of all texts of a round whose parsed schemas are kept for the next checks. More, as in a long transitive
 * check, would only displace each other, and the schemas that validation keeps.
 */
const MAX_KEPT_CHARACTERS = 128 * 1_024;

/** The dependencies of reading texts. */
export type TextSource = Pick<Edge, "env" | "tenant" | "cache" | "primary">;

type LoadedText = { text: string };

/** The texts of some contents, from memory, else from the primary and R2. Deleted contents are omitted. */
export async function loadTexts(
  edge: TextSource,
  hashes: readonly ContentHash[],
): Promise<Map<ContentHash, LoadedText>> {
  const loaded = new Map<ContentHash, LoadedText>();
  const missing: ContentHash[] = [];
  for (const hash of new Set(hashes)) {
    const known = edge.cache.get(`text/${hash}`) as LoadedText | undefined;
    if (known) loaded.set(hash, known);
    else missing.push(hash);
  }
  for (let at = 0; at < missing.length; at += CONTENTS_PER_CALL) {
    const contentHashes = missing.slice(at, at + CONTENTS_PER_CALL);
    const answer = await edge.primary.read("contents", { contentHashes });
    if (!answer.ok) continue;
    await Promise.all(
      answer.value.value.map(async (content) => {
        const text = content && (await readStoredText(edge, content));
        if (!content || text === undefined || text === null) return;
        const entry = { text };
        loaded.set(content.contentHash, entry);
        rememberText(edge, content.contentHash, entry);
      }),
    );
  }
  return loaded;
}

/** The text of a stored content: inflated, or read from R2 if it is large; undefined if R2 no longer has it. */
export async function readStoredText(edge: TextSource, content: StoredContent): Promise<string | undefined> {
  if (content.deflated) return inflate(content.deflated);
  const object = await edge.env.TEXTS.get(textKey(edge.tenant, content.contentHash));
  return object ? inflate(new Uint8Array(await object.arrayBuffer())) : undefined;
}

/** The inputs for parsing a closure. */
export async function sourceOfClosure(edge: TextSource, closure: Closure): Promise<SchemaSource | undefined> {
  const texts = await loadTexts(edge, collectHashes([closure]));
  return buildSource(closure.root, closure.nodes, plainTexts(texts));
}

/** A cached verdict, and the work it took. */
type KnownVerdict = { fact: VerdictFact; micros: number };

/** Computes the facts of one round. Missing `texts` are the caller's job, because they require writes. */
export async function computeFacts(
  edge: Edge,
  needs: readonly Exclude<Need, { type: "text" }>[],
  rawText: string,
  candidate: CandidateText | undefined,
  options: {
    maxVerdictBytes?: number;
    /** Texts of contents that are not stored yet. */
    unstored?: ReadonlyMap<ContentHash, string>;
  } = {},
): Promise<Result<Fact[], Refusal>> {
  const { work } = edge;
  const maxVerdictBytes = options.maxVerdictBytes ?? Math.floor(MAX_VERDICT_BYTES / Math.max(1, needs.length));
  const closures = needs.flatMap((need) => (need.type === "reading" ? need.closures : [need.reader, need.writer]));
  const { unstored = new Map<ContentHash, string>() } = options;
  const texts = await loadTexts(
    edge,
    collectHashes(closures).filter((hash) => !unstored.has(hash)),
  );
  const plain = new Map([...plainTexts(texts), ...unstored]);
  const sides = new Map<string, VerdictSide>();
  const keepsModels = countCharacters(plain, collectHashes(closures)) <= MAX_KEPT_CHARACTERS;
  const sent = (fact: VerdictFact) => ({ ...fact, comparison: trimComparison(fact.comparison, maxVerdictBytes) });
  const factOf = async (need: (typeof needs)[number]): Promise<Fact> => {
    if (need.type === "reading") {
      const source = sourceOver(rawText, need.references, need.closures, plain);
      return work.run(readingFact(formatNamed(need.request.format), source, need.request, need.key));
    }
    const { readerDialect, writerDialect } = need.request;
    const side = (which: "reader" | "writer"): VerdictSide => {
      const dialect = which === "reader" ? readerDialect : writerDialect;
      const name = `${need.format}/${need[which].hash}/${dialect}`;
      const known = sides.get(name);
      if (known) return known;
      const isCandidate = need.candidate === which && candidate !== undefined;
      const texts = isCandidate ? new Map(plain).set(need[which].root, candidate.text) : plain;
      const built = sideOf(edge, need[which], { name, dialect, texts, keepsModels });
      // The others of a long transitive check would fill the memory and are compared only once.
      if (isCandidate || keepsModels) sides.set(name, built);
      return built;
    };
    const known = edge.cache.get(`fact/${need.key}`) as KnownVerdict | undefined;
    if (known) {
      await work.spend(known.micros);
      return sent(known.fact);
    }
    edge.spendComparison(side("reader").source.text.length + side("writer").source.text.length);
    const before = work.micros;
    const verdict = computeVerdictInSlices(formatNamed(need.format), side("reader"), side("writer"), need.request);
    const comparison = await work.run(verdict);
    const fact: VerdictFact = { type: "verdict", key: need.key, comparison };
    const computed: KnownVerdict = { fact, micros: work.micros - before };
    edge.cache.put(`fact/${need.key}`, computed, ENTRY_OVERHEAD_BYTES + JSON.stringify(comparison).length * 2);
    return sent(fact);
  };
  const facts: Fact[] = [];
  for (const need of needs) {
    if (work.isSpent) {
      const place = need.type === "reading" ? "its references" : `the version of content ${otherContent(need)}`;
      return refuse(workIsSpent(place));
    }
    facts.push(await factOf(need));
  }
  return ok(facts);
}

/**
 * A content as one side of comparisons: it is parsed once, for all pairs of a check in which it takes part, and for the
 * checks of the next candidates if it is kept.
 */
function sideOf(
  edge: Edge,
  { root, nodes }: Closure,
  {
    name,
    dialect,
    texts,
    keepsModels,
  }: {
    name: string;
    dialect: JsonDialect | null;
    texts: ReadonlyMap<ContentHash, string>;
    keepsModels: boolean;
  },
): VerdictSide {
  const source = buildSource(root, nodes, texts);
  if (source === undefined) return { source: EMPTY, dialect };
  const key = `${edge.tenant}/compared/${name}`;
  const known = edge.models.get(key) as VerdictSide | undefined;
  if (known) return known;
  const side: VerdictSide = { source, dialect, shared: {} };
  if (keepsModels) edge.models.put(key, side, countCharacters(texts, collectHashes([{ nodes }])));
  return side;
}

function countCharacters(texts: ReadonlyMap<ContentHash, string>, hashes: readonly ContentHash[]): number {
  return hashes.reduce((sum, hash) => sum + (texts.get(hash)?.length ?? 0), 0);
}

/**
 * The reading the primary will most likely request, computed in advance: no references, nothing configured. Cached,
 * because clients send the same texts again and again.
 */
export async function likelyReading(
  edge: Pick<Edge, "cache" | "work">,
  format: FormatName,
  text: string,
  request: Omit<ReadingRequest, "format" | "references" | "rawTextHash">,
  rawTextHash: string,
): Promise<Fact> {
  const full: ReadingRequest = { ...request, format, references: [], rawTextHash };
  const implementation = formatNamed(format);
  const key = readingKey(full, implementation.codeVersion, NATIVE_HASHES);
  const known = edge.cache.get(`fact/${key}`) as Fact | undefined;
  if (known) return known;
  const fact = await edge.work.run(readingFact(implementation, { text, references: [] }, full, key));
  edge.cache.put(`fact/${key}`, fact, ENTRY_OVERHEAD_BYTES + 2 * JSON.stringify(fact).length);
  return fact;
}

function* readingFact(
  format: SchemaFormat<unknown>,
  source: SchemaSource,
  request: ReadingRequest,
  key: string,
): Sliced<Fact> {
  return { type: "reading", key, reading: yield* computeReadingInSlices(format, source, request, NATIVE_HASHES) };
}

type ParsedWithReferences = {
  source: SchemaSource;
  parsed: ParseResult<unknown>;
  resolved: readonly SchemaReference[];
  closures: readonly Closure[];
};

/** Parses a text that need not be registered, with references resolved as for a subject in `name`'s context. */
export async function parseWithReferences(
  edge: Edge,
  schema: {
    name: Pick<SubjectName, "context">;
    format: FormatName;
    text: string;
    references: readonly RequestedReference[];
    /** Whether soft-deleted versions may be referenced, as reading old schemas may. */
    deleted: boolean;
  } & ParseOptions,
): Promise<Result<ParsedWithReferences, Refusal>> {
  const { name, format, text, references, deleted, ...options } = schema;
  let resolved: readonly SchemaReference[] = [];
  let closures: readonly Closure[] = [];
  if (references.length > 0) {
    const answer = await edge.primary.read("resolveReferences", { context: name.context, references, deleted });
    if (!answer.ok) return answer;
    if ("missing" in answer.value.value) {
      const { subject, version } = answer.value.value.missing;
      const detail = `No schema reference found for subject "${subject}" and version ${version}`;
      return refuse(
        makeRefusal("INVALID_SCHEMA", [detail], detail, {
          items: [{ pointer: "/references", rule: "reference_not_found", message: detail }],
        }),
      );
    }
    ({ resolved, closures } = answer.value.value);
  }
  const texts = await loadTexts(edge, collectHashes(closures));
  const source = sourceOver(text, resolved, closures, plainTexts(texts));
  const parsed = await edge.work.run(formatNamed(format).parseInSlices(source, options));
  return ok({ source, parsed, resolved, closures });
}

/** A stored content, and the dialect of one of its records. */
type RecordedClosure = { closure: Closure; dialect: JsonDialect | null };

/** The verdict on two stored contents. */
export async function compareClosures(
  edge: Edge,
  format: FormatName,
  { closure: reader, dialect: readerDialect }: RecordedClosure,
  { closure: writer, dialect: writerDialect }: RecordedClosure,
  options: VerdictOptions,
): Promise<Result<Comparison, Refusal>> {
  const request = { reader: reader.hash, writer: writer.hash, readerDialect, writerDialect, ...options };
  const key = verdictKey(request, formatNamed(format).codeVersion, NATIVE_HASHES);
  const need = { type: "verdict", key, request, reader, writer, candidate: null, format } as const;
  const computed = await computeFacts(edge, [need], "", undefined);
  if (!computed.ok) return computed;
  const [fact] = computed.value;
  return ok((fact as VerdictFact).comparison);
}

/** The content that the candidate is compared with. */
function otherContent({ candidate, reader, writer }: Extract<Need, { type: "verdict" }>): ContentHash {
  return candidate === "reader" ? writer.root : reader.root;
}

const EMPTY: SchemaSource = { text: "", references: [] };

export function collectHashes(closures: readonly Pick<Closure, "nodes">[]): ContentHash[] {
  return closures.flatMap(({ nodes }) => nodes.map(({ contentHash }) => contentHash));
}

function plainTexts(texts: ReadonlyMap<ContentHash, LoadedText>): Map<ContentHash, string> {
  return new Map([...texts].map(([hash, { text }]) => [hash, text]));
}

/** Caches a text that was just read or registered. */
export function rememberText(edge: Pick<Edge, "cache">, hash: ContentHash, entry: LoadedText): void {
  edge.cache.put(`text/${hash}`, entry, ENTRY_OVERHEAD_BYTES + entry.text.length * 2);
}

function inflate(deflated: Uint8Array): string {
  return new TextDecoder().decode(inflateRawSync(deflated));
}
