//! What the crate promises in its manifest and README, and what it refuses before anything is sent.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use llm_schema_registry_client::{Client, ErrorKind, Schema};

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).output().expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn needs_no_newer_compiler_than_it_states() {
    let metadata: serde_json::Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--all-features"])).expect("JSON");
    let version = |text: &str| text.split('.').map(|part| part.parse().expect("a number")).collect::<Vec<u32>>();
    let stated = version(env!("CARGO_PKG_RUST_VERSION"));
    for package in metadata["packages"].as_array().expect("packages") {
        if let Some(needed) = package["rust_version"].as_str() {
            assert!(version(needed)[..2] <= stated[..2], "{} needs Rust {needed}", package["name"]);
        }
    }
}

#[test]
fn packs_what_a_user_needs_and_no_tests() {
    let files = cargo(&["package", "--list", "--allow-dirty", "--offline"]);
    for file in ["LICENSE", "README.md", "src/lib.rs", "build.rs"] {
        assert!(files.lines().any(|line| line == file), "{file} is not packed");
    }
    assert!(!files.contains("tests/"), "{files}");
}

/// The README's first program is examples/ten_lines.rs, which runs against a started registry.
#[test]
fn plays_its_readme() {
    let readme = include_str!("../README.md");
    let block = readme.split("```rust,no_run\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    let example = include_str!("../examples/ten_lines.rs");
    let address = "std::env::var(\"REGISTRY_URL\").unwrap_or_else(|_| \"http://localhost:8080\".into())";
    assert_eq!(example.replace(address, "\"http://localhost:8080\""), block);

    if std::env::var("REGISTRY_URL").is_err() {
        eprintln!("skipped: REGISTRY_URL names no started registry");
        return;
    }
    let tests = std::env::current_exe().expect("a path");
    let folder = tests.ancestors().nth(2).map(Path::to_path_buf).expect("target/debug");
    let output = Command::new(folder.join("examples").join("ten_lines")).output().expect("it is built");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.starts_with("true\nbreaks readers: "), "{text}");
    assert!(text.lines().any(|line| line == "user-profile"), "{text}");
}

#[tokio::test]
async fn says_what_it_cannot_use_before_anything_is_sent() {
    for url in ["", "localhost", "ftp://localhost", "http://"] {
        let error = Client::new(url).health().await.expect_err(url);
        assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::Configuration, false), "{url}");
    }
    let builder = || Client::builder("http://localhost:1");
    for refused in [
        builder().timeout(Duration::ZERO),
        builder().max_attempts(0),
        builder().head_lifetime(Duration::from_secs(301)),
        builder().app("a".repeat(65)),
        builder().app("new\nline"),
        builder().api_key("new\nline"),
    ] {
        assert_eq!(refused.build().expect_err("refused").kind(), ErrorKind::Configuration);
    }
    let client = builder().head_lifetime(Duration::from_secs(300)).app("a".repeat(64)).build().expect("usable");
    let error = client.register_schema("s", Schema::json_text("{")).await.expect_err("is not JSON");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let error =
        client.register_schema("s", Schema::json(true)).idempotency_key("a\nb").await.expect_err("is not a header");
    assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::Configuration, false));
    let error = client.with_timeout(Duration::ZERO).health().await.expect_err("has no time");
    assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::Configuration, false));
    let error = client.get_schema("a").min_token("1.2").await.expect_err("is not a token");
    assert!(error.detail().contains("expected <epoch>.<seq>"), "{error}");
}

#[test]
fn keeps_the_key_out_of_debug_output() {
    let key = "llmsr_default_k1_s3cr3t";
    let builder = Client::builder("http://localhost:8080").api_key(key);
    let text = format!("{builder:?}");
    assert!(text.contains("llmsr_default_k1_…") && !text.contains("s3cr3t"), "{text}");
    assert!(!format!("{:?}", builder.build().expect("usable")).contains("s3cr3t"));
    assert!(!format!("{:?}", Client::builder("http://localhost:8080").api_key("s3cr3t")).contains("s3cr3t"));
}

#[test]
fn keeps_the_addresss_password_out_of_debug_output() {
    for url in ["http://user:s3cr3t@localhost:8080/base", "user:s3cr3t@localhost", "ftp://user:s3cr3t@localhost"] {
        let builder = Client::builder(url);
        assert!(!format!("{builder:?}").contains("s3cr3t"), "{builder:?}");
        assert!(!format!("{:?}", Client::new(url)).contains("s3cr3t"));
    }
    assert!(format!("{:?}", Client::builder("http://user:s3cr3t@localhost:8080/base"))
        .contains("http://localhost:8080/base"));
}

#[cfg(feature = "schemars")]
#[test]
fn makes_a_schema_of_a_type() {
    #[derive(schemars::JsonSchema)]
    #[allow(dead_code, reason = "only its schema is used")]
    struct User {
        age: u8,
    }
    assert!(
        format!("{:?}", Schema::of::<User>()).contains("\\\"age\\\"")
            || format!("{:?}", Schema::of::<User>()).contains("age")
    );
}
