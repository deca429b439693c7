/** Prepares a page of the log for the read model: parses payloads, fetches texts and derives search data, in runs that fit into memory. */
import type { ProjectedEntry } from "../../../db/projection/changes.ts";
import { type DerivedContent, deriveContent, NO_CONTENT } from "../../../db/projection/derive.ts";
import type { LogEntry } from "../../../registry/log-entry.ts";
import { parseHeader } from "../../../registry/log-entry.ts";
import type { RegisteredPayload } from "../../../registry/payloads.ts";
import type { Closure, StoredContent } from "../../../registry/record.ts";
import type { ContentHash } from "../../../schema/content-hash.ts";
import type { FormatName, JsonDialect, SchemaReference } from "../../../schema/format.ts";
import { NATIVE_DIALECT } from "../native-dialect.ts";
import { readStoredText, sourceOfClosure, type TextSource } from "../write/facts.ts";

/** Inflated texts per run; with their words they take several times as much of the isolate's 128 MB. */
const MAX_RUN_TEXT_BYTES = 4 * 1024 * 1024;
/** Derived data per batch, which becomes statement parameters. */
const MAX_RUN_DERIVED_CHARACTERS = 8 * 1024 * 1024;
/** Concurrent R2 reads: a Worker may have six open connections. */
const FETCHED_AT_ONCE = 6;
/** The primary's limit for one answer. */
const ASKED_AT_ONCE = 500;

/** The properties of a content that its search data is derived from. */
type NamedContent = {
  contentHash: ContentHash;
  format: FormatName;
  dialect: JsonDialect | null;
  references: readonly SchemaReference[];
  /** References are resolved as for a subject of this context. */
  context: string;
};

/** The entries in order, in runs whose texts are within the limit. */
export async function* projectEntries(
  source: TextSource,
  entries: readonly LogEntry[],
): AsyncGenerator<ProjectedEntry[]> {
  const read = entries.map(readEntry);
  const stored = await storedContents(source, read.flatMap(namedContent));
  let run: ProjectedEntry[] = [];
  let bytes = 0;
  for (const projected of read) {
    const [content] = namedContent(projected);
    const textBytes = (content && stored.get(content.contentHash)?.textBytes) ?? 0;
    if (run.length > 0 && bytes + textBytes > MAX_RUN_TEXT_BYTES) {
      yield* split(await withDerived(source, run, stored));
      run = [];
      bytes = 0;
    }
    run.push(projected);
    bytes += textBytes;
  }
  if (run.length > 0) yield* split(await withDerived(source, run, stored));
}

/** Batches within the limit on derived data, each with at least one entry. */
function* split(run: readonly ProjectedEntry[]): Generator<ProjectedEntry[]> {
  let part: ProjectedEntry[] = [];
  let characters = 0;
  for (const projected of run) {
    const own = projected.derived === undefined ? 0 : countCharacters(projected.derived);
    if (part.length > 0 && characters + own > MAX_RUN_DERIVED_CHARACTERS) {
      yield part;
      part = [];
      characters = 0;
    }
    part.push(projected);
    characters += own;
  }
  yield part;
}

function countCharacters({ content, fields, contentWords, documentationWords, fieldWords }: DerivedContent): number {
  const texts = [content ?? "", contentWords, documentationWords, fieldWords];
  const ofFields = fields.map(({ path, name, type, documentation }) => path + name + type + (documentation ?? ""));
  return [...texts, ...ofFields].reduce((sum, text) => sum + text.length, 0);
}

function readEntry(entry: LogEntry): ProjectedEntry {
  const header = parseHeader(entry.header);
  if (entry.payload === null) return { entry, header, payload: null };
  try {
    return { entry, header, payload: JSON.parse(new TextDecoder().decode(entry.payload.bytes)) };
  } catch (error) {
    return { entry, header, payload: null, failure: `The payload cannot be read: ${error}` };
  }
}

