//! What became of messages, counted by day and template.

use serde_json::json;

use super::*;
use crate::support::messages::{linked_body, post, tracking_body};
use crate::support::{Parcel, seconds_from_now};

const STATS: &str = "/api/messages/stats";

/// A template, and messages of it about one order.
struct Campaign {
    template: String,
    order: String,
}

impl Campaign {
    async fn new() -> Self {
        let parcel = Parcel::new();
        stack().create_order(&parcel.order()).await;
        Self { template: unique("campaign_"), order: parcel.order_id }
    }

    async fn record(&self, wamid: &str, status: &str) {
        let mut body = linked_body(&self.order, &json!(wamid), status);
        body["template"] = json!(self.template);
        assert_eq!(post(&body).await.status, 201);
    }

    async fn stats(&self) -> Value {
        let path = format!("{STATS}?account_code={}&template={}", OURS.0, self.template);
        let answer = stack().user("partner", "GET", &path, None).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        answer.json
    }

    /// The figures, once so many messages are counted as sent.
    async fn total(&self, sent: u64) -> Value {
        eventually("figures", async || {
            Some(self.stats().await["total"].clone()).filter(|total| total["sent"] == sent)
        })
        .await
    }
}

/// With a price, if statuses of this kind have one.
fn priced(wamid: &str, reported: &str, seconds: i64) -> Value {
    let mut update = match reported {
        "failed" => failed(wamid, 0, 131_026),
        reported => status(wamid, reported, 0),
    };
    update["timestamp"] = json!((seconds_from_now(seconds).seconds()).to_string());
    if matches!(reported, "sent" | "delivered") {
        update["pricing"] = json!({"billable": true, "pricing_model": "PMP",
            "type": "regular", "category": "utility"});
    }
    update
}

async fn report(updates: &[Value]) {
    for update in updates {
        let (state, reason) = process(&statuses(OURS.1, std::slice::from_ref(update))).await;
        assert_eq!((state, reason), (EventState::Processed, None));
    }
}

#[tokio::test]
async fn counts_each_message_once_in_any_order_of_its_statuses() {
    let campaign = Campaign::new().await;
    let ids: Vec<String> = (0..4).map(|_| wamid()).collect();
    // The first is reported before it is recorded.
    report(&[priced(&ids[0], "read", -40)]).await;
    for id in &ids {
        campaign.record(id, "queued").await;
    }
    let repeated = [priced(&ids[0], "delivered", -70), priced(&ids[0], "sent", -75)];
    report(&repeated).await;
    report(&repeated).await;
    report(&[priced(&ids[1], "failed", -9)]).await;
    // Delivered after all.
    report(&[priced(&ids[2], "failed", -9), priced(&ids[2], "delivered", -8)]).await;

    let total = campaign.total(3).await;
    let durations =
        |count: u64, middle: Value| json!({"count": count, "p50": middle, "p95": middle});
    let expected = json!({
        "sent": 3, "accepted": 2, "delivered": 2, "read": 1, "failed": 1, "replied": 0,
        "errors": [{"code": "131026", "count": 1}],
        "time_to_delivered": durations(1, json!(4.8)),
        "time_to_read": durations(1, json!(38.1)),
        "pricing": [{"category": "utility", "type": "regular", "billable": true,
                     "messages": 2, "delivered": 2}],
    });
    assert_eq!(total, expected);
    let stats = campaign.stats().await;
    assert_eq!(stats["templates"].as_array().unwrap().len(), 1);
    assert_eq!(stats["templates"][0]["template"], campaign.template.as_str());
    assert_eq!((&stats["complete"], &stats["days"][0]["sent"]), (&json!(true), &json!(3)));

    // The last is still `queued`; an answer counts all the same, once.
    for second in [60, 61] {
        let mut reply = text(&wamid(), "919000000001", second, "thanks");
        reply["context"] = json!({"from": "15550783881", "id": ids[3]});
        let body = envelope(&[change(OURS.1, &json!({ "messages": [reply] }))]);
        assert_eq!(process(&body).await, (EventState::Processed, None));
    }
    let total = campaign.total(3).await;
    assert_eq!(total["replied"], 1);
}

#[tokio::test]
async fn counts_many_messages_of_a_template_that_change_at_once() {
    let campaign = Campaign::new().await;
    let ids: Vec<String> = (0..40).map(|_| wamid()).collect();
    let updates: Vec<Value> = ids.iter().map(|id| priced(id, "delivered", -5)).collect();
    let body = statuses(OURS.1, &updates);
    // One after another: each writes the order.
    let records = async {
        for id in &ids {
            campaign.record(id, "sent").await;
        }
    };
    let ((), processed) = futures::join!(records, process(&body));
    assert_eq!(processed, (EventState::Processed, None));
    let total = campaign.total(40).await;
    assert_eq!((&total["accepted"], &total["delivered"]), (&json!(40), &json!(40)));
    assert_eq!(total["pricing"][0]["delivered"], 40);
}

#[tokio::test]
async fn counts_records_without_a_provider_id_and_moves_by_the_sender() {
    let campaign = Campaign::new().await;
    let mut plain = tracking_body(&campaign.order, "sent");
    plain["template"] = json!(campaign.template);
    assert_eq!(post(&plain).await.status, 201);
    let id = wamid();
    campaign.record(&id, "sent").await;
    campaign.record(&id, "read").await;
    campaign.record(&id, "read").await;
    let total = campaign.total(2).await;
    assert_eq!((&total["delivered"], &total["read"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn refuses_periods_that_are_none() {
    for (query, field) in [
        ("from=2026-01-20T00:00:00Z", "from"),
        ("to=today", "to"),
        ("from=2026-01-21&to=2026-01-20", "to"),
        ("from=2025-10-20&to=2026-01-20", "from"),
        ("template=", "template"),
        ("day=2026-01-20", "day"),
    ] {
        let path = format!("{STATS}?account_code=STORE001&{query}");
        let partner = &stack().users["partner"];
        let call = http::client().get(stack().url(&path));
        let call = call.basic_auth(&partner.name, Some(&partner.password));
        let answer = http::send_undocumented(call).await;
        assert_eq!(answer.error(), (422, "invalid", Some(field)), "{query}");
    }
}
