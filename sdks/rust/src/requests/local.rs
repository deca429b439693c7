//! Validation in this process.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use super::{read_options, ExplainValidation};
use crate::engine::cache::Value;
use crate::engine::call::Operation;
use crate::engine::reads::Read;
use crate::error::Error;
use crate::models::{Content, Format, ValidationResult};
use crate::names::{cache_key, encode};
use crate::validation::{prepare, KeptContent};

/// The status of a schema that has no bundle, such as one whose references are of several dialects.
const UNPROCESSABLE: u16 = 422;

impl ExplainValidation {
    /// `None` is left to the registry.
    pub(super) async fn decide_here(&self, data: &RawValue) -> Result<Option<ValidationResult>, Error> {
        let parse = |body: &[u8]| {
            let content: Content = serde_json::from_slice(body)?;
            Ok((Value::Content(Arc::new(KeptContent::new(content))), None))
        };
        let read = Read {
            key: cache_key(&["content", self.id.as_str()]),
            operation: self.content_operation(),
            is_content: true,
            lifetime: Duration::ZERO,
            parse: Arc::new(parse),
        };
        let answer = self.client.read(read, read_options(self.min_token.as_deref())?).await?;
        let Value::Content(kept) = answer.value else { return Ok(None) };
        let prepare = || async {
            let bundled = self.read_bundled(&kept.content).await?;
            Ok::<_, Error>(bundled.and_then(|content| prepare(&content)))
        };
        let prepared = kept.prepared.get_or_try_init(prepare).await?;
        let data = serde_json::from_str(data.get()).ok();
        let result = prepared.as_ref().zip(data).and_then(|(prepared, data)| prepared.validate(&data));
        Ok(result.map(|result| ValidationResult { stale: answer.is_stale, ..result }))
    }

    /// The content with its references inlined by the registry, because names and bare subjects resolve relative to the
    /// referring schema.
    async fn read_bundled<'a>(&self, content: &'a Content) -> Result<Option<Cow<'a, Content>>, Error> {
        if content.format != Format::JsonSchema {
            return Ok(None);
        }
        if content.references.is_empty() {
            return Ok(Some(Cow::Borrowed(content)));
        }
        let operation = Operation { query: vec![("bundle", "true".to_owned())], ..self.content_operation() };
        match self.client.ask(operation).await {
            Ok(bundled) => Ok(Some(Cow::Owned(bundled))),
            Err(error) if error.status() == Some(UNPROCESSABLE) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn content_operation(&self) -> Operation {
        Operation::read(self.name, format!("/schemas/{}/content", encode(self.id.as_str())))
    }
}