function namedContent({ header, payload }: ProjectedEntry): NamedContent[] {
  if (header.type !== "schema.registered" || payload === null) return [];
  const { content, subject } = payload as RegisteredPayload;
  const { hash, format, dialect, references } = content;
  return [{ contentHash: hash, format, dialect, references, context: subject.context }];
}

async function withDerived(
  source: TextSource,
  run: readonly ProjectedEntry[],
  stored: ReadonlyMap<ContentHash, StoredContent>,
): Promise<ProjectedEntry[]> {
  const derivations = await deriveContents(source, run.flatMap(namedContent), stored);
  return run.map((projected) => {
    const [content] = namedContent(projected);
    if (content === undefined) return projected;
    const derivation = derivations.get(contentKey(content))!;
    return "failure" in derivation ? { ...projected, ...derivation } : { ...projected, derived: derivation };
  });
}

type Derivation = DerivedContent | { failure: string };

/** The search data of contents, by `contentKey`. A deleted content has none. */
export async function deriveContents(
  source: TextSource,
  contents: readonly NamedContent[],
  stored: ReadonlyMap<ContentHash, StoredContent>,
): Promise<Map<string, Derivation>> {
  const distinct = new Map(contents.map((content) => [contentKey(content), content]));
  const closures = await readClosures(
    source,
    [...distinct.values()].filter(({ references }) => references.length > 0),
  );
  const derivations = new Map<string, Derivation>();
  const pending = [...distinct];
  const deriveNext = async (): Promise<void> => {
    for (let next = pending.pop(); next; next = pending.pop()) {
      const [key, content] = next;
      derivations.set(key, await derive(source, content, stored.get(content.contentHash), closures.get(key)));
    }
  };
  await Promise.all(Array.from({ length: FETCHED_AT_ONCE }, deriveNext));
  return derivations;
}

/** The cache key: references resolve differently in every context. */
export function contentKey({ contentHash, context, references }: NamedContent): string {
  return references.length === 0 ? contentHash : `${contentHash} ${context}`;
}

async function derive(
  source: TextSource,
  { format, dialect }: NamedContent,
  stored: StoredContent | undefined,
  closure: Closure | undefined,
): Promise<Derivation> {
  if (stored === undefined) return NO_CONTENT;
  try {
    const resolved = closure && (await sourceOfClosure(source, closure));
    const text = resolved?.text ?? (await readStoredText(source, stored));
    if (text === undefined) return NO_CONTENT;
    return deriveContent(format, resolved ?? { text, references: [] }, dialect ?? NATIVE_DIALECT);
  } catch (error) {
    return { failure: `The search document cannot be derived from the text: ${error}` };
  }
}

/** Contents stored in the primary, without deleted ones. */
export async function storedContents(
  source: TextSource,
  contents: readonly Pick<NamedContent, "contentHash">[],
): Promise<Map<ContentHash, StoredContent>> {
  const hashes = [...new Set(contents.map(({ contentHash }) => contentHash))];
  const stored = new Map<ContentHash, StoredContent>();
  for (let at = 0; at < hashes.length; at += ASKED_AT_ONCE) {
    const contentHashes = hashes.slice(at, at + ASKED_AT_ONCE);
    const answer = await source.primary.read("contents", { contentHashes });
    if (!answer.ok) throw new Error(answer.refusal.detail);
    for (const content of answer.value.value) if (content) stored.set(content.contentHash, content);
  }
  return stored;
}

/** The closures of contents. A content whose closure is too large has no entry and is parsed alone. */
async function readClosures(source: TextSource, contents: readonly NamedContent[]): Promise<Map<string, Closure>> {
  const closures = new Map<string, Closure>();
  for (let at = 0; at < contents.length; ) {
    const of = contents.slice(at, at + ASKED_AT_ONCE).map(({ contentHash, context }) => ({ contentHash, context }));
    const answer = await source.primary.read("closures", { of });
    if (!answer.ok) throw new Error(answer.refusal.detail);
    for (const closure of answer.value.value) {
      if (closure) closures.set(contentKey(contents[at]!), closure);
      at += 1;
    }
    if (answer.value.value.length === 0) break;
  }
  return closures;
}
