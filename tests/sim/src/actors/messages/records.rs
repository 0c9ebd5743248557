//! What partners record about messages: that they are about an order, and their status.

use fastrand::Rng;
use serde_json::{Value, json};

use super::Order;
use crate::clock;
use crate::ledger::polling::timestamp;

const STATUSES: [&str; 7] = ["sending", "sent", "delivered", "read", "failed", "queued", "played"];

/// A record that a partner is going to send.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) order: Order,
    pub(super) body: Value,
    pub(super) idempotency_key: Option<String>,
    pub(super) by_admin: bool,
}

impl Plan {
    /// `message` is the provider's id; without one, the key makes the record.
    pub(super) fn draw(
        order: &Order,
        message: Option<&str>,
        number: usize,
        random: &mut Rng,
    ) -> Self {
        let status = STATUSES[random.usize(..STATUSES.len())];
        let mut body = json!({
            "order_id": order.key.order, "account_code": order.key.account,
            "message_status": status, "sent_at": sent_at(random),
        });
        if let Some(message) = message {
            body["message_id"] = message.into();
        }
        if random.u8(..4) == 0 {
            body["channel"] = "whatsapp".into();
        }
        if random.u8(..4) == 0 {
            body["template"] = "canary_template".into();
        }
        if status == "failed" {
            body["error"] = json!({"code": 131_000, "title": "canary-title"});
        }
        let is_keyed = message.is_none() || random.u8(..3) == 0;
        Self {
            order: order.clone(),
            body,
            idempotency_key: is_keyed.then(|| format!("key-{number}")),
            by_admin: random.bool(),
        }
    }
}

/// Times meet now and then.
fn sent_at(random: &mut Rng) -> String {
    timestamp(clock::now_ms() - random.u64(..30) * 60_000).to_string()
}
