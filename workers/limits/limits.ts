/** The limits of requests: how many a minute for whom. */
import type { ResolvedGrant } from "../../registry/grant.ts";

/** By role: people and readers, services, administrators. */
export const READER_REQUESTS_PER_MINUTE = 1_000;
export const SERVICE_REQUESTS_PER_MINUTE = 5_000;
export const ADMIN_REQUESTS_PER_MINUTE = 10_000;

/** For one address without a credential: health checks and the documentation. */
export const VISITOR_REQUESTS_PER_MINUTE = 1_000;
/** Wrong credentials of one address. A service whose key was rotated retries more slowly; a guess at 256 bits never ends. */
export const FAILURES_PER_MINUTE = 20;

/** The largest of the granted roles'. */
export function requestsPerMinute(grants: readonly Pick<ResolvedGrant, "role">[]): number {
  const roles = new Set(grants.map(({ role }) => role));
  if (roles.has("admin")) return ADMIN_REQUESTS_PER_MINUTE;
  return roles.has("service") ? SERVICE_REQUESTS_PER_MINUTE : READER_REQUESTS_PER_MINUTE;
}
