import type { ContentHash } from "../schema/content-hash.ts";

/** R2 key of a text too large for the primary; every key starts with the tenant. */
export function textKey(tenant: string, contentHash: ContentHash): string {
  return `${tenant}/texts/${contentHash}`;
}
