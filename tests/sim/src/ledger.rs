//! What callers were promised, and what customers' servers received.

use std::collections::{BTreeMap, BTreeSet};

use domain::core::id::{AccountCode, Awb, OrderKey, ReportId};
use domain::webhooks::delivery::Delivery;
use serde_json::Value;

use crate::sandbox::SandboxId;

pub(crate) mod messages;
pub(crate) mod polling;
pub(crate) mod sends;
pub(crate) mod sockets;

#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) webhooks: Vec<SentWebhook>,
    pub(crate) orders: BTreeMap<OrderKey, Promise>,
    /// What shops said about orders.
    pub(crate) sayings: Vec<Saying>,
    /// Every delivery that was queued, by its id.
    pub(crate) deliveries: BTreeMap<String, Queued>,
    /// Requests of operators to send the current state of orders.
    pub(crate) triggers: Vec<Trigger>,
    /// Dead letters that were sent back: delivery and `run`.
    pub(crate) redriven: Vec<(String, u32)>,
    /// Deliveries that operators had sent again, with the `run` that they were told of.
    pub(crate) replayed: Vec<(String, u32)>,
    pub(crate) posts: Vec<Post>,
    pub(crate) messages: messages::MessagesLedger,
    pub(crate) sends: sends::SendsLedger,
    pub(crate) polling: polling::PollingLedger,
    pub(crate) sockets: sockets::SocketsLedger,
    /// Runs of polling of which a function logged the end.
    pub(crate) finished_runs: BTreeSet<String>,
    violations: Vec<String>,
}

/// What the sender of a request knows about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Promise {
    /// No request of it had an effect.
    None,
    /// No answer arrived, or only errors: it may have had an effect.
    Unknown,
    /// A 2xx.
    Accepted,
}

/// A webhook, with all its repeats.
#[derive(Debug, Clone)]
pub(crate) struct SentWebhook {
    pub(crate) source: &'static str,
    pub(crate) account: AccountCode,
    pub(crate) body: String,
    pub(crate) promise: Promise,
}

/// A delivery that was queued, at these times.
#[derive(Debug, Clone)]
pub(crate) struct Queued {
    pub(crate) delivery: Delivery,
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// By a request of an operator.
    pub(crate) is_triggered: bool,
}

/// A request of an operator to send the current state of orders.
#[derive(Debug, Clone)]
pub(crate) struct Trigger {
    pub(crate) account: AccountCode,
    pub(crate) orders: Vec<String>,
    pub(crate) promise: Promise,
    pub(crate) from: u64,
    pub(crate) until: u64,
    /// Those that the answer names.
    pub(crate) deliveries: Vec<String>,
}

/// What a shop said about an order, in one request with its repeats.
#[derive(Debug, Clone)]
pub(crate) struct Saying {
    pub(crate) order: OrderKey,
    pub(crate) what: What,
    pub(crate) promise: Promise,
    /// When the first try began.
    pub(crate) from: u64,
    /// The last time at which it can have had an effect.
    pub(crate) until: u64,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    /// The value of a field; `None` clears it.
    Field(Field, Option<String>),
    /// A further parcel.
    Added(Awb),
    /// A status, which its note identifies. Each of so many tries may be a report of its own.
    Status { note: String, awb: Option<Awb>, at_most: u32 },
    /// A report is taken back.
    Withdrawn(ReportId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    Awb,
    ReturnAwb,
    Shiprocket,
    Esahayak,
    Phone,
}

/// A POST that arrived at a customer's server.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) endpoint: String,
    pub(crate) id: String,
    pub(crate) run: u64,
    pub(crate) body: Vec<u8>,
    pub(crate) sandbox: SandboxId,
    pub(crate) at: u64,
    /// The server took it, whether or not its answer arrived.
    pub(crate) is_taken: bool,
    /// The wait that it asked for.
    pub(crate) asked_ms: u64,
}

impl Ledger {
    /// Records the creation of an order. Of several, the best known one counts.
    pub(crate) fn order(&mut self, key: OrderKey, promise: Promise) {
        let known = self.orders.entry(key).or_insert(promise);
        *known = promise.max(*known);
    }

    /// Records a delivery that is queued. One that is queued again tells of the same changes.
    pub(crate) fn delivery(&mut self, delivery: Delivery, is_triggered: bool, now: u64) {
        let id = delivery.id.clone();
        let queued = Queued { delivery, first: now, last: now, is_triggered };
        let known = self.deliveries.entry(id.clone()).or_insert_with(|| queued.clone());
        known.last = now;
        if changes(&known.delivery) != changes(&queued.delivery) {
            self.violation(format!("{id} is queued again for other changes"));
        }
    }

    /// Records a broken promise.
    pub(crate) fn violation(&mut self, text: String) {
        if !self.violations.contains(&text) {
            self.violations.push(text);
        }
    }

    pub(crate) fn violations(&self) -> &[String] {
        &self.violations
    }
}

/// Account, orders and versions. The rest of a body is as of the time when it is written.
fn changes(delivery: &Delivery) -> Vec<String> {
    let body: Value = serde_json::from_str(&delivery.body).unwrap_or_default();
    let rows = match (&body["orders"], &body["data"]) {
        (Value::Array(orders), _) => orders.iter().collect(),
        (_, data @ Value::Object(_)) => vec![data],
        _ => vec![&body],
    };
    let row = |row: &&Value| {
        ["orderId", "order_id", "sequence"].map(|name| row[name].to_string()).join(" ")
    };
    let mut changes: Vec<String> = rows.iter().map(row).collect();
    changes.extend(delivery.account.as_ref().map(ToString::to_string));
    changes
}
