//! A batch counts once, however often it is asked: the counters of its shard move in the transaction that notes its end.
//!
//! A planner that was killed may have sent a batch that nobody knows of, and its successor another one of the same
//! number with other orders. Both are asked. The number comes to its end with the first of them.

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{ReturnValue, Update};
use domain::core::timestamp::Timestamp;
use domain::polling::{BatchMessage, PollCounts};

use super::shards::unhindered;
use super::{Runs, flag, key, parts, shard_key};
use crate::error::IoError;
use crate::tables::attr::{Item, number, read_number, text, texts, ttl};
use crate::tables::contention::pause;
use crate::tables::transaction::{Write, transact};

/// A batch is asked within this time, or never.
const DAYS: u64 = 2;
/// How often the counters are written again because others wrote them at the same time.
const TRIES: u32 = 12;

/// How a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The carrier answered.
    Answered(PollCounts),
    /// It was asked in vain for the last time.
    GivenUp,
}

impl Runs {
    /// Whether the carrier has answered all that this batch asks, and that is counted.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn is_answered(&self, batch: &BatchMessage) -> Result<bool, IoError> {
        let row = self.get(batch_key(batch)).await?;
        Ok(row.is_some_and(|row| answers(&row, &batch.fingerprint())))
    }

    /// Notes that a batch was asked in vain; how often that was.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn asked_in_vain(
        &self,
        batch: &BatchMessage,
        now: Timestamp,
    ) -> Result<u32, IoError> {
        let update = self
            .update(batch_key(batch))
            .update_expression("SET #ttl = :ttl ADD attempts :one")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":ttl", ttl(now, DAYS))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew);
        let row = unhindered(update).await?.unwrap_or_default();
        read_number(&row, "attempts")
            .ok_or_else(|| IoError::unreadable("dynamodb:UpdateItem", "attempts"))
    }

    /// PollCounts what came of a batch, unless that was done before.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn count(
        &self,
        batch: &BatchMessage,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<(), IoError> {
        if self.count_as(batch, outcome, true, now).await? {
            return Ok(());
        }
        // Its number had ended before. Only one more answer is news.
        match outcome {
            Outcome::Answered(_) => self.count_as(batch, outcome, false, now).await.map(drop),
            Outcome::GivenUp => Ok(()),
        }
    }

    /// Whether it was counted: not as the first end of a number that has ended, and no answer twice.
    async fn count_as(
        &self,
        batch: &BatchMessage,
        outcome: Outcome,
        first: bool,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        for attempt in 0..TRIES {
            let end = Write::Update(self.end(batch, outcome, first, now));
            let counters = Write::Update(self.counters(batch, outcome, first));
            match transact(&self.client, vec![end, counters]).await? {
                Ok(()) => return Ok(true),
                Err(cancelled) if cancelled.failed(0) => return Ok(false),
                Err(_conflict) => pause(attempt).await,
            }
        }
        Err(IoError::Transient {
            call: "dynamodb:TransactWriteItems",
            code: "contention".to_owned(),
        })
    }

    fn end(
        &self,
        batch: &BatchMessage,
        outcome: Outcome,
        first: bool,
        now: Timestamp,
    ) -> UpdateBuilder {
        let condition = if first {
            "attribute_not_exists(ended)"
        } else {
            "attribute_not_exists(answered) OR NOT contains(answered, :asked)"
        };
        let fingerprint = batch.fingerprint();
        let mut update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(batch_key(batch)))
            .condition_expression(condition)
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":ttl", ttl(now, DAYS))
            .expression_attribute_values(":true", flag());
        if !first {
            update = update.expression_attribute_values(":asked", text(&fingerprint));
        }
        match outcome {
            Outcome::GivenUp => update.update_expression("SET ended = :true, #ttl = :ttl"),
            Outcome::Answered(_) => update
                .update_expression("SET ended = :true, #ttl = :ttl ADD answered :answered")
                .expression_attribute_values(":answered", texts([fingerprint.as_str()])),
        }
    }

    fn counters(&self, batch: &BatchMessage, outcome: Outcome, first: bool) -> UpdateBuilder {
        let counts = match outcome {
            Outcome::Answered(counts) => counts,
            Outcome::GivenUp => PollCounts::default(),
        };
        let ended = match (first, outcome) {
            (false, _) => "",
            (true, Outcome::Answered(_)) => ", done :one",
            (true, Outcome::GivenUp) => ", failed :one",
        };
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(shard_key(&batch.run.id, batch.shard)))
            .update_expression(format!(
                "ADD asked :asked, changed :changed, #unknown :unknown{ended}"
            ))
            .expression_attribute_names("#unknown", "unknown")
            .expression_attribute_values(":asked", number(counts.asked))
            .expression_attribute_values(":changed", number(counts.changed))
            .expression_attribute_values(":unknown", number(counts.unknown));
        if first { update.expression_attribute_values(":one", number(1)) } else { update }
    }
}

fn batch_key(batch: &BatchMessage) -> Item {
    key(parts(&batch.run.id), format!("batch:{:02}:{}", batch.shard, batch.k))
}

fn answers(row: &Item, fingerprint: &str) -> bool {
    let answered = row.get("answered").and_then(|value| value.as_ss().ok());
    answered.is_some_and(|answered| answered.iter().any(|known| known == fingerprint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_may_stand_for_two_batches() {
        let row = |fingerprints: &[&str]| {
            Item::from([("answered".to_owned(), texts(fingerprints.iter().copied()))])
        };
        assert!(answers(&row(&["a", "b"]), "b"));
        assert!(!answers(&row(&["a"]), "b"));
        assert!(!answers(&Item::new(), "b"));
    }
}
