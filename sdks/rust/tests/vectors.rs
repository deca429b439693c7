//! The behaviour that all SDKs share, from contract/vectors/sdk. README.md there says what each member means.

#![allow(clippy::unwrap_used, reason = "a vector that cannot be read fails its test")]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures_util::future::{join_all, BoxFuture};
use libtest_mimic::{Arguments, Failed, Trial};
use llm_schema_registry_client::{
    Client, ClientEvent, ClientEventKind, Clock, Error, ErrorKind, Format, Schema, State,
};
use serde_json::{json, Value};
use tokio::sync::Notify;

const FOLDER: &str = "../../contract/vectors/sdk";

/// A clock whose waits pass at once and are counted.
#[derive(Default)]
struct FakeClock {
    now: Mutex<Duration>,
    wall: Duration,
    slept: Mutex<Vec<u64>>,
    on_sleep: Mutex<Option<Arc<Notify>>>,
}

impl FakeClock {
    fn advance(&self, by: Duration) {
        *self.now.lock().unwrap() += by;
    }
}

impl Clock for FakeClock {
    fn monotonic(&self) -> Duration {
        *self.now.lock().unwrap()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.wall + self.monotonic()
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let cancel = self.on_sleep.lock().unwrap().clone();
            if let Some(cancel) = cancel {
                cancel.notify_one();
                std::future::pending::<()>().await;
            }
            self.advance(wait);
            self.slept.lock().unwrap().push(wait.as_millis() as u64);
        })
    }
}

/// The scripted registry that all SDKs' vectors run against.
struct Server {
    process: Child,
    control: String,
}

impl Server {
    fn start() -> Server {
        let script = Path::new(FOLDER).join("server.mjs");
        let mut process = Command::new("node").arg(script).stdout(Stdio::piped()).spawn().expect("node starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("it says where it is");
        let started: Value = serde_json::from_str(&line).expect("JSON");
        Server { process, control: started["control"].as_str().expect("an address").to_owned() }
    }
}

struct Run {
    client: Client,
    clock: Arc<FakeClock>,
    events: Arc<Mutex<Vec<ClientEvent>>>,
    log: Arc<Mutex<Vec<String>>>,
    problems: Mutex<Vec<String>>,
}

fn main() {
    let arguments = Arguments::from_args();
    let server = Server::start();
    let mut trials = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(FOLDER).expect("vectors").map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
        let document: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        for vector in document["vectors"].as_array().unwrap() {
            let (vector, control) = (vector.clone(), server.control.clone());
            let file = file.file_stem().unwrap().to_string_lossy();
            let name = format!("{file}: {}", vector["description"].as_str().unwrap());
            trials.push(Trial::test(name, move || {
                let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
                let problems = runtime.block_on(run_vector(&control, &vector));
                if problems.is_empty() {
                    Ok(())
                } else {
                    Err(Failed::from(problems.join("\n")))
                }
            }));
        }
    }
    assert!(!trials.is_empty(), "there are no vectors");
    let conclusion = libtest_mimic::run(&arguments, trials);
    let Server { mut process, .. } = server;
    let _ = process.kill();
    let _ = process.wait();
    conclusion.exit();
}

async fn run_vector(control: &str, vector: &Value) -> Vec<String> {
    let http = reqwest::Client::new();
    let body = json!({ "exchanges": vector["exchanges"] });
    let begun: Value = http.post(format!("{control}/_run")).json(&body).send().await.unwrap().json().await.unwrap();
    let run = Run::new(begun["url"].as_str().unwrap(), vector);
    for step in vector["steps"].as_array().unwrap() {
        run.take(step).await;
    }
    let ended: Value = http.get(format!("{control}/_run/{}", begun["run"])).send().await.unwrap().json().await.unwrap();
    run.expect("left", &ended["left"], &json!(0));
    run.expect("mismatches", &ended["mismatches"], &json!([]));
    run.expect_end(vector);
    run.problems.into_inner().unwrap()
}

