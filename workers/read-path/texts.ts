/** Texts by content hash: the hash names the text for ever, so no bound on age applies; whoever asks has just seen that it exists. */
import { type Refusal, refuse } from "../../contract/errors.ts";
import { type ContentHash, sha256Hex } from "../../schema/content-hash.ts";
import type { Edge } from "../edge.ts";
import { loadTexts } from "../registry/write/facts.ts";

export type ShownText = {
  text: string;
  /** Whether it can stand in a JSON document as it is; what other registries accepted need not. */
  isJson: boolean;
  /** SHA-256 of the text, lower-case hex. */
  fingerprint: string;
};

/** The texts of some contents, by hash. A content that is gone has no entry. */
export async function textsOf(edge: Edge, contentHashes: readonly ContentHash[]): Promise<Map<ContentHash, ShownText>> {
  const loaded = await loadTexts(edge, contentHashes);
  return new Map([...loaded].map(([hash, { text }]) => [hash, shownText(edge, hash, text)]));
}

/** The text of one content that the caller has just read a record of. */
export async function textOf(edge: Edge, contentHash: ContentHash): Promise<ShownText | Refusal> {
  const texts = await textsOf(edge, [contentHash]);
  return texts.get(contentHash) ?? goneMeanwhile();
}

/** A text with what showing it needs; hashing and parsing happen once per isolate. */
export function shownText(edge: Pick<Edge, "cache">, contentHash: ContentHash, text: string): ShownText {
  const key = `shown/${contentHash}`;
  let known = edge.cache.get(key) as Omit<ShownText, "text"> | undefined;
  if (known === undefined) {
    known = { isJson: isJson(text), fingerprint: sha256Hex(text) };
    edge.cache.put(key, known, 150);
  }
  return { text, ...known };
}

/** Between the record and its text somebody deleted both for ever. */
export function goneMeanwhile(): Refusal {
  return refuse("SCHEMA_TEXT_NOT_FOUND", [], "The schema was permanently deleted a moment ago.");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
