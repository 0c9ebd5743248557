//! Webhooks about a shop's orders: by AWB, by the provider's id, by the order's id in some spelling.

use data_encoding::HEXLOWER;
use fastrand::Rng;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use super::Actors;
use super::shop::Shop;
use super::webhook::{STATUSES, Webhook};
use crate::setup::{ACCOUNTS, SHIPWAY_HASH, SOURCE_SECRET};

/// Shipway's codes.
const CODES: [&str; 10] = ["SCH", "PKP", "INT", "OOD", "UND", "DEL", "CAN", "RTO", "RSCH", "RDEL"];

/// eSahayak's events, with the words for the order.
const EVENTS: [(&str, &str); 4] = [
    ("stamp.uploaded", "COMPLETED"),
    ("stamp.failed", "FAILED"),
    ("order.delivered", "DELIVERED"),
    ("order.cancelled", "CANCELLED"),
];

/// A webhook that a carrier is going to send.
#[derive(Debug, Clone)]
pub(super) struct Sent(Webhook);

/// The names by which a report finds its order.
struct Names {
    awb: Option<String>,
    return_awb: Option<String>,
    id: Option<u64>,
    order: Option<String>,
}

impl Names {
    /// At least one of them.
    fn draw(shop: &Shop, order: usize, random: &mut Rng) -> Self {
        let mut names = Self {
            awb: (random.u8(..4) > 0).then(|| shop.awb(random)),
            return_awb: (random.u8(..6) == 0).then(|| shop.awb(random)),
            id: (random.u8(..3) == 0).then(|| shop.id(random)),
            order: (random.u8(..4) > 0).then(|| spelled(&shop.orders[order], random)),
        };
        if names.awb.is_none() && names.id.is_none() && names.order.is_none() {
            names.order = Some(shop.orders[order].clone());
        }
        names
    }
}

/// Carriers spell ids in ways of their own.
fn spelled(order: &str, random: &mut Rng) -> String {
    match random.u8(..8) {
        0 => format!("#{}", order.trim_start_matches('#')),
        1 => order.trim_start_matches('#').to_owned(),
        2 => format!("{order}_740007001"),
        _ => order.to_owned(),
    }
}

impl Sent {
    pub(super) fn draw(shop: &Shop, order: usize, number: usize, random: &mut Rng) -> Self {
        Self(match random.u8(..8) {
            0 | 1 => shipway(shop, order, random),
            2 => esahayak(shop, number, random),
            _ => shiprocket(shop, &Names::draw(shop, order, random), random),
        })
    }
}

impl Sent {
    /// A report of Shiprocket.
    pub(super) fn of(
        account: &'static str,
        awb: Option<&str>,
        provider_id: Option<u64>,
        order: &str,
        label: &str,
        minute: usize,
    ) -> Self {
        let id = STATUSES.iter().find(|(_, it)| *it == label).map(|(id, _)| *id);
        let body = json!({
            "awb": awb, "sr_order_id": provider_id, "order_id": order, "shipment_status": label, "shipment_status_id": id,
            "current_timestamp": format!("01 03 2026 10:{minute:02}:00"), "scans": [],
        });
        Self(Webhook::new("shiprocket", account, &body))
    }
}

/// Two days and hours; some are after the order was created.
fn time(random: &mut Rng) -> (&'static str, u8, u8) {
    let minute = random.u8(..60);
    if random.u8(..6) == 0 { ("02", 11, 25 + minute % 15) } else { ("01", 10, minute) }
}

fn shiprocket(shop: &Shop, names: &Names, random: &mut Rng) -> Webhook {
    let (id, label) = STATUSES[random.usize(..STATUSES.len())];
    let (day, hour, minute) = time(random);
    let body = json!({
        "awb": names.awb, "return_awb_code": names.return_awb, "sr_order_id": names.id,
        "order_id": names.order, "courier_name": "Delhivery Surface",
        "shipment_status": label, "shipment_status_id": id,
        "current_timestamp": format!("{day} 03 2026 {hour:02}:{minute:02}:00"),
        "is_return": u8::from(random.u8(..8) == 0), "consignee": "canary-consignee",
        "scans": [{"date": format!("2026-03-{day} {hour:02}:{minute:02}:00"),
                   "activity": label, "location": "Sampleville"}],
    });
    Webhook::new("shiprocket", shop.account, &body)
}

/// A feed of up to three items, or one item as a push.
fn shipway(shop: &Shop, order: usize, random: &mut Rng) -> Webhook {
    let mut item = || {
        let names = Names::draw(shop, order, random);
        let (day, hour, minute) = time(random);
        json!({
            "order_id": names.order.as_ref().unwrap_or(&shop.orders[order]),
            "awbno": names.awb, "reverse_tracking_number": names.return_awb,
            "current_status": CODES[random.usize(..CODES.len())],
            "status_time": format!("2026-03-{day} {hour:02}:{minute:02}:30"),
            "carrier": "Delhivery", "first_name": "canary-name",
        })
    };
    let items = [item(), item(), item()];
    let body = match random.usize(..4) {
        // The plain path needs a hash, which only a feed has.
        0 if shop.account != ACCOUNTS[0] => items[0].clone(),
        count => json!({ "hash": SHIPWAY_HASH, "status_feed": items[..count.max(1)] }),
    };
    Webhook::new("shipway", shop.account, &body)
}

fn esahayak(shop: &Shop, number: usize, random: &mut Rng) -> Webhook {
    let (kind, words) = EVENTS[random.usize(..EVENTS.len())];
    let minute = random.u8(..60);
    let body = json!({
        "id": format!("event-{}-{number}", shop.number), "type": kind,
        "created_at": format!("2026-03-01T04:{minute:02}:00Z"),
        "data": { "order": { "id": shop.id(random).to_string(), "status": words } },
    });
    let webhook = Webhook::new("esahayak", shop.account, &body);
    let signature = signature(&webhook.body);
    webhook.with_header("x-esahayak-event", kind).with_header("x-webhook-signature", &signature)
}

fn signature(body: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(SOURCE_SECRET.as_bytes()) else {
        return String::new();
    };
    mac.update(body.as_bytes());
    format!("sha256={}", HEXLOWER.encode(&mac.finalize().into_bytes()))
}

impl Actors {
    pub(super) async fn send(&self, sent: &Sent) {
        self.send_webhook(&sent.0).await;
    }
}
