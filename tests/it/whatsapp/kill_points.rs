//! `process` killed before and after each AWS call for one WhatsApp event: the redelivery ends in
//! the same state.

use super::*;
use crate::support::messages::link;
use crate::support::{
    Parcel, inbound_event, insert_event, process_until_done, survives_kill_points,
};

/// One event with statuses of a linked message, an unlinked one, one of another account and one
/// of a foreign number, and with an inbound message.
struct Scenario {
    parcel: Parcel,
    linked: String,
    unlinked: String,
    theirs: String,
    inbound: String,
    phone: String,
}

impl Scenario {
    async fn create() -> (Self, EventId) {
        let scenario = Self {
            parcel: Parcel::new(),
            linked: wamid(),
            unlinked: wamid(),
            theirs: wamid(),
            inbound: wamid(),
            phone: unique("1"),
        };
        stack().create_order(&scenario.parcel.order()).await;
        assert_eq!(link(&scenario.parcel.order_id, &scenario.linked, "queued").await.status, 201);
        let event = inbound_event("whatsapp", None, scenario.body().to_string());
        let id = insert_event(&event).await;
        (scenario, id)
    }

    fn body(&self) -> Value {
        let ours = json!({
            "statuses": [failed(&self.linked, 2, 131_026), status(&self.unlinked, "sent", 1),
                         status(&self.linked, "delivered", 3), status(&self.unlinked, "read", 4)],
            "messages": [text(&self.inbound, &self.phone, 5, "canary-body")],
        });
        envelope(&[
            change(OURS.1, &ours),
            change(THEIRS.1, &json!({"statuses": [status(&self.theirs, "sent", 1)]})),
            change(FOREIGN_NUMBER, &json!({"statuses": [status(&self.theirs, "read", 1)]})),
        ])
    }

    /// The state that no kill may change.
    async fn end_state(&self) -> Value {
        let item = messages(&self.parcel.order_id, "").await["items"][0].clone();
        let order = stack().order(&self.parcel.order_id).await;
        let path = format!("/api/messages/whatsapp?phone={}", self.phone);
        let conversation = stack().user("partner", "GET", &path, None).await.json;
        let conversation = conversation["items"].as_array().unwrap();
        let ours = load_trackings(OURS.0, &[self.linked.clone(), self.unlinked.clone()]).await;
        let theirs = load_trackings(THEIRS.0, std::slice::from_ref(&self.theirs)).await;
        let rows: Vec<_> =
            ours.iter().chain(&theirs).map(|row| (row.rev(), &row.tracked.tracking)).collect();
        json!({
            "message": [item["message_status"], item["statuses"], item["error"]],
            "order": [order["latestMessageStatus"], order["version"]],
            "conversation":
                [conversation.len(), conversation[0]["content"], conversation[0]["at"]],
            "rows": rows,
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn applies_message_updates_once_after_a_kill_at_any_call() {
    let calls = survives_kill_points(async |fault| {
        let (scenario, id) = Scenario::create().await;
        let (end, calls) =
            process_until_done(&id, fault, async || scenario.end_state().await).await;
        assert_eq!(end["message"][0], "delivered");
        assert_eq!(end["order"], json!(["delivered", 1]));
        (end, calls)
    })
    .await;
    // The event, the phone numbers, a batch of messages, the order, a write each and one mark.
    // Parallel writes have no fixed order.
    let mut sorted = calls;
    sorted.sort();
    assert_eq!(
        sorted,
        [
            "dynamodb:BatchGetItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:PutItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:TransactWriteItems",
            "dynamodb:UpdateItem",
            "ssm:GetParameters",
        ]
    );
}
