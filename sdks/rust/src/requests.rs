//! The calls. Each is a builder that can be awaited: options without a second method.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::client::Client;
use crate::engine::call::{Answer, CallOptions, Operation, TokenUse};
use crate::engine::constants::RECORD_LIFETIME;
use crate::engine::token::Token;
use crate::error::Error;
use crate::events::Events;
use crate::models::{DecodedAnswer, Format, Projection, Record, SchemaId, ValidationResult};
use crate::names::{cache_key, encode, SubjectName};
use crate::pages::Pages;
use crate::schema::Schema;

macro_rules! awaited {
    ($name:ident, $output:ty, $send:ident) => {
        impl std::future::IntoFuture for $name {
            type Output = Result<$output, Error>;
            type IntoFuture = futures_util::future::BoxFuture<'static, Self::Output>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(self.$send())
            }
        }
    };
}

mod change;
mod check;
mod list;
#[cfg(feature = "validate")]
mod local;
mod read;
mod register;
mod validate;

pub use change::{Delete, Update};
pub use check::{CheckCompatibility, ExplainCompatibility};
pub use list::{ListSubjects, Search};
pub use read::GetRecord;
pub use register::RegisterSchema;
pub use validate::{ExplainValidation, Validate};

impl Client {
    /// Registers a schema as the next version of a subject and gives the version's id. `POST /schemas`.
    ///
    /// A schema that would break what the subject's level protects fails with `ErrorKind::IncompatibleSchema` and the verdict.
    pub fn register_schema(&self, subject: impl Into<String>, schema: impl Into<Schema>) -> RegisterSchema {
        RegisterSchema {
            client: self.clone(),
            subject: subject.into(),
            schema: schema.into(),
            more: Default::default(),
            idempotency_key: None,
        }
    }

    /// Reads a version by its id. `GET /schemas/{id}`.
    pub fn get_schema(&self, id: impl Into<SchemaId>) -> GetRecord {
        let id = id.into();
        let operation = Operation::read("get_schema", format!("/schemas/{}", encode(id.as_str())));
        GetRecord::new(self, cache_key(&["record", id.as_str()]), operation, RECORD_LIFETIME, None)
    }

    /// Reads a version by number, semantic version, range ("^2", "1.x"), alias or "latest". `GET /subjects/{s}/versions/{v}`.
    pub fn get_version(&self, subject: impl AsRef<str>, version: impl ToString) -> GetRecord {
        let subject = self.subject(subject.as_ref());
        let version = version.to_string();
        let path = format!("/subjects/{}/versions/{}", encode(&subject.qualified()), encode(&version));
        let is_number = version.parse::<u64>().is_ok_and(|number| number > 0);
        let (kind, lifetime) = if is_number { ("version", RECORD_LIFETIME) } else { ("head", self.head_lifetime()) };
        let key = cache_key(&[kind, &subject.context, &subject.name, &version]);
        GetRecord::new(self, key, Operation::read("get_version", path), lifetime, Some(subject.qualified()))
    }

    /// Reads a subject's newest active version.
    pub fn latest(&self, subject: impl AsRef<str>) -> GetRecord {
        self.get_version(subject, "latest")
    }

    /// Says whether the schema accepts the data. Decided locally once the schema is cached, except for what engines
    /// judge differently.
    pub fn validate(&self, data: impl Serialize, id: impl Into<SchemaId>) -> Validate {
        Validate(self.explain("validate", data, id.into()))
    }

    /// Says why data is valid or not, with the location of each error.
    pub fn explain_validation(&self, data: impl Serialize, id: impl Into<SchemaId>) -> ExplainValidation {
        self.explain("explain_validation", data, id.into())
    }

    /// Validates several data against one schema, in their order.
    ///
    /// # Errors
    /// The schema cannot be read, or the registry had to be asked and did not answer.
    pub async fn validate_batch<Data: Serialize>(
        &self,
        items: impl IntoIterator<Item = Data>,
        id: impl Into<SchemaId>,
    ) -> Result<Vec<ValidationResult>, Error> {
        let id = id.into();
        let calls: Vec<ExplainValidation> =
            items.into_iter().map(|data| self.explain("validate_batch", data, id.clone())).collect();
        let mut results = Vec::with_capacity(calls.len());
        for call in calls {
            results.push(call.await?);
        }
        Ok(results)
    }

    /// Says whether a schema may become the subject's next version. `POST /compatibility/check`.
    pub fn check_compatibility(&self, subject: impl Into<String>, schema: impl Into<Schema>) -> CheckCompatibility {
        CheckCompatibility(self.explain_compatibility(subject, schema))
    }

    /// Says what a schema would break as the subject's next version, with data that shows it.
    pub fn explain_compatibility(&self, subject: impl Into<String>, schema: impl Into<Schema>) -> ExplainCompatibility {
        ExplainCompatibility {
            client: self.clone(),
            subject: subject.into(),
            schema: schema.into(),
            more: Default::default(),
        }
    }

    /// Finds versions by names, documentation and schema texts. `POST /search`.
    pub fn search(&self, query: impl Into<String>) -> Search {
        Search { client: self.clone(), query: query.into(), filters: BTreeMap::new(), is_consistent: false }
    }

    /// Lists subjects by name. `GET /subjects`.
    pub fn list_subjects(&self) -> ListSubjects {
        ListSubjects { client: self.clone(), prefix: None }
    }

