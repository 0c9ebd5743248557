//! An endpoint of a test, served by the receiver on its own path.

use domain::webhooks::delivery::Delivery;
use serde_json::{Value, json};

use super::{
    Calls, Received, block_on_in_drop, eventually, put_secret, put_setting, stack, unique,
};

pub const SIGNING_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Gets no order's webhooks unless its settings name the account.
pub struct TestEndpoint {
    name: String,
    path: String,
}

impl TestEndpoint {
    /// The receiver gives these responses in turn, then 200.
    pub async fn new(settings: Value, responses: Value) -> Self {
        let name = unique("t-");
        let endpoint = Self { path: format!("/{name}"), name };
        stack().set_responses(&endpoint.path, responses).await;
        endpoint.set("secret", SIGNING_SECRET).await;
        endpoint.set("settings", &settings.to_string()).await;
        endpoint.set("url", &format!("{}{}", stack().receiver_url, endpoint.path)).await;
        endpoint
    }

    /// An endpoint without settings.
    pub fn removed() -> Self {
        Self { name: unique("gone-"), path: String::new() }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sets `url`, `settings`, `secret` or `legacy_secret`.
    pub async fn set(&self, part: &str, value: &str) {
        let name = format!("local/endpoints/{}/{part}", self.name);
        if part.ends_with("secret") {
            put_secret(&name, value).await;
        } else {
            put_setting(&name, value).await;
        }
    }

    pub fn delivery(&self) -> Delivery {
        let message = json!({
            "v": 1, "id": unique("msg_"), "run": 1, "endpoint": self.name, "format": "standard",
            "account": "STORE001", "order_id": "O-1", "version": 2,
            "body": json!({"tag": unique("tag-")}).to_string(),
        });
        Delivery::from_message(&message.to_string()).unwrap()
    }

    /// Waits for `count` requests.
    pub async fn received(&self, count: usize) -> Vec<Received> {
        eventually(&format!("{count} requests on {}", self.path), async || {
            Some(self.received_so_far().await).filter(|received| received.len() >= count)
        })
        .await
    }

    pub async fn received_so_far(&self) -> Vec<Received> {
        let all = stack().received("").await;
        all.into_iter().filter(|request| request.path == self.path).collect()
    }
}

/// Removes the parameters, after a failed test too: every endpoint slows down every function.
impl Drop for TestEndpoint {
    fn drop(&mut self) {
        let names = ["url", "settings", "secret", "legacy_secret"];
        let names = names.map(|part| format!("/waypost/local/endpoints/{}/{part}", self.name));
        let remove = async {
            let ssm = stack().ssm(&Calls::default());
            ssm.delete_parameters().set_names(Some(names.to_vec())).send().await.unwrap();
        };
        block_on_in_drop(remove);
    }
}
