//! Validation, here or by the registry.

use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;

use super::to_body;
use crate::client::Client;
use crate::engine::call::Operation;
use crate::error::Error;
use crate::models::{SchemaId, ValidationResult};
use crate::names::encode;

/// A validation, with its reasons. Await it.
#[must_use = "a call is made when it is awaited"]
pub struct ExplainValidation {
    pub(super) client: Client,
    pub(super) name: &'static str,
    pub(super) data: Result<Box<RawValue>, String>,
    pub(super) id: SchemaId,
    pub(super) is_remote: bool,
    pub(super) min_token: Option<String>,
}

impl ExplainValidation {
    /// Always asks the registry, even if the data could be validated locally.
    pub fn remote(mut self) -> Self {
        self.is_remote = true;
        self
    }

    /// A token of another process; the schema is never older than that state.
    pub fn min_token(mut self, token: impl Into<String>) -> Self {
        self.min_token = Some(token.into());
        self
    }

    async fn send(self) -> Result<ValidationResult, Error> {
        let data = match &self.data {
            Ok(data) => data,
            Err(message) => return Err(Error::configuration(format!("the data is not JSON: {message}"))),
        };
        if !self.is_remote {
            if let Some(result) = self.decide_here(data).await? {
                return Ok(result);
            }
        }
        #[derive(Serialize)]
        struct Body<'a> {
            data: &'a RawValue,
        }
        let path = format!("/schemas/{}/validate", encode(self.id.as_str()));
        self.client.ask(Operation::ask(self.name, &path, to_body(&Body { data })?)).await
    }

    #[cfg(not(feature = "validate"))]
    async fn decide_here(&self, _: &RawValue) -> Result<Option<ValidationResult>, Error> {
        Ok(None)
    }
}

awaited!(ExplainValidation, ValidationResult, send);

impl fmt::Debug for ExplainValidation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Data may be private.
        f.debug_struct("ExplainValidation").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A validation. Await it.
#[must_use = "a call is made when it is awaited"]
#[derive(Debug)]
pub struct Validate(pub(super) ExplainValidation);

impl Validate {
    /// Always asks the registry, even if the data could be validated locally.
    pub fn remote(self) -> Self {
        Validate(self.0.remote())
    }

    /// A token of another process; the schema is never older than that state.
    pub fn min_token(self, token: impl Into<String>) -> Self {
        Validate(self.0.min_token(token))
    }

    async fn send(self) -> Result<bool, Error> {
        Ok(self.0.send().await?.valid)
    }
}

awaited!(Validate, bool, send);
