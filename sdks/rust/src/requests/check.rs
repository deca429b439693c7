//! Compatibility checks.

use serde::Serialize;

use super::{to_body, WithSchema};
use crate::client::Client;
use crate::engine::call::Operation;
use crate::error::Error;
use crate::models::{Level, Policy, Reference, Verdict};
use crate::schema::Schema;

#[derive(Debug, Default, Serialize)]
pub(super) struct CheckBody {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) references: Vec<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) level: Option<Level>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) policy: Option<Policy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
}

/// A compatibility check, with its reasons. Await it.
#[must_use = "a call is made when it is awaited"]
#[derive(Debug)]
pub struct ExplainCompatibility {
    pub(super) client: Client,
    pub(super) subject: String,
    pub(super) schema: Schema,
    pub(super) more: CheckBody,
}

impl ExplainCompatibility {
    /// The targets of the schema's references.
    pub fn references(mut self, references: impl IntoIterator<Item = Reference>) -> Self {
        self.more.references = references.into_iter().collect();
        self
    }

    /// Another level than the subject's.
    pub fn level(mut self, level: Level) -> Self {
        self.more.level = Some(level);
        self
    }

    /// A policy that replaces the subject's.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.more.policy = Some(policy);
        self
    }

    /// Compares with one version only, or with "all".
    pub fn version(mut self, version: impl ToString) -> Self {
        self.more.version = Some(version.to_string());
        self
    }

    async fn send(self) -> Result<Verdict, Error> {
        let body = to_body(&WithSchema {
            subject: self.client.subject(&self.subject).qualified(),
            format: &self.schema.format,
            content: self.schema.content()?,
            more: &self.more,
        })?;
        self.client.ask(Operation::ask("check_compatibility", "/compatibility/check", body)).await
    }
}

awaited!(ExplainCompatibility, Verdict, send);

/// A compatibility check. Await it.
#[must_use = "a call is made when it is awaited"]
#[derive(Debug)]
pub struct CheckCompatibility(pub(super) ExplainCompatibility);

impl CheckCompatibility {
    /// The targets of the schema's references.
    pub fn references(self, references: impl IntoIterator<Item = Reference>) -> Self {
        CheckCompatibility(self.0.references(references))
    }

    /// Another level than the subject's.
    pub fn level(self, level: Level) -> Self {
        CheckCompatibility(self.0.level(level))
    }

    /// A policy that replaces the subject's.
    pub fn policy(self, policy: Policy) -> Self {
        CheckCompatibility(self.0.policy(policy))
    }

    /// Compares with one version only, or with "all".
    pub fn version(self, version: impl ToString) -> Self {
        CheckCompatibility(self.0.version(version))
    }

    async fn send(self) -> Result<bool, Error> {
        Ok(self.0.send().await?.compatible)
    }
}

awaited!(CheckCompatibility, bool, send);
