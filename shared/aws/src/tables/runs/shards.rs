//! One worker plans a shard at a time. How far it has come is kept, so that another one can take over.

use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::core::timestamp::Timestamp;
use domain::polling::Run;

use super::{Runs, flag, parts, run_ttl, shard_key};
use crate::error::IoError;
use crate::tables::attr::{Item, number, read_number, read_text, text};
use crate::tables::contention::pause;

/// How often a row is written again because its batches were counted at the same time.
const TRIES: u32 = 6;

/// How far a shard is planned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Everything after this place has yet to be planned.
    pub resume_after: Option<String>,
    /// How many batches have gone out.
    pub batches: u64,
    /// With how many orders.
    pub planned: u64,
}

/// What a worker does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It goes on planning.
    GoOn,
    /// It stops; another one may go on at once.
    Pause,
    /// Nothing is left to plan.
    Finish,
}

/// The right to plan a shard.
#[derive(Debug, Clone)]
pub struct Lease {
    /// How far it had come.
    pub progress: Progress,
    key: Item,
    owner: String,
}

/// Whether a worker got the right.
#[derive(Debug, Clone)]
pub enum Claimed {
    /// It did.
    Leased(Lease),
    /// Another one has it, for so long.
    Wait(Duration),
    /// Nothing is left to plan.
    Finished,
}

impl Runs {
    /// Asks for the right to plan a shard for the time `lease`. `owner` names this worker and no other.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn claim(
        &self,
        run: &Run,
        shard: u8,
        owner: &str,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Claimed, IoError> {
        let key = shard_key(&run.id, shard);
        let claim = self
            .update(key.clone())
            .update_expression("SET #owner = :owner, lease_until = :lease, #ttl = :ttl")
            .condition_expression(
                "attribute_not_exists(planning_done) \
                 AND (attribute_not_exists(lease_until) OR lease_until <= :now OR #owner = :owner)",
            )
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(":lease", number(now.after(lease).millis()))
            .expression_attribute_values(":now", number(now.millis()))
            .expression_attribute_values(":ttl", run_ttl(run))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        Ok(match unhindered(claim).await? {
            Ok(row) => Claimed::Leased(Lease {
                progress: read_progress(&row),
                key,
                owner: owner.to_owned(),
            }),
            Err(row) => refusal(&row, now),
        })
    }

    /// Keeps how far a shard is planned. `false` if the lease has gone to another worker meanwhile.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn save(
        &self,
        lease: &Lease,
        progress: &Progress,
        step: Step,
    ) -> Result<bool, IoError> {
        let mut set = "SET batches = :batches, planned = :planned".to_owned();
        let mut update = self
            .update(lease.key.clone())
            .condition_expression("#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(&lease.owner))
            .expression_attribute_values(":batches", number(progress.batches))
            .expression_attribute_values(":planned", number(progress.planned));
        if let Some(place) = &progress.resume_after {
            set.push_str(", resume_after = :after");
            update = update.expression_attribute_values(":after", text(place));
        }
        if step == Step::Finish {
            set.push_str(", planning_done = :true");
            update = update.expression_attribute_values(":true", flag());
        }
        if step != Step::GoOn {
            set.push_str(" REMOVE #owner, lease_until");
        }
        Ok(unhindered(update.update_expression(set)).await?.is_ok())
    }

    /// The shards of a run that are planned to the end.
    pub(super) async fn planned_shards(&self, run: &Run) -> Result<Vec<u8>, IoError> {
        let rows = self.shard_rows(&run.id).await?;
        let planned = rows.iter().filter(|row| row.contains_key("planning_done"));
        Ok(planned
            .filter_map(|row| read_text(row, "sk").ok()?.strip_prefix("shard:")?.parse().ok())
            .collect())
    }

    pub(super) async fn shard_rows(&self, run: &str) -> Result<Vec<Item>, IoError> {
        let query = self.query(parts(run), "pk = :pk AND begins_with(sk, :shard)");
        let answer = query.expression_attribute_values(":shard", text("shard:")).send().await;
        Ok(answer.map_err(|error| IoError::of("dynamodb:Query", &error))?.items.unwrap_or_default())
    }
}

fn read_progress(row: &Item) -> Progress {
    Progress {
        resume_after: read_text(row, "resume_after").ok().map(str::to_owned),
        batches: read_number(row, "batches").unwrap_or_default(),
        planned: read_number(row, "planned").unwrap_or_default(),
    }
}

fn refusal(row: &Item, now: Timestamp) -> Claimed {
    if row.contains_key("planning_done") {
        return Claimed::Finished;
    }
    let until =
        read_number(row, "lease_until").and_then(|millis| Timestamp::from_millis(millis).ok());
    // It may have come free since.
    Claimed::Wait(
        until.map_or(Duration::ZERO, |until| until.since(now)).max(Duration::from_secs(1)),
    )
}

/// Writes a row that transactions write too: the row as it is now, or as it was where the condition failed.
pub(super) async fn unhindered(
    update: UpdateItemFluentBuilder,
) -> Result<Result<Item, Item>, IoError> {
    let mut attempt = 0;
    loop {
        let error = match update.clone().send().await {
            Ok(answer) => return Ok(Ok(answer.attributes.unwrap_or_default())),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                return Ok(Err(failed.item().cloned().unwrap_or_default()));
            }
            Some(UpdateItemError::TransactionConflictException(_)) if attempt < TRIES => {
                pause(attempt).await
            }
            _ => return Err(IoError::of("dynamodb:UpdateItem", &error)),
        }
        attempt += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::EPOCH;

    fn row(attributes: &[(&str, aws_sdk_dynamodb::types::AttributeValue)]) -> Item {
        attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn a_new_row_has_everything_before_it() {
        assert_eq!(read_progress(&row(&[("owner", text("a"))])), Progress::default());
        let some =
            row(&[("resume_after", text("x")), ("batches", number(3)), ("planned", number(150))]);
        let expected = Progress { resume_after: Some("x".to_owned()), batches: 3, planned: 150 };
        assert_eq!(read_progress(&some), expected);
    }

    #[test]
    fn whoever_comes_second_waits_for_the_lease_to_run_out() {
        let wait = |row: &Item| match refusal(row, NOW) {
            Claimed::Wait(wait) => Some(wait.as_secs()),
            Claimed::Leased(_) | Claimed::Finished => None,
        };
        assert_eq!(wait(&row(&[("lease_until", number(60_000))])), Some(60));
        assert_eq!(wait(&row(&[("lease_until", number(0))])), Some(1));
        assert_eq!(wait(&row(&[])), Some(1));
        assert_eq!(wait(&row(&[("lease_until", number(60_000)), ("planning_done", flag())])), None);
    }
}
