/** Texts by content hash. The hash identifies the text, so no age limit applies; the caller has just seen that it exists. */

import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import { NATIVE_HASHES } from "../../registry/native-hashes.ts";
import { type ContentHash, sha256Hex } from "../../schema/content-hash.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import type { Edge } from "../edge.ts";
import { loadTexts } from "../registry/write/facts.ts";

export type ShownText = {
  text: string;
  /** Whether it can be embedded in a JSON document; imported texts may not be valid JSON. */
  isJson: boolean;
  /** SHA-256 of the text, lower-case hex. */
  fingerprint: string;
};

/** Texts of several contents by hash; missing contents have no entry. */
export async function readShownTexts(
  edge: Edge,
  contentHashes: readonly ContentHash[],
): Promise<Map<ContentHash, ShownText>> {
  const loaded = await loadTexts(edge, contentHashes);
  return new Map([...loaded].map(([hash, { text }]) => [hash, shownText(edge, hash, text)]));
}

/** The text of one content that the caller has just read a record of. */
export async function readShownText(edge: Edge, contentHash: ContentHash): Promise<Result<ShownText, Refusal>> {
  const text = (await readShownTexts(edge, [contentHash])).get(contentHash);
  return text ? ok(text) : refuse(goneMeanwhile());
}

/** A text with its fingerprint and JSON check, computed once per isolate. */
export function shownText(edge: Pick<Edge, "cache">, contentHash: ContentHash, text: string): ShownText {
  const key = `shown/${contentHash}`;
  let known = edge.cache.get(key) as Omit<ShownText, "text"> | undefined;
  if (known === undefined) {
    known = { isJson: isJson(text), fingerprint: sha256Hex(text, NATIVE_HASHES) };
    edge.cache.put(key, known, 150);
  }
  return { text, ...known };
}

/** The record was hard-deleted between reading it and its text. */
export function goneMeanwhile(): Refusal {
  return makeRefusal("SCHEMA_TEXT_NOT_FOUND", [], "The schema was permanently deleted a moment ago.");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
