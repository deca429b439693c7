//! What a program may set and observe: the clock, the hooks, and where answers come from.

use std::fmt;
use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::engine::breaker::BreakerState;

/// The client's only source of time. Tests replace it.
pub trait Clock: Send + Sync {
    /// The time since an arbitrary start; it never goes back.
    fn monotonic(&self) -> Duration;
    /// The calendar's time.
    fn wall(&self) -> SystemTime;
    /// Waits. A dropped wait ends.
    fn sleep(&self, wait: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

pub(crate) struct SystemClock {
    began: Instant,
}

impl SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn new() -> SystemClock {
        SystemClock { began: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn monotonic(&self) -> Duration {
        self.began.elapsed()
    }

    #[allow(clippy::disallowed_methods, reason = "this is the clock")]
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, wait: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(wait))
    }
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The registry.
    Network,
    /// A cache entry within its lifetime.
    Cache,
    /// A cache entry that the registry confirmed.
    Revalidated,
    /// An expired cache entry, while the registry is away.
    Stale,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::Network => "network",
            Source::Cache => "cache",
            Source::Revalidated => "revalidated",
            Source::Stale => "stale",
        })
    }
}

/// What a [`ClientEvent`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientEventKind {
    /// One attempt.
    Attempt,
    /// One call, including all its attempts.
    Call,
}

/// What the metrics hook receives: once for each attempt and once for each finished call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientEvent {
    /// An attempt or a call.
    pub kind: ClientEventKind,
    /// The operation's name in the OpenAPI document.
    pub operation: &'static str,
    /// Counted from 1; for a call, the number of attempts.
    pub attempt: u32,
    /// The answer's status, if there was an answer.
    pub status: Option<u16>,
    /// The error's code, if it failed.
    pub code: Option<String>,
    /// How long it took.
    pub duration: Duration,
    /// The wait before the next attempt.
    pub wait: Option<Duration>,
    /// Where the answer came from, if it succeeded.
    pub source: Option<Source>,
    /// The breaker's state afterwards.
    pub breaker: BreakerState,
}

type EventHook = Arc<dyn Fn(&ClientEvent) + Send + Sync>;
type DebugHook = Arc<dyn Fn(&str) + Send + Sync>;

#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub on_event: Option<EventHook>,
    pub on_debug: Option<DebugHook>,
}

impl Hooks {
    /// A hook that panics must not fail a call that succeeded.
    pub fn emit(&self, event: &ClientEvent) {
        if let Some(hook) = &self.on_event {
            let _ = catch_unwind(AssertUnwindSafe(|| hook(event)));
        }
    }

    pub fn debug(&self, line: &str) {
        #[cfg(feature = "tracing")]
        tracing::debug!(target: "llm_schema_registry", "{line}");
        if let Some(hook) = &self.on_debug {
            let _ = catch_unwind(AssertUnwindSafe(|| hook(line)));
        }
    }
}

/// Counts of a client's cache, and the state of its breaker and tokens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CacheStats {
    /// Reads answered from the cache.
    pub hits: u64,
    /// Reads answered by the registry with a body.
    pub misses: u64,
    /// Reads of entries that the registry confirmed.
    pub revalidated: u64,
    /// Reads answered by expired entries while the registry was away.
    pub stale: u64,
    /// Answers in the cache.
    pub entries: usize,
    /// The size of their texts, in bytes.
    pub bytes: usize,
    /// The breaker's state.
    pub breaker: BreakerState,
    /// The newest consistency token of all answers.
    pub token_seen: Option<String>,
    /// Answers whose token could not be read.
    pub token_unreadable: u64,
}

impl CacheStats {
    /// Of a client that cannot be used.
    pub(crate) fn empty() -> CacheStats {
        CacheStats {
            hits: 0,
            misses: 0,
            revalidated: 0,
            stale: 0,
            entries: 0,
            bytes: 0,
            breaker: BreakerState::Closed,
            token_seen: None,
            token_unreadable: 0,
        }
    }
}
