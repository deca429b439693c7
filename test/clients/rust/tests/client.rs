//! The Rust client schema_registry_converter against the registry at REGISTRY_URL.

use std::time::{SystemTime, UNIX_EPOCH};

use apache_avro::types::Value as AvroValue;
use schema_registry_converter::async_impl::avro::{AvroDecoder, AvroEncoder};
use schema_registry_converter::async_impl::json::{JsonDecoder, JsonEncoder};
use schema_registry_converter::async_impl::proto_decoder::ProtoDecoder;
use schema_registry_converter::async_impl::proto_encoder::ProtoEncoder;
use schema_registry_converter::async_impl::schema_registry::{
    get_all_subjects, get_all_versions, get_schema_by_guid, get_schema_by_id, is_compatible_schema,
    post_schema, SrSettings,
};
use schema_registry_converter::schema_registry_common::{
    SchemaType, SubjectNameStrategy, SuppliedReference, SuppliedSchema,
};
use serde_json::json;

const USER: &str = r#"{"type":"record","name":"User","fields":[{"name":"name","type":"string"}]}"#;
const USER_WITH_EMAIL: &str = r#"{"type":"record","name":"User","fields":[{"name":"name","type":"string"},{"name":"email","type":"string","default":""}]}"#;
const INCOMPATIBLE_USER: &str = r#"{"type":"record","name":"User","fields":[{"name":"name","type":"string"},{"name":"must","type":"string"}]}"#;

fn settings() -> SrSettings {
    let url =
        std::env::var("REGISTRY_URL").unwrap_or_else(|_| String::from("http://127.0.0.1:8080"));
    SrSettings::new_builder(url).no_proxy().build().unwrap()
}

/// The client itself deletes nothing.
async fn delete_subject(subject: &str) {
    let url =
        std::env::var("REGISTRY_URL").unwrap_or_else(|_| String::from("http://127.0.0.1:8080"));
    let answer = reqwest::Client::new()
        .delete(format!("{url}/subjects/{subject}"))
        .send()
        .await
        .unwrap();
    assert!(answer.status().is_success());
}

fn unique(name: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    format!("rust-{name}-{}", now.as_nanos())
}

fn avro(text: &str) -> SuppliedSchema {
    SuppliedSchema::new(
        Some(String::from("User")),
        SchemaType::Avro,
        String::from(text),
    )
}

#[tokio::test]
async fn a_subject_grows_and_refuses() {
    let (settings, subject) = (settings(), unique("life"));

    let first = post_schema(&settings, subject.clone(), avro(USER))
        .await
        .unwrap();
    let second = post_schema(&settings, subject.clone(), avro(USER_WITH_EMAIL))
        .await
        .unwrap();
    let refused = post_schema(&settings, subject.clone(), avro(INCOMPATIBLE_USER)).await;

    assert_ne!(first.id, second.id);
    assert!(refused.is_err());
    assert!(
        !is_compatible_schema(&settings, subject.clone(), avro(INCOMPATIBLE_USER))
            .await
            .unwrap()
    );
    assert!(is_compatible_schema(&settings, subject.clone(), avro(USER))
        .await
        .unwrap());
    assert_eq!(
        get_schema_by_id(first.id, &settings).await.unwrap().schema,
        USER
    );
    let by_guid = get_schema_by_guid(&second.guid.unwrap(), &settings)
        .await
        .unwrap();
    assert_eq!(by_guid.schema, USER_WITH_EMAIL);
    assert_eq!(
        get_all_versions(&settings, subject.clone()).await.unwrap(),
        vec![1, 2]
    );
    assert!(get_all_subjects(&settings)
        .await
        .unwrap()
        .contains(&subject));
}

#[tokio::test]
async fn a_deleted_subject_is_registered_again_and_evolves() {
    let (settings, subject) = (settings(), unique("again"));
    let first = post_schema(&settings, subject.clone(), avro(USER))
        .await
        .unwrap();
    delete_subject(&subject).await;

    let again = post_schema(&settings, subject.clone(), avro(USER))
        .await
        .unwrap();
    let evolved = post_schema(&settings, subject.clone(), avro(USER_WITH_EMAIL))
        .await
        .unwrap();

    assert_eq!(again.id, first.id);
    assert_ne!(evolved.id, first.id);
    assert_eq!(
        get_all_versions(&settings, subject.clone()).await.unwrap(),
        vec![2, 3]
    );
}

#[tokio::test]
async fn avro_round_trips_with_a_reference() {
    let topic = unique("avro");
    let address = r#"{"type":"record","name":"Address","namespace":"n","fields":[{"name":"city","type":"string"}]}"#;
    let person = r#"{"type":"record","name":"Person","namespace":"n","fields":[{"name":"home","type":"Address"}]}"#;
    let reference = SuppliedReference::new(
        String::from("n.Address"),
        format!("{topic}-address"),
        String::from(address),
    );
    let schema = SuppliedSchema::new(
        Some(String::from("Person")),
        SchemaType::Avro,
        String::from(person),
    )
    .with_references(vec![reference]);
    let strategy = SubjectNameStrategy::TopicNameStrategyWithSchema(topic, false, schema);
    let home = AvroValue::Record(vec![(
        String::from("city"),
        AvroValue::String(String::from("Paris")),
    )]);

    let bytes = AvroEncoder::new(settings())
        .encode(vec![("home", home.clone())], strategy)
        .await
        .unwrap();
    let read = AvroDecoder::new(settings())
        .decode(Some(&bytes))
        .await
        .unwrap();

    assert_eq!(
        read.value,
        AvroValue::Record(vec![(String::from("home"), home)])
    );
}

#[tokio::test]
async fn json_round_trips() {
    let text = r#"{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}"#;
    let schema = SuppliedSchema::new(None, SchemaType::Json, String::from(text));
    let strategy = SubjectNameStrategy::TopicNameStrategyWithSchema(unique("json"), false, schema);
    let value = json!({"name": "Ada"});

    let bytes = JsonEncoder::new(settings())
        .encode(&value, strategy)
        .await
        .unwrap();
    let read = JsonDecoder::new(settings())
        .decode(Some(&bytes))
        .await
        .unwrap()
        .unwrap();

    assert_eq!(read.value, value);
}

#[tokio::test]
async fn protobuf_round_trips() {
    let text = "syntax = \"proto3\";\nmessage Other {\n  int32 n = 1;\n}\nmessage User {\n  string name = 1;\n}\n";
    let schema = SuppliedSchema::new(None, SchemaType::Protobuf, String::from(text));
    let strategy =
        SubjectNameStrategy::TopicNameStrategyWithSchema(unique("protobuf"), false, schema);

    let encoder = ProtoEncoder::new(settings());
    let bytes = encoder
        .encode_json(&json!({"name": "Ada"}), "User", &strategy)
        .await
        .unwrap();
    let read = ProtoDecoder::new(settings())
        .decode(Some(&bytes))
        .await
        .unwrap();

    assert!(format!("{read:?}").contains("Ada"));
}