    /// Lists a subject's versions, oldest first. `GET /subjects/{s}/versions`.
    pub fn list_versions(&self, subject: impl AsRef<str>) -> Pages<Record> {
        let path = format!("/subjects/{}/versions", encode(&self.subject(subject.as_ref()).qualified()));
        Pages::new(self, move |cursor| list_operation("list_versions", &path, Vec::new(), cursor))
    }

    /// Changes a version's attributes or lifecycle state, never its content. `PATCH /schemas/{id}`.
    pub fn update(&self, id: impl Into<SchemaId>) -> Update {
        Update { client: self.clone(), id: id.into(), members: BTreeMap::new(), if_match: None }
    }

    /// Deletes a version; `undelete` brings it back. `DELETE /schemas/{id}`.
    pub fn delete(&self, id: impl Into<SchemaId>) -> Delete {
        Delete { client: self.clone(), id: id.into(), is_permanent: false }
    }

    /// Brings a deleted version back, with its number and ids. `POST /schemas/{id}/undelete`.
    ///
    /// # Errors
    /// The version does not exist, or restoring it would break compatibility.
    pub async fn undelete(&self, id: impl Into<SchemaId>) -> Result<Record, Error> {
        let path = format!("/schemas/{}/undelete", encode(id.into().as_str()));
        let answer = self.call(Operation::write("undelete_schema", "POST", path, None), CallOptions::default()).await?;
        self.changed(&answer)
    }

    /// Rewrites a schema for a model provider. `GET /schemas/{id}/project/{profile}`.
    ///
    /// # Errors
    /// The profile is not known, or cannot express the schema.
    pub async fn project(&self, id: impl Into<SchemaId>, profile: &str) -> Result<Projection, Error> {
        let path = format!("/schemas/{}/project/{}", encode(id.into().as_str()), encode(profile));
        self.ask(Operation::read("project_schema", path)).await
    }

    /// Turns a model's answer, its text or its value, back into data of the original schema, and validates it. `POST /decode-answer`.
    ///
    /// # Errors
    /// The answer is of no shape that the profile knows.
    pub async fn decode(
        &self,
        id: impl Into<SchemaId>,
        profile: &str,
        answer: impl Serialize,
    ) -> Result<Vec<DecodedAnswer>, Error> {
        #[derive(Serialize)]
        struct Body<'a, Answer> {
            id: SchemaId,
            profile: &'a str,
            answer: Answer,
        }
        #[derive(Deserialize)]
        struct Decoded {
            answers: Vec<DecodedAnswer>,
        }
        let body = to_body(&Body { id: id.into(), profile, answer })?;
        let decoded: Decoded = self.ask(Operation::ask("decode_answer", "/decode-answer", body)).await?;
        Ok(decoded.answers)
    }

    /// Says whether the registry answers: "ok". `GET /health`.
    ///
    /// # Errors
    /// It does not.
    pub async fn health(&self) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Health {
            status: String,
        }
        let operation = Operation { token: TokenUse::Nothing, ..Operation::read("health", "/health".to_owned()) };
        Ok(self.ask::<Health>(operation).await?.status)
    }

    /// Reads changes of the registry, in order and without end. `GET /events`.
    pub fn events(&self) -> Events {
        Events::new(self)
    }

    async fn ask<T: DeserializeOwned>(&self, operation: Operation) -> Result<T, Error> {
        parse_answer(&self.call(operation, CallOptions::default()).await?)
    }

    /// Reads the record that a change answered, and forgets what is cached of its subject.
    fn changed(&self, answer: &Answer) -> Result<Record, Error> {
        let cache = &self.reader()?.cache;
        // Only the answer names the subject that changed.
        let record: Record = parse_answer(answer).inspect_err(|_| cache.clear())?;
        cache.forget_subject(&qualified_subject(&record));
        cache.remove(&cache_key(&["record", record.id.as_str()]));
        Ok(record)
    }

    fn explain(&self, name: &'static str, data: impl Serialize, id: SchemaId) -> ExplainValidation {
        let data = serde_json::value::to_raw_value(&data).map_err(|error| error.to_string());
        ExplainValidation { client: self.clone(), name, data, id, is_remote: false, min_token: None }
    }
}

fn to_body(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| Error::configuration(format!("the request is not JSON: {error}")))
}

fn parse_answer<T: DeserializeOwned>(answer: &Answer) -> Result<T, Error> {
    serde_json::from_slice(&answer.body).map_err(|cause| Error::bad_answer(answer.status, answer.attempts, Some(cause)))
}

fn qualified_subject(record: &Record) -> String {
    SubjectName { context: record.context.clone(), name: record.subject.clone() }.qualified()
}

fn list_operation(
    name: &'static str,
    path: &str,
    mut query: Vec<(&'static str, String)>,
    cursor: Option<&str>,
) -> Operation {
    query.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
    Operation { query, ..Operation::read(name, path.to_owned()) }
}

fn read_options(min_token: Option<&str>) -> Result<CallOptions, Error> {
    let Some(text) = min_token else { return Ok(CallOptions::default()) };
    let token = Token::parse(text).ok_or_else(|| {
        Error::configuration(format!("{text:?} is not a token; expected <epoch>.<seq>.<seq of the last hard delete>"))
    })?;
    Ok(CallOptions { min_token: Some(token), ..CallOptions::default() })
}

#[derive(Serialize)]
struct WithSchema<'a, More> {
    subject: String,
    format: &'a Format,
    content: &'a RawValue,
    #[serde(flatten)]
    more: &'a More,
}
