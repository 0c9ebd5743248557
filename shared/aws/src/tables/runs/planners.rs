//! One worker at a time is a planner of a run, under a lease. Its progress is stored, so that
//! another worker can continue.

use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnValue;
use domain::core::timestamp::Timestamp;
use domain::polling::{Run, Turns};

use super::{Runs, flag, parts_pk, planner_key, run_ttl};
use crate::error::IoError;
use crate::tables::attr::{Item, json, number, read_json, read_number, read_text, text, texts};
use crate::tables::expression::attr;
use crate::tables::read::first_page;
use crate::tables::update::Changes;
use crate::tables::write::WriteOutcome;

/// How far a planner is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanProgress {
    /// The position of the last planned order.
    pub resume_after: Option<String>,
    /// Batches sent.
    pub batches: u64,
    /// Orders in those batches.
    pub planned: u64,
    /// Orders left out, because their accounts have no credentials.
    pub without_credentials: u64,
    /// The calls of each account in those batches.
    pub turns: Turns,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanStep {
    /// The worker continues and keeps its lease.
    Continue,
    /// The worker stops and releases its lease.
    Pause,
    /// The planner is done.
    Finish,
}

/// The right to be a planner.
#[derive(Debug, Clone)]
pub struct PlanLease {
    /// The progress of earlier workers.
    pub progress: PlanProgress,
    key: Item,
    owner: String,
}

#[derive(Debug, Clone)]
pub enum PlanClaim {
    Leased(PlanLease),
    /// Another worker has the lease for this time.
    Wait(Duration),
    /// The planner is done.
    Finished,
}

impl Runs {
    /// Claims a planner for the time `lease`. `owner` is unique to this claim.
    pub async fn claim(
        &self,
        run: &Run,
        planner: u8,
        owner: &str,
        lease: Duration,
        now: Timestamp,
    ) -> Result<PlanClaim, IoError> {
        let key = planner_key(&run.id, planner);
        let changes = Changes::new()
            .set("owner", text(owner))
            .set("lease_until", number(now.after(lease).millis()))
            .set("ttl", run_ttl(run))
            .add("claims", number(1));
        let is_free = attr("lease_until")
            .absent()
            .or(attr("lease_until").at_most(number(now.millis())))
            .or(attr("owner").equals(text(owner)));
        let claim = self
            .update(key.clone(), changes)
            .only_if(attr("planning_done").absent().and(is_free))
            .returning(ReturnValue::AllNew)
            .returning_existing();
        Ok(match claim.send(&self.client).await? {
            WriteOutcome::Applied(row) => PlanClaim::Leased(PlanLease {
                progress: read_progress(&row),
                key,
                owner: owner.to_owned(),
            }),
            WriteOutcome::ConditionFailed(row) => refusal(&row, now),
        })
    }

    /// Stores the progress of a planner. `false` if another worker has the lease by now.
    pub async fn save_progress(
        &self,
        lease: &PlanLease,
        progress: &PlanProgress,
        step: PlanStep,
    ) -> Result<bool, IoError> {
        let mut changes = Changes::new()
            .set("batches", number(progress.batches))
            .set("planned", number(progress.planned))
            .set("without_credentials", number(progress.without_credentials));
        if let Some(sort_key) = &progress.resume_after {
            changes = changes.set("resume_after", text(sort_key));
        }
        // A finished planner needs none, and its counters are written often.
        let turns = Some(progress.turns.largest());
        let turns = turns.filter(|turns| step != PlanStep::Finish && !turns.is_empty());
        changes = changes.set_or_remove("turns", turns.map(|turns| json(&turns)).transpose()?);
        if step == PlanStep::Finish {
            changes = changes.set("planning_done", flag());
        }
        if step != PlanStep::Continue {
            changes = changes.remove("owner").remove("lease_until");
        }
        let is_owner = attr("owner").equals(text(&lease.owner));
        let update = self.update(lease.key.clone(), changes).only_if(is_owner);
        Ok(update.send(&self.client).await?.is_applied())
    }

    /// Ends a planner that a bug stops, unless it is done. The run then ends with the orders that
    /// are planned.
    pub async fn give_up_planner(&self, run: &Run, planner: u8) -> Result<(), IoError> {
        let changes = Changes::new()
            .set("failed_planners", number(1))
            .add("failures", texts(["bug"]))
            .set("planning_done", flag())
            .set("ttl", run_ttl(run))
            .remove("owner")
            .remove("lease_until");
        let update = self.update(planner_key(&run.id, planner), changes);
        update.only_if(attr("planning_done").absent()).send(&self.client).await.map(drop)
    }

    /// The planners of a run that are done.
    pub(super) async fn finished_planners(&self, run: &Run) -> Result<Vec<u8>, IoError> {
        let rows = self.planner_rows(&run.id).await?;
        let finished = rows.iter().filter(|row| row.contains_key("planning_done"));
        Ok(finished
            .filter_map(|row| read_text(row, "sk").ok()?.strip_prefix("planner:")?.parse().ok())
            .collect())
    }

    pub(super) async fn planner_rows(&self, run: &str) -> Result<Vec<Item>, IoError> {
        let planners = attr("pk").equals(text(parts_pk(run)));
        let planners = planners.and(attr("sk").begins_with(text("planner:")));
        Ok(first_page(self.query(planners)).await?.rows)
    }
}

fn read_progress(row: &Item) -> PlanProgress {
    PlanProgress {
        resume_after: read_text(row, "resume_after").ok().map(str::to_owned),
        batches: read_number(row, "batches").unwrap_or_default(),
        planned: read_number(row, "planned").unwrap_or_default(),
        without_credentials: read_number(row, "without_credentials").unwrap_or_default(),
        turns: read_json(row, "turns").unwrap_or_default(),
    }
}

fn refusal(row: &Item, now: Timestamp) -> PlanClaim {
    if row.contains_key("planning_done") {
        return PlanClaim::Finished;
    }
    let until =
        read_number(row, "lease_until").and_then(|millis| Timestamp::from_millis(millis).ok());
    // At least a second, even if the lease was released in the meantime.
    PlanClaim::Wait(
        until.map_or(Duration::ZERO, |until| until.since(now)).max(Duration::from_secs(1)),
    )
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::EPOCH;

    fn row(attributes: &[(&str, aws_sdk_dynamodb::types::AttributeValue)]) -> Item {
        attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn a_new_planner_has_no_progress() {
        assert_eq!(read_progress(&row(&[("owner", text("a"))])), PlanProgress::default());
        let started = row(&[
            ("resume_after", text("x")),
            ("batches", number(3)),
            ("planned", number(150)),
            ("without_credentials", number(7)),
            ("turns", text(r#"{"STORE001":300}"#)),
        ]);
        let expected = PlanProgress {
            resume_after: Some("x".to_owned()),
            batches: 3,
            planned: 150,
            without_credentials: 7,
            turns: serde_json::from_str(r#"{"STORE001":300}"#).unwrap(),
        };
        assert_eq!(read_progress(&started), expected);
    }

    #[test]
    fn waits_until_the_lease_ends() {
        let wait = |row: &Item| match refusal(row, NOW) {
            PlanClaim::Wait(wait) => Some(wait.as_secs()),
            PlanClaim::Leased(_) | PlanClaim::Finished => None,
        };
        assert_eq!(wait(&row(&[("lease_until", number(60_000))])), Some(60));
        assert_eq!(wait(&row(&[("lease_until", number(0))])), Some(1));
        assert_eq!(wait(&row(&[])), Some(1));
        assert_eq!(wait(&row(&[("lease_until", number(60_000)), ("planning_done", flag())])), None);
    }
}
