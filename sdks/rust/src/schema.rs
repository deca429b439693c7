//! Schemas to register or to check.

use serde::Serialize;
use serde_json::value::{to_raw_value, RawValue};

use crate::error::Error;
use crate::models::Format;

/// A schema, with the format that says how to read it.
///
/// ```
/// use llm_schema_registry_client::Schema;
///
/// let from_text = Schema::json_text(r#"{"type": "object"}"#);
/// let from_value = Schema::json(serde_json::json!({"type": "object"}));
/// let proto = Schema::protobuf(r#"syntax = "proto3"; message M {}"#);
/// ```
#[derive(Clone, Debug)]
pub struct Schema {
    pub(crate) format: Format,
    content: Result<Box<RawValue>, String>,
}

impl Schema {
    /// A JSON Schema, from any value that serializes to one.
    pub fn json(content: impl Serialize) -> Schema {
        Schema::of_value(Format::JsonSchema, content)
    }

    /// A JSON Schema's text.
    pub fn json_text(text: impl Into<String>) -> Schema {
        Schema::of_text(Format::JsonSchema, text.into())
    }

    /// An Avro schema, from any value that serializes to one.
    pub fn avro(content: impl Serialize) -> Schema {
        Schema::of_value(Format::Avro, content)
    }

    /// An Avro schema's text.
    pub fn avro_text(text: impl Into<String>) -> Schema {
        Schema::of_text(Format::Avro, text.into())
    }

    /// The text of a .proto file.
    pub fn protobuf(text: impl Into<String>) -> Schema {
        Schema::of_value(Format::Protobuf, text.into())
    }

    /// A schema of a format that this version of the client has no function for.
    pub fn of_value(format: Format, content: impl Serialize) -> Schema {
        Schema { format, content: to_raw_value(&content).map_err(|error| error.to_string()) }
    }

    /// The JSON Schema of a type that derives `schemars::JsonSchema`.
    #[cfg(feature = "schemars")]
    pub fn of<T: schemars::JsonSchema>() -> Schema {
        Schema::json(schemars::schema_for!(T))
    }

    fn of_text(format: Format, text: String) -> Schema {
        Schema { format, content: RawValue::from_string(text).map_err(|error| error.to_string()) }
    }

    pub(crate) fn content(&self) -> Result<&RawValue, Error> {
        match &self.content {
            Ok(content) => Ok(content),
            Err(message) => Err(Error::configuration(format!("the {} schema is not JSON: {message}", self.format))),
        }
    }
}
