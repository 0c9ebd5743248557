//! Stories of orders and their parcels, from the HTTP request to the deliveries.

mod attempts;
mod journeys;
mod names;
mod replaced;
mod returns;

use domain::core::timestamp::Timestamp;
use serde_json::{Value, json};

use crate::support::{
    Endpoint, Received, check_delivery, detail, eventually, eventually_ok, seconds_from_now, stack,
    unique,
};

const ORDERS: &str = "/api/external/orders";

/// Our status, and Shiprocket's id and label for it.
const WORDS: [(&str, u32, &str); 12] = [
    ("processing", 52, "SHIPMENT BOOKED"),
    ("picked_up", 42, "PICKED UP"),
    ("in_transit", 18, "IN TRANSIT"),
    ("out_for_delivery", 17, "OUT FOR DELIVERY"),
    ("undelivered", 21, "UNDELIVERED"),
    ("delivered", 7, "DELIVERED"),
    ("lost", 12, "LOST"),
    ("cancelled", 8, "CANCELED"),
    ("return_initiated", 9, "RTO INITIATED"),
    ("return_in_transit", 46, "RTO IN TRANSIT"),
    ("returned", 10, "RTO DELIVERED"),
    ("unknown", 0, "NEW ORDER"),
];

/// An order and its parcels, which have the names `A`, `B`, … here.
struct Story {
    order_id: String,
    /// The AWB of a parcel is this and two digits.
    awbs: String,
    /// The hours of reports count from here.
    start: Timestamp,
}

impl Story {
    fn new() -> Self {
        let start = seconds_from_now(-100 * 60 * 60);
        Self { order_id: unique("ORD-"), awbs: unique("19"), start }
    }

    /// Creates the order with the parcel `A`.
    async fn with_parcel() -> Self {
        let story = Self::new();
        story.create(json!({"awb": story.awb("A")})).await;
        story
    }

    /// Another order, whose parcels are spelled with the same names.
    fn beside(&self) -> Self {
        Self { order_id: unique("ORD-"), awbs: self.awbs.clone(), start: self.start }
    }

    fn path(&self) -> String {
        format!("{ORDERS}/{}", self.order_id)
    }

    fn awb(&self, name: &str) -> String {
        format!("{}{}", self.awbs, name.as_bytes()[0])
    }

    async fn create(&self, mut body: Value) {
        body["orderId"] = json!(self.order_id);
        stack().create_order(&body).await;
    }

