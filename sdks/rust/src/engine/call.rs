//! One logical call: attempts, waits, the deadline, the breaker and the tokens.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::breaker::{Breaker, BreakerState, Outcome};
use super::constants::LONGEST_WAIT;
use super::retry::{is_retried_status, jitter, parse_retry_after};
use super::token::{newest, Token, Tokens};
use crate::error::Error;
use crate::http::{may_be_header, Headers, Lost, Request, Response, Transport};
use crate::options::{ClientEvent, ClientEventKind, Clock, Hooks, Source};

/// Which token is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenUse {
    Seen,
    /// For search, whose index lags, and for stateless operations.
    Nothing,
    Wrote,
}

/// The request that a method makes.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// That of the OpenAPI document.
    pub name: &'static str,
    pub method: &'static str,
    /// Below /api/v1, its parts percent-encoded.
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    pub body: Option<Vec<u8>>,
    pub headers: Vec<(&'static str, String)>,
    pub takes_key: bool,
    pub writes: bool,
    pub token: TokenUse,
}

impl Operation {
    pub fn read(name: &'static str, path: String) -> Operation {
        Operation {
            name,
            method: "GET",
            path,
            query: Vec::new(),
            body: None,
            headers: Vec::new(),
            takes_key: false,
            writes: false,
            token: TokenUse::Seen,
        }
    }

    /// A question with a body, which changes nothing.
    pub fn ask(name: &'static str, path: &str, body: Vec<u8>) -> Operation {
        Operation { method: "POST", body: Some(body), ..Operation::read(name, path.to_owned()) }
    }

    pub fn write(name: &'static str, method: &'static str, path: String, body: Option<Vec<u8>>) -> Operation {
        Operation { method, body, takes_key: true, writes: true, ..Operation::read(name, path) }
    }
}

/// Given with one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallOptions {
    pub idempotency_key: Option<String>,
    pub min_token: Option<Token>,
}

/// The registry's answer and the number of attempts.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
    pub token: Option<Token>,
    pub attempts: u32,
}

/// Tighter while a stale value is available.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub max_attempts: u32,
    pub timeout: Duration,
    pub has_stand_in: bool,
}

/// What calls need.
pub(crate) struct Caller {
    pub base_url: String,
    pub headers: Vec<(&'static str, String)>,
    pub attempt_timeout: Duration,
    pub max_attempts: u32,
    pub transport: Transport,
    pub clock: Arc<dyn Clock>,
    pub random: Box<dyn Fn() -> f64 + Send + Sync>,
    pub tokens: Tokens,
    pub breaker: Breaker,
    pub hooks: Hooks,
}

impl Caller {
    pub fn bounds(&self) -> Bounds {
        Bounds { max_attempts: self.max_attempts, timeout: self.attempt_timeout, has_stand_in: false }
    }

