//! A registry that is slow, that does not end what it begins, or that answers what the contract does not say.

#![allow(clippy::unwrap_used, reason = "a server that does not start fails its test")]

use std::future::IntoFuture;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use llm_schema_registry_client::{Client, ErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const RECORD: &str =
    r#"{"id": "0192-a", "subject": "o", "context": ".", "version": "1.0.0", "version_number": 1, "state": "active"}"#;

/// What one request is answered.
#[derive(Clone)]
struct Answer {
    after: Duration,
    text: String,
    /// Whether the connection stays open without another byte.
    hangs: bool,
}

fn answer(status: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
    Answer { after: Duration::ZERO, text, hangs: false }
}

fn record() -> Answer {
    answer("200 OK", "Content-Type: application/json\r\n", RECORD)
}

impl Answer {
    fn after_ms(self, ms: u64) -> Answer {
        Answer { after: Duration::from_millis(ms), ..self }
    }
}

/// A server that gives the answers in their order, the last one to all later requests, and keeps the requests' heads.
struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answers: Vec<Answer>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = requests.clone();
        tokio::spawn(async move {
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let answer = answers.get(number).or(answers.last()).unwrap().clone();
                tokio::spawn(give(stream, answer, kept.clone()));
            }
        });
        Server { url, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn give(mut stream: TcpStream, answer: Answer, requests: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    requests.lock().unwrap().push(String::from_utf8(head).unwrap());
    tokio::time::sleep(answer.after).await;
    stream.write_all(answer.text.as_bytes()).await.unwrap();
    if answer.hangs {
        std::future::pending::<()>().await;
    }
    stream.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_caller_with_a_longer_timeout_does_not_share_a_read_that_ends_before() {
    let server = Server::start(vec![record().after_ms(600)]).await;
    let hasty = Client::builder(&server.url).timeout(Duration::from_millis(200)).build().expect("usable");
    let patient = hasty.with_timeout(Duration::from_secs(30));

    let (refused, read) =
        tokio::join!(hasty.get_schema("0192-a").into_future(), patient.get_schema("0192-a").into_future());

    assert_eq!(refused.expect_err("has no answer yet").kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(read.expect("waits for longer").id.as_str(), "0192-a");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn an_expired_answer_stands_in_at_the_callers_own_timeout() {
    let server = Server::start(vec![record(), record().after_ms(30_000)]).await;
    let client = Client::builder(&server.url).head_lifetime(Duration::ZERO).build().expect("usable");
    client.latest("o").await.expect("reads");

    let stale = client.with_timeout(Duration::from_millis(100)).latest("o").await.expect("has an expired answer");

    assert!(stale.stale);
}

#[tokio::test]
async fn a_refused_event_stream_is_an_error_though_its_body_never_ends() {
    let refused =
        "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/problem+json\r\nContent-Length: 100\r\n\r\n{\"code\"";
    let server = Server::start(vec![Answer { after: Duration::ZERO, text: refused.to_owned(), hangs: true }]).await;
    let client = Client::builder(&server.url).attempt_timeout(Duration::from_millis(200)).build().expect("usable");

    let read = tokio::time::timeout(Duration::from_secs(10), async { client.events().open().try_next().await });

    assert_eq!(read.await.expect("ends").expect_err("is refused").status(), Some(401));
}

#[tokio::test]
async fn the_longest_durations_are_taken() {
    let server = Server::start(vec![record(), answer("503 Service Unavailable", "", "")]).await;
    let builder = Client::builder(&server.url).timeout(Duration::MAX).attempt_timeout(Duration::MAX);
    let client = builder.max_attempts(1).breaker(1, Duration::MAX).build().expect("usable");

    client.get_schema("0192-a").await.expect("reads");
    client.health().await.expect_err("is away");

    assert_eq!(client.health().await.expect_err("is not asked").kind(), ErrorKind::CircuitOpen);
}
