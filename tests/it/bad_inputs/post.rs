//! A webhook's request, and the doors it can take.

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use inbound::Inbound;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{http, stack};

/// A POST. Its path may have a query.
#[derive(Debug, Clone, Default)]
pub struct Post {
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Post {
    /// JSON to a path.
    pub fn to(path: &str, body: impl Into<Vec<u8>>) -> Self {
        let post = Self { path: path.to_owned(), body: body.into(), ..Self::default() };
        post.with("content-type", "application/json")
    }

    /// With this header, in place of any of the name.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    /// With this one too, whatever the others are called.
    pub fn and(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As API Gateway hands it over (payload 2.0) when it comes from this address.
    pub fn event(&self, source_ip: Option<&str>) -> Value {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let mut headers = serde_json::Map::new();
        for (name, value) in &self.headers {
            let joined =
                headers.get(*name).map(|before| format!("{},{value}", before.as_str().unwrap()));
            headers.insert((*name).to_owned(), joined.unwrap_or_else(|| value.clone()).into());
        }
        let mut http =
            json!({"method": "POST", "path": path, "protocol": "HTTP/1.1", "userAgent": "test"});
        if let Some(source_ip) = source_ip {
            http["sourceIp"] = source_ip.into();
        }
        json!({
            "version": "2.0", "routeKey": "POST /webhooks/{source}", "rawPath": path, "rawQueryString": query,
            "headers": headers, "body": BASE64.encode(&self.body), "isBase64Encoded": true,
            "requestContext": {"requestId": "bad-inputs", "stage": "$default", "timeEpoch": 0, "http": http},
        })
    }
}

/// The way a request takes.
#[derive(Clone, Copy)]
pub enum Door<'a> {
    /// API Gateway, as HTTP.
    Front,
    /// The function in this process, from an address if there is one: for what API Gateway or a client would not send.
    Function(&'a Inbound, Option<&'a str>),
}

/// What was answered.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub json: Value,
}

impl Answered {
    /// The error's code and the field it names.
    pub fn error(&self) -> (Option<&str>, Option<&str>) {
        let error = &self.json["error"];
        (error["code"].as_str(), error["field"].as_str())
    }
}

impl Door<'_> {
    pub async fn send(self, post: &Post) -> Answered {
        match self {
            Self::Front => {
                let request = http::client().post(stack().url(&post.path)).body(post.body.clone());
                let request = post
                    .headers
                    .iter()
                    .fold(request, |request, (name, value)| request.header(*name, value.as_str()));
                let answer = http::send_undocumented(request).await;
                Answered { status: answer.status, json: answer.json }
            }
            Self::Function(inbound, source_ip) => {
                let request =
                    lambda_http::request::from_str(&post.event(source_ip).to_string()).unwrap();
                let answer = inbound.handle(request).await.unwrap();
                Answered {
                    status: answer.status().as_u16(),
                    json: serde_json::from_slice(answer.body()).unwrap(),
                }
            }
        }
    }
}

/// The hexadecimal digits of a body's HMAC-SHA256.
pub fn hmac(key: &str, body: &[u8]) -> String {
    HEXLOWER.encode(&hmac_bytes(key, body))
}

pub fn hmac_bytes(key: &str, body: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.chain_update(body).finalize().into_bytes().to_vec()
}

/// A signature as WhatsApp and signing proxies write it.
pub fn signature(key: &str, body: &[u8]) -> String {
    format!("sha256={}", hmac(key, body))
}
