//! A registration.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value as JsonValue;

use super::{parse_answer, qualified_subject, to_body, WithSchema};
use crate::client::Client;
use crate::engine::cache::Value;
use crate::engine::call::{CallOptions, Operation};
use crate::error::Error;
use crate::models::{Level, Record, Reference, SchemaId, State};
use crate::names::cache_key;
use crate::schema::Schema;

#[derive(Default, Serialize)]
pub(super) struct RegisterBody {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) references: Vec<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) compatibility_level: Option<Level>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) metadata: BTreeMap<String, JsonValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<String>,
}

/// A registration. Await it.
#[must_use = "a call is made when it is awaited"]
#[derive(Debug)]
pub struct RegisterSchema {
    pub(super) client: Client,
    pub(super) subject: String,
    pub(super) schema: Schema,
    pub(super) more: RegisterBody,
    pub(super) idempotency_key: Option<String>,
}

impl fmt::Debug for RegisterBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterBody")
            .field("version", &self.version)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl RegisterSchema {
    /// The targets of the schema's references.
    pub fn references(mut self, references: impl IntoIterator<Item = Reference>) -> Self {
        self.more.references = references.into_iter().collect();
        self
    }

    /// The semantic version to assign; by default the change determines the next one.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.more.version = Some(version.into());
        self
    }

    /// `State::Draft` or `State::Active`.
    pub fn state(mut self, state: State) -> Self {
        self.more.state = Some(state);
        self
    }

    /// The subject's level, if this registration creates the subject.
    pub fn compatibility_level(mut self, level: Level) -> Self {
        self.more.compatibility_level = Some(level);
        self
    }

    /// Describes the version.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.more.description = Some(description.into());
        self
    }

    /// Tags the version.
    pub fn tags(mut self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.more.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// The version's owner.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.more.owner = Some(owner.into());
        self
    }

    /// Adds a member to the version's metadata. A value that is not JSON becomes null.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.more.metadata.insert(name.into(), serde_json::to_value(value).unwrap_or_default());
        self
    }

    /// What the schema is for: data, tool_input, model_output, …
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.more.role = Some(role.into());
        self
    }

    /// Repeats an earlier registration; otherwise each call makes its own key.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    async fn send(self) -> Result<SchemaId, Error> {
        let client = &self.client;
        let subject = client.subject(&self.subject).qualified();
        let body = to_body(&WithSchema {
            subject: subject.clone(),
            format: &self.schema.format,
            content: self.schema.content()?,
            more: &self.more,
        })?;
        let operation = Operation::write("register_schema", "POST", "/schemas".to_owned(), Some(body));
        let options = CallOptions { idempotency_key: self.idempotency_key, min_token: None };
        let answer = client.call(operation, options).await?;
        client.forget_subject(&subject);
        let record: Record = parse_answer(&answer)?;
        let id = record.id.clone();
        let (key, subject) = (cache_key(&["record", id.as_str()]), qualified_subject(&record));
        client.reader()?.keep(&key, Value::Record(Arc::new(record)), subject, &answer);
        Ok(id)
    }
}

awaited!(RegisterSchema, SchemaId, send);
