//! Changes of a version.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as JsonValue;

use super::to_body;
use crate::client::Client;
use crate::engine::call::{CallOptions, Operation};
use crate::error::Error;
use crate::models::{Record, SchemaId, State};
use crate::names::{cache_key, encode};

/// A change of a version's attributes. Attributes that are not set are unchanged. Await it.
#[must_use = "a call is made when it is awaited"]
#[derive(Debug)]
pub struct Update {
    pub(super) client: Client,
    pub(super) id: SchemaId,
    pub(super) members: BTreeMap<&'static str, JsonValue>,
    pub(super) if_match: Option<String>,
}

impl Update {
    fn set(mut self, name: &'static str, value: impl Into<JsonValue>) -> Self {
        self.members.insert(name, value.into());
        self
    }

    /// Describes the version.
    pub fn description(self, description: impl Into<String>) -> Self {
        self.set("description", description.into())
    }

    /// Removes the description.
    pub fn clear_description(self) -> Self {
        self.set("description", JsonValue::Null)
    }

    /// Replaces the tags.
    pub fn tags(self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.set("tags", tags.into_iter().map(Into::into).collect::<Vec<String>>())
    }

    /// The version's owner.
    pub fn owner(self, owner: impl Into<String>) -> Self {
        self.set("owner", owner.into())
    }

    /// Removes the owner.
    pub fn clear_owner(self) -> Self {
        self.set("owner", JsonValue::Null)
    }

    /// What the schema is for.
    pub fn role(self, role: impl Into<String>) -> Self {
        self.set("role", role.into())
    }

    /// Removes the role.
    pub fn clear_role(self) -> Self {
        self.set("role", JsonValue::Null)
    }

    /// Replaces the metadata. A value that is not JSON becomes null.
    pub fn metadata(self, metadata: impl Serialize) -> Self {
        self.set("metadata", serde_json::to_value(metadata).unwrap_or_default())
    }

    /// Moves the version to another lifecycle state.
    pub fn state(self, state: State) -> Self {
        self.set("state", state.as_str())
    }

    /// Why; kept in the log.
    pub fn reason(self, reason: impl Into<String>) -> Self {
        self.set("reason", reason.into())
    }

    /// Applies the change only to the state with this ETag.
    pub fn if_match(mut self, etag: impl Into<String>) -> Self {
        self.if_match = Some(etag.into());
        self
    }

    async fn send(self) -> Result<Record, Error> {
        let path = format!("/schemas/{}", encode(self.id.as_str()));
        let body = to_body(&self.members)?;
        let mut operation = Operation::write("update_schema", "PATCH", path, Some(body));
        operation.headers.extend(self.if_match.map(|etag| ("If-Match", etag)));
        let answer = self.client.call(operation, CallOptions::default()).await?;
        self.client.changed(&answer)
    }
}

awaited!(Update, Record, send);

/// A deletion. Await it.
#[must_use = "a call is made when it is awaited"]
#[derive(Debug)]
pub struct Delete {
    pub(super) client: Client,
    pub(super) id: SchemaId,
    pub(super) is_permanent: bool,
}

impl Delete {
    /// Deletes a deleted version for good.
    pub fn permanent(mut self) -> Self {
        self.is_permanent = true;
        self
    }

    async fn send(self) -> Result<(), Error> {
        let path = format!("/schemas/{}", encode(self.id.as_str()));
        let mut operation = Operation::write("delete_schema", "DELETE", path, None);
        if self.is_permanent {
            operation.query.push(("permanent", "true".to_owned()));
        }
        let cache = &self.client.reader()?.cache;
        let known = cache.read(&cache_key(&["record", self.id.as_str()]));
        self.client.call(operation, CallOptions::default()).await?;
        // The subject is known only if the record was read before; otherwise every head entry is removed.
        match known.and_then(|entry| entry.subject) {
            Some(subject) => cache.forget_subject(&subject),
            None => cache.clear(),
        }
        if self.is_permanent {
            cache.remove(&cache_key(&["content", self.id.as_str()]));
        }
        Ok(())
    }
}

awaited!(Delete, (), send);
