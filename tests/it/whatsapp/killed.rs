//! `process` killed at every call it makes over news about messages: the redelivery ends in the same state.

use aws::tables::inbound::Inserted;
use domain::core::hash::Fingerprint;
use domain::tracking::report::SourceName;

use super::*;
use crate::support::messages::link;
use crate::support::{Parcel, process_until_done, survives_kill_points};

/// ChannelEvent of a message that an order knows, of one that none knows, of another account's, of a shopper and of nobody.
struct Story {
    parcel: Parcel,
    linked: String,
    unlinked: String,
    theirs: String,
    written: String,
    phone: String,
}

impl Story {
    async fn begin() -> (Self, EventId) {
        let story = Self {
            parcel: Parcel::new(),
            linked: wamid(),
            unlinked: wamid(),
            theirs: wamid(),
            written: wamid(),
            phone: unique("1"),
        };
        stack().create_order(&story.parcel.order()).await;
        assert_eq!(link(&story.parcel.order_id, &story.linked, "queued").await.status, 201);
        let id = keep(&story.news()).await;
        (story, id)
    }

    fn news(&self) -> Value {
        let ours = json!({
            "statuses": [failed(&self.linked, 2, 131_026), status(&self.unlinked, "sent", 1),
                         status(&self.linked, "delivered", 3), status(&self.unlinked, "read", 4)],
            "messages": [text(&self.written, &self.phone, 5, "canary-body")],
        });
        envelope(&[
            change(OURS.1, &ours),
            change(THEIRS.1, &json!({"statuses": [status(&self.theirs, "sent", 1)]})),
            change(NOBODYS, &json!({"statuses": [status(&self.theirs, "read", 1)]})),
        ])
    }

    /// What must be the same however often it was killed.
    async fn end(&self) -> Value {
        let item = messages(&self.parcel.order_id, "").await["items"][0].clone();
        let order = stack().order(&self.parcel.order_id).await;
        let path = format!("/api/messages/whatsapp?phone={}", self.phone);
        let talk = stack().user("partner", "GET", &path, None).await.json;
        let talk = talk["items"].as_array().unwrap();
        let ours = load_trackings(OURS.0, &[self.linked.clone(), self.unlinked.clone()]).await;
        let theirs = load_trackings(THEIRS.0, std::slice::from_ref(&self.theirs)).await;
        let rows: Vec<_> =
            ours.iter().chain(&theirs).map(|row| (row.rev(), &row.tracked.tracking)).collect();
        json!({
            "message": [item["message_status"], item["statuses"], item["error"]],
            "order": [order["latestMessageStatus"], order["version"]],
            "talk": [talk.len(), talk[0]["content"], talk[0]["at"]],
            "rows": rows,
        })
    }
}

/// Stores an event as `inbound` does, but sends it to nobody: this test is the queue.
async fn keep(body: &Value) -> EventId {
    let body = body.to_string().into_bytes();
    let event = InboundEvent {
        id: Fingerprint::of("event").with(&body).into(),
        source: SourceName::new("whatsapp"),
        account: None,
        received_at: aws::clock::now(),
        state: EventState::Received,
        reason: None,
        body,
    };
    assert_eq!(stack().events(&Calls::default()).insert(&event).await.unwrap(), Inserted::New);
    event.id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_about_messages() {
    let calls = survives_kill_points(async |fault| {
        let (story, id) = Story::begin().await;
        let (end, calls) = process_until_done(&id, fault, async || story.end().await).await;
        assert_eq!(end["message"][0], "delivered");
        assert_eq!(end["order"], json!(["delivered", 1]));
        (end, calls)
    })
    .await;
    // What it costs: the event, the numbers, all messages at once, the order, a write each, one mark. Writes go side by
    // side, in any order.
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
