//! Validation in this process.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use super::{read_options, ExplainValidation};
use crate::engine::cache::Value;
use crate::engine::call::Operation;
use crate::engine::reads::Read;
use crate::error::Error;
use crate::models::{Content, ValidationResult};
use crate::names::{cache_key, encode};
use crate::validation::{prepare, KeptContent};

impl ExplainValidation {
    /// `None` is left to the registry.
    pub(super) async fn decide_here(&self, data: &RawValue) -> Result<Option<ValidationResult>, Error> {
        let parse = |body: &[u8]| {
            let content: Content = serde_json::from_slice(body)?;
            Ok((Value::Content(Arc::new(KeptContent::new(content))), None))
        };
        let read = Read {
            key: cache_key(&["content", self.id.as_str()]),
            operation: Operation::read(self.name, format!("/schemas/{}/content", encode(self.id.as_str()))),
            is_content: true,
            lifetime: Duration::ZERO,
            parse: Arc::new(parse),
        };
        let answer = self.client.read(read, read_options(self.min_token.as_deref())?).await?;
        let Value::Content(kept) = answer.value else { return Ok(None) };
        let prepare = || async {
            let resources = self.read_references(&kept.content).await?;
            Ok::<_, Error>(prepare(&kept.content, &resources))
        };
        let prepared = kept.prepared.get_or_try_init(prepare).await?;
        let data = serde_json::from_str(data.get()).ok();
        let result = prepared.as_ref().zip(data).and_then(|(prepared, data)| prepared.validate(&data));
        Ok(result.map(|result| ValidationResult { stale: answer.is_stale, ..result }))
    }

    /// Everything that the content reaches, by the names of the references.
    async fn read_references(&self, content: &Content) -> Result<HashMap<String, Content>, Error> {
        let mut resources = HashMap::new();
        let mut open = content.references.clone();
        while let Some(reference) = open.pop() {
            if resources.contains_key(&reference.name) {
                continue;
            }
            let record = self.client.get_version(&reference.subject, reference.version).await?;
            let Some(text) = record.content else { continue };
            open.extend(record.references.iter().cloned());
            let content = Content {
                format: record.format,
                dialect: record.dialect,
                content: text,
                references: record.references,
                guid: record.guid,
                fingerprint: record.fingerprint,
            };
            resources.insert(reference.name, content);
        }
        Ok(resources)
    }
}
