//! A double of Pusher's REST API. It checks each request as Pusher does.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::{hmac, seconds_from_now};

pub const KEY: &str = "it-key";
pub const SECRET: &str = "canary-secret-of-pusher";
const APP: &str = "7";

/// Serves until it is dropped.
pub struct PusherServer {
    port: u16,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    /// The status of each answer, 200 if it is 0.
    status: AtomicU16,
    requests: Mutex<Vec<Request>>,
}

/// A request that is as Pusher wants it, or why it is not.
type Request = Result<Vec<Event>, String>;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    pub name: String,
    pub channel: String,
    pub data: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    batch: Vec<Event>,
}

impl Event {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

impl PusherServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::<State>::default();
        let served = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(served.clone(), stream));
            }
        });
        Self { port, state, task }
    }

    /// The setting `realtime/pusher` of this server, with these changes.
    pub fn setting(&self, changes: &Value) -> Value {
        let mut setting = json!({
            "app_id": APP, "key": KEY, "secret": SECRET, "host": "127.0.0.1", "port": self.port,
            "tls": false,
        });
        let changes = changes.as_object().unwrap().clone();
        setting.as_object_mut().unwrap().extend(changes);
        setting
    }

    /// From now on it answers with this status, and keeps the events all the same.
    pub fn refuse(&self, status: u16) {
        self.state.status.store(status, Ordering::Relaxed);
    }

    /// The number of events of each request. Fails the test on a request that Pusher would refuse.
    pub fn batches(&self) -> Vec<usize> {
        self.requests().iter().map(Vec::len).collect()
    }

    /// The events whose data contains this text.
    pub fn events(&self, text: &str) -> Vec<Event> {
        let events = self.requests().into_iter().flatten();
        events.filter(|event| event.data.contains(text)).collect()
    }

    fn requests(&self) -> Vec<Vec<Event>> {
        let requests = self.state.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.iter().map(|request| request.clone().unwrap()).collect()
    }
}

impl Drop for PusherServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(state: Arc<State>, mut stream: TcpStream) {
    let mut received = Vec::new();
    let (head, body) = loop {
        if stream.read_buf(&mut received).await.unwrap_or_default() == 0 {
            return;
        }
        if let Some(request) = whole(&received) {
            break request;
        }
    };
    let request = check(&head, &body);
    state.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    let status = match state.status.load(Ordering::Relaxed) {
        0 => 200,
        status => status,
    };
    let answer =
        format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// Head and body, once they are complete.
fn whole(received: &[u8]) -> Option<(String, Vec<u8>)> {
    let end = received.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8(received[..end].to_vec()).unwrap();
    let fields = head.to_lowercase();
    let length = fields.lines().find_map(|line| line.strip_prefix("content-length: "));
    let body = &received[end + 4..];
    let length: usize = length.unwrap_or("0").parse().unwrap();
    (body.len() >= length).then(|| (head.clone(), body.to_vec()))
}

fn check(head: &str, body: &[u8]) -> Request {
    let line = head.lines().next().unwrap_or_default();
    let target = line.strip_prefix("POST ").and_then(|rest| rest.strip_suffix(" HTTP/1.1"));
    let url = Url::parse(&format!("http://x{}", target.ok_or("not a POST")?)).unwrap();
    check_signature(&url, body)?;
    let fields = head.to_lowercase();
    require(fields.contains("\ncontent-type: application/json"), "the content type")?;
    require(url.path() == format!("/apps/{APP}/batch_events"), "the path")?;
    let Batch { batch } = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    require((1..=10).contains(&batch.len()), "the number of events")?;
    for event in &batch {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-=@,.;".contains(&byte);
        require(event.channel.bytes().all(is_allowed), "the characters of a channel")?;
        require((1..=200).contains(&event.channel.len()), "the length of a channel")?;
        require((1..=200).contains(&event.name.len()), "the length of a name")?;
        require((1..=10_240).contains(&event.data.len()), "the length of data")?;
    }
    Ok(batch)
}

/// The signature covers all other parameters in the order of their names.
fn check_signature(url: &Url, body: &[u8]) -> Result<(), String> {
    let mut parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let signature = parameters.iter().position(|(name, _)| name == "auth_signature");
    let (_, signature) = parameters.remove(signature.ok_or("no signature")?);
    parameters.sort();
    let value = |wanted: &str| {
        let found = parameters.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    require(value("auth_key") == KEY && value("auth_version") == "1.0", "key and version")?;
    require(value("body_md5") == HEXLOWER.encode(&Md5::digest(body)), "the md5")?;
    let age = seconds_from_now(0).millis() / 1000 - value("auth_timestamp").parse::<i64>().unwrap();
    require(age.abs() <= 600, "the timestamp")?;
    let query: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let signed = format!("POST\n{}\n{}", url.path(), query.join("&"));
    require(signature == hmac(SECRET, signed.as_bytes()), "the signature")
}

fn require(is_right: bool, what: &str) -> Result<(), String> {
    if is_right { Ok(()) } else { Err(format!("{what} is wrong")) }
}
