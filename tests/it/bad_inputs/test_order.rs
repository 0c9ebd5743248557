//! The order of a test case.

use serde_json::{Value, json};

use crate::support::messages::TRACK;
use crate::support::stack;

/// An order that a valid request would change.
#[derive(Debug, Clone)]
pub struct TestOrder {
    /// The body that creates it.
    pub body: Value,
    /// The provider's id of a message of the order. With it, the status of the message changes
    /// instead of the status of the order.
    pub message_id: Option<String>,
    /// The status after a valid request.
    pub changed_status: &'static str,
}

impl TestOrder {
    /// Creates the order, and its message if it has one.
    pub async fn create(&self) {
        let created = stack().user("admin", "POST", "/api/external/orders", Some(&self.body)).await;
        assert_eq!(created.status, 201, "{}", created.json);
        if let Some(message_id) = &self.message_id {
            self.link_message(message_id).await;
        }
    }

    pub async fn link_message(&self, message_id: &str) {
        let body = json!({
            "order_id": self.body["orderId"], "account_code": self.body["accountCode"],
            "message_status": "pending", "message_id": message_id,
        });
        let linked = stack().user("admin", "POST", TRACK, Some(&body)).await;
        assert_eq!(linked.status, 201, "{}", linked.json);
    }

    /// Reads the order from the API.
    pub async fn load(&self) -> Value {
        let id = self.body["orderId"].as_str().unwrap();
        let account = self.body["accountCode"].as_str().unwrap();
        let escaped_id: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/api/external/orders/{escaped_id}?accountCode={account}");
        let answer = stack().user("admin", "GET", &path, None).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        answer.json
    }

    /// Fails if the status is neither the initial one nor the changed one.
    pub async fn has_changed(&self) -> bool {
        let order = self.load().await;
        let has_message = self.message_id.is_some();
        let status = &order[if has_message { "latestMessageStatus" } else { "status" }];
        let changed = status == self.changed_status;
        assert!(changed || status == "pending", "{status}");
        assert_eq!(order["version"], if changed && !has_message { 2 } else { 1 });
        changed
    }
}
