//! Lists, page by page as they are read.

use std::collections::VecDeque;
use std::fmt;

use futures_core::Stream;
use futures_util::future::BoxFuture;
use futures_util::stream;
use serde::de::DeserializeOwned;
use serde::Deserialize;

use crate::client::Client;
use crate::engine::call::{CallOptions, Operation};
use crate::error::Error;

#[derive(Deserialize)]
struct Page<Item> {
    items: Vec<Item>,
    #[serde(default)]
    next_cursor: Option<String>,
}

type MakeOperation = Box<dyn Fn(Option<&str>) -> Operation + Send + Sync>;

/// A list. Its pages are fetched when they are needed.
pub struct Pages<Item> {
    client: Client,
    operation: MakeOperation,
    items: VecDeque<Item>,
    cursor: Option<String>,
    has_begun: bool,
}

impl<Item: DeserializeOwned + Send + 'static> Pages<Item> {
    pub(crate) fn new(
        client: &Client,
        operation: impl Fn(Option<&str>) -> Operation + Send + Sync + 'static,
    ) -> Pages<Item> {
        Pages {
            client: client.clone(),
            operation: Box::new(operation),
            items: VecDeque::new(),
            cursor: None,
            has_begun: false,
        }
    }

    /// The next item; `None` at the end.
    ///
    /// # Errors
    /// The next page could not be read. Calling again tries again.
    pub async fn try_next(&mut self) -> Result<Option<Item>, Error> {
        // A page may be empty and still not be the last; only a missing cursor ends the list.
        while self.items.is_empty() {
            if self.has_begun && self.cursor.is_none() {
                return Ok(None);
            }
            let page = self.fetch().await?;
            self.has_begun = true;
            self.cursor = page.next_cursor.filter(|cursor| !cursor.is_empty());
            self.items = page.items.into();
        }
        Ok(self.items.pop_front())
    }

    /// The rest of the list; for lists known to be short.
    ///
    /// # Errors
    /// A page could not be read.
    pub async fn all(mut self) -> Result<Vec<Item>, Error> {
        let mut items = Vec::new();
        while let Some(item) = self.try_next().await? {
            items.push(item);
        }
        Ok(items)
    }

    /// The list as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<Item, Error>> + Send {
        stream::try_unfold(self, |mut pages| async move { Ok(pages.try_next().await?.map(|item| (item, pages))) })
    }

    fn fetch(&mut self) -> BoxFuture<'_, Result<Page<Item>, Error>> {
        Box::pin(async move {
            let operation = (self.operation)(self.cursor.as_deref());
            let answer = self.client.call(operation, CallOptions::default()).await?;
            serde_json::from_slice(&answer.body)
                .map_err(|cause| Error::bad_answer(answer.status, answer.attempts, Some(cause)))
        })
    }
}

impl<Item> fmt::Debug for Pages<Item> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("cursor", &self.cursor).finish_non_exhaustive()
    }
}
