"""The numeric constants of the client's behaviour. All SDKs share them; the vectors in contract/vectors/sdk test each one."""

CALL_TIMEOUT_S = 30.0
"""For a whole call: attempts, waits and bodies."""
ATTEMPT_TIMEOUT_S = 12.0
"""For one attempt. The registry answers or refuses within 10 seconds."""
CONNECT_TIMEOUT_S = 5.0
MAX_ATTEMPTS = 3
FIRST_WAIT_MS = 500
"""The longest wait after the first attempt; it doubles with each further one."""
LONGEST_WAIT_MS = 8_000

CONTENT_LIFETIME_MS = 3_600_000
RECORD_LIFETIME_MS = 300_000
HEAD_LIFETIME_MS = 60_000
LONGEST_HEAD_LIFETIME_MS = 300_000
MAX_CACHE_ENTRIES = 1_000
MAX_CACHE_BYTES = 64 * 1024 * 1024

STALE_LIFETIME_MS = 24 * 3_600_000
"""The maximum age of expired entries that are used while the registry cannot be reached."""
STALE_ATTEMPT_TIMEOUT_S = 2.0
"""For the one attempt that is made while such an entry is available."""
STALE_RETRY_MS = 30_000
"""How long a stale entry is served before the next attempt."""
STALE_WARNING_INTERVAL_MS = 60_000

BREAKER_FAILURES = 5
BREAKER_OPEN_MS = 30_000

EVENT_IDLE_S = 45.0
"""Without a byte for this long an event stream counts as lost; the registry sends a comment every 15 seconds."""
LONGEST_EVENT_WAIT_MS = 30_000

MAX_APP_CHARACTERS = 64
MAX_USER_AGENT_CHARACTERS = 256
