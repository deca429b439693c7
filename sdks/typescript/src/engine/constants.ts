/**
 * The numeric constants of the client's behaviour. All SDKs share them; the vectors in contract/vectors/sdk test each
 * one.
 */

/** For a whole call: attempts, waits and bodies. */
export const CALL_TIMEOUT_MS = 30_000;
/** For one attempt. The registry answers or refuses within 10 seconds. */
export const ATTEMPT_TIMEOUT_MS = 12_000;
export const MAX_ATTEMPTS = 3;
/** The longest wait after the first attempt; it doubles with each further one. */
export const FIRST_WAIT_MS = 500;
export const LONGEST_WAIT_MS = 8_000;

export const CONTENT_LIFETIME_MS = 3_600_000;
export const RECORD_LIFETIME_MS = 300_000;
/** With eventual consistency, since the registry's own answer may already be 60 seconds old. */
export const EVENTUAL_RECORD_LIFETIME_MS = 240_000;
export const HEAD_LIFETIME_MS = 60_000;
export const LONGEST_HEAD_LIFETIME_MS = 300_000;
export const MAX_CACHE_ENTRIES = 1_000;
export const MAX_CACHE_BYTES = 64 * 1024 * 1024;

/** The maximum age of an expired entry that is served while the registry cannot be reached. */
export const STALE_LIFETIME_MS = 24 * 3_600_000;
/** For the one attempt that is made while such an entry is available. */
export const STALE_ATTEMPT_TIMEOUT_MS = 2_000;
/** How long a stale entry is served before the next attempt. */
export const STALE_RETRY_MS = 30_000;
export const STALE_WARNING_INTERVAL_MS = 60_000;

export const BREAKER_FAILURES = 5;
export const BREAKER_OPEN_MS = 30_000;

/** Without a byte for this long an event stream counts as lost; the registry sends a comment every 15 seconds. */
export const EVENT_IDLE_MS = 45_000;
export const LONGEST_EVENT_WAIT_MS = 30_000;

export const MAX_APP_CHARACTERS = 64;
export const MAX_USER_AGENT_CHARACTERS = 256;