impl Run {
    fn new(url: &str, vector: &Value) -> Run {
        let wall = Duration::from_millis(vector["wall_ms"].as_u64().unwrap_or(0));
        let clock = Arc::new(FakeClock { wall, ..FakeClock::default() });
        let (events, log) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let numbers: VecDeque<f64> =
            vector["random"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
        let numbers = Mutex::new(numbers);
        let (kept_events, kept_log) = (Arc::clone(&events), Arc::clone(&log));
        let mut builder = Client::builder(url)
            .clock(clock.clone())
            .random(move || numbers.lock().unwrap().pop_front().unwrap_or(0.5))
            .on_event(move |event| kept_events.lock().unwrap().push(event.clone()))
            .on_debug(move |line| kept_log.lock().unwrap().push(line.to_owned()));
        let options = &vector["client"];
        let ms = |name: &str| options[name].as_u64().map(Duration::from_millis);
        if let Some(key) = options["api_key"].as_str() {
            builder = builder.api_key(key);
        }
        if let Some(context) = options["context"].as_str() {
            builder = builder.context(context);
        }
        if let Some(timeout) = ms("timeout_ms") {
            builder = builder.timeout(timeout);
        }
        if let Some(timeout) = ms("attempt_timeout_ms") {
            builder = builder.attempt_timeout(timeout);
        }
        if let Some(attempts) = options["max_attempts"].as_u64() {
            builder = builder.max_attempts(attempts as u32);
        }
        if let Some(age) = ms("stale_max_age_ms") {
            builder = builder.stale_lifetime(age);
        }
        if let Some(entries) = options["cache_max_entries"].as_u64() {
            builder = builder.cache_size(entries as usize, 1 << 20);
        }
        Run { client: builder.build().unwrap(), clock, events, log, problems: Mutex::default() }
    }

    fn fail(&self, problem: String) {
        self.problems.lock().unwrap().push(problem);
    }

    fn expect(&self, what: &str, actual: &Value, expected: &Value) {
        if actual != expected {
            self.fail(format!("{what}: {actual}, expected {expected}"));
        }
    }

    async fn take(&self, step: &Value) {
        if let Some(ms) = step["advance_ms"].as_u64() {
            self.clock.advance(Duration::from_millis(ms));
        } else if let Some(steps) = step["parallel"].as_array() {
            join_all(steps.iter().map(|step| self.perform(step))).await;
        } else {
            self.perform(step).await;
        }
    }

    async fn perform(&self, step: &Value) {
        let before = self.events.lock().unwrap().len();
        let cancel = Arc::new(Notify::new());
        if step["cancel_in_wait"] == true {
            *self.clock.on_sleep.lock().unwrap() = Some(cancel.clone());
        }
        let after = step["cancel_after_ms"].as_u64().map(Duration::from_millis);
        let result = tokio::select! {
            result = self.invoke(step) => Some(result),
            () = cancel.notified() => None,
            () = async { tokio::time::sleep(after.unwrap_or_default()).await }, if after.is_some() => None,
        };
        let expected = &step["error"];
        match result {
            None => self.expect("cancelled", &json!(true), &expected["cancelled"]),
            Some(Err(error)) if expected.is_object() => self.expect_error(&error, expected),
            Some(Err(error)) => self.fail(format!("{}: {error}", step["call"])),
            Some(Ok(_)) if expected.is_object() => self.fail(format!("{} answered; expected {expected}", step["call"])),
            Some(Ok(value)) => {
                self.expect_value(step, &value);
                self.expect_source(step, before);
            }
        }
    }

    fn expect_value(&self, step: &Value, value: &Value) {
        match &step["returns"] {
            Value::Null => {}
            Value::Object(members) => {
                for (name, member) in members {
                    self.expect(name, &value[name], member);
                }
            }
            expected => self.expect("returned", value, expected),
        }
        for (name, member) in step["fields"].as_object().into_iter().flatten() {
            self.expect(name, &value[name], member);
        }
        if !step["items"].is_null() {
            self.expect("items", &json!(value.as_array().map(Vec::len)), &step["items"]);
        }
        if !step["seqs"].is_null() {
            self.expect("seqs", value, &step["seqs"]);
        }
    }

    fn expect_source(&self, step: &Value, before: usize) {
        let Some(expected) = step["source"].as_str() else { return };
        let events = self.events.lock().unwrap();
        let is_expected = |event: &ClientEvent| {
            event.kind == ClientEventKind::Call && event.source.is_some_and(|source| source.to_string() == expected)
        };
        if !events[before..].iter().any(is_expected) {
            self.fail(format!("no call from {expected} among {:?}", &events[before..]));
        }
    }

    fn expect_error(&self, error: &Error, expected: &Value) {
        for (name, member) in expected.as_object().unwrap() {
            let actual = match name.as_str() {
                "name" => {
                    let kind = kind_of(member.as_str().unwrap());
                    if kind.is_some_and(|kind| kind != error.kind()) {
                        self.fail(format!("{error:?} is not {member}"));
                    }
                    continue;
                }
                "timed_out" => json!(error.kind() == ErrorKind::DeadlineExceeded),
                "code" => json!(error.code()),
                "status" => json!(error.status()),
                "attempts" => json!(error.attempts()),
                "retry_after_ms" => json!(error.retry_after().map_or(0, |wait| wait.as_millis() as u64)),
                "may_have_been_sent" => json!(error.may_have_been_sent()),
                "verdict_kinds" => {
                    let differences = error.verdict().map(|verdict| verdict.differences.clone()).unwrap_or_default();
                    json!(differences.into_iter().map(|difference| difference.kind).collect::<Vec<_>>())
                }
                _ => json!(format!("the vectors expect {name}, which this runner does not know")),
            };
            self.expect(name, &actual, member);
        }
    }

    fn expect_end(&self, vector: &Value) {
        let stats = self.client.cache_stats();
        let given = |name: &str| Some(&vector[name]).filter(|value| !value.is_null());
        if let Some(slept) = given("slept_ms") {
            self.expect("slept", &json!(*self.clock.slept.lock().unwrap()), slept);
        }
        if let Some(token) = given("token") {
            self.expect("token", &json!(self.client.token()), token);
        }
        if let Some(seen) = given("seen") {
            self.expect("seen", &json!(stats.token_seen), seen);
        }
        if let Some(breaker) = given("breaker") {
            self.expect("breaker", &json!(stats.breaker.to_string()), breaker);
        }
        let unreadable = vector["token_unreadable"].as_u64().unwrap_or(0);
        self.expect("unreadable tokens", &json!(stats.token_unreadable), &json!(unreadable));
        let counts = json!({
            "hits": stats.hits, "misses": stats.misses, "revalidated": stats.revalidated,
            "stale": stats.stale, "entries": stats.entries,
        });
        for (name, count) in vector["cache_stats"].as_object().into_iter().flatten() {
            self.expect(name, &counts[name], count);
        }
        let log = self.log.lock().unwrap().join("\n");
        for secret in vector["log_lacks"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if log.contains(secret) {
                self.fail(format!("the log holds {secret:?}"));
            }
        }
    }

    async fn invoke(&self, step: &Value) -> Result<Value, Error> {
        let (args, options) = (&step["args"], &step["options"]);
        let client = &match options["timeout_ms"].as_u64() {
            Some(ms) => self.client.with_timeout(Duration::from_millis(ms)),
            None => self.client.clone(),
        };
        let text = |name: &str| args[name].as_str().unwrap_or_default().to_owned();
        let min_token = options["min_token"].as_str();
        let record = |call: llm_schema_registry_client::GetRecord| async move {
            let call = match min_token {
                Some(token) => call.min_token(token),
                None => call,
            };
            let record = call.await?;
            Ok(json!({ "id": record.id.as_str(), "state": record.state.as_str(), "stale": record.stale }))
        };
        match step["call"].as_str().unwrap() {
            "register_schema" => {
                let mut call = client.register_schema(text("subject"), schema(args));
                if let Some(key) = options["idempotency_key"].as_str() {
                    call = call.idempotency_key(key);
                }
                Ok(json!(call.await?.as_str()))
            }
            "get_schema" => record(client.get_schema(text("id"))).await,
            "get_version" => {
                let version = args["version"].as_str().map_or_else(|| args["version"].to_string(), str::to_owned);
                record(client.get_version(text("subject"), version)).await
            }
            "latest" => record(client.latest(text("subject"))).await,
            "validate" => {
                let call = client.validate(&args["data"], text("id"));
                let call = match min_token {
                    Some(token) => call.min_token(token),
                    None => call,
                };
                Ok(json!(if args["remote"] == true { call.remote() } else { call }.await?))
            }
            "explain_validation" => {
                let call = client.explain_validation(&args["data"], text("id"));
                let result = if args["remote"] == true { call.remote() } else { call }.await?;
                Ok(json!({ "valid": result.valid, "stale": result.stale }))
            }
            "check_compatibility" => Ok(json!(client.check_compatibility(text("subject"), schema(args)).await?)),
            "search" => {
                let search = client.search(text("query"));
                let search = if args["consistent"] == true { search.consistent() } else { search };
                let hits = search.pages().all().await?;
                Ok(hits.into_iter().map(|hit| json!(hit.record.id.as_str())).collect())
            }
            "list_subjects" => {
                let list = client.list_subjects();
                let list = if args["prefix"].is_string() { list.prefix(text("prefix")) } else { list };
                Ok(list.pages().all().await?.into_iter().map(|subject| json!(subject.name)).collect())
            }
            "update" => self.update(args).await,
            "delete" => {
                let call = client.delete(text("id"));
                if args["permanent"] == true { call.permanent() } else { call }.await?;
                Ok(Value::Null)
            }
            "clear_cache" => {
                client.clear_cache();
                Ok(Value::Null)
            }
            "events" => {
                let mut events = client.events().after(args["after"].as_u64().unwrap_or(0)).open();
                let mut seqs = Vec::new();
                while seqs.len() < step["take"].as_u64().unwrap() as usize {
                    seqs.push(events.try_next().await?.seq);
                }
                Ok(json!(seqs))
            }
            call => panic!("the vectors call {call}, which this runner does not know"),
        }
    }

    async fn update(&self, args: &Value) -> Result<Value, Error> {
        let mut call = self.client.update(args["id"].as_str().unwrap());
        for (name, value) in args["change"].as_object().into_iter().flatten() {
            call = match (name.as_str(), value) {
                ("owner", Value::Null) => call.clear_owner(),
                ("owner", value) => call.owner(value.as_str().unwrap()),
                ("description", Value::Null) => call.clear_description(),
                ("description", value) => call.description(value.as_str().unwrap()),
                ("state", value) => call.state(State::from(value.as_str().unwrap())),
                ("tags", value) => call.tags(value.as_array().unwrap().iter().filter_map(Value::as_str)),
                (name, _) => panic!("the vectors change {name}, which this runner does not know"),
            };
        }
        if let Some(etag) = args["if_match"].as_str() {
            call = call.if_match(etag);
        }
        let record = call.await?;
        Ok(json!({ "id": record.id.as_str(), "state": record.state.as_str() }))
    }
}

fn schema(args: &Value) -> Schema {
    let (format, content) = args["schema"].as_object().unwrap().iter().next().unwrap();
    Schema::of_value(Format::from(format.as_str()), content)
}

fn kind_of(name: &str) -> Option<ErrorKind> {
    Some(match name {
        "IncompatibleSchema" => ErrorKind::IncompatibleSchema,
        "ServerError" => ErrorKind::Server,
        "StorageFull" => ErrorKind::StorageFull,
        "Unavailable" => ErrorKind::Unavailable,
        "ConnectionLost" => ErrorKind::ConnectionLost,
        "BadAnswer" => ErrorKind::BadAnswer,
        "NotFound" => ErrorKind::NotFound,
        "CircuitOpen" => ErrorKind::CircuitOpen,
        _ => return None,
    })
}