    async fn patch(&self, body: Value) {
        let answer = stack().vendor("PATCH", &self.path(), Some(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
    }

    async fn name(&self, awb: &str) {
        self.patch(json!({"awb": self.awb(awb)})).await;
    }

    async fn add(&self, awb: &str) {
        let body = json!({"awb": self.awb(awb)});
        let path = format!("{}/shipments", self.path());
        let answer = stack().vendor("POST", &path, Some(&body)).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
    }

    /// A status of the shop's own.
    async fn says(&self, status: &str, hour: u32) {
        let body = json!({"status": status, "occurredAt": self.time(hour).to_string()});
        let path = format!("{}/status", self.path());
        let answer = stack().vendor("POST", &path, Some(&body)).await;
        assert_eq!(answer.status, 202, "{}", answer.json);
        settled(answer.json["reportId"].as_str().unwrap()).await;
    }

    async fn withdraw(&self, report: &str) {
        let path = format!("{}/timeline/{report}?accountCode=STORE001", self.path());
        let answer = stack().user("admin", "DELETE", &path, None).await;
        assert_eq!(answer.status, 202, "{}", answer.json);
    }

    fn time(&self, hour: u32) -> Timestamp {
        Timestamp::from_millis(self.start.millis() + i64::from(hour) * 3_600_000).unwrap()
    }

    /// A carrier's report, e.g. `A in_transit` in the fifth hour.
    fn report(&self, words: &str, hour: u32) -> Value {
        self.report_at(words, self.time(hour))
    }

    fn report_at(&self, words: &str, at: Timestamp) -> Value {
        let (awb, status) = words.split_once(' ').unwrap();
        let (_, id, label) = WORDS.iter().find(|(name, ..)| *name == status).unwrap();
        json!({
            "awb": self.awb(awb), "courier_name": "Example Surface",
            "current_status": label, "shipment_status": label, "shipment_status_id": id,
            "current_timestamp": at.to_string(), "order_id": self.order_id, "is_return": 0,
            "scans": [],
        })
    }

    async fn reported(&self, words: &str, hour: u32) {
        send(&self.report(words, hour)).await;
    }

    /// Waits until the order's status and parcels are as described: `status: parcel, parcel`, where
    /// a parcel is its name, its status and what else is to be said about it.
    async fn is(&self, expected: &str) -> Value {
        let seen = async || {
            let order = stack().order(&self.order_id).await;
            let described = self.describe(&order);
            if described == expected { Ok(order) } else { Err(described) }
        };
        eventually_ok(&format!("{} to be {expected}", self.order_id), seen).await
    }

    /// Waits until the order has these reports, the newest first. Those of a parcel that moves are
    /// copied one after another.
    async fn has_reports(&self, expected: &[&str]) {
        let seen = async || {
            let order = stack().order(&self.order_id).await;
            let reports = entries(&order).into_iter().filter(|it| it.contains('_'));
            let reports: Vec<String> = reports.collect();
            if reports == expected { Ok(()) } else { Err(reports.join(", ")) }
        };
        eventually_ok(&format!("{} to have {expected:?}", self.order_id), seen).await
    }

    fn describe(&self, order: &Value) -> String {
        let parcels = order["shipments"].as_array().unwrap().iter().map(|it| self.parcel(it));
        let parcels: Vec<String> = parcels.collect();
        format!("{}: {}", order["status"].as_str().unwrap(), parcels.join(", "))
    }

    fn parcel(&self, shipment: &Value) -> String {
        let awb = shipment["awb"].as_str().unwrap().trim_start_matches('0');
        let name = awb.strip_prefix(&self.awbs).unwrap().parse::<u8>().unwrap();
        let mut words = vec![char::from(name).to_string()];
        words.push(shipment["status"].as_str().unwrap().to_owned());
        if shipment["deliveryAttempts"] != 0 {
            words.push(format!("x{}", shipment["deliveryAttempts"]));
        }
        let marks = [
            ("return", shipment["direction"] == "return"),
            ("learnt", shipment["learnt"] == true),
            ("replaced", shipment["replaced"] == true),
        ];
        words.extend(marks.iter().filter(|(_, is_so)| *is_so).map(|(mark, _)| (*mark).to_owned()));
        words.join(" ")
    }

    /// Checks the statuses that endpoints of each format are told of, in this order. A format with
    /// one row a parcel repeats the order's status where only a parcel has changed.
    async fn told(&self, expected: &[&str]) {
        for endpoint in stack().endpoints.values() {
            let what = format!("{} deliveries of {}", endpoint.format, self.order_id);
            let told = async || {
                let mut told = told_on(endpoint, &self.order_id).await;
                if endpoint.format == "status_update" {
                    told.dedup();
                }
                if told == expected { Ok(()) } else { Err(format!("{told:?}")) }
            };
            eventually_ok(&what, told).await;
        }
    }
}

async fn told_on(endpoint: &Endpoint, order_id: &str) -> Vec<String> {
    let received = stack().received(order_id).await;
    let mut told: Vec<(u64, String)> = Vec::new();
    for request in received.iter().filter(|it| it.path == endpoint.path()) {
        check_delivery(&endpoint.format, request);
        told.extend(changes(order_id, request));
    }
    told.sort();
    told.into_iter().map(|(_, status)| status).collect()
}

/// The order's changes in a delivery, by their sequence: a status, and the attempts beyond none.
fn changes(order_id: &str, request: &Received) -> Vec<(u64, String)> {
    let body = request.json();
    let bodies = match (&body["orders"], &body["data"]) {
        (Value::Array(orders), _) => orders.clone(),
        (_, data @ Value::Object(_)) => vec![data.clone()],
        _ => vec![body],
    };
    let field = |body: &Value, names: [&str; 2]| {
        names.iter().find_map(|name| body.get(name)).unwrap().clone()
    };
    let ours = bodies.iter().filter(|it| field(it, ["order_id", "orderId"]) == order_id);
    let change = |body: &Value| {
        let status = body["status"].as_str().unwrap();
        let attempts = field(body, ["delivery_attempts", "deliveryAttempts"]).as_u64().unwrap();
        let attempts = if attempts > 0 { format!(" x{attempts}") } else { String::new() };
        (body["sequence"].as_u64().unwrap(), format!("{status}{attempts}"))
    };
    ours.map(change).collect()
}

/// Sends a carrier's webhook and waits until it is processed.
async fn send(body: &Value) -> Value {
    let answer = stack().webhook(body).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    settled(&answer.event_id()).await
}

async fn settled(event: &str) -> Value {
    eventually(&format!("{event} to be settled"), async || {
        Some(detail(event).await).filter(|event| event["status"] != "received")
    })
    .await
}

/// Status and reason of the entries of a timeline, newest first. Those of the shop's facts have
/// words instead.
fn entries(order: &Value) -> Vec<String> {
    let entry = |entry: &Value| {
        let status = entry["status"].as_str().or(entry["sourceStatus"].as_str()).unwrap();
        match entry["reason"].as_str() {
            Some(reason) => format!("{status} {reason}"),
            None => status.to_owned(),
        }
    };
    order["timeline"].as_array().unwrap().iter().map(entry).collect()
}
