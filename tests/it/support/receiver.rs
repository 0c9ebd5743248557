//! The receiver that plays all customers' servers.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::http::client;
use super::openapi::check_delivery;
use super::{Stack, eventually};

/// One request that the receiver got.
#[derive(Debug, Clone, Deserialize)]
pub struct Received {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// What the `standardwebhooks` package said of its signature; null for endpoints that a test made.
    pub verified: Option<bool>,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }
}

#[derive(Deserialize)]
struct All {
    requests: Vec<Received>,
}

impl Stack {
    /// Everything received whose body has this text in it, in the order of arrival.
    pub async fn received(&self, text: &str) -> Vec<Received> {
        let answer = client().get(format!("{}/received", self.receiver_url)).send().await.unwrap();
        let all: All = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        all.requests.into_iter().filter(|request| request.body.contains(text)).collect()
    }

    /// Waits until so much was received by the endpoints there are.
    pub async fn received_at_least(&self, text: &str, count: usize) -> Vec<Received> {
        let received = eventually(&format!("{count} deliveries with {text}"), async || {
            Some(self.received(text).await).filter(|received| received.len() >= count)
        })
        .await;
        for request in &received {
            let endpoint =
                self.endpoints.values().find(|endpoint| endpoint.path() == request.path).unwrap();
            check_delivery(&endpoint.format, request);
        }
        received
    }

    /// What the receiver answers next on a path.
    pub async fn answers(&self, path: &str, answers: Value) {
        let body = json!({ path: answers }).to_string();
        let answer =
            client().put(format!("{}/answers", self.receiver_url)).body(body).send().await.unwrap();
        assert!(answer.status().is_success());
    }
}
