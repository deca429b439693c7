/** Request limits: how many per minute for which callers. */
import type { ResolvedGrant } from "../../registry/grant.ts";

/** By role: users and readers, services, administrators. */
export const READER_REQUESTS_PER_MINUTE = 1_000;
export const SERVICE_REQUESTS_PER_MINUTE = 5_000;
export const ADMIN_REQUESTS_PER_MINUTE = 10_000;

/** Per address without a credential: health checks and the documentation. */
export const VISITOR_REQUESTS_PER_MINUTE = 1_000;
/**
 * Wrong credentials per address. A service whose key was rotated retries more slowly; guessing 256 bits is not feasible
 * anyway.
 */
export const FAILURES_PER_MINUTE = 20;

/** The largest limit among the granted roles. */
export function requestsPerMinute(grants: readonly Pick<ResolvedGrant, "role">[]): number {
  const roles = new Set(grants.map(({ role }) => role));
  if (roles.has("admin")) return ADMIN_REQUESTS_PER_MINUTE;
  return roles.has("service") ? SERVICE_REQUESTS_PER_MINUTE : READER_REQUESTS_PER_MINUTE;
}
