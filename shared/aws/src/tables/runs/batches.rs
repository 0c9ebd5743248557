//! Counts each batch once, however often it is polled: one transaction records its end and adds to
//! the counters of its planner.
//!
//! After a crash, two batches may have the same number: the crashed planner sent one before it
//! could store its progress, and its successor sent another, with other orders. Both are polled.
//! The first of them ends the number.

use aws_sdk_dynamodb::types::ReturnValue;
use domain::core::timestamp::Timestamp;
use domain::polling::{BatchMessage, Halving, PollCounts};

use super::{Runs, flag, parts_pk, planner_key};
use crate::error::IoError;
use crate::tables::attr::{Item, json, number, read_number, read_texts, text, texts, ttl};
use crate::tables::contention::{Try, retry};
use crate::tables::expression::attr;
use crate::tables::keys::key;
use crate::tables::transaction::{TransactionOutcome, transact};
use crate::tables::update::Changes;
use crate::tables::write::Write;

/// No batch is polled after this time.
const RETENTION_DAYS: u64 = 2;
/// How often the counters are written while other batches of the planner are counted.
const TRIES: u32 = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchOutcome<'a> {
    Answered(PollCounts),
    /// The last retry failed, for this reason: a status code, or an error's name. `None` if another
    /// batch has told it. If the batch comes again and is answered, that outcome also counts the
    /// parts that are answered by now.
    GivenUp(Option<&'a str>),
}

/// A number ends once, but two batches may have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    First,
    Further,
}

impl Runs {
    /// Records a failed attempt of a batch, and its parts. Returns the number of attempts in a row.
    pub async fn record_failure(
        &self,
        batch: &BatchMessage,
        halving: Option<&Halving>,
        now: Timestamp,
    ) -> Result<u32, IoError> {
        let changes = parts(halving, now)?.add("attempts", number(1));
        let update = self.update(batch_key(batch), changes).returning(ReturnValue::UpdatedNew);
        let row = update.send(&self.client).await?.applied().unwrap_or_default();
        read_number(&row, "attempts")
            .ok_or_else(|| IoError::unreadable("dynamodb:UpdateItem", "attempts"))
    }

    /// Stores how far a batch is polled in parts, after the carrier has answered: its failures in a
    /// row begin anew.
    pub async fn save_halving(
        &self,
        batch: &BatchMessage,
        halving: &Halving,
        now: Timestamp,
    ) -> Result<(), IoError> {
        let changes = parts(Some(halving), now)?.set("attempts", number(0));
        let update = self.update(batch_key(batch), changes);
        update.send(&self.client).await.map(drop)
    }

    /// Counts the outcome of a batch, unless it is counted already.
    pub async fn count(
        &self,
        batch: &BatchMessage,
        outcome: BatchOutcome<'_>,
        now: Timestamp,
    ) -> Result<(), IoError> {
        if self.count_as(batch, outcome, End::First, now).await? {
            return Ok(());
        }
        // The number has ended already: only another answer adds to the counters.
        match outcome {
            BatchOutcome::Answered(_) => {
                self.count_as(batch, outcome, End::Further, now).await.map(drop)
            }
            BatchOutcome::GivenUp(_) => Ok(()),
        }
    }

    /// `false` if the number has ended already, or the same answer is counted already.
    async fn count_as(
        &self,
        batch: &BatchMessage,
        outcome: BatchOutcome<'_>,
        end: End,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let counted = retry(TRIES, || async {
            let writes = vec![
                self.end(batch, outcome, end, now),
                self.update(planner_key(&batch.run.id, batch.planner), counters(outcome, end)),
            ];
            Ok::<_, IoError>(match transact(&self.client, writes).await? {
                TransactionOutcome::Committed => Try::Done(true),
                TransactionOutcome::Cancelled(cancelled) if cancelled.condition_failed(0) => {
                    Try::Done(false)
                }
                TransactionOutcome::Cancelled(_) => Try::Contended,
            })
        });
        counted.await?.ok_or_else(|| IoError::contention("dynamodb:TransactWriteItems"))
    }

    fn end(
        &self,
        batch: &BatchMessage,
        outcome: BatchOutcome<'_>,
        end: End,
        now: Timestamp,
    ) -> Write {
        let fingerprint = batch.fingerprint();
        let mut changes = Changes::new().set("ended", flag()).set("ttl", ttl(now, RETENTION_DAYS));
        if let BatchOutcome::Answered(_) = outcome {
            changes = changes.add("answered", texts([fingerprint.as_str()]));
        }
        let condition = match end {
            End::First => attr("ended").absent(),
            End::Further => {
                let is_counted = attr("answered").contains(text(&fingerprint));
                attr("answered").absent().or(is_counted.negated())
            }
        };
        self.update(batch_key(batch), changes).only_if(condition)
    }
}

fn counters(outcome: BatchOutcome<'_>, end: End) -> Changes {
    let (changes, ended) = match outcome {
        BatchOutcome::Answered(counts) => {
            let changes = Changes::new()
                .add("asked", number(counts.asked))
                .add("changed", number(counts.changed))
                .add("unknown", number(counts.unknown));
            (changes, "done")
        }
        BatchOutcome::GivenUp(None) => (Changes::new(), "failed"),
        BatchOutcome::GivenUp(Some(reason)) => {
            (Changes::new().add("failures", texts([reason])), "failed")
        }
    };
    match end {
        End::First => changes.add(ended, number(1)),
        End::Further => changes,
    }
}

fn parts(halving: Option<&Halving>, now: Timestamp) -> Result<Changes, IoError> {
    let changes = Changes::new().set("ttl", ttl(now, RETENTION_DAYS));
    Ok(match halving {
        Some(halving) => changes.set("halving", json(halving)?),
        None => changes,
    })
}

pub(super) fn batch_key(batch: &BatchMessage) -> Item {
    key(parts_pk(&batch.run.id), format!("{}{}", batch_prefix(batch.planner), batch.k))
}

/// Of the sort keys of a planner's batches.
pub(super) fn batch_prefix(planner: u8) -> String {
    format!("batch:{planner:02}:")
}

pub(super) fn is_answer_to(row: &Item, fingerprint: &str) -> bool {
    read_texts(row, "answered").iter().any(|answered| answered == fingerprint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_batches_may_have_one_number() {
        let row = |fingerprints: &[&str]| {
            Item::from([("answered".to_owned(), texts(fingerprints.iter().copied()))])
        };
        assert!(is_answer_to(&row(&["a", "b"]), "b"));
        assert!(!is_answer_to(&row(&["a"]), "b"));
        assert!(!is_answer_to(&Item::new(), "b"));
    }
}
