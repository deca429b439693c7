/** The content class: immutable text, format, references and data contract, by id, guid or Confluent id. */

import type { Refusal } from "../../contract/errors.ts";
import type { AsOf } from "../../registry/log-entry.ts";
import { NATIVE_HASHES } from "../../registry/native-hashes.ts";
import type { SchemaRecord, StoredContent } from "../../registry/record.ts";
import { contentHash as hashOfContent } from "../../schema/content-hash.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import { DEFAULT_CONTEXT } from "../../schema/subject-name.ts";
import type { Edge } from "../edge.ts";
import { readStoredText, rememberText } from "../registry/write/facts.ts";
import {
  type Absent,
  type CacheClass,
  type Cached,
  type Found,
  forget,
  keepInMemory,
  readThrough,
} from "./read-through.ts";
import { goneMeanwhile, type ShownText, shownText } from "./texts.ts";
import { contentSatisfies } from "./token.ts";
import { mayReadContent } from "./uses.ts";

/** Content is immutable; the age limit exists because hard deletes must take effect eventually. */
export const CONTENT_FRESH_MS = 60 * 60 * 1_000;
/** Maximum age while the primary is unreachable. */
export const CONTENT_STALE_MS = 24 * 60 * 60 * 1_000;

export type ContentSelector = { id: string } | { context: string; confluentId: number } | { guid: string };

/** A cached content: its text inflated, without anything about its records. */
export type ReadableContent = Omit<StoredContent, "deflated" | "textBytes"> & ShownText & { context: string };

type ContentRead = {
  selector: ContentSelector;
  token: AsOf | undefined;
  /** For clients that accept staleness: a cached absence counts for five seconds. */
  allowCachedAbsence?: boolean;
};

const CONTENT_CLASS: CacheClass<ReadableContent> = {
  freshMs: CONTENT_FRESH_MS,
  staleMs: CONTENT_STALE_MS,
  inKv: true,
  satisfies: contentSatisfies,
  // An estimate: strings take two bytes a character.
  bytes: ({ text, contract, references }) =>
    2 * text.length + 2 * JSON.stringify(contract).length + 200 * references.length + 400,
};

export async function readContent(
  edge: Edge,
  { selector, token, allowCachedAbsence = false }: ContentRead,
): Promise<Result<Found<ReadableContent> | Absent, Refusal>> {
  edge.readClass = "content";
  const isReadable = await mayReadContent(edge, selector);
  if (!isReadable.ok) return isReadable;
  if (!isReadable.value) return hidden(edge);
  return readThrough(edge, {
    key: contentKey(selector),
    cacheClass: CONTENT_CLASS,
    token,
    allowCachedAbsence,
    async ask() {
      const answer = await edge.tenantPrimary.read("contentOf", selector);
      if (!answer.ok) return answer;
      const { asOf, value } = answer.value;
      if (value === null) return ok({ asOf, value: null });
      const { deflated: _, textBytes: __, ...content } = value.content;
      const text = await readStoredText(edge, value.content);
      if (text === undefined) return refuse(goneMeanwhile());
      const shown = shownText(edge, content.contentHash, text);
      return ok({ asOf, value: { ...content, ...shown, context: value.context } });
    },
  });
}

/** The primary's response for a missing record. */
async function hidden(edge: Edge): Promise<Result<Absent, Refusal>> {
  const head = await edge.tenantPrimary.read("head", {});
  return !head.ok ? head : ok({ absent: true, asOf: head.value.asOf });
}

type Stored = {
  record: SchemaRecord;
  /** The text the edge expects to be stored; cached only if the hash confirms it. */
  text: string;
  asOf: AsOf;
  /** The time before the primary was queried; the cached age counts from here. */
  writtenAtMs: number;
};

/**
 * Fills this isolate's memory with content that a registration has just stored, under all its names. KV is filled by
 * the first read elsewhere: a put takes a third of a registration's CPU time, and most registered content is read where
 * it was written.
 */
export function keepRegistered(edge: Edge, { record, text, asOf, writtenAtMs }: Stored): void {
  const { contentHash, guid, format, dialect, references, contract, context, confluentId } = record;
  // The primary may have used a different reading than the edge expected; comparing the hash detects that.
  if (hashOfContent({ format, text, references, contract }, NATIVE_HASHES) !== contentHash) return;
  rememberText(edge, contentHash, { text });
  const shown = shownText(edge, contentHash, text);
  const value = { contentHash, guid, format, dialect, references, contract, context, ...shown };
  const cached: Cached<ReadableContent> = { readAtMs: writtenAtMs, asOf, value };
  const selectors: ContentSelector[] = [{ id: record.id }];
  if (confluentId !== null) selectors.push({ context, confluentId });
  // A guid resolves in the default context first, so elsewhere it may name another use of the content.
  if (confluentId !== null && context === DEFAULT_CONTEXT) selectors.push({ guid });
  for (const selector of selectors) keepInMemory(edge, contentKey(selector), cached, CONTENT_CLASS);
}

/**
 * Keys deleted from KV after one hard delete. This only speeds up the region; the guarantee comes from the age limit
 * and the token. An invocation has 1,000 subrequests, and a subject may have lost more versions than that.
 */
export const MAX_KV_DELETES = 50;

/** Drops hard-deleted contents from this isolate, and the first of them from the region's KV. */
export function forgetContents(
  edge: Edge,
  deleted: { records: readonly string[]; guids: readonly string[] },
  deletedAsOf: AsOf,
): void {
  const guids = new Set(deleted.guids);
  const keys = new Set([
    ...deleted.records.map((id) => contentKey({ id })),
    ...deleted.guids.map((guid) => contentKey({ guid })),
  ]);
  edge.cache.deleteWhere((key, value) => {
    if (!key.startsWith("content/") && !key.startsWith("rendered/")) return false;
    const { guid, contentHash } = ((value as Cached<Partial<ReadableContent>>).value ?? {}) as Partial<ReadableContent>;
    if (guid === undefined || !guids.has(guid)) return false;
    if (key.startsWith("content/")) keys.add(key);
    if (contentHash !== undefined) edge.cache.delete(`text/${contentHash}`);
    return true;
  });
  for (const [index, key] of [...keys].entries()) {
    forget(edge, key, deletedAsOf, CONTENT_CLASS, { deletesFromKv: index < MAX_KV_DELETES });
  }
}

function contentKey(selector: ContentSelector): string {
  if ("id" in selector) return `content/id/${selector.id}`;
  if ("guid" in selector) return `content/guid/${selector.guid}`;
  return `content/confluent/${selector.context}/${selector.confluentId}`;
}
