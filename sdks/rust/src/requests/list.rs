//! Lists and searches.

use std::collections::BTreeMap;

use super::list_operation;
use crate::client::Client;
use crate::engine::call::{Operation, TokenUse};
use crate::models::{Format, SearchHit, State, Subject};
use crate::pages::Pages;

/// A search. Its index lags slightly behind writes unless it is made consistent.
#[must_use = "a search is made when its pages are read"]
#[derive(Debug)]
pub struct Search {
    pub(super) client: Client,
    pub(super) query: String,
    pub(super) filters: BTreeMap<&'static str, String>,
    pub(super) is_consistent: bool,
}

impl Search {
    fn filter(mut self, name: &'static str, value: String) -> Self {
        self.filters.insert(name, value);
        self
    }

    /// Versions of one format.
    pub fn format(self, format: Format) -> Self {
        self.filter("format", format.as_str().to_owned())
    }

    /// Versions in one state.
    pub fn state(self, state: State) -> Self {
        self.filter("state", state.as_str().to_owned())
    }

    /// Versions with a tag.
    pub fn tag(self, tag: impl Into<String>) -> Self {
        self.filter("tag", tag.into())
    }

    /// Versions of an owner.
    pub fn owner(self, owner: impl Into<String>) -> Self {
        self.filter("owner", owner.into())
    }

    /// Versions of subjects with this prefix.
    pub fn subject_prefix(self, prefix: impl Into<String>) -> Self {
        self.filter("subject_prefix", prefix.into())
    }

    /// Versions with a role.
    pub fn role(self, role: impl Into<String>) -> Self {
        self.filter("role", role.into())
    }

    /// Waits for the search index to hold this client's own writes.
    pub fn consistent(mut self) -> Self {
        self.is_consistent = true;
        self
    }

    /// The hits, page by page as they are read.
    pub fn pages(self) -> Pages<SearchHit> {
        let Search { client, query, filters, is_consistent } = self;
        let token = if is_consistent { TokenUse::Wrote } else { TokenUse::Nothing };
        Pages::new(&client, move |cursor| {
            let mut body = serde_json::json!({ "query": query });
            if !filters.is_empty() {
                body["filters"] = serde_json::json!(filters);
            }
            if let Some(cursor) = cursor {
                body["cursor"] = cursor.into();
            }
            Operation { token, ..Operation::ask("search", "/search", body.to_string().into_bytes()) }
        })
    }
}

/// A list of subjects.
#[must_use = "a list is read when its pages are"]
#[derive(Debug)]
pub struct ListSubjects {
    pub(super) client: Client,
    pub(super) prefix: Option<String>,
}

impl ListSubjects {
    /// Subjects with this prefix.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// The subjects, page by page as they are read.
    pub fn pages(self) -> Pages<Subject> {
        let mut query = Vec::new();
        query.extend(self.client.context().map(|context| ("context", context.to_owned())));
        query.extend(self.prefix.map(|prefix| ("prefix", prefix)));
        Pages::new(&self.client, move |cursor| list_operation("list_subjects", "/subjects", query.clone(), cursor))
    }
}
