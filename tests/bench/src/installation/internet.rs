//! The servers of others: customers' endpoints, the carrier's tracking API and the Cloud API.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use domain::core::timestamp::Timestamp;
use serde_json::json;

use crate::http::{Request, Response};
use crate::sync::orders::{Order, Orders};
use crate::sync::tracking_answers;
use crate::sync::usage::lock;

const CARRIER: &str = "/api/tracking?awb_numbers=";
/// A path of an endpoint that never answers.
pub(crate) const DEAD: &str = "/dead";
const NEVER: Duration = Duration::from_secs(60);

/// A POST that a customer's server got.
pub(crate) struct Arrival {
    pub(crate) at: Instant,
    /// Of the delivery.
    pub(crate) id: String,
    pub(crate) body: Vec<u8>,
}

type Watch = Box<dyn Fn(Arrival) + Send>;

#[derive(Default)]
pub(crate) struct Internet {
    url: Mutex<String>,
    /// Before customers' servers answer.
    delay: Mutex<Duration>,
    watch: Mutex<Option<Watch>>,
}

impl Internet {
    pub(crate) fn url(&self) -> String {
        lock(&self.url).clone()
    }

    pub(super) fn set_url(&self, url: String) {
        *lock(&self.url) = url;
    }

    pub(crate) fn set_delay(&self, delay: Duration) {
        *lock(&self.delay) = delay;
    }

    pub(crate) fn watch(&self, watch: impl Fn(Arrival) + Send + 'static) {
        *lock(&self.watch) = Some(Box::new(watch));
    }

    pub(crate) fn unwatch(&self) {
        *lock(&self.watch) = None;
    }

    pub(super) fn answer(&self, request: &Request) -> Response {
        let at = Instant::now();
        if let Some(query) = request.path.strip_prefix(CARRIER) {
            return track(query);
        }
        if request.path.ends_with("/messages") {
            return accept_message(request);
        }
        if request.path.starts_with(DEAD) {
            std::thread::sleep(NEVER);
        }
        lock(&self.watch).iter().for_each(|watch| {
            let id = request.header("webhook-id").to_owned();
            watch(Arrival { at, id, body: request.body.clone() });
        });
        let delay = *lock(&self.delay);
        if !delay.is_zero() {
            std::thread::sleep(delay);
        }
        Response::new(200, "{}")
    }
}

/// Of each parcel the carrier knows a scan.
fn track(query: &str) -> Response {
    let orders = Orders::new(u32::MAX.into(), Timestamp::EPOCH);
    let awbs = query.split('&').next().unwrap_or_default();
    let found: Vec<Order> = awbs.split(',').filter_map(|awb| orders.by_awb(awb)).collect();
    Response::new(200, tracking_answers::answer(&found))
}

fn accept_message(request: &Request) -> Response {
    let id = format!("wamid.{}", request.body.len());
    let contact = json!({ "input": "919876543210", "wa_id": "919876543210" });
    let answer = json!({
        "messaging_product": "whatsapp", "contacts": [contact],
        "messages": [{ "id": id, "message_status": "accepted" }],
    });
    Response::new(200, answer.to_string())
}
