//! A shopper, and an order with everything that tells of them.

use aws::tables::inbound::EventState;
use domain::core::id::EventId;
use serde_json::{Value, json};

use super::tables::row;
use super::{ORDERS, order, pause};
use crate::support::{
    Calls, TestEndpoint, eventually, inbound_event, insert_event, process_event,
    settings_to_expire, stack, unique,
};

pub(super) struct Shopper {
    pub(super) name: String,
    pub(super) awb: String,
    tag: String,
    /// Without country code.
    phone: String,
}

/// One that is told at once, one that fails; each for single orders and for batches.
pub(super) struct Endpoints {
    told: [TestEndpoint; 2],
    failing: [TestEndpoint; 2],
}

pub(super) async fn endpoints(account: &str) -> Endpoints {
    let told = |format| {
        let mut settings = json!({"format": format, "accounts": [account]});
        if format == "standard" {
            settings["events"] = json!(["order.status_changed", "message.received"]);
        }
        async move { TestEndpoint::new(settings, json!([])).await }
    };
    let failing = |format| {
        let settings = json!({
            "format": format, "accounts": [account], "backoff": [600], "retry_count": 5,
        });
        let responses = json!([{"status": 500}, {"status": 500}, {"status": 500},
                               {"status": 500}, {"status": 500}, {"status": 500}]);
        async move { TestEndpoint::new(settings, responses).await }
    };
    let endpoints = Endpoints {
        told: [told("standard").await, told("status_update").await],
        failing: [failing("order.status_changed").await, failing("status_update").await],
    };
    settings_to_expire().await;
    endpoints
}

/// Waits until every endpoint was told of two changes, that of the format `standard` also of the
/// answer, and for batches also of the trigger.
pub(super) async fn await_deliveries(endpoints: &Endpoints) {
    let all = endpoints.told.iter().zip([3, 3]).chain(endpoints.failing.iter().zip([2, 3]));
    for (endpoint, count) in all {
        for request in endpoint.received(count).await {
            eventually("the attempt's record", async || {
                let row = row("deliveries", [request.id(), ""]).await;
                (!row.contains_key("owner")).then_some(())
            })
            .await;
        }
    }
}

/// Finished deliveries stay delivered, open ones are dead, and batches keep the other order.
pub(super) async fn check_deliveries(endpoints: &Endpoints, erased: &str) {
    for endpoint in &endpoints.told {
        for request in endpoint.received_so_far().await {
            let row = row("deliveries", [request.id(), ""]).await;
            assert_eq!(row["state"].as_s().unwrap(), "delivered");
            assert_eq!(row["attempt_log"].as_l().unwrap().len(), 1);
        }
    }
    let mut batches = 0;
    for endpoint in &endpoints.failing {
        for request in endpoint.received_so_far().await {
            let row = row("deliveries", [request.id(), ""]).await;
            let state = row["state"].as_s().unwrap();
            let body: Value = serde_json::from_str(&request.body).unwrap();
            let orders = body["orders"].as_array().cloned().unwrap_or_default();
            let others = orders.iter().filter(|it| it["order_id"] != erased).count();
            if others > 0 {
                batches += 1;
                assert_eq!((state.as_str(), row.contains_key("body")), ("retrying", true));
            } else {
                assert_eq!((state.as_str(), row.contains_key("body")), ("dead", false));
                assert_eq!(row["reason"].as_s().unwrap(), "erased");
                assert!(!row.contains_key("due"), "{row:?}");
            }
        }
    }
    assert_eq!(batches, 1);
}

impl Shopper {
    pub(super) fn new() -> Self {
        let tag = unique("");
        let name = format!("canary-name-{tag}");
        let phone = format!("9{}", &tag[tag.len() - 9..]);
        Self { name, phone, awb: unique("19"), tag }
    }

    /// Texts that only tell of this shopper.
    pub(super) fn canaries(&self) -> Vec<String> {
        let tags = ["name", "address", "note", "body"].map(|kind| self.canary(kind));
        let phones = [self.phone.clone(), self.written_phone()];
        tags.into_iter().chain(phones).collect()
    }

    fn canary(&self, kind: &str) -> String {
        format!("canary-{kind}-{}", self.tag)
    }

    fn written_phone(&self) -> String {
        format!("{} {}", &self.phone[..5], &self.phone[5..])
    }

    pub(super) fn personal_fields(&self) -> Vec<(String, Value)> {
        let address = json!({"address": self.canary("address"), "coordinates": [77.1, 12.9]});
        let fields = [
            ("customerId", json!(self.canary("name"))),
            (
                "customer",
                json!({"phone": format!("+91 {}", self.written_phone()),
                                "firstName": self.name, "lastName": self.canary("name")}),
            ),
            ("pickup", address.clone()),
            ("drop", address),
            ("customerNotes", json!(self.canary("note"))),
            ("vendorNotes", json!(self.canary("note"))),
            ("metadata", json!({"gift": self.canary("body")})),
        ];
        fields.map(|(name, value)| (name.to_owned(), value)).into()
    }

    pub(super) fn body(&self, id: &str) -> Value {
        let mut body = json!({
            "orderId": id, "awb": self.awb, "items": [{"title": "Tea", "qty": 2, "price": 1}],
        });
        for (name, value) in self.personal_fields() {
            body[name] = value;
        }
        body
    }

    pub(super) async fn order(&self, account: &str) -> String {
        let id = unique("ERASE-");
        stack().create_order_in(account, &self.body(&id)).await;
        id
    }

