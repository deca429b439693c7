//! Against a started registry, whose address is in REGISTRY_URL. Without one these tests say so and pass.

use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::TryStreamExt;
use llm_schema_registry_client::{Client, ErrorKind, Format, Level, Policy, Reference, Schema, SchemaId, State};
use serde_json::{json, Value};

fn live() -> Option<Client> {
    let Ok(url) = std::env::var("REGISTRY_URL") else {
        eprintln!("skipped: REGISTRY_URL names no started registry");
        return None;
    };
    Some(Client::builder(url).app("live-test").build().expect("a usable address"))
}

fn unique(name: &str) -> String {
    #[allow(clippy::disallowed_methods, reason = "a name that no earlier run used")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos();
    format!("rust-{name}/%é-{now}")
}

#[tokio::test]
async fn registers_all_three_formats() {
    let Some(client) = live() else { return };
    let schemas = [
        (Format::Avro, Schema::avro(json!({"type": "record", "name": "A", "fields": []}))),
        (Format::Protobuf, Schema::protobuf("syntax = \"proto3\"; message M {}")),
        (Format::JsonSchema, Schema::json_text("{\"type\": \"object\"}")),
    ];
    for (format, schema) in schemas {
        let id = client
            .register_schema(unique(format.as_str()), schema)
            .tags(["a"])
            .owner("o")
            .description("d")
            .metadata("k", "v")
            .role("data")
            .await
            .expect("registers");
        let record = client.get_schema(&id).await.expect("reads");
        assert_eq!(
            (record.format, record.version.as_deref(), record.owner.as_deref()),
            (format, Some("1.0.0"), Some("o"))
        );
        assert_eq!(record.metadata["k"].text(), "\"v\"");
    }
}

#[tokio::test]
async fn reads_its_own_writes() {
    let Some(client) = live() else { return };
    let subject = unique("evolve");
    let first =
        client.register_schema(&subject, Schema::json(json!({"type": "object"}))).compatibility_level(Level::None);
    first.await.expect("registers");
    client.latest(&subject).await.expect("reads");
    let array = Schema::json(json!({"type": "array"}));
    let second =
        client.register_schema(&subject, array).version("2.0.0").state(State::Active).await.expect("registers");

    let latest = client.latest(&subject).await.expect("reads");
    assert_eq!((latest.id, latest.version.as_deref()), (second, Some("2.0.0")));
    assert_eq!(client.list_versions(&subject).all().await.expect("lists").len(), 2);
    assert!(client.token().is_some());
}

#[tokio::test]
async fn says_why_a_check_refuses() {
    let Some(client) = live() else { return };
    let subject = unique("check");
    client.register_schema(&subject, Schema::json(json!({"type": "string"}))).await.expect("registers");
    let integer = || Schema::json(json!({"type": "integer"}));

    let verdict = client
        .explain_compatibility(&subject, integer())
        .level(Level::Full)
        .policy(Policy::Strict)
        .version("all")
        .references([])
        .await
        .expect("checks");
    assert!(!verdict.compatible && verdict.differences[0].witness.is_some());
    assert!(!client.check_compatibility(&subject, integer()).await.expect("checks"));
    assert!(client.check_compatibility(&subject, integer()).level(Level::None).await.expect("checks"));

    let refused = client.register_schema(&subject, integer()).await.expect_err("refuses");
    assert_eq!(refused.kind(), ErrorKind::IncompatibleSchema);
    assert!(!refused.verdict().expect("a verdict").differences.is_empty());
    assert!(refused.problem().is_some() && refused.request_id().is_some());
}

