//! JSON Schema in the client's process. What engines judge differently is left to the registry: formats, patterns beyond a plain subset,
//! fractional multiples, numbers that a double does not hold, content keywords.

use std::error::Error as StdError;
use std::str::Chars;

use jsonschema::{Draft, Retrieve, Uri, Validator};
use serde_json::{Number, Value};
use tokio::sync::OnceCell;

use crate::models::{Content, Json, ValidationError, ValidationResult};

const MAX_ERRORS: usize = 100;
const MAX_DEPTH: usize = 200;
const LARGEST_SAFE_NUMBER: f64 = 9_007_199_254_740_991.0;
const LEFT_TO_REGISTRY: [&str; 6] =
    ["format", "contentEncoding", "contentMediaType", "$vocabulary", "$recursiveRef", "$dynamicRef"];

/// A schema's content, and what validation made of it.
pub(crate) struct KeptContent {
    pub content: Content,
    pub prepared: OnceCell<Option<Prepared>>,
}

impl KeptContent {
    pub fn new(content: Content) -> KeptContent {
        KeptContent { content, prepared: OnceCell::new() }
    }
}

/// A schema that is decided here.
pub(crate) struct Prepared(Validator);

/// Nothing is fetched: a reference that leads out of the schema is left to the registry.
struct NothingElse;

impl Retrieve for NothingElse {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn StdError + Send + Sync>> {
        Err(format!("the schema does not contain {uri}").into())
    }
}

fn draft(dialect: Option<&str>) -> Option<Draft> {
    match dialect? {
        "draft-04" => Some(Draft::Draft4),
        "draft-06" => Some(Draft::Draft6),
        "draft-07" => Some(Draft::Draft7),
        "2019-09" => Some(Draft::Draft201909),
        "2020-12" => Some(Draft::Draft202012),
        _ => None,
    }
}

/// The schema, also of one that was registered as a JSON string.
fn read_schema(content: &Json) -> Option<Value> {
    let value: Value = serde_json::from_str(content.text()).ok()?;
    let schema = match &value {
        Value::String(text) => serde_json::from_str(text).ok()?,
        _ => value,
    };
    is_decided_here(&schema, 0).then_some(schema)
}

/// Prepares a schema that contains all that it refers to; `None` is left to the registry.
pub(crate) fn prepare(content: &Content) -> Option<Prepared> {
    let draft = draft(content.dialect.as_deref())?;
    let schema = read_schema(&content.content)?;
    let validator = jsonschema::options().with_draft(draft).with_retriever(NothingElse).build(&schema).ok()?;
    Some(Prepared(validator))
}

impl Prepared {
    /// Says whether data is valid; `None` is left to the registry.
    pub fn validate(&self, data: &Value) -> Option<ValidationResult> {
        if !is_plain(data, 0) {
            return None;
        }
        let data = with_whole_numbers(data);
        let errors: Vec<ValidationError> = self
            .0
            .iter_errors(&data)
            .take(MAX_ERRORS)
            .map(|error| ValidationError {
                pointer: error.instance_path().to_string(),
                message: error.masked().to_string(),
                keyword: error.kind().keyword().to_owned(),
                expected: None,
                got: None,
            })
            .collect();
        let valid = errors.is_empty();
        Some(ValidationResult { valid, errors, warnings: Vec::new(), engine: "local".to_owned(), stale: false })
    }
}

/// Says whether no part of a schema is judged differently by another engine. Values below const and enum count as parts, which
/// errs on the safe side.
fn is_decided_here(part: &Value, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    match part {
        Value::Object(members) => {
            let has_plain_pattern = members.get("pattern").and_then(Value::as_str).is_none_or(is_plain_pattern);
            let has_plain_names = members
                .get("patternProperties")
                .and_then(Value::as_object)
                .is_none_or(|named| named.keys().all(|name| is_plain_pattern(name)));
            let has_whole_multiple =
                members.get("multipleOf").and_then(Value::as_number).is_none_or(|number| !number.is_f64());
            has_plain_pattern
                && has_plain_names
                && has_whole_multiple
                && !LEFT_TO_REGISTRY.iter().any(|keyword| members.contains_key(*keyword))
                && members.values().all(|value| is_decided_here(value, depth + 1))
        }
        Value::Array(items) => items.iter().all(|item| is_decided_here(item, depth + 1)),
        Value::Number(number) => is_safe(number),
        _ => true,
    }
}

