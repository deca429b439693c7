//! The one error of this crate.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::http::{Lost, Response};
use crate::models::{Json, Verdict};

/// What kind of failure an [`Error`] is. A problem's code decides, never the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is wrong; [`Error::places`] names where.
    BadRequest,
    /// The key is missing or not accepted.
    Unauthorized,
    /// The key may not do this.
    Forbidden,
    /// It does not exist, or the key may not read it.
    NotFound,
    /// The registry's state does not allow it.
    Conflict,
    /// The version exists with other content.
    VersionExists,
    /// The subject is protected: a proposal has to be approved.
    Protected,
    /// Changes are frozen for now.
    Frozen,
    /// A refused registration; [`Error::verdict`] says what it would break.
    IncompatibleSchema,
    /// The state with this ETag is not the present one.
    PreconditionFailed,
    /// The schema is not valid, or uses what its format does not support.
    InvalidSchema,
    /// Deciding takes more work than a request may cost.
    TooComplex,
    /// The body is too large.
    PayloadTooLarge,
    /// Too many requests; [`Error::retry_after`] says when to try again.
    RateLimited,
    /// The registry, or a gateway before it, cannot answer now.
    Unavailable,
    /// The registry's storage is full.
    StorageFull,
    /// A fault of the registry.
    Server,
    /// A code that this version of the client does not know.
    Api,
    /// The registry did not answer, or the connection failed.
    ConnectionLost,
    /// The call did not end within its timeout.
    DeadlineExceeded,
    /// The registry did not answer several times in a row; nothing was sent.
    CircuitOpen,
    /// An answer violates the contract.
    BadAnswer,
    /// An option or an argument cannot be used; nothing was sent.
    Configuration,
}

impl ErrorKind {
    fn from_code(code: &str) -> ErrorKind {
        match code {
            "bad_request" => ErrorKind::BadRequest,
            "unauthorized" => ErrorKind::Unauthorized,
            "forbidden" => ErrorKind::Forbidden,
            "not_found" => ErrorKind::NotFound,
            "conflict" => ErrorKind::Conflict,
            "version_exists" => ErrorKind::VersionExists,
            "protected" => ErrorKind::Protected,
            "frozen" => ErrorKind::Frozen,
            "incompatible_schema" => ErrorKind::IncompatibleSchema,
            "precondition_failed" | "precondition_required" => ErrorKind::PreconditionFailed,
            "invalid_schema" | "unsupported" => ErrorKind::InvalidSchema,
            "too_complex" => ErrorKind::TooComplex,
            "payload_too_large" => ErrorKind::PayloadTooLarge,
            "rate_limited" | "http_429" => ErrorKind::RateLimited,
            "not_ready" | "busy" | "http_502" | "http_503" | "http_504" => ErrorKind::Unavailable,
            "storage_full" => ErrorKind::StorageFull,
            "internal" | "http_500" => ErrorKind::Server,
            _ => ErrorKind::Api,
        }
    }
}

/// One error in a request, with its location.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ErrorPlace {
    /// A JSON pointer into the request's body.
    #[serde(default)]
    pub pointer: String,
    /// The rule that it breaks.
    #[serde(default)]
    pub rule: String,
    /// A sentence for people.
    #[serde(default)]
    pub message: String,
}

/// A failed call. Its text holds the code, the detail and the request's id; never data, keys or bodies.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    code: String,
    detail: String,
    status: Option<u16>,
    places: Vec<ErrorPlace>,
    verdict: Option<Verdict>,
    problem: Option<Json>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    attempts: u32,
    may_have_been_sent: bool,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

impl Inner {
    fn new(kind: ErrorKind, code: impl Into<String>, detail: String) -> Inner {
        Inner {
            kind,
            code: code.into(),
            detail,
            status: None,
            places: Vec::new(),
            verdict: None,
            problem: None,
            request_id: None,
            retry_after: None,
            attempts: 0,
            may_have_been_sent: true,
            cause: None,
        }
    }
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    errors: Vec<ErrorPlace>,
    #[serde(default)]
    verdict: Option<Verdict>,
}

impl Error {
    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The problem's code, `http_<status>` if a gateway answered, or this client's own word.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// What happened, in a sentence.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The answer's status; `None` if nothing answered.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The errors in the request, with their locations.
    pub fn places(&self) -> &[ErrorPlace] {
        &self.0.places
    }