    /// A carrier's webhook in the inbound log, to be processed.
    pub(super) async fn report(&self, account: &str, order: &str) -> EventId {
        self.report_as(account, order, "09:00:00", "").await
    }

    async fn report_as(&self, account: &str, order: &str, time: &str, more: &str) -> EventId {
        let body = json!({
            "awb": self.awb, "order_id": order, "shipment_status": "IN TRANSIT",
            "shipment_status_id": 18, "current_timestamp": format!("23 05 2023 {time}"),
            "scans": [{"date": format!("2023-05-23 {time}"), "activity": self.canary("note"),
                       "location": "Pune"}],
            "consignee": self.name, "more": more, "address": self.canary("address"),
        });
        insert_event(&inbound_event("shiprocket", Some(account), body.to_string())).await
    }

    /// A status by the shop, with a note.
    pub(super) async fn status(&self, account: &str, order: &str, status: &str) {
        let path = format!("{ORDERS}/{order}/status");
        let report = json!({"accountCode": account, "status": status, "note": self.canary("note")});
        let answer = stack().user("admin", "POST", &path, Some(&report)).await;
        assert_eq!(answer.status, 202, "{}", answer.json);
    }

    /// An order with reports that came before it, twice, with notes, messages, a conversation and a
    /// triggered batch with another order.
    pub(super) async fn live_through_an_order(&self, account: &str, other: &str) -> String {
        let id = unique("ERASE-");
        let early = self.report_as(account, &id, "09:00:00", "").await;
        assert!(process_event(&early, None).await.0);
        stack().create_order_in(account, &self.body(&id)).await;
        self.in_version(account, &id, 2).await;
        let repeated = self.report_as(account, &id, "09:00:00", "the same report").await;
        assert!(process_event(&repeated, None).await.0);
        self.status(account, &id, "out_for_delivery").await;
        self.in_version(account, &id, 3).await;
        self.talk(account, &id).await;
        let trigger = json!({"order_ids": [id, other], "account_code": account});
        let path = "/api/orders/trigger-webhook";
        let answer = stack().user("admin", "POST", path, Some(&trigger)).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        id
    }

    async fn in_version(&self, account: &str, id: &str, version: u64) {
        eventually(&format!("version {version} of {id}"), async || {
            let order = order(account, id).await;
            (order.json["version"] == version).then_some(())
        })
        .await;
    }

    async fn talk(&self, account: &str, id: &str) {
        let message = unique("wamid.");
        let body = json!({
            "order_id": id, "account_code": account, "message_status": "sent",
            "message_id": message,
        });
        let path = "/api/orders/message-tracking";
        let answer = stack().user("admin", "POST", path, Some(&body)).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
        let phone = self.contact();
        let status = |status: &str, at: u32| {
            json!({
                "id": message, "status": status, "timestamp": format!("17500300{at}"),
                "recipient_id": phone,
            })
        };
        let written = self.message();
        let answer = self.answer(&message);
        let mut again = written.clone();
        again["again"] = json!(true);
        for updates in [
            json!({"statuses": [status("delivered", 71)]}),
            json!({"statuses": [status("delivered", 71), status("sent", 70)]}),
            written,
            again,
            answer,
        ] {
            update(account, "messages", updates).await;
        }
        let stop = json!({"wa_id": phone, "value": "stop", "timestamp": 1_750_030_072});
        let call = json!({
            "id": unique("wacid."), "from": phone, "event": "terminate", "status": "COMPLETED",
            "direction": "USER_INITIATED", "timestamp": "1750030073",
        });
        let contacts = json!([{"profile": {"name": self.name}, "wa_id": phone}]);
        for (field, item) in [("user_preferences", stop), ("calls", call)] {
            update(account, field, json!({"contacts": contacts, field: [item]})).await;
        }
    }

    /// Writes to the business.
    pub(super) async fn writes(&self, account: &str) {
        update(account, "messages", self.message()).await;
    }

    fn message(&self) -> Value {
        let phone = self.contact();
        let text = json!({
            "from": phone, "id": unique("wamid."), "timestamp": "1750030070", "type": "text",
            "text": {"body": self.canary("body")},
        });
        json!({"contacts": [{"profile": {"name": self.name}, "wa_id": phone}], "messages": [text]})
    }

    /// To the message about the order, from an id that nothing links to the order's phone number.
    fn answer(&self, message: &str) -> Value {
        let user = format!("IN.1{}", self.phone);
        let button = json!({
            "from_user_id": user, "id": unique("wamid."), "timestamp": "1750030080", "type": "button",
            "button": {"text": self.canary("body"), "payload": self.canary("note")},
            "context": {"from": "15550783881", "id": message},
        });
        json!({"messages": [button]})
    }

    fn contact(&self) -> String {
        format!("91{}", self.phone)
    }
}

async fn update(account: &str, field: &str, updates: Value) {
    let event = inbound_event("whatsapp", Some(account), whatsapp(field, updates));
    let event = insert_event(&event).await;
    assert!(process_event(&event, None).await.0);
    let stored = stack().events(&Calls::default()).load(&event).await.unwrap().unwrap();
    assert_eq!(stored.state, EventState::Processed);
    pause().await;
}

fn whatsapp(field: &str, updates: Value) -> String {
    let mut value = updates;
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] = json!({"display_phone_number": "15550783881", "phone_number_id": "1"});
    let changes = json!([{"value": value, "field": field}]);
    json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]})
        .to_string()
}
