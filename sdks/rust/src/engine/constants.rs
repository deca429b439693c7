//! The numeric constants of the client's behaviour. All SDKs share them; the vectors in contract/vectors/sdk test each one.

use std::time::Duration;

/// For a whole call: attempts, waits and bodies.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// For one attempt. The registry answers or refuses within 10 seconds.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(12);
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
pub const MAX_ATTEMPTS: u32 = 3;
/// The longest wait after the first attempt; it doubles with each further one.
pub const FIRST_WAIT: Duration = Duration::from_millis(500);
pub const LONGEST_WAIT: Duration = Duration::from_secs(8);

pub const CONTENT_LIFETIME: Duration = Duration::from_secs(3_600);
pub const RECORD_LIFETIME: Duration = Duration::from_secs(300);
pub const HEAD_LIFETIME: Duration = Duration::from_secs(60);
pub const LONGEST_HEAD_LIFETIME: Duration = Duration::from_secs(300);
pub const MAX_CACHE_ENTRIES: usize = 1_000;
pub const MAX_CACHE_BYTES: usize = 64 << 20;

/// The maximum age of an expired entry that is served while the registry cannot be reached.
pub const STALE_LIFETIME: Duration = Duration::from_secs(24 * 3_600);
/// For the one attempt that is made while such an entry is available.
pub const STALE_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a stale entry is served before the next attempt.
pub const STALE_RETRY: Duration = Duration::from_secs(30);
pub const STALE_WARNING_INTERVAL: Duration = Duration::from_secs(60);

pub const BREAKER_FAILURES: u32 = 5;
pub const BREAKER_OPEN: Duration = Duration::from_secs(30);

/// An event stream without a byte for this long is lost; the registry sends a comment every 15 seconds.
pub const EVENT_IDLE: Duration = Duration::from_secs(45);
pub const LONGEST_EVENT_WAIT: Duration = Duration::from_secs(30);

pub const MAX_APP_CHARACTERS: usize = 64;
pub const MAX_USER_AGENT_CHARACTERS: usize = 256;
/// What is read of one answer; schema texts are at most 1 MiB and pages 4 MiB.
pub const MAX_ANSWER_BYTES: usize = 32 << 20;
