//! The queue messages of a run: one per planner, one per batch to poll.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::batcher::Batch;
use super::poll_state::PollState;
use super::run::Run;
use super::shard::SHARDS;
use crate::core::hash::Fingerprint;
use crate::core::id::{AccountCode, Awb, OrderId, OrderKey};
use crate::core::timestamp::Timestamp;

/// The version of both messages that this release writes.
/// Maximum number of AWBs in one call (Shipway).
pub const MAX_BATCH: usize = 50;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanMessage {
    v: u8,
    pub run: Run,
    /// Below `planners`.
    pub planner: u8,
    /// The number of planners of the run: 1 to [`SHARDS`].
    pub planners: u8,
    /// The rate limit of the run, all planners together.
    pub calls_per_second: f64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchMessage {
    v: u8,
    pub run: Run,
    pub planner: u8,
    /// The number of the batch among those of its planner, from 0.
    pub k: u64,
    /// The batch is not polled before this time, so that all batches of the run share one rate
    /// limit.
    pub not_before: Timestamp,
    /// The account with credentials of its own; `None` means the source's credentials.
    pub credential: Option<AccountCode>,
    /// 1 to [`MAX_BATCH`].
    pub orders: Vec<PollItem>,
}

/// One order of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollItem {
    pub account: AccountCode,
    pub order_id: OrderId,
    /// The poll row when the batch was planned.
    pub active: PollState,
}

impl PlanMessage {
    /// The message version that this release writes.
    pub const VERSION: u8 = 1;

    pub fn new(run: Run, planner: u8, planners: u8, calls_per_second: f64) -> Self {
        Self { v: Self::VERSION, run, planner, planners, calls_per_second }
    }

    pub fn write(&self) -> String {
        write(self)
    }

    /// `None` for an unreadable message or another version.
    pub fn read(body: &str) -> Option<Self> {
        let is_valid = |message: &Self| {
            message.v == Self::VERSION
                && message.planner < message.planners
                && message.planners <= SHARDS
                && message.calls_per_second > 0.0
        };
        read(body).filter(is_valid)
    }
}

impl BatchMessage {
    /// The message version that this release writes.
    pub const VERSION: u8 = 1;

    /// The batch of a planner with this number and this turn.
    pub fn new(plan: &PlanMessage, k: u64, turn: u64, batch: Batch) -> Self {
        Self {
            v: Self::VERSION,
            run: plan.run.clone(),
            planner: plan.planner,
            k,
            not_before: plan.run.not_before(plan, turn),
            credential: batch.credential,
            orders: batch.orders,
        }
    }

    pub fn write(&self) -> String {
        write(self)
    }

    /// `None` for an unreadable message or another version.
    pub fn read(body: &str) -> Option<Self> {
        let is_valid = |message: &Self| {
            message.v == Self::VERSION
                && message.planner < SHARDS
                && (1..=MAX_BATCH).contains(&message.orders.len())
        };
        read(body).filter(is_valid)
    }

    /// Hash of the request to the carrier. A planner that is resumed may number its batches anew,
    /// so `k` does not count.
    pub fn fingerprint(&self) -> String {
        let hash = Fingerprint::of("asked").with_option(self.credential.as_ref());
        let hash = self.orders.iter().fold(hash, |hash, order| {
            hash.with(&order.account).with(&order.order_id).with(&order.active.awb)
        });
        hash.finish()
    }
}

impl PollItem {
    pub fn key(&self) -> OrderKey {
        OrderKey { account: self.account.clone(), order: self.order_id.clone() }
    }

    pub fn awb(&self) -> &Awb {
        &self.active.awb
    }
}

fn write(message: &impl Serialize) -> String {
    // String keys and finite floats: serialization cannot fail.
    serde_json::to_string(message).unwrap_or_default()
}

fn read<T: DeserializeOwned>(body: &str) -> Option<T> {
    serde_json::from_str(body).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{awb, minute};

    fn plan() -> PlanMessage {
        let run =
            Run { id: "hourly-2026-01-20T10".to_owned(), started_at: minute(0), manual: false };
        PlanMessage::new(run, 3, 5, 0.5)
    }

    fn item(order: usize) -> PollItem {
        PollItem {
            account: AccountCode::parse("STORE001").unwrap(),
            order_id: OrderId::parse(&format!("ORD{order}")).unwrap(),
            active: PollState::new(awb(&format!("{order}")), minute(0)).not_found(&plan().run),
        }
    }

    fn batch(orders: std::ops::Range<usize>) -> BatchMessage {
        let batch = Batch { credential: None, orders: orders.map(item).collect() };
        BatchMessage::new(&plan(), 7, 2, batch)
    }

    #[test]
    fn messages_round_trip() {
        assert_eq!(PlanMessage::read(&plan().write()), Some(plan()));
        assert_eq!(BatchMessage::read(&batch(0..50).write()), Some(batch(0..50)));
    }

    #[test]
    fn batches_of_all_planners_are_spread_over_time() {
        assert_eq!(batch(0..1).not_before.since(minute(0)).as_secs(), (2 * 5 + 3) * 2);
    }

    fn with(body: &str, name: &str, value: Value) -> String {
        let mut body: Value = serde_json::from_str(body).unwrap();
        body[name] = value;
        body.to_string()
    }

    #[test]
    fn rejects_other_versions_and_invalid_values() {
        for (name, value) in [
            ("v", json!(2)),
            ("planner", json!(5)),
            ("planners", json!(3)),
            ("planners", json!(17)),
            ("calls_per_second", json!(0)),
            ("run", json!(1)),
        ] {
            assert_eq!(PlanMessage::read(&with(&plan().write(), name, value)), None, "{name}");
        }
        for (name, value) in
            [("v", json!(0)), ("planner", json!(16)), ("orders", json!([])), ("k", json!(-1))]
        {
            assert_eq!(
                BatchMessage::read(&with(&batch(0..1).write(), name, value)),
                None,
                "{name}"
            );
        }
        assert_eq!(BatchMessage::read(&batch(0..51).write()), None);
        assert_eq!(BatchMessage::read(""), None);
    }

    #[test]
    fn the_fingerprint_depends_on_credential_and_orders_only() {
        let (one, two) = (batch(0..2), batch(1..3));
        let later = BatchMessage { k: 7, not_before: minute(9), ..one.clone() };
        assert_eq!(one.fingerprint(), later.fingerprint());
        assert_ne!(one.fingerprint(), two.fingerprint());
        let own = BatchMessage { credential: AccountCode::parse("STORE001").ok(), ..one.clone() };
        assert_ne!(one.fingerprint(), own.fingerprint());
    }
}
