//! What travels from whoever opens a run to whoever plans its shards, and from there to whoever asks the carrier.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Active, MAX_BATCH, Run, SHARDS};
use crate::core::hash::Fingerprint;
use crate::core::id::{AccountCode, Awb, OrderId, OrderKey};
use crate::core::timestamp::Timestamp;

/// The form of both messages that this program writes.
const VERSION: u8 = 1;

/// A shard of a run that has to be planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShardMessage {
    v: u8,
    /// The run.
    pub run: Run,
    /// The shard, below [`SHARDS`].
    pub shard: u8,
    /// How many batches of the run may be asked in a second, all shards together.
    pub calls_per_second: f64,
}

/// Orders that the carrier is asked about in one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchMessage {
    v: u8,
    /// The run.
    pub run: Run,
    /// The shard that planned it.
    pub shard: u8,
    /// Which of the shard's batches it is, counted from 0.
    pub k: u64,
    /// When it may be asked at the earliest.
    pub not_before: Timestamp,
    /// The account that asks with credentials of its own; `None` stands for the source's.
    pub credential: Option<AccountCode>,
    /// At least one, at most [`MAX_BATCH`].
    pub orders: Vec<PollItem>,
}

/// An order that the carrier is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollItem {
    /// Whose it is.
    pub account: AccountCode,
    /// The order.
    pub order_id: OrderId,
    /// What was known of it when the batch was planned.
    pub active: Active,
}

impl ShardMessage {
    /// Of a shard of a run.
    pub fn new(run: Run, shard: u8, calls_per_second: f64) -> Self {
        Self { v: VERSION, run, shard, calls_per_second }
    }

    /// The message's body.
    pub fn write(&self) -> String {
        write(self)
    }

    /// Reads a message's body; `None` if this program does not understand it.
    pub fn read(body: &str) -> Option<Self> {
        let usable = |message: &Self| {
            message.v == VERSION && message.shard < SHARDS && message.calls_per_second > 0.0
        };
        read(body).filter(usable)
    }
}

impl BatchMessage {
    /// Of a shard's batch.
    pub fn new(
        shard: &ShardMessage,
        k: u64,
        credential: Option<AccountCode>,
        orders: Vec<PollItem>,
    ) -> Self {
        let not_before = super::not_before(&shard.run, shard.shard, k, shard.calls_per_second);
        Self {
            v: VERSION,
            run: shard.run.clone(),
            shard: shard.shard,
            k,
            not_before,
            credential,
            orders,
        }
    }

    /// The message's body.
    pub fn write(&self) -> String {
        write(self)
    }

    /// Reads a message's body; `None` if this program does not understand it.
    pub fn read(body: &str) -> Option<Self> {
        let usable = |message: &Self| {
            message.v == VERSION
                && message.shard < SHARDS
                && (1..=MAX_BATCH).contains(&message.orders.len())
        };
        read(body).filter(usable)
    }

    /// What is asked. A shard that is planned again may put other orders under the same number.
    pub fn fingerprint(&self) -> String {
        let hash = Fingerprint::of("asked").with_option(self.credential.as_ref());
        let asked = self.orders.iter().fold(hash, |hash, order| {
            hash.with(&order.account).with(&order.order_id).with(&order.active.awb)
        });
        asked.finish()
    }
}

impl PollItem {
    /// The order's key.
    pub fn key(&self) -> OrderKey {
        OrderKey { account: self.account.clone(), order: self.order_id.clone() }
    }

    /// Its parcel.
    pub fn awb(&self) -> &Awb {
        &self.active.awb
    }
}

/// Our own types always have a JSON form.
fn write(message: &impl Serialize) -> String {
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

    fn shard() -> ShardMessage {
        let run =
            Run { id: "hourly-2026-01-20T10".to_owned(), started_at: minute(0), manual: false };
        ShardMessage::new(run, 3, 0.5)
    }

    fn asked(order: usize) -> PollItem {
        PollItem {
            account: AccountCode::parse("STORE001").unwrap(),
            order_id: OrderId::parse(&format!("ORD{order}")).unwrap(),
            active: Active::new(awb(&format!("{order}")), minute(0)).not_found(&shard().run),
        }
    }

    fn batch(orders: std::ops::Range<usize>) -> BatchMessage {
        BatchMessage::new(&shard(), 2, None, orders.map(asked).collect())
    }

    #[test]
    fn messages_come_back_as_they_were_sent() {
        assert_eq!(ShardMessage::read(&shard().write()), Some(shard()));
        assert_eq!(BatchMessage::read(&batch(0..50).write()), Some(batch(0..50)));
    }

    #[test]
    fn a_batch_has_its_time() {
        assert_eq!(batch(0..1).not_before.since(minute(0)).as_secs(), (2 * 16 + 3) * 2);
    }

    /// A body after something in it was set.
    fn changed(body: &str, name: &str, value: Value) -> String {
        let mut body: Value = serde_json::from_str(body).unwrap();
        body[name] = value;
        body.to_string()
    }

    #[test]
    fn what_no_program_of_this_version_wrote_is_not_read() {
        for (name, value) in [
            ("v", json!(2)),
            ("shard", json!(16)),
            ("calls_per_second", json!(0)),
            ("run", json!(1)),
        ] {
            assert_eq!(ShardMessage::read(&changed(&shard().write(), name, value)), None, "{name}");
        }
        for (name, value) in
            [("v", json!(0)), ("shard", json!(16)), ("orders", json!([])), ("k", json!(-1))]
        {
            assert_eq!(
                BatchMessage::read(&changed(&batch(0..1).write(), name, value)),
                None,
                "{name}"
            );
        }
        assert_eq!(BatchMessage::read(&batch(0..51).write()), None);
        assert_eq!(BatchMessage::read(""), None);
    }

    #[test]
    fn a_batch_is_what_it_asks() {
        let (one, two) = (batch(0..2), batch(1..3));
        let later = BatchMessage { k: 7, not_before: minute(9), ..one.clone() };
        assert_eq!(one.fingerprint(), later.fingerprint());
        assert_ne!(one.fingerprint(), two.fingerprint());
        let own = BatchMessage { credential: AccountCode::parse("STORE001").ok(), ..one.clone() };
        assert_ne!(one.fingerprint(), own.fingerprint());
    }
}
