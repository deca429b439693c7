//! What the registry answers, as its OpenAPI document has it. Enumerations are open: a value that this version does not know is kept as text.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A JSON text, unparsed, so that no number loses digits and no member its place.
#[derive(Clone, PartialEq, Eq)]
pub struct Json(Box<str>);

impl Json {
    pub(crate) fn from_text(text: String) -> Json {
        Json(text.into_boxed_str())
    }

    /// The text itself.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Parses it into a type of yours.
    ///
    /// # Errors
    /// The text is not of that type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Box<dyn std::error::Error + Send + Sync>> {
        serde_json::from_str(&self.0).map_err(Into::into)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        let raw = <Box<RawValue>>::deserialize(deserializer)?;
        Ok(Json(raw.get().into()))
    }
}

/// A version's id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SchemaId(String);

impl SchemaId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for SchemaId {
    fn from(id: &str) -> SchemaId {
        SchemaId(id.to_owned())
    }
}

impl From<String> for SchemaId {
    fn from(id: String) -> SchemaId {
        SchemaId(id)
    }
}

impl From<&SchemaId> for SchemaId {
    fn from(id: &SchemaId) -> SchemaId {
        id.clone()
    }
}

macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// A value that this version does not know.
            Other(String),
        }

        impl $name {
            /// As the registry spells it.
            pub fn as_str(&self) -> &str {
                match self {
                    $($name::$variant => $text,)+
                    $name::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> $name {
                match text {
                    $($text => $name::$variant,)+
                    _ => $name::Other(text.to_owned()),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        /// A missing member is an empty text, so that it does not make the whole answer unreadable.
        impl Default for $name {
            fn default() -> $name {
                $name::Other(String::new())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                Ok($name::from(String::deserialize(deserializer)?.as_str()))
            }
        }
    };
}

open_enum! {
    /// A schema's format.
    Format {
        /// JSON Schema.
        JsonSchema = "json-schema",
        /// Apache Avro.
        Avro = "avro",
        /// Protocol Buffers.
        Protobuf = "protobuf",
    }
}

open_enum! {
    /// A version's lifecycle state.
    State {
        /// Not yet a version: it has no number and no schema is compared with it.
        Draft = "draft",
        /// In use.
        Active = "active",
        /// Still readable, and no longer recommended.
        Deprecated = "deprecated",
        /// Readable by number and id alone.
        Archived = "archived",
    }
}

open_enum! {
    /// Who must be able to read what.
    Level {
        /// Anything is accepted.
        None = "NONE",
        /// The new version reads what the last one wrote.
        Backward = "BACKWARD",
        /// The new version reads what any version wrote.
        BackwardTransitive = "BACKWARD_TRANSITIVE",
        /// The last version reads what the new one writes.
        Forward = "FORWARD",
        /// Any version reads what the new one writes.
        ForwardTransitive = "FORWARD_TRANSITIVE",
        /// Both with the last version.
        Full = "FULL",
        /// Both with all versions.
        FullTransitive = "FULL_TRANSITIVE",
    }
}

open_enum! {
    /// How two schemas are compared.
    Policy {
        /// By the rules of each format's specification.
        Strict = "strict",
        /// Differences that readers usually survive are warnings.
        Lenient = "lenient",
        /// By the data that the schemas accept.
        Semantic = "semantic",
    }
}

open_enum! {
    /// How much a difference matters.
    Severity {
        /// Breaks readers or writers.
        Breaking = "breaking",
        /// Breaks nothing by itself, but may surprise.
        Warning = "warning",
        /// A model may behave differently; no validator sees it.
        Behaviour = "behaviour",
        /// Worth knowing.
        Info = "info",
    }
}

/// The target of a schema's reference: a version of another subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The name that the schema uses.
    pub name: String,
    /// The subject that it means.
    #[serde(default)]
    pub subject: String,
    /// The number of its version.
    pub version: u64,
}

/// A rule that a schema breaks, or a warning about it.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// The rule's name.
    pub rule: String,
    /// A sentence for people.
    #[serde(default)]
    pub message: String,
    /// A JSON pointer, where the format is JSON.
    #[serde(default)]
    pub pointer: Option<String>,
    /// From 1, where the format is text.
    #[serde(default)]
    pub line: Option<u64>,
    /// From 1, where the format is text.
    #[serde(default)]
    pub column: Option<u64>,
}

/// One registered version of a subject.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of the API, which documents them")]
pub struct Record {
    pub id: SchemaId,
    #[serde(default)]
    pub subject: String,
    #[serde(default)]
    pub context: String,
    /// The semantic version; `None` while a draft.
    #[serde(default)]
    pub version: Option<String>,
    /// The number within the subject, from 1; `None` while a draft.
    #[serde(default)]
    pub version_number: Option<u64>,
    #[serde(default)]
    pub format: Format,
    #[serde(default)]
    pub dialect: Option<String>,
    /// A JSON value for formats written in JSON, a JSON string for Protobuf. Search hits have none.
    #[serde(default)]
    pub content: Option<Json>,
    #[serde(default)]
    pub references: Vec<Reference>,
    #[serde(default)]
    pub contract: Option<Json>,
    #[serde(default)]
    pub guid: String,
    #[serde(default)]
    pub confluent_id: Option<u64>,
    #[serde(default)]
    pub fingerprint: String,
    #[serde(default)]
    pub state: State,
    #[serde(default)]
    pub deleted: bool,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub owner: Option<String>,
    #[serde(default)]
    pub metadata: BTreeMap<String, Json>,
    #[serde(default)]
    pub role: Option<String>,
    #[serde(default)]
    pub created_at: String,
    #[serde(default)]
    pub created_by: String,
    #[serde(default)]
    pub updated_at: String,
    #[serde(default)]
    pub seq: u64,
    /// Only in the answer to a registration.
    #[serde(default)]
    pub warnings: Vec<Problem>,
    /// Whether it came from an expired cache entry while the registry was away.
    #[serde(skip)]
    pub stale: bool,
}

/// The immutable part of a version.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of the API, which documents them")]
pub struct Content {
    #[serde(default)]
    pub format: Format,
    #[serde(default)]
    pub dialect: Option<String>,
    pub content: Json,
    #[serde(default)]
    pub references: Vec<Reference>,
    #[serde(default)]
    pub guid: String,
    #[serde(default)]
    pub fingerprint: String,
}

/// A subject's newest active version.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of the API, which documents them")]
pub struct LatestVersion {
    pub id: SchemaId,
    #[serde(default)]
    pub version: Option<String>,
    #[serde(default)]
    pub version_number: Option<u64>,
}

/// A subject with its latest version, counts and settings.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of the API, which documents them")]
pub struct Subject {
    #[serde(rename = "subject")]
    pub name: String,
    #[serde(default)]
    pub context: String,
    #[serde(default)]
    pub latest: Option<LatestVersion>,
    #[serde(default)]
    pub versions: u64,
    #[serde(default)]
    pub deleted_versions: u64,
    #[serde(default)]
    pub drafts: u64,
    #[serde(default)]
    pub level: Level,
    #[serde(default)]
    pub policy: Policy,
    #[serde(default)]
    pub mode: String,
    #[serde(default)]
    pub role: Option<String>,
}

/// A version that a search found.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct SearchHit {
    /// Without content and fingerprint; read them by its id.
    pub record: Record,
    /// Greater is better.
    #[serde(default)]
    pub score: f64,
    /// The positions of the query's words.
    #[serde(default)]
    pub highlights: Option<Json>,
}

