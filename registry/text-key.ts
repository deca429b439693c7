import type { ContentHash } from "../schema/content-hash.ts";

/** Where a text that is too large for the primary lies in R2; the tenant comes first in every key. */
export function textKey(tenant: string, contentHash: ContentHash): string {
  return `${tenant}/texts/${contentHash}`;
}
