#![doc = include_str!("../README.md")]

mod client;
mod engine;
mod error;
mod events;
mod http;
mod models;
mod names;
mod options;
mod pages;
mod requests;
mod schema;
#[cfg(feature = "validate")]
mod validation;

pub use client::{Client, ClientBuilder};
pub use engine::breaker::BreakerState;
pub use error::{Error, ErrorKind, ErrorPlace};
pub use events::{EventStream, Events};
pub use models::{
    Content, DecodedAnswer, Difference, Event, Format, Json, LatestVersion, Level, Policy, Problem, Projection, Record,
    Reference, SchemaId, SearchHit, Severity, State, Subject, ValidationError, ValidationResult, Verdict, Witness,
};
pub use options::{CacheStats, ClientEvent, ClientEventKind, Clock, Source};
pub use pages::Pages;
pub use requests::{
    CheckCompatibility, Delete, ExplainCompatibility, ExplainValidation, GetRecord, ListSubjects, RegisterSchema,
    Search, Update, Validate,
};
pub use schema::Schema;

/// A call's result.
pub type Result<T> = std::result::Result<T, Error>;