/// A datum that the writer may produce and the reader refuses.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of the API, which documents them")]
pub struct Witness {
    #[serde(default)]
    pub status: String,
    #[serde(default)]
    pub datum: Option<Json>,
    #[serde(default)]
    pub binary: Option<String>,
    #[serde(default)]
    pub reader_result: Option<String>,
    #[serde(default)]
    pub confirmed_by: Option<String>,
    #[serde(default)]
    pub reason: Option<String>,
}

/// One way in which two schemas differ.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of the API, which documents them")]
pub struct Difference {
    #[serde(default)]
    pub kind: String,
    #[serde(default)]
    pub reader_pointer: Option<String>,
    #[serde(default)]
    pub writer_pointer: Option<String>,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub severity: Severity,
    #[serde(default)]
    pub fix: Option<String>,
    #[serde(default)]
    pub witness: Option<Witness>,
    #[serde(default)]
    pub version_number: Option<u64>,
    #[serde(default)]
    pub direction: Option<String>,
}

/// The answer to a compatibility check, and the reason of a refused registration.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of the API, which documents them")]
pub struct Verdict {
    pub compatible: bool,
    #[serde(default)]
    pub level: Level,
    #[serde(default)]
    pub policy: Policy,
    #[serde(default)]
    pub differences: Vec<Difference>,
    #[serde(default)]
    pub differences_total: Option<u64>,
    #[serde(default)]
    pub suggested_version: Option<String>,
}

/// One place where data violates the schema.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of the API, which documents them")]
pub struct ValidationError {
    #[serde(default)]
    pub pointer: String,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub keyword: String,
    #[serde(default)]
    pub expected: Option<String>,
    #[serde(default)]
    pub got: Option<String>,
}

/// Whether data is valid, and why not.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ValidationResult {
    /// Whether the schema accepts the data.
    pub valid: bool,
    /// Why not.
    #[serde(default)]
    pub errors: Vec<ValidationError>,
    /// What could not be decided, and warnings about the schema.
    #[serde(default)]
    pub warnings: Vec<Problem>,
    /// "local" where this client decided, else the registry's engine.
    #[serde(default)]
    pub engine: String,
    /// Whether the schema came from an expired cache entry while the registry was away.
    #[serde(skip)]
    pub stale: bool,
}

/// A schema rewritten for one model provider.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of the API, which documents them")]
pub struct Projection {
    #[serde(default)]
    pub profile: String,
    #[serde(default)]
    pub loss: String,
    pub schema: Json,
    #[serde(default)]
    pub changes: Option<Json>,
    #[serde(default)]
    pub decoder: Option<Json>,
    #[serde(default)]
    pub fragment: Option<Json>,
}

/// One answer of a model, turned back into data of the original schema.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of the API, which documents them")]
pub struct DecodedAnswer {
    #[serde(default)]
    pub outcome: String,
    #[serde(default)]
    pub value: Option<Json>,
    #[serde(default)]
    pub errors: Option<Json>,
    #[serde(default)]
    pub message: Option<String>,
}

/// One change of the registry: a CloudEvent with the log's seq.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of CloudEvents")]
pub struct Event {
    pub id: String,
    #[serde(rename = "type")]
    pub event_type: String,
    #[serde(default)]
    pub subject: Option<String>,
    #[serde(default)]
    pub time: String,
    pub data: Json,
    /// The position to store once the event is handled, and to begin after next time.
    #[serde(skip)]
    pub seq: u64,
}
