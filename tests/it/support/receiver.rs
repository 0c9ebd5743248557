//! The receiver: it stands in for every customer's server.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::http::client;
use super::openapi::check_delivery;
use super::{Stack, eventually};

#[derive(Debug, Clone, Deserialize)]
pub struct Received {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// The signature check of the `standardwebhooks` package; null for endpoints of tests.
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
    /// All requests whose body contains this text, in order of arrival.
    pub async fn received(&self, text: &str) -> Vec<Received> {
        let answer = client().get(format!("{}/received", self.receiver_url)).send().await.unwrap();
        let all: All = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        all.requests.into_iter().filter(|request| request.body.contains(text)).collect()
    }

    /// Waits for `count` deliveries to the demo's endpoints.
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

    /// Sets the next responses of the receiver on a path.
    pub async fn set_responses(&self, path: &str, responses: Value) {
        let body = json!({ path: responses }).to_string();
        let answer =
            client().put(format!("{}/answers", self.receiver_url)).body(body).send().await.unwrap();
        assert!(answer.status().is_success());
    }
}