    pub async fn run(
        &self,
        operation: &Operation,
        options: &CallOptions,
        timeout: Duration,
        bounds: Bounds,
    ) -> Result<Answer, Error> {
        let request = self.build(operation, options);
        if let Some((name, _)) = request.headers.iter().find(|(_, value)| !may_be_header(value)) {
            return Err(Error::configuration(format!("{name} holds characters that no header may hold")));
        }
        let deadline = self.clock.monotonic().saturating_add(timeout);
        let mut last: Option<Error> = None;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let began = self.clock.monotonic();
            let left = deadline.saturating_sub(began);
            if left.is_zero() {
                return Err(last.unwrap_or_else(|| Error::deadline_exceeded(timeout, attempt - 1)));
            }
            let permit = match self.breaker.admit(began) {
                Ok(permit) => permit,
                Err(retry_after) => return Err(last.unwrap_or_else(|| Error::circuit_open(retry_after, attempt - 1))),
            };
            let attempt_timeout = bounds.timeout.min(left);
            let result = self.transport.send(&request, attempt_timeout).await;
            let is_timeout = matches!(&result, Err(lost) if lost.is_timeout);
            let outcome = if bounds.has_stand_in && is_timeout { Outcome::Silent } else { outcome_of(&result) };
            permit.report(outcome, self.clock.monotonic());

            let mut event = ClientEvent {
                kind: ClientEventKind::Attempt,
                operation: operation.name,
                attempt,
                status: result.as_ref().ok().map(|response| response.status),
                code: None,
                duration: self.clock.monotonic().saturating_sub(began),
                wait: None,
                source: Some(Source::Network),
                breaker: self.breaker.state(),
            };
            let may_retry = self.may_retry(operation, &result);
            let failure = match self.judge(operation, result, attempt) {
                Ok(answer) => {
                    self.report(&event, &request);
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            event.code = Some(failure.code().to_owned());
            let goes_on = may_retry && attempt < bounds.max_attempts && self.breaker.state() != BreakerState::Open;
            if goes_on {
                let jitter = jitter(attempt, (self.random)(), LONGEST_WAIT);
                event.wait = Some(failure.retry_after().unwrap_or_default() + jitter);
            }
            self.report(&event, &request);
            let failure = if is_timeout && attempt_timeout >= left {
                Error::deadline_exceeded(timeout, attempt)
            } else {
                failure
            };
            match event.wait {
                // Never sooner than the registry asked: a wait that does not fit in the deadline is not begun.
                Some(wait) if wait < deadline.saturating_sub(self.clock.monotonic()) => {
                    self.clock.sleep(wait).await;
                    last = Some(failure);
                }
                _ => return Err(failure),
            }
        }
    }

    fn may_retry(&self, operation: &Operation, result: &Result<Response, Lost>) -> bool {
        let may_repeat = operation.takes_key || !operation.writes;
        match result {
            Ok(response) => is_retried_status(response.status, may_repeat),
            Err(lost) => !lost.is_hopeless && (may_repeat || !lost.is_sent),
        }
    }

    fn judge(&self, operation: &Operation, result: Result<Response, Lost>, attempts: u32) -> Result<Answer, Error> {
        let response = result.map_err(|lost| Error::connection_lost(lost, attempts))?;
        let status = response.status;
        let text = response.headers.get("x-registry-seq");
        let token = match operation.token {
            TokenUse::Nothing => None,
            _ => self.tokens.learn(text.as_deref(), operation.writes && status < 400),
        };
        match status {
            200..=299 | 304 => {
                let Response { status, headers, body, .. } = response;
                Ok(Answer { status, headers, body, token, attempts })
            }
            ..=399 => Err(Error::bad_answer(status, attempts, None)),
            _ => {
                let retry_after = parse_retry_after(response.headers.get("retry-after").as_deref(), self.clock.wall());
                Err(Error::refusal(response, retry_after, attempts))
            }
        }
    }

    fn build(&self, operation: &Operation, options: &CallOptions) -> Request {
        let mut url = format!("{}/api/v1{}", self.base_url, operation.path);
        if !operation.query.is_empty() {
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&operation.query).finish();
            let _ = write!(url, "?{query}");
        }
        let mut headers = self.headers.clone();
        headers.extend(operation.headers.iter().cloned());
        headers.push(("X-Request-ID", Uuid::new_v4().to_string()));
        if operation.takes_key {
            let key = options.idempotency_key.clone().unwrap_or_else(|| format!("auto-{}", Uuid::new_v4()));
            headers.push(("Idempotency-Key", key));
        }
        let held = match operation.token {
            TokenUse::Nothing => None,
            TokenUse::Wrote => newest(self.tokens.wrote(), options.min_token.clone()),
            TokenUse::Seen => newest(self.tokens.seen(), options.min_token.clone()),
        };
        if let Some(token) = held {
            headers.push(("X-Registry-Min-Seq", token.text));
        }
        if operation.body.is_some() {
            headers.push(("Content-Type", "application/json".to_owned()));
        }
        Request { method: operation.method, url, headers, body: operation.body.clone() }
    }

    fn report(&self, event: &ClientEvent, request: &Request) {
        let result = match (event.status, &event.code) {
            (Some(status), _) => status.to_string(),
            (None, code) => code.clone().unwrap_or_default(),
        };
        let path = request.url.split('?').next().unwrap_or_default().trim_start_matches(&self.base_url);
        let ms = event.duration.as_millis();
        let mut line = format!("{} {path} {result} {ms}ms attempt={}", request.method, event.attempt);
        for (name, value) in request.headers.iter().filter(|(name, _)| LOGGED_HEADERS.contains(name)) {
            let _ = write!(line, " {name}={value}");
        }
        self.hooks.debug(&line);
        self.hooks.emit(event);
    }
}

/// Headers whose values a log may hold. Everything else may be a secret.
const LOGGED_HEADERS: [&str; 4] = ["X-Request-ID", "X-Registry-Min-Seq", "If-None-Match", "User-Agent"];

/// A failure only if the registry itself did not answer; anything else shows that it is up.
fn outcome_of(result: &Result<Response, Lost>) -> Outcome {
    match result {
        Err(lost) if lost.is_hopeless => Outcome::Silent,
        Err(_) => Outcome::Failed,
        Ok(response) => match (response.status, response.code.as_deref()) {
            (502 | 504, _) => Outcome::Failed,
            (503, Some("not_ready" | "busy" | "rate_limited")) => Outcome::Alive,
            (503, _) => Outcome::Failed,
            _ => Outcome::Alive,
        },
    }
}