/// Says whether data is of a depth and with numbers that every engine reads alike.
fn is_plain(data: &Value, depth: usize) -> bool {
    depth <= MAX_DEPTH
        && match data {
            Value::Object(members) => members.values().all(|value| is_plain(value, depth + 1)),
            Value::Array(items) => items.iter().all(|item| is_plain(item, depth + 1)),
            Value::Number(number) => is_safe(number),
            _ => true,
        }
}

/// Writes 2.0 as 2: in draft 4 the validator knows integers by their spelling.
fn with_whole_numbers(data: &Value) -> Value {
    match data {
        Value::Number(number) => match number.as_f64() {
            Some(value) if value.fract() == 0.0 => Value::from(value as i64),
            _ => data.clone(),
        },
        Value::Array(items) => items.iter().map(with_whole_numbers).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), with_whole_numbers(value))).collect()
        }
        _ => data.clone(),
    }
}

fn is_safe(number: &Number) -> bool {
    number.as_f64().is_some_and(|value| value.abs() <= LARGEST_SAFE_NUMBER)
}

/// Letters, digits, plain classes and simple repetitions, which every engine reads alike.
fn is_plain_pattern(pattern: &str) -> bool {
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    let pattern = pattern.strip_suffix('$').filter(|rest| !rest.ends_with('\\')).unwrap_or(pattern);
    let mut rest = pattern.chars();
    let mut has_atom = false;
    while let Some(character) = rest.next() {
        let is_repetition = matches!(character, '*' | '+' | '?' | '{');
        if is_repetition && !has_atom {
            return false;
        }
        let is_accepted = match character {
            '\\' => matches!(rest.next(), Some('.' | '-' | '/')),
            '[' => {
                let Some(class) = read_until(&mut rest, ']') else { return false };
                let is_plain = |next: char| next.is_ascii_alphanumeric() || matches!(next, '_' | ' ' | '-');
                !class.is_empty() && class.chars().all(is_plain)
            }
            '{' => {
                let Some(bounds) = read_until(&mut rest, '}') else { return false };
                let mut parts = bounds.splitn(2, ',');
                let is_number = |part: &str| part.len() <= 3 && part.chars().all(|digit| digit.is_ascii_digit());
                parts.next().is_some_and(|least| !least.is_empty() && is_number(least))
                    && parts.next().is_none_or(is_number)
            }
            '*' | '+' | '?' => true,
            _ => character.is_ascii_alphanumeric() || " _@:;,/#%&=<>~`!'\"-".contains(character),
        };
        if !is_accepted {
            return false;
        }
        // A repetition of a repetition is possessive or lazy, which engines read differently.
        has_atom = !is_repetition;
    }
    true
}

/// The text up to the closing character, which is consumed too.
fn read_until<'a>(rest: &mut Chars<'a>, closing: char) -> Option<&'a str> {
    let (before, after) = rest.as_str().split_once(closing)?;
    *rest = after.chars();
    Some(before)
}

#[cfg(test)]
mod tests {
    use super::is_plain_pattern;

    #[test]
    fn knows_the_patterns_that_every_engine_reads_alike() {
        for pattern in ["", "^a$", "^[a-z]{1,3}-[0-9]+$", "a\\.b", "x{2}", "[A-Z_]*"] {
            assert!(is_plain_pattern(pattern), "{pattern}");
        }
        for pattern in ["\\d", "a|b", "(a)", ".", "[^a]", "a++", "a*?", "{2}", "\\p{L}", "a$b", "[a", "é", "a\\$"] {
            assert!(!is_plain_pattern(pattern), "{pattern}");
        }
    }
}
