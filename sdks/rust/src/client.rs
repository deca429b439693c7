//! The client, and how one is made.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::{Host, Url};

use crate::engine::breaker::Breaker;
use crate::engine::cache::Cache;
use crate::engine::call::{Answer, CallOptions, Caller, Operation};
use crate::engine::constants::{
    ATTEMPT_TIMEOUT, BREAKER_FAILURES, BREAKER_OPEN, CALL_TIMEOUT, HEAD_LIFETIME, LONGEST_HEAD_LIFETIME,
    MAX_APP_CHARACTERS, MAX_ATTEMPTS, MAX_CACHE_BYTES, MAX_CACHE_ENTRIES, MAX_USER_AGENT_CHARACTERS, STALE_LIFETIME,
};
use crate::engine::reads::{Read, ReadAnswer, Reader};
use crate::engine::token::Tokens;
use crate::error::Error;
use crate::http::{may_be_header, Transport};
use crate::names::SubjectName;
use crate::options::{CacheStats, ClientEvent, ClientEventKind, Clock, Hooks, Source, SystemClock};

const NO_TIMEOUT: &str = "timeouts are above 0";

/// A client of the registry. Clones share everything; make one and clone it.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    /// A configuration error is reported by the first call.
    state: Result<Ready, Error>,
    context: Option<String>,
    timeout: Duration,
    head_lifetime: Duration,
}

#[derive(Clone)]
struct Ready {
    caller: Arc<Caller>,
    reader: Arc<Reader>,
}

/// Makes a [`Client`].
pub struct ClientBuilder {
    url: String,
    api_key: Option<String>,
    context: Option<String>,
    timeout: Duration,
    attempt_timeout: Duration,
    max_attempts: u32,
    cache_entries: usize,
    cache_bytes: usize,
    head_lifetime: Duration,
    stale_lifetime: Duration,
    breaker_failures: u32,
    breaker_open: Duration,
    app: String,
    clock: Option<Arc<dyn Clock>>,
    random: Box<dyn Fn() -> f64 + Send + Sync>,
    hooks: Hooks,
}

impl Client {
    /// A client of the registry at this address. An invalid address is reported by the first call.
    pub fn new(url: impl Into<String>) -> Client {
        Client::builder(url).make()
    }

    /// A client with options.
    pub fn builder(url: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            url: url.into(),
            api_key: None,
            context: None,
            timeout: CALL_TIMEOUT,
            attempt_timeout: ATTEMPT_TIMEOUT,
            max_attempts: MAX_ATTEMPTS,
            cache_entries: MAX_CACHE_ENTRIES,
            cache_bytes: MAX_CACHE_BYTES,
            head_lifetime: HEAD_LIFETIME,
            stale_lifetime: STALE_LIFETIME,
            breaker_failures: BREAKER_FAILURES,
            breaker_open: BREAKER_OPEN,
            app: String::new(),
            clock: None,
            random: Box::new(fastrand::f64),
            hooks: Hooks::default(),
        }
    }

    /// The same client with another timeout; cache, token and breaker are shared.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Client {
        let Inner { state, context, head_lifetime, .. } = &*self.inner;
        let (context, head_lifetime) = (context.clone(), *head_lifetime);
        let state = if timeout.is_zero() { Err(Error::configuration(NO_TIMEOUT)) } else { state.clone() };
        Client { inner: Arc::new(Inner { state, context, timeout, head_lifetime }) }
    }

    /// The newest consistency token of this client's own writes, to hand to another process as `min_token`.
    pub fn token(&self) -> Option<String> {
        Some(self.ready().ok()?.caller.tokens.wrote()?.text)
    }

    /// Counts of the cache, and the state of the breaker and the tokens.
    pub fn cache_stats(&self) -> CacheStats {
        let Ok(Ready { caller, reader }) = self.ready() else { return CacheStats::empty() };
        let counts = reader.cache.counts();
        CacheStats {
            hits: counts.hits,
            misses: counts.misses,
            revalidated: counts.revalidated,
            stale: counts.stale,
            entries: counts.entries,
            bytes: counts.bytes,
            breaker: caller.breaker.state(),
            token_seen: caller.tokens.seen().map(|token| token.text),
            token_unreadable: caller.tokens.unreadable(),
        }
    }

    /// Clears the cache.
    pub fn clear_cache(&self) {
        if let Ok(ready) = self.ready() {
            ready.reader.cache.clear();
        }
    }

    /// Clears the part of the cache that belongs to one subject.
    pub fn clear_subject(&self, subject: &str) {
        self.forget_subject(&self.subject(subject).qualified());
    }

    /// Releases the cache, which all clones share; one that is used afterwards fills it again. Connections close with
    /// the last clone.
    pub fn close(self) {
        self.clear_cache();
    }

    pub(crate) fn subject(&self, name: &str) -> SubjectName {
        SubjectName::parse(name, self.inner.context.as_deref())
    }

    pub(crate) fn context(&self) -> Option<&str> {
        self.inner.context.as_deref()
    }

    pub(crate) fn head_lifetime(&self) -> Duration {
        self.inner.head_lifetime
    }

    fn ready(&self) -> Result<&Ready, Error> {
        self.inner.state.as_ref().map_err(Clone::clone)
    }

    pub(crate) fn caller(&self) -> Result<&Caller, Error> {
        Ok(&self.ready()?.caller)
    }

    pub(crate) fn reader(&self) -> Result<&Arc<Reader>, Error> {
        Ok(&self.ready()?.reader)
    }

    pub(crate) fn forget_subject(&self, qualified: &str) {
        if let Ok(ready) = self.ready() {
            ready.reader.cache.forget_subject(qualified);
        }
    }

    pub(crate) async fn call(&self, operation: Operation, options: CallOptions) -> Result<Answer, Error> {
        let caller = self.caller()?;
        let began = caller.clock.monotonic();
        let result = caller.run(&operation, &options, self.inner.timeout, caller.bounds()).await;
        let attempts = result.as_ref().map_or(0, |answer| answer.attempts);
        report(caller, operation.name, began, attempts, Source::Network, result.as_ref().err());
        result
    }

    pub(crate) async fn read(&self, read: Read, options: CallOptions) -> Result<ReadAnswer, Error> {
        let Ready { caller, reader } = self.ready()?;
        let (began, name) = (caller.clock.monotonic(), read.operation.name);
        let result = reader.get(read, options, self.inner.timeout).await;
        let (attempts, source) =
            result.as_ref().map_or((0, Source::Network), |answer| (answer.attempts, answer.source));
        report(caller, name, began, attempts, source, result.as_ref().err());
        result
    }
}

