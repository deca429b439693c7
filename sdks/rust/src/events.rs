//! Streams every change of the registry in order, without end.

use std::fmt;
use std::time::Duration;

use futures_core::Stream;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use serde::Deserialize;

use crate::client::Client;
use crate::engine::constants::{EVENT_IDLE, FIRST_WAIT, LONGEST_EVENT_WAIT};
use crate::engine::retry::{jitter, parse_retry_after};
use crate::error::Error;
use crate::http::{read_refusal, Request};
use crate::models::Event;

/// A line without an end is cut off here; an event is at most as large as a record.
const MAX_LINE_BYTES: usize = 8 << 20;

/// Which events are read. `Client::events` makes one.
#[must_use]
pub struct Events {
    client: Client,
    after: Option<u64>,
    query: Vec<(&'static str, String)>,
}

/// Reconnects after a lost connection, and delivers no event twice.
pub struct EventStream {
    asked: Events,
    last_id: Option<String>,
    failures: u32,
    lines: Option<Lines>,
}

struct Lines {
    chunks: BoxStream<'static, Result<Vec<u8>, ()>>,
    buffer: Vec<u8>,
}

impl Events {
    pub(crate) fn new(client: &Client) -> Events {
        Events { client: client.clone(), after: None, query: Vec::new() }
    }

    /// Begins after a position; 0 is the whole log. Without it: only new events.
    pub fn after(mut self, seq: u64) -> Events {
        self.after = Some(seq);
        self
    }

    /// Events of subjects that match one of the globs, separated by commas.
    pub fn subjects(mut self, globs: impl Into<String>) -> Events {
        self.query.push(("subjects", globs.into()));
        self
    }

    /// Events of these types, separated by commas, such as "schema.registered" or "schema.*".
    pub fn types(mut self, types: impl Into<String>) -> Events {
        self.query.push(("types", types.into()));
        self
    }

    /// Begins to read.
    pub fn open(self) -> EventStream {
        EventStream { asked: self, last_id: None, failures: 0, lines: None }
    }

    /// Begins to read, as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<Event, Error>> + Send {
        stream::try_unfold(self.open(), |mut events| async move {
            let event = events.try_next().await?;
            Ok(Some((event, events)))
        })
    }
}

impl EventStream {
    /// Waits for the next event. Store its `seq` once it is handled.
    ///
    /// # Errors
    /// The registry refuses for a permanent reason, or an event violates the contract.
    pub fn try_next(&mut self) -> BoxFuture<'_, Result<Event, Error>> {
        Box::pin(async move {
            loop {
                let Some(lines) = &mut self.lines else {
                    self.connect().await?;
                    continue;
                };
                let event = match lines.next_event().await {
                    Ok(Some(event)) => event,
                    Ok(None) => {
                        self.lines = None;
                        self.pause(None).await?;
                        continue;
                    }
                    Err(error) => {
                        self.lines = None;
                        return Err(error);
                    }
                };
                self.failures = 0;
                self.last_id = Some(event.id.clone());
                if self.asked.after.is_none_or(|after| event.seq > after) {
                    self.asked.after = Some(event.seq);
                    return Ok(event);
                }
            }
        })
    }

    async fn connect(&mut self) -> Result<(), Error> {
        let caller = self.asked.client.caller()?;
        let mut query = self.asked.query.clone();
        let mut headers: Vec<(&'static str, String)> =
            caller.headers.iter().filter(|(name, _)| *name != "Accept").cloned().collect();
        headers.push(("Accept", "text/event-stream".to_owned()));
        match (&self.last_id, self.asked.after) {
            (Some(id), _) => headers.push(("Last-Event-ID", id.clone())),
            (None, Some(after)) => query.push(("after", after.to_string())),
            (None, None) => {}
        }
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&query).finish();
        let url = format!("{}/api/v1/events?{text}", caller.base_url);
        let request = Request { method: "GET", url: url.trim_end_matches('?').to_owned(), headers, body: None };
        let response = match caller.transport.open(&request, caller.attempt_timeout).await {
            Ok(response) => response,
            Err(lost) if lost.is_hopeless => return Err(Error::connection_lost(lost, 1)),
            Err(_) => return self.pause(None).await,
        };
        match response.status().as_u16() {
            200 => {
                let chunks = response.bytes_stream().map_ok(|bytes| bytes.to_vec()).map_err(|_| ()).boxed();
                self.lines = Some(Lines { chunks, buffer: Vec::new() });
                Ok(())
            }
            429 | 502..=504 => {
                let header = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
                let retry_after = parse_retry_after(header, caller.clock.wall());
                self.pause(retry_after).await
            }
            status @ ..=399 => Err(Error::bad_answer(status, 1, None)),
            _ => Err(Error::refusal(read_refusal(response, caller.attempt_timeout).await, None, 1)),
        }
    }

    /// Never shorter than the registry asks for.
    async fn pause(&mut self, retry_after: Option<Duration>) -> Result<(), Error> {
        let caller = self.asked.client.caller()?;
        self.failures += 1;
        let wait = jitter(self.failures, (caller.random)(), LONGEST_EVENT_WAIT);
        let wait = if wait == Duration::ZERO { FIRST_WAIT / 10 } else { wait };
        caller.clock.sleep(retry_after.unwrap_or_default() + wait).await;
        Ok(())
    }
}

impl Lines {
    /// `None` when the connection is lost. An event that cannot be read is an error: read again, it would be the same.
    async fn next_event(&mut self) -> Result<Option<Event>, Error> {
        let mut data = String::new();
        loop {
            let Some(line) = self.next_line().await? else { return Ok(None) };
            if let Some(text) = line.strip_prefix("data:") {
                data.push_str(text.strip_prefix(' ').unwrap_or(text));
            } else if line.is_empty() && !data.is_empty() {
                return read_event(&data).map(Some).map_err(|cause| Error::bad_answer(200, 1, Some(cause)));
            }
        }
    }

    async fn next_line(&mut self) -> Result<Option<String>, Error> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Ok(Some(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned()));
            }
            if self.buffer.len() > MAX_LINE_BYTES {
                return Err(Error::bad_answer(200, 1, None));
            }
            // The registry sends a comment every 15 seconds, so silence means a connection that was lost without being closed.
            match tokio::time::timeout(EVENT_IDLE, self.chunks.next()).await {
                Ok(Some(Ok(chunk))) => self.buffer.extend_from_slice(&chunk),
                _ => return Ok(None),
            }
        }
    }
}

fn read_event(text: &str) -> Result<Event, serde_json::Error> {
    #[derive(Deserialize)]
    struct Position {
        seq: u64,
    }
    let mut event: Event = serde_json::from_str(text)?;
    let position: Position = serde_json::from_str(event.data.text())?;
    event.seq = position.seq;
    Ok(event)
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("after", &self.after).finish_non_exhaustive()
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").field("after", &self.asked.after).finish_non_exhaustive()
    }
}