#[tokio::test]
async fn changes_deletes_and_brings_back() {
    let Some(client) = live() else { return };
    let id =
        client.register_schema(unique("life"), Schema::json(true)).owner("a").tags(["x"]).await.expect("registers");

    let changed = client.update(&id).clear_owner().state(State::Deprecated).reason("test").await.expect("updates");
    assert_eq!((changed.owner, changed.state, changed.tags.len()), (None, State::Deprecated, 1));
    let old = client.update(&id).owner("b").if_match("\"1\"").await.expect_err("an old ETag");
    assert_eq!(old.kind(), ErrorKind::PreconditionFailed);
    client.get_schema(&id).await.expect("reads");
    client.delete(&id).await.expect("deletes");
    assert_eq!(client.get_schema(&id).await.expect_err("is deleted").kind(), ErrorKind::NotFound);
    assert_eq!(client.undelete(&id).await.expect("brings back").version_number, Some(1));
    client.delete(&id).await.expect("deletes");
    client.delete(&id).permanent().await.expect("deletes for good");
    assert_eq!(client.undelete(&id).await.expect_err("is gone").kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn validates_here_and_there_alike() {
    let Some(client) = live() else { return };
    let address = unique("address");
    let city =
        json!({"type": "object", "properties": {"city": {"type": "string", "minLength": 1}}, "required": ["city"]});
    client.register_schema(&address, Schema::json(city)).await.expect("registers");
    let person = json!({
        "type": "object",
        "properties": {"home": {"$ref": "address.json"}, "age": {"type": "integer", "minimum": 0}, "mail": {"type": "string"}},
    });
    let reference = Reference { name: "address.json".into(), subject: address, version: 1 };
    let id = client
        .register_schema(unique("person"), Schema::json(person))
        .references([reference])
        .await
        .expect("registers");

    let data = [
        json!({"home": {"city": "Oslo"}, "age": 3}),
        json!({"home": {"city": ""}}),
        json!({"home": {}, "age": -1}),
        json!([]),
        json!({"age": 1e300}),
    ];
    for datum in &data {
        let here = client.explain_validation(datum, &id).await.expect("validates");
        let there = client.explain_validation(datum, &id).remote().await.expect("validates");
        assert_eq!(here.valid, there.valid, "{datum}");
        let pointers = |result: &llm_schema_registry_client::ValidationResult| {
            let mut pointers: Vec<String> = result.errors.iter().map(|error| error.pointer.clone()).collect();
            pointers.sort();
            pointers.dedup();
            pointers
        };
        assert_eq!(pointers(&here), pointers(&there), "{datum}");
    }
    #[cfg(feature = "validate")]
    assert_eq!(client.explain_validation(&data[0], &id).await.expect("validates").engine, "local");
    let batch = client.validate_batch(&data, &id).await.expect("validates");
    assert_eq!(batch.iter().map(|result| result.valid).collect::<Vec<_>>()[..4], [true, false, false, false]);
    assert!(client.validate(&data[0], &id).await.expect("validates"));
}

#[tokio::test]
async fn projects_decodes_searches_and_follows() {
    let Some(client) = live() else { return };
    let word = unique("word").replace(['/', '%', 'é', '-'], "");
    let schema = json!({"title": word, "type": "object", "properties": {"city": {"type": "string"}, "unit": {"type": "string"}}, "required": ["city"]});
    let subject = format!("rust-{word}");
    let id = client.register_schema(&subject, Schema::json(schema)).await.expect("registers");

    assert_eq!(client.project(&id, "openai-strict").await.expect("projects").loss, "lossless");
    let answers = client.decode(&id, "openai-strict", "{\"city\": \"Oslo\", \"unit\": null}").await.expect("decodes");
    let value: Value = answers[0].value.as_ref().expect("a value").parse().expect("JSON");
    assert_eq!(value, json!({"city": "Oslo"}));
    let search = client.search(&word).consistent().format(Format::JsonSchema).state(State::Active);
    let hits = search.subject_prefix("rust-").pages().all().await.expect("searches");
    assert_eq!(hits.iter().map(|hit| &hit.record.id).collect::<Vec<_>>(), [&id]);
    let seq = client.get_schema(&id).await.expect("reads").seq;
    let events = client.events().after(seq - 1).subjects(&subject).types("schema.registered").into_stream();
    let mut events = std::pin::pin!(events);
    let event = events.try_next().await.expect("follows").expect("an event");
    assert_eq!(event.seq, seq);
    assert!(event.event_type.ends_with("schema.registered"));
    let listed: Vec<_> =
        client.list_subjects().prefix(&subject).pages().into_stream().try_collect().await.expect("lists");
    assert_eq!(listed.len(), 1);
    assert_eq!(client.health().await.expect("answers"), "ok");
}

/// contract/vectors/validation: the answers that every SDK gives, in its process and by asking.
#[tokio::test]
async fn answers_the_vectors_of_validation() {
    let Some(client) = live() else { return };
    let text = include_str!("../../../contract/vectors/validation/json-schema.json");
    let document: Value = serde_json::from_str(text).expect("JSON");
    for vector in document["vectors"].as_array().expect("vectors") {
        let run = unique("vector").replace(['/', '%', 'é'], "");
        let vector: Value = serde_json::from_str(&vector.to_string().replace("$run", &run)).expect("JSON");
        for before in vector["before"].as_array().into_iter().flatten() {
            register(&client, before).await;
        }
        let id = register(&client, &vector).await;
        for (name, expected) in [("valid", true), ("invalid", false)] {
            for data in vector[name].as_array().expect("data") {
                let (here, there) = (client.validate(data, &id).await, client.validate(data, &id).remote().await);
                assert_eq!(here.expect("validates"), expected, "{}: {data} here", vector["description"]);
                assert_eq!(there.expect("validates"), expected, "{}: {data} there", vector["description"]);
            }
        }
    }
}

async fn register(client: &Client, vector: &Value) -> SchemaId {
    let references = vector["references"].as_array().into_iter().flatten().map(|reference| Reference {
        name: reference["name"].as_str().expect("a name").to_owned(),
        subject: reference["subject"].as_str().expect("a subject").to_owned(),
        version: reference["version"].as_u64().expect("a number"),
    });
    let subject = vector["subject"].as_str().map_or_else(|| unique("vector"), str::to_owned);
    let call = client.register_schema(subject, Schema::json(&vector["schema"])).references(references);
    call.await.expect("registers")
}
