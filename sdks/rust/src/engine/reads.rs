//! Reads through the cache: fresh, revalidated, from the network, or stale while the registry is away.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;

use super::cache::{Cache, Entry, Value};
use super::call::{Answer, Bounds, CallOptions, Caller, Operation};
use super::constants::{CONTENT_LIFETIME, RECORD_LIFETIME, STALE_ATTEMPT_TIMEOUT, STALE_RETRY, STALE_WARNING_INTERVAL};
use super::flight::Flights;
use super::lock;
use super::token::newest;
use crate::error::Error;
use crate::options::Source;

/// Turns a body into the value that is kept and the qualified subject whose changes remove it.
pub(crate) type Parse = Arc<dyn Fn(&[u8]) -> Result<(Value, Option<String>), serde_json::Error> + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Read {
    /// The JSON text of an array, so that no two names collide.
    pub key: String,
    pub operation: Operation,
    /// Content is changed by a hard delete alone.
    pub is_content: bool,
    /// Content's lifetime is in its answer.
    pub lifetime: Duration,
    pub parse: Parse,
}

#[derive(Clone)]
pub(crate) struct ReadAnswer {
    pub value: Value,
    pub source: Source,
    pub is_stale: bool,
    pub attempts: u32,
}

pub(crate) struct Reader {
    pub caller: Arc<Caller>,
    pub cache: Cache,
    pub stale_lifetime: Duration,
    /// Of the clients that share this cache. A shared read takes at most this long, and each caller waits at most its
    /// own timeout.
    shared_timeout: Duration,
    flights: Flights,
    warned_at: Mutex<Option<Duration>>,
}

impl Read {
    fn lifetime(&self, answer: &Answer) -> Duration {
        if self.is_content {
            content_lifetime(answer.headers.get("cache-control").as_deref())
        } else {
            self.lifetime
        }
    }
}

/// What the answer's max-age says, at most an hour.
fn content_lifetime(cache_control: Option<&str>) -> Duration {
    let seconds = cache_control
        .into_iter()
        .flat_map(|header| header.split(','))
        .find_map(|part| part.trim().strip_prefix("max-age=")?.parse::<u32>().ok());
    seconds.map_or(CONTENT_LIFETIME, |seconds| Duration::from_secs(seconds.into()).min(CONTENT_LIFETIME))
}

impl Reader {
    pub fn new(caller: Arc<Caller>, cache: Cache, stale_lifetime: Duration, shared_timeout: Duration) -> Reader {
        let (flights, warned_at) = (Flights::default(), Mutex::new(None));
        Reader { caller, cache, stale_lifetime, shared_timeout, flights, warned_at }
    }

    /// Answers from the cache where it may, else from the registry.
    pub async fn get(
        self: &Arc<Self>,
        read: Read,
        options: CallOptions,
        timeout: Duration,
    ) -> Result<ReadAnswer, Error> {
        let required = newest(self.caller.tokens.wrote(), options.min_token.clone());
        let entry = self.cache.read(&read.key);
        let now = self.caller.clock.monotonic();
        let mut has_stand_in = false;
        if let Some(entry) = &entry {
            let reaches = match (&required, &entry.token) {
                (None, _) => true,
                (Some(required), Some(held)) => held.reaches(required, read.is_content),
                (Some(_), None) => false,
            };
            let age = now.saturating_sub(entry.stored_at);
            if reaches && age < entry.lifetime {
                self.cache.count(|counts| counts.hits += 1);
                return Ok(ReadAnswer {
                    value: entry.value.clone(),
                    source: Source::Cache,
                    is_stale: false,
                    attempts: 0,
                });
            }
            has_stand_in = reaches && age <= self.stale_lifetime;
            if has_stand_in && entry.stale_until.is_some_and(|until| now < until) {
                return Ok(self.give_stale(entry));
            }
        }
        let token = required.map(|token| token.text).unwrap_or_default();
        let longest = self.shared_timeout.max(timeout);
        let flight_key = format!("{} {token} {}", read.key, longest.as_nanos());
        let stand_in = entry.clone().filter(|_| has_stand_in);
        let (reader, key) = (Arc::clone(self), read.key.clone());
        let flight = self.flights.join(flight_key, move || {
            async move { reader.ask(read, options, longest, entry, has_stand_in).await }.boxed()
        });
        if timeout >= longest {
            return flight.await;
        }
        match tokio::time::timeout(timeout, flight).await {
            Ok(answer) => answer,
            // At least one attempt was made; further ones belong to the callers that still wait.
            Err(_) => self.stand_in(&key, stand_in, Error::deadline_exceeded(timeout, 1)),
        }
    }

