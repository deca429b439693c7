/** Texts by content hash: the hash names the text for ever, so no bound on age applies; whoever asks has just seen that it exists. */
import { inflateRawSync } from "node:zlib";
import { type Refusal, refuse } from "../../contract/errors";
import type { StoredContent } from "../../durable-objects/protocol";
import { textKey } from "../../durable-objects/texts";
import { type ContentHash, sha256Hex } from "../../schema/content-hash";
import { parseJsonText } from "../../schema/json-text";
import type { Edge } from "../edge";

export type StoredText = {
  text: string;
  /** Whether it can stand in a JSON document as it is; what other registries accepted need not. */
  isJson: boolean;
  /** SHA-256 of the text, lower-case hex. */
  fingerprint: string;
};

/** A text is 1 MiB at most when registered; an import may be larger, but nothing inflates without a bound. */
const MAX_INFLATED_BYTES = 16 * 1024 * 1024;
/** Contents asked for in one call: 4 KiB deflated each at most, so an answer stays far below 4 MiB. */
const CONTENTS_PER_CALL = 250;

/** The texts of some contents, by hash. A content that is gone has no entry. */
export async function textsOf(
  edge: Edge,
  tenant: string,
  contentHashes: readonly ContentHash[],
): Promise<Map<ContentHash, StoredText> | Refusal> {
  const texts = new Map<ContentHash, StoredText>();
  const missing: ContentHash[] = [];
  for (const hash of new Set(contentHashes)) {
    const known = edge.cache.get(tenant, textCacheKey(hash)) as StoredText | undefined;
    if (known) texts.set(hash, known);
    else missing.push(hash);
  }
  for (let start = 0; start < missing.length; start += CONTENTS_PER_CALL) {
    const asked = missing.slice(start, start + CONTENTS_PER_CALL);
    const answer = await edge.primary(tenant).read("contents", { contentHashes: asked });
    if ("ok" in answer) return answer;
    const loaded = await Promise.all(answer.value.map((content) => content && inflatedText(edge, tenant, content)));
    for (const [index, text] of loaded.entries()) {
      if (text === null || text === undefined) continue;
      texts.set(asked[index]!, rememberText(edge, tenant, asked[index]!, text));
    }
  }
  return texts;
}

/** The text of one content that the caller has just read a record of. */
export async function textOf(edge: Edge, tenant: string, contentHash: ContentHash): Promise<StoredText | Refusal> {
  const texts = await textsOf(edge, tenant, [contentHash]);
  if (!(texts instanceof Map)) return texts;
  return texts.get(contentHash) ?? goneMeanwhile();
}

/** The text of a stored content: from the answer itself, or from R2. Undefined where it is gone. */
export async function inflatedText(edge: Edge, tenant: string, content: StoredContent): Promise<string | undefined> {
  const { deflated, contentHash } = content;
  if (deflated !== null) return inflate(deflated);
  const known = edge.cache.get(tenant, textCacheKey(contentHash)) as StoredText | undefined;
  if (known) return known.text;
  const object = await edge.env.TEXTS.get(textKey(tenant, contentHash));
  return object === null ? undefined : inflate(new Uint8Array(await object.arrayBuffer()));
}

/** Keeps a text that was just read or registered. */
export function rememberText(
  edge: Pick<Edge, "cache">,
  tenant: string,
  contentHash: ContentHash,
  text: string,
): StoredText {
  const stored: StoredText = { text, isJson: parseJsonText(text).ok, fingerprint: sha256Hex(text) };
  edge.cache.put(tenant, textCacheKey(contentHash), stored, 2 * text.length + 64);
  return stored;
}

export function textCacheKey(contentHash: ContentHash): string {
  return `text/${contentHash}`;
}

/** Between the record and its text somebody deleted both for ever. */
export function goneMeanwhile(): Refusal {
  return refuse("SCHEMA_TEXT_NOT_FOUND", [], "The schema was permanently deleted a moment ago.");
}

function inflate(deflated: Uint8Array): string {
  return new TextDecoder().decode(inflateRawSync(deflated, { maxOutputLength: MAX_INFLATED_BYTES }));
}
