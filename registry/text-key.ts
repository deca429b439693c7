import type { ContentHash } from "../schema/content-hash.ts";

/** The prefix of the R2 keys of a tenant's texts; every key starts with the tenant. */
export function textKeyPrefix(tenant: string): string {
  return `${tenant}/texts/`;
}

/** R2 key of a text too large for the primary. */
export function textKey(tenant: string, contentHash: ContentHash): string {
  return textKeyPrefix(tenant) + contentHash;
}

/** The content hash at the end of a key, or undefined if the key is not a text's. */
export function contentHashOfKey(key: string): ContentHash | undefined {
  return /\/texts\/([0-9a-f]{64})$/.exec(key)?.[1];
}
