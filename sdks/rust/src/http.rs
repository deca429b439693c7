//! Sockets, by reqwest. Nothing is repeated and no redirect is followed here: the engine counts attempts, and a redirect would carry the key.

use std::error::Error as StdError;
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::header::HeaderMap;
use reqwest::{redirect, retry, Client, Method};
use serde::Deserialize;

use crate::engine::constants::{CONNECT_TIMEOUT, MAX_ANSWER_BYTES};

pub(crate) struct Request {
    pub method: &'static str,
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<Vec<u8>>,
}

#[derive(Debug)]
pub(crate) struct Headers(HeaderMap);

impl Headers {
    pub fn get(&self, name: &str) -> Option<String> {
        Some(self.0.get(name)?.to_str().ok()?.to_owned())
    }
}

#[derive(Debug)]
pub(crate) struct Response {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
    /// The problem document's code, where there is one.
    pub code: Option<String>,
}

/// An attempt without an answer.
#[derive(Debug)]
pub(crate) struct Lost {
    pub is_timeout: bool,
    /// Retrying cannot help: a bad certificate or an invalid URL.
    pub is_hopeless: bool,
    /// False only if no connection was made.
    pub is_sent: bool,
    pub cause: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Clone)]
pub(crate) struct Transport(Client);

impl Transport {
    pub fn new() -> Result<Transport, reqwest::Error> {
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .pool_max_idle_per_host(64)
            .gzip(true)
            .build()?;
        Ok(Transport(client))
    }

    fn prepare(&self, request: &Request) -> reqwest::RequestBuilder {
        let method = Method::from_bytes(request.method.as_bytes()).unwrap_or_default();
        let mut builder = self.0.request(method, &request.url);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        match &request.body {
            Some(body) => builder.body(body.clone()),
            None => builder,
        }
    }

    /// One attempt, its body included, within `timeout`.
    pub async fn send(&self, request: &Request, timeout: Duration) -> Result<Response, Lost> {
        let attempt = async {
            let response = self.prepare(request).send().await?;
            let status = response.status().as_u16();
            let headers = Headers(response.headers().clone());
            let body = read_body(response).await?;
            let code = read_code(status, &headers, &body);
            Ok(Response { status, headers, body, code })
        };
        match tokio::time::timeout(timeout, attempt).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(Lost::from_error(error)),
            Err(elapsed) => {
                Err(Lost { is_timeout: true, is_hopeless: false, is_sent: true, cause: Some(Box::new(elapsed)) })
            }
        }
    }

    /// A stream that has no end; only the connection and its headers are bounded by `timeout`.
    pub async fn open(&self, request: &Request, timeout: Duration) -> Result<reqwest::Response, Lost> {
        match tokio::time::timeout(timeout, self.prepare(request).send()).await {
            Ok(response) => response.map_err(Lost::from_error),
            Err(elapsed) => {
                Err(Lost { is_timeout: true, is_hopeless: false, is_sent: true, cause: Some(Box::new(elapsed)) })
            }
        }
    }
}

/// Reads the rest of a response that refuses. A body that does not end within `timeout` is left out: the status says enough.
pub(crate) async fn read_refusal(response: reqwest::Response, timeout: Duration) -> Response {
    let status = response.status().as_u16();
    let headers = Headers(response.headers().clone());
    let body = tokio::time::timeout(timeout, read_body(response)).await.ok().and_then(Result::ok).unwrap_or_default();
    let code = read_code(status, &headers, &body);
    Response { status, headers, body, code }
}

async fn read_body(response: reqwest::Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk?);
        if body.len() > MAX_ANSWER_BYTES {
            break;
        }
    }
    Ok(body)
}

/// Says whether a header may hold the text.
pub(crate) fn may_be_header(text: &str) -> bool {
    text.chars().all(|character| matches!(character, ' '..='~'))
}

impl Lost {
    fn from_error(error: reqwest::Error) -> Lost {
        let is_hopeless = error.is_builder() || names_certificate(&error);
        let is_sent = !(error.is_connect() || error.is_builder());
        Lost { is_timeout: error.is_timeout(), is_hopeless, is_sent, cause: Some(Box::new(error)) }
    }
}

/// The TLS library is not named in this crate's types, so that its updates break no caller; its messages name certificates.
fn names_certificate(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        if cause.to_string().contains("invalid peer certificate") {
            return true;
        }
        next = cause.source();
    }
    false
}

fn read_code(status: u16, headers: &Headers, body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Problem {
        code: String,
    }
    let is_json = headers.get("content-type").is_some_and(|value| value.contains("json"));
    if status < 400 || !is_json {
        return None;
    }
    let problem: Problem = serde_json::from_slice(body).ok()?;
    (!problem.code.is_empty()).then_some(problem.code)
}