fn report(
    caller: &Caller,
    operation: &'static str,
    began: Duration,
    attempts: u32,
    source: Source,
    error: Option<&Error>,
) {
    caller.hooks.emit(&ClientEvent {
        kind: ClientEventKind::Call,
        operation,
        attempt: error.map_or(attempts, Error::attempts),
        status: error.and_then(Error::status),
        code: error.map(|error| error.code().to_owned()),
        duration: caller.clock.monotonic().saturating_sub(began),
        wait: None,
        source: error.is_none().then_some(source),
        breaker: caller.breaker.state(),
    });
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.caller().map_or("unusable", |caller| caller.base_url.as_str());
        f.debug_struct("Client").field("url", &url).finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// Sends a key with every request.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> ClientBuilder {
        self.api_key = Some(key.into());
        self
    }

    /// The context of bare subject names.
    #[must_use]
    pub fn context(mut self, context: impl Into<String>) -> ClientBuilder {
        self.context = Some(context.into());
        self
    }

    /// For a whole call: attempts, waits and bodies. 30 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> ClientBuilder {
        self.timeout = timeout;
        self
    }

    /// For one attempt. 12 s.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> ClientBuilder {
        self.attempt_timeout = timeout;
        self
    }

    /// How often a call is tried. 3; 1 asks once.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> ClientBuilder {
        self.max_attempts = attempts;
        self
    }

    /// The cache's size. 1,000 answers and 64 MiB; 0 answers keep nothing.
    #[must_use]
    pub fn cache_size(mut self, entries: usize, bytes: usize) -> ClientBuilder {
        self.cache_entries = entries;
        self.cache_bytes = bytes;
        self
    }

    /// How long `latest` and ranges are kept. 1 min, at most 5.
    #[must_use]
    pub fn head_lifetime(mut self, lifetime: Duration) -> ClientBuilder {
        self.head_lifetime = lifetime;
        self
    }

    /// The maximum age of expired entries that are used while the registry cannot be reached. 24 h; 0 turns it off.
    #[must_use]
    pub fn stale_lifetime(mut self, lifetime: Duration) -> ClientBuilder {
        self.stale_lifetime = lifetime;
        self
    }

    /// After how many failed attempts in a row the client stops asking, and for how long. 5, 30 s.
    #[must_use]
    pub fn breaker(mut self, failures: u32, open: Duration) -> ClientBuilder {
        self.breaker_failures = failures;
        self.breaker_open = open;
        self
    }

    /// Your program's name, for the registry's logs: "billing/2.1".
    #[must_use]
    pub fn app(mut self, app: impl Into<String>) -> ClientBuilder {
        self.app = app.into();
        self
    }

    /// Replaces the clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> ClientBuilder {
        self.clock = Some(clock);
        self
    }

    /// Replaces the source of random numbers from [0, 1) for the jitter of waits.
    #[must_use]
    pub fn random(mut self, random: impl Fn() -> f64 + Send + Sync + 'static) -> ClientBuilder {
        self.random = Box::new(random);
        self
    }

    /// The metrics hook. A panic in it is ignored.
    #[must_use]
    pub fn on_event(mut self, hook: impl Fn(&ClientEvent) + Send + Sync + 'static) -> ClientBuilder {
        self.hooks.on_event = Some(Arc::new(hook));
        self
    }

    /// Receives a line for each attempt, without bodies, keys or query values.
    #[must_use]
    pub fn on_debug(mut self, hook: impl Fn(&str) + Send + Sync + 'static) -> ClientBuilder {
        self.hooks.on_debug = Some(Arc::new(hook));
        self
    }

    /// Makes the client.
    ///
    /// # Errors
    /// The address or an option cannot be used.
    pub fn build(self) -> Result<Client, Error> {
        let client = self.make();
        client.ready()?;
        Ok(client)
    }

    fn make(self) -> Client {
        let (context, timeout, head_lifetime) = (self.context.clone(), self.timeout, self.head_lifetime);
        Client { inner: Arc::new(Inner { state: self.prepare(), context, timeout, head_lifetime }) }
    }

    fn prepare(self) -> Result<Ready, Error> {
        let url = self.check()?;
        let mut headers = vec![("Accept", "application/json".to_owned()), ("User-Agent", self.user_agent())];
        if let Some(key) = &self.api_key {
            headers.push(("Authorization", format!("Bearer {key}")));
            if url.scheme() == "http" && !is_loopback(&url) {
                self.hooks.debug("The key is sent over plain HTTP to a host that is not this machine.");
            }
        }
        let transport = Transport::new().map_err(|error| Error::configuration(format!("no HTTP client: {error}")))?;
        let caller = Arc::new(Caller {
            base_url: url.as_str().trim_end_matches('/').to_owned(),
            headers,
            attempt_timeout: self.attempt_timeout,
            max_attempts: self.max_attempts,
            transport,
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock::new())),
            random: self.random,
            tokens: Tokens::default(),
            breaker: Breaker::new(self.breaker_failures, self.breaker_open),
            hooks: self.hooks,
        });
        let cache = Cache::new(self.cache_entries, self.cache_bytes);
        let reader = Arc::new(Reader::new(caller.clone(), cache, self.stale_lifetime, self.timeout));
        Ok(Ready { caller, reader })
    }

    fn check(&self) -> Result<Url, Error> {
        let mut url = Url::parse(&self.url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| {
                Error::configuration(
                    "the registry's address is not an HTTP URL; expected for example http://localhost:8080",
                )
            })?;
        url.set_query(None);
        url.set_fragment(None);
        let _ = url.set_username("");
        let _ = url.set_password(None);
        if self.timeout.is_zero() || self.attempt_timeout.is_zero() {
            return Err(Error::configuration(NO_TIMEOUT));
        }
        if self.max_attempts == 0 || self.breaker_failures == 0 {
            return Err(Error::configuration("the numbers of attempts and of failures are at least 1"));
        }
        if self.head_lifetime > LONGEST_HEAD_LIFETIME {
            return Err(Error::configuration(format!("heads are kept for at most {LONGEST_HEAD_LIFETIME:?}")));
        }
        if self.app.len() > MAX_APP_CHARACTERS || !may_be_header(&self.app) {
            return Err(Error::configuration(format!(
                "app is at most {MAX_APP_CHARACTERS} printable ASCII characters"
            )));
        }
        if !self.api_key.as_deref().is_none_or(may_be_header) {
            return Err(Error::configuration("the key holds characters that no header may hold"));
        }
        Ok(url)
    }

    fn user_agent(&self) -> String {
        let os = match std::env::consts::OS {
            "linux" => "linux",
            "macos" => "darwin",
            "windows" => "windows",
            _ => "other",
        };
        let arch = match std::env::consts::ARCH {
            arch @ ("x86_64" | "aarch64") => arch,
            _ => "other",
        };
        let (version, rustc) = (env!("CARGO_PKG_VERSION"), env!("LLM_REGISTRY_RUSTC_VERSION"));
        let mut agent = format!("llm-schema-registry-rust/{version} rust/{rustc} ({os}; {arch}) {}", self.app);
        agent.truncate(MAX_USER_AGENT_CHARACTERS);
        agent.trim_end().to_owned()
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.api_key.as_deref().map(hide_secret);
        // The address may hold a user name and a password.
        let url = self.check().map_or_else(|_| "unusable".to_owned(), String::from);
        f.debug_struct("ClientBuilder").field("url", &url).field("api_key", &key).finish_non_exhaustive()
    }
}

/// `llmsr_<tenant>_<key id>_…`; of anything else nothing.
fn hide_secret(key: &str) -> String {
    let parts: Vec<&str> = key.splitn(4, '_').collect();
    match parts.as_slice() {
        ["llmsr", tenant, id, _] => format!("llmsr_{tenant}_{id}_…"),
        _ => "…".to_owned(),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