    async fn ask(
        &self,
        mut read: Read,
        options: CallOptions,
        timeout: Duration,
        entry: Option<Entry>,
        has_stand_in: bool,
    ) -> Result<ReadAnswer, Error> {
        let generation = self.cache.generation();
        if let Some(etag) = entry.as_ref().and_then(|entry| entry.etag.clone()) {
            read.operation.headers.push(("If-None-Match", etag));
        }
        let bounds = if has_stand_in {
            Bounds { max_attempts: 1, timeout: STALE_ATTEMPT_TIMEOUT, has_stand_in }
        } else {
            self.caller.bounds()
        };
        let answer = match self.caller.run(&read.operation, &options, timeout, bounds).await {
            Ok(answer) => answer,
            Err(error) => return self.stand_in(&read.key, entry.filter(|_| has_stand_in), error),
        };
        let is_stale = answer.headers.get("x-registry-stale").as_deref() == Some("true");
        if let (304, Some(entry)) = (answer.status, &entry) {
            return Ok(self.renew(&read, entry, answer, is_stale));
        }
        let (value, subject) = (read.parse)(&answer.body)
            .map_err(|cause| Error::bad_answer(answer.status, answer.attempts, Some(cause)))?;
        self.cache.count(|counts| counts.misses += 1);
        if !is_stale {
            let lifetime = read.lifetime(&answer);
            self.store(&read.key, value.clone(), subject, &answer, lifetime, generation);
        }
        Ok(ReadAnswer { value, source: Source::Network, is_stale, attempts: answer.attempts })
    }

    fn store(
        &self,
        key: &str,
        value: Value,
        subject: Option<String>,
        answer: &Answer,
        lifetime: Duration,
        generation: u64,
    ) {
        let entry = Entry {
            value,
            etag: answer.headers.get("etag"),
            token: answer.token.clone(),
            stored_at: self.caller.clock.monotonic(),
            lifetime,
            size: answer.body.len(),
            subject,
            stale_until: None,
        };
        self.cache.store(key, entry, generation);
    }

    /// Stores the answer of a write, as a read would.
    pub fn keep(&self, key: &str, value: Value, subject: String, answer: &Answer) {
        self.store(key, value, Some(subject), answer, RECORD_LIFETIME, self.cache.generation());
    }

    fn stand_in(&self, key: &str, entry: Option<Entry>, error: Error) -> Result<ReadAnswer, Error> {
        if matches!(error.status(), Some(403 | 404)) {
            self.cache.remove(key);
        }
        let Some(entry) = entry.filter(|_| error.is_registry_away()) else { return Err(error) };
        let until = self.caller.clock.monotonic() + STALE_RETRY;
        self.cache.update(key, |kept| kept.stale_until = Some(until));
        Ok(self.give_stale(&entry))
    }

    fn renew(&self, read: &Read, entry: &Entry, answer: Answer, is_stale: bool) -> ReadAnswer {
        self.cache.count(|counts| counts.revalidated += 1);
        let now = self.caller.clock.monotonic();
        let lifetime = read.lifetime(&answer);
        self.cache.update(&read.key, |kept| {
            kept.token = newest(kept.token.take(), answer.token);
            if !is_stale {
                kept.stored_at = now;
                kept.lifetime = lifetime;
                kept.stale_until = None;
            }
        });
        ReadAnswer { value: entry.value.clone(), source: Source::Revalidated, is_stale, attempts: answer.attempts }
    }

    fn give_stale(&self, entry: &Entry) -> ReadAnswer {
        self.cache.count(|counts| counts.stale += 1);
        let now = self.caller.clock.monotonic();
        let mut warned_at = lock(&self.warned_at);
        if warned_at.is_none_or(|at| now.saturating_sub(at) >= STALE_WARNING_INTERVAL) {
            *warned_at = Some(now);
            self.caller.hooks.debug("The registry cannot be reached; answers come from expired cache entries.");
        }
        ReadAnswer { value: entry.value.clone(), source: Source::Stale, is_stale: true, attempts: 0 }
    }
}
