//! Webhooks of the carrier.

use std::collections::BTreeMap;

use domain::core::id::AccountCode;
use fastrand::Rng;
use serde_json::{Value, json};

use super::Actors;
use super::order::Plan;
use crate::lambda::ApiRequest;
use crate::ledger::{Promise, SentWebhook};
use crate::setup::{ACCOUNTS, HOOK, SOURCE_SECRET};

/// Shiprocket's ids and names of statuses.
const PICKED_UP: (u32, &str) = (42, "PICKED UP");
const IN_TRANSIT: (u32, &str) = (18, "IN TRANSIT");
const OUT_FOR_DELIVERY: (u32, &str) = (17, "OUT FOR DELIVERY");
const UNDELIVERED: (u32, &str) = (21, "UNDELIVERED");
const DELIVERED: (u32, &str) = (7, "DELIVERED");
const RTO_INITIATED: (u32, &str) = (9, "RTO INITIATED");
const RTO_DELIVERED: (u32, &str) = (10, "RTO DELIVERED");
const CANCELED: (u32, &str) = (8, "CANCELED");
const LOST: (u32, &str) = (12, "LOST");
const UNHEARD_OF: (u32, &str) = (999, "TELEPORTED");

/// All of them.
pub(super) const STATUSES: [(u32, &str); 10] = [
    PICKED_UP,
    IN_TRANSIT,
    OUT_FOR_DELIVERY,
    UNDELIVERED,
    DELIVERED,
    RTO_INITIATED,
    RTO_DELIVERED,
    CANCELED,
    LOST,
    UNHEARD_OF,
];

const JOURNEYS: [&[(u32, &str)]; 6] = [
    &[PICKED_UP, IN_TRANSIT, OUT_FOR_DELIVERY, DELIVERED],
    &[
        PICKED_UP,
        IN_TRANSIT,
        IN_TRANSIT,
        OUT_FOR_DELIVERY,
        UNDELIVERED,
        OUT_FOR_DELIVERY,
        DELIVERED,
    ],
    &[PICKED_UP, UNDELIVERED, RTO_INITIATED, RTO_DELIVERED],
    &[CANCELED],
    &[PICKED_UP, IN_TRANSIT, UNHEARD_OF, LOST],
    &[PICKED_UP, CANCELED, IN_TRANSIT, DELIVERED],
];

pub(crate) struct Journey(&'static [(u32, &'static str)]);

/// One status of a parcel, in the order of its journey.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    id: u32,
    label: &'static str,
    minute: usize,
}

impl Journey {
    pub(crate) fn draw(random: &mut Rng) -> Self {
        Self(JOURNEYS[random.usize(..JOURNEYS.len())])
    }

    pub(crate) fn reports(&self) -> Vec<Report> {
        let reports = self.0.iter().enumerate();
        reports.map(|(minute, (id, label))| Report { id: *id, label, minute }).collect()
    }
}

/// A webhook of a source about an account.
#[derive(Debug, Clone)]
pub(super) struct Webhook {
    source: &'static str,
    account: &'static str,
    pub(super) body: String,
    headers: BTreeMap<String, String>,
}

impl Webhook {
    pub(super) fn new(source: &'static str, account: &'static str, body: &Value) -> Self {
        let json = ("content-type".to_owned(), "application/json".to_owned());
        let webhook = Self { source, account, body: body.to_string(), headers: [json].into() };
        match source {
            "shiprocket" => webhook.with_header("x-api-key", SOURCE_SECRET),
            _ => webhook,
        }
    }

    pub(super) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    fn request(&self) -> ApiRequest {
        let path = if self.source == "shiprocket" { "carrier" } else { self.source };
        let is_first = self.account == ACCOUNTS[0];
        let hook = if is_first { String::new() } else { format!("/{HOOK}") };
        ApiRequest {
            method: "POST",
            path: format!("/webhooks/{path}{hook}"),
            headers: self.headers.clone(),
            body: self.body.clone(),
            ..ApiRequest::default()
        }
    }
}

impl Report {
    pub(super) const OUT_FOR_DELIVERY: Self =
        Self { id: OUT_FOR_DELIVERY.0, label: OUT_FOR_DELIVERY.1, minute: 0 };

    pub(super) fn webhook(&self, plan: &Plan) -> Webhook {
        let time = format!("01 03 2026 10:{:02}:00", self.minute);
        let body = json!({
            "awb": plan.awb, "courier_name": "Delhivery Surface",
            "current_status": self.label, "current_status_id": self.id,
            "shipment_status": self.label, "shipment_status_id": self.id,
            "current_timestamp": time, "order_id": plan.order_id, "sr_order_id": null,
            "etd": "2026-03-05 15:40:19", "scans": [], "is_return": 0,
            "consignee": "canary-consignee",
        });
        Webhook::new("shiprocket", plan.account, &body)
    }
}

impl Actors {
    pub(super) async fn send_webhook(&self, webhook: &Webhook) {
        let Ok(account) = AccountCode::parse(webhook.account) else { return };
        let answer = self.request_until_answered(&webhook.request()).await;
        let promise = match answer {
            Some(answer) if answer.is_success() => Promise::Accepted,
            Some(answer) => {
                let text = format!("a webhook is refused: {} {}", answer.status, answer.body);
                return self.world.lock().ledger.violation(text);
            }
            None => Promise::Unknown,
        };
        let (source, body) = (webhook.source, webhook.body.clone());
        let webhook = SentWebhook { source, account, body, promise };
        self.world.lock().ledger.webhooks.push(webhook);
    }
}
