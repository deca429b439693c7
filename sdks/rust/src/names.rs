//! Names of subjects, parts of paths, and keys of the cache.

use percent_encoding::{utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};

const PATH_PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A subject's context and bare name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SubjectName {
    pub context: String,
    pub name: String,
}

impl SubjectName {
    /// Reads a bare name in a context, or the qualified form ":.ctx:subject".
    pub fn parse(text: &str, default_context: Option<&str>) -> SubjectName {
        if let Some((context, name)) = text.strip_prefix(':').and_then(|rest| rest.split_once(':')) {
            if context.starts_with('.') {
                return SubjectName { context: context.to_owned(), name: name.to_owned() };
            }
        }
        let context = match default_context {
            None | Some("") => ".".to_owned(),
            Some(context) if context.starts_with('.') => context.to_owned(),
            Some(context) => format!(".{context}"),
        };
        SubjectName { context, name: text.to_owned() }
    }

    pub fn qualified(&self) -> String {
        if self.context == "." {
            self.name.clone()
        } else {
            format!(":{}:{}", self.context, self.name)
        }
    }
}

/// Percent-encodes one part of a path by itself.
pub(crate) fn encode(part: &str) -> String {
    utf8_percent_encode(part, PATH_PART).to_string()
}

/// The JSON text of an array, so that no two names collide.
pub(crate) fn cache_key(parts: &[&str]) -> String {
    serde_json::to_string(parts).unwrap_or_default()
}
