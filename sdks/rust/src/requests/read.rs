//! A read of one version.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{qualified_subject, read_options};
use crate::client::Client;
use crate::engine::cache::Value;
use crate::engine::call::Operation;
use crate::engine::reads::Read;
use crate::error::Error;
use crate::models::Record;

/// A read of one version. Await it.
#[must_use = "a call is made when it is awaited"]
pub struct GetRecord {
    pub(super) client: Client,
    pub(super) read: Read,
    pub(super) min_token: Option<String>,
}

impl GetRecord {
    pub(super) fn new(
        client: &Client,
        key: String,
        operation: Operation,
        lifetime: Duration,
        subject: Option<String>,
    ) -> GetRecord {
        let parse = move |body: &[u8]| {
            let record: Record = serde_json::from_slice(body)?;
            let subject = subject.clone().unwrap_or_else(|| qualified_subject(&record));
            Ok((Value::Record(Arc::new(record)), Some(subject)))
        };
        let read = Read { key, operation, is_content: false, lifetime, parse: Arc::new(parse) };
        GetRecord { client: client.clone(), read, min_token: None }
    }

    /// A token of another process; answers are never older than that state.
    pub fn min_token(mut self, token: impl Into<String>) -> Self {
        self.min_token = Some(token.into());
        self
    }

    async fn send(self) -> Result<Record, Error> {
        let answer = self.client.read(self.read, read_options(self.min_token.as_deref())?).await?;
        match answer.value {
            Value::Record(record) => Ok(Record { stale: answer.is_stale, ..Record::clone(&record) }),
            #[cfg(feature = "validate")]
            Value::Content(_) => Err(Error::bad_answer(200, answer.attempts, None)),
        }
    }
}

awaited!(GetRecord, Record, send);

impl fmt::Debug for GetRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetRecord").field("key", &self.read.key).finish_non_exhaustive()
    }
}
