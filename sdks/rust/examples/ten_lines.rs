//! Registers a schema, validates with it, and handles a refusal.

use llm_schema_registry_client::{Client, ErrorKind, Schema};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::new(std::env::var("REGISTRY_URL").unwrap_or_else(|_| "http://localhost:8080".into()));

    let schema = Schema::json(json!({"type": "object", "properties": {"age": {"type": "integer"}}}));
    let id = client.register_schema("user-profile", schema).await?;
    println!("{}", client.validate(json!({"age": 36}), &id).await?);

    let narrower = Schema::json(json!({"type": "object", "properties": {"age": {"type": "integer", "minimum": 1}}}));
    match client.register_schema("user-profile", narrower).await {
        Err(refused) if refused.kind() == ErrorKind::IncompatibleSchema => {
            let verdict = refused.verdict().expect("a refusal of this kind has a verdict");
            println!("breaks readers: {}", verdict.differences[0].message);
        }
        other => println!("registered {}", other?),
    }

    let mut subjects = client.list_subjects().prefix("user-").pages();
    while let Some(subject) = subjects.try_next().await? {
        println!("{}", subject.name);
    }
    Ok(())
}