    /// Of a refused registration: what it would break, with data that shows it.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.0.verdict.as_ref()
    }

    /// The whole problem document, including members that this version does not know.
    pub fn problem(&self) -> Option<&Json> {
        self.0.problem.as_ref()
    }

    /// The id under which the registry logged the request.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How long the registry asks to wait, or the breaker stays open.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How many attempts were made.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// False only if the registry cannot have seen the request.
    pub fn may_have_been_sent(&self) -> bool {
        self.0.may_have_been_sent
    }

    /// Whether an expired cache entry may be used: only if the registry itself did not answer.
    pub(crate) fn is_registry_away(&self) -> bool {
        match self.kind() {
            ErrorKind::ConnectionLost | ErrorKind::DeadlineExceeded | ErrorKind::CircuitOpen => true,
            _ => matches!(self.status(), Some(502..=504)),
        }
    }

    pub(crate) fn configuration(detail: impl Into<String>) -> Error {
        let inner = Inner::new(ErrorKind::Configuration, "configuration_error", detail.into());
        Error(Arc::new(Inner { may_have_been_sent: false, ..inner }))
    }

    pub(crate) fn connection_lost(lost: Lost, attempts: u32) -> Error {
        let detail = "the registry did not answer, or the connection to it failed".to_owned();
        let inner = Inner::new(ErrorKind::ConnectionLost, "connection_lost", detail);
        Error(Arc::new(Inner { attempts, may_have_been_sent: lost.is_sent, cause: lost.cause, ..inner }))
    }

    pub(crate) fn deadline_exceeded(timeout: Duration, attempts: u32) -> Error {
        let detail = format!("the call did not end within {timeout:?}");
        let inner = Inner::new(ErrorKind::DeadlineExceeded, "deadline_exceeded", detail);
        Error(Arc::new(Inner { attempts, ..inner }))
    }

    pub(crate) fn circuit_open(retry_after: Duration, attempts: u32) -> Error {
        let detail = format!("the registry did not answer; the next attempt is made in {retry_after:?}");
        let inner = Inner::new(ErrorKind::CircuitOpen, "circuit_open", detail);
        Error(Arc::new(Inner { attempts, may_have_been_sent: false, retry_after: Some(retry_after), ..inner }))
    }

    pub(crate) fn bad_answer(status: u16, attempts: u32, cause: Option<serde_json::Error>) -> Error {
        let detail = format!("an answer of status {status} is not what the contract says");
        let cause = cause.map(|cause| Box::new(cause) as Box<dyn StdError + Send + Sync>);
        let inner = Inner::new(ErrorKind::BadAnswer, "bad_answer", detail);
        Error(Arc::new(Inner { status: Some(status), attempts, cause, ..inner }))
    }

    pub(crate) fn refusal(response: Response, retry_after: Option<Duration>, attempts: u32) -> Error {
        let status = response.status;
        let request_id = response.headers.get("x-request-id");
        let Some(code) = response.code else {
            let code = format!("http_{status}");
            let detail = format!("the answer has status {status} and no problem document");
            let inner = Inner::new(ErrorKind::from_code(&code), code, detail);
            return Error(Arc::new(Inner { status: Some(status), request_id, retry_after, attempts, ..inner }));
        };
        // A member of an unexpected shape leaves the code readable.
        let problem: Option<Problem> = serde_json::from_slice(&response.body).ok();
        let (detail, places, verdict) = match problem {
            Some(Problem { title, detail, errors, verdict }) => (detail.unwrap_or(title), errors, verdict),
            None => (String::new(), Vec::new(), None),
        };
        let inner = Inner::new(ErrorKind::from_code(&code), code, detail);
        let problem = String::from_utf8(response.body).ok().map(Json::from_text);
        Error(Arc::new(Inner {
            status: Some(status),
            places,
            verdict,
            problem,
            request_id,
            retry_after,
            attempts,
            ..inner
        }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.detail)?;
        match &self.0.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("code", &self.0.code)
            .field("detail", &self.0.detail)
            .field("status", &self.0.status)
            .field("request_id", &self.0.request_id)
            .field("attempts", &self.0.attempts)
            .field("cause", &self.0.cause)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}
