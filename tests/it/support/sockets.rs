//! WebSockets of the deployed stack.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{Calls, Stack, stack};

const LONGEST: Duration = Duration::from_secs(30);

/// What `POST /api/realtime/ticket` answered.
pub struct Ticket {
    pub ticket: String,
    pub url: String,
}

impl Ticket {
    /// Of a caller of the API.
    pub async fn of_user(user: &str, scope: Value) -> Self {
        let answer = stack().user(user, "POST", Stack::TICKET, Some(&scope)).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
        Self::read(&answer.json)
    }

    pub fn read(answer: &Value) -> Self {
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        Self { ticket: text("ticket"), url: text("url") }
    }

    pub async fn open(&self) -> Socket {
        self.try_open(None).await.unwrap()
    }

    /// The status of a handshake that fails.
    pub async fn try_open(&self, origin: Option<&str>) -> Result<Socket, u16> {
        open(&format!("{}?ticket={}", self.url, self.ticket), origin).await
    }
}

impl Stack {
    pub const TICKET: &'static str = "/api/realtime/ticket";

    /// The ids of the account's sockets, registered or not.
    pub async fn open_sockets(&self, account: &str) -> Vec<String> {
        let table = &self.tables["connections"];
        let rows = self.dynamodb(&Calls::default()).scan().table_name(table);
        let mut rows = rows.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(row) = rows.next().await {
            let row = row.unwrap();
            let text = |name: &str| row.get(name)?.as_s().ok().cloned();
            let id = text("pk").and_then(|pk| pk.strip_prefix("socket:").map(str::to_owned));
            if text("json").is_some_and(|json| json.contains(account)) {
                found.extend(id);
            }
        }
        found
    }
}

/// Opens a socket, or returns the status of the refusal.
pub async fn open(url: &str, origin: Option<&str>) -> Result<Socket, u16> {
    let mut request = url.into_client_request().unwrap();
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    match timeout(LONGEST, connect_async(request)).await.expect("a handshake") {
        Ok((stream, _)) => Ok(Socket(stream)),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub async fn send(&mut self, frame: &Value) {
        self.send_text(&frame.to_string()).await;
    }

    pub async fn send_text(&mut self, frame: &str) {
        self.0.send(Message::text(frame)).await.unwrap();
    }

    pub async fn send_bytes(&mut self, frame: &[u8]) {
        self.0.send(Message::binary(frame.to_vec())).await.unwrap();
    }

    /// The next frame.
    pub async fn next(&mut self) -> Value {
        self.next_within(LONGEST).await.expect("a frame in time")
    }

    pub async fn next_within(&mut self, time: Duration) -> Option<Value> {
        let message = timeout(time, self.0.next()).await.ok()??.unwrap();
        Some(serde_json::from_str(message.to_text().unwrap()).unwrap())
    }

    /// Sends a frame and returns the next one.
    pub async fn ask(&mut self, frame: &Value) -> Value {
        self.send(frame).await;
        self.next().await
    }

    /// Begins the updates. Returns the frames before `registered`.
    pub async fn register(&mut self, since: Option<Value>) -> Vec<Value> {
        let mut frame = json!({"type": "register"});
        if let Some(since) = since {
            frame["since"] = since;
        }
        self.send(&frame).await;
        let mut missed = Vec::new();
        loop {
            let frame = self.next().await;
            match frame["type"].as_str().unwrap() {
                "registered" => return missed,
                "order_update" => missed.push(frame),
                _ => panic!("{frame}"),
            }
        }
    }

    /// What comes before the answer to a ping.
    pub async fn frames_before_pong(&mut self) -> Vec<Value> {
        self.send(&json!({"type": "ping"})).await;
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await;
            if frame["type"] == "pong" {
                return frames;
            }
            frames.push(frame);
        }
    }

    pub async fn close(mut self) {
        self.0.close(None).await.unwrap();
    }
}
