//! Jobs that operators start and `sweep` works on, in the state table: partition `jobs`, sort key
//! the job's id, retained 30 days.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use domain::auth::{Accounts, Caller};
use domain::core::timestamp::Timestamp;
use domain::pagination::PageRequest;
use domain::redrive::Redrive;
use domain::tracking::report::SourceName;
use domain::webhooks::lease::DeliveryState;
use domain::webhooks::retry::DeadReason;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use crate::error::IoError;
use crate::tables::attr::{
    Item, json, number, read_as, read_json, read_number, read_optional, read_text, text, ttl,
};
use crate::tables::deliveries::{DeliveryFilter, DeliveryRow};
use crate::tables::expression::{Condition, attr};
use crate::tables::inbound::{EventState, LogFilter, LogRow};
use crate::tables::keys::key;
use crate::tables::read::{
    Rows, all_rows, first_page, get, limit, query, query_filtered, readable,
};
use crate::tables::update::Changes;
use crate::tables::write::Write;

const PARTITION: &str = "jobs";
const RETENTION_DAYS: u64 = 30;
/// The longest that a worker has a job to itself.
const LEASE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
pub struct Jobs {
    client: Client,
    table: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum JobState {
    Running,
    /// Every match was looked at, or the limit is reached.
    Finished,
    /// By an operator.
    Stopped,
}

/// The part that never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSpec {
    pub id: String,
    pub redrive: Redrive,
    /// The job leaves other accounts alone.
    pub accounts: Accounts,
    /// The user who started it.
    pub by: String,
    pub started_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub spec: JobSpec,
    pub state: JobState,
    pub ended_at: Option<Timestamp>,
    /// How many it has begun again. After a crash, up to a minute's are missing.
    pub restarted: u32,
    /// Where it goes on, as its worker has written it.
    pub cursor: Option<String>,
}

/// The progress of one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub restarted: u32,
    /// Where to go on; `None` at the beginning.
    pub cursor: Option<String>,
    pub is_finished: bool,
}

impl JobSpec {
    /// With [`Self::has_delivery`], the deliveries that the job is about.
    pub fn deliveries(&self) -> DeliveryFilter {
        let redrive = &self.redrive;
        DeliveryFilter {
            account: redrive.account_code.clone(),
            endpoint: redrive.endpoint.clone(),
            state: Some(DeliveryState::Dead),
            reason: redrive.reason,
            from: redrive.from,
            to: redrive.to,
            ..DeliveryFilter::all(self.accounts.clone())
        }
    }

    /// A delivery that died after the job was started is not part of it: none is restarted twice.
    /// Neither is one that ended because it was erased: no body is left to send.
    pub fn has_delivery(&self, row: &DeliveryRow) -> bool {
        let is_erased = row.reason.as_deref() == Some(DeadReason::Erased.as_str());
        row.updated_at <= self.started_at && !is_erased
    }

    /// With [`Self::has_event`], the events that the job is about.
    pub fn events(&self) -> LogFilter {
        LogFilter {
            status: Some(EventState::Failed),
            source: self.redrive.source.as_deref().map(SourceName::from),
            account: self.redrive.account_code.clone(),
            from: self.redrive.from,
            to: self.redrive.to,
            caller: Caller::job(self.accounts.clone()),
        }
    }

    /// An event that failed after the job was started is not part of it, nor one whose body was
    /// erased.
    pub fn has_event(&self, row: &LogRow) -> bool {
        row.erased_at.is_none() && row.settled_at.unwrap_or(row.received_at) <= self.started_at
    }
}

impl Jobs {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Stores a new job. `false` if there is one of this id.
    pub async fn insert(&self, spec: &JobSpec) -> Result<bool, IoError> {
        let mut row = job_key(&spec.id);
        row.insert("json".to_owned(), json(spec)?);
        row.insert("state".to_owned(), text(JobState::Running));
        row.insert("ttl".to_owned(), ttl(spec.started_at, RETENTION_DAYS));
        Ok(Write::insert(&self.table, row).send(&self.client).await?.is_applied())
    }

    pub async fn find(&self, id: &str) -> Result<Option<Job>, IoError> {
        let row = get(&self.client, &self.table, job_key(id), &[]).await?;
        row.as_ref().map(read_job).transpose()
    }

    /// A page of the jobs, newest first.
    pub async fn list(&self, page: &PageRequest) -> Result<Rows<Job>, IoError> {
        let mut jobs = attr("pk").equals(text(PARTITION));
        if let Some(after) = &page.after {
            jobs = jobs.and(attr("sk").below(text(after)));
        }
        let query = query(&self.client, &self.table, jobs).scan_index_forward(false);
        let found = first_page(query.limit(limit(page.limit))).await?;
        Ok(Rows::of(&found.rows, page.limit, read_job))
    }

    /// The jobs that run, oldest first.
    pub async fn running(&self) -> Result<Vec<Job>, IoError> {
        let jobs = attr("pk").equals(text(PARTITION));
        let query = query_filtered(&self.client, &self.table, jobs, Some(is_running()));
        Ok(readable(&all_rows(query).await?, "sk", read_job).collect())
    }

    /// Takes a running job for a minute at most. `false` if another worker has it, or it has ended.
    pub async fn claim(&self, job: &Job, now: Timestamp) -> Result<bool, IoError> {
        let until = now.after(LEASE).millis();
        let is_free = attr("lease_until").absent();
        let is_free = is_free.or(attr("lease_until").at_most(number(now.millis())));
        let changes = Changes::new().set("lease_until", number(until));
        self.update(job, changes, is_running().and(is_free)).await
    }

    /// Records a worker's progress, and gives the job back.
    pub async fn save(
        &self,
        job: &Job,
        progress: &Progress,
        now: Timestamp,
    ) -> Result<(), IoError> {
        let counted =
            Changes::new().add("restarted", number(progress.restarted)).remove("lease_until");
        let changes = match (progress.is_finished, &progress.cursor) {
            (true, _) => ended(counted.clone(), JobState::Finished, now),
            (false, Some(cursor)) => counted.clone().set("cursor", text(cursor)),
            (false, None) => counted.clone(),
        };
        if !self.update(job, changes, is_running()).await? {
            // An operator has stopped it meanwhile.
            self.update(job, counted, attr("pk").exists()).await?;
        }
        Ok(())
    }

    /// Stops a job. `false` if it has ended.
    pub async fn stop(&self, job: &Job, now: Timestamp) -> Result<bool, IoError> {
        self.update(job, ended(Changes::new(), JobState::Stopped, now), is_running()).await
    }

    async fn update(
        &self,
        job: &Job,
        changes: Changes,
        condition: Condition,
    ) -> Result<bool, IoError> {
        let update = Write::update(&self.table, job_key(&job.spec.id), changes);
        Ok(update.only_if(condition).send(&self.client).await?.is_applied())
    }
}

fn ended(changes: Changes, state: JobState, now: Timestamp) -> Changes {
    changes.set("state", text(state)).set("ended_at", text(now.to_string()))
}

fn is_running() -> Condition {
    attr("state").equals(text(JobState::Running))
}

fn job_key(id: &str) -> Item {
    key(PARTITION, id)
}

fn read_job(row: &Item) -> Result<Job, IoError> {
    Ok(Job {
        spec: read_json(row, "json")?,
        state: read_as(row, "state", str::parse)?,
        ended_at: read_optional(row, "ended_at", Timestamp::parse)?,
        restarted: read_number(row, "restarted").unwrap_or_default(),
        cursor: read_text(row, "cursor").ok().map(str::to_owned),
    })
}

impl JobState {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl From<JobState> for String {
    fn from(state: JobState) -> Self {
        state.as_str().to_owned()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn spec() -> JobSpec {
        let spec: Value = json!({"id": "job", "redrive": {"kind": "events"},
            "accounts": Accounts::All, "by": "admin", "started_at": "2026-01-20T00:00:00Z"});
        serde_json::from_value(spec).unwrap()
    }

    #[tokio::test]
    async fn an_unreadable_job_hides_no_other() {
        use crate::client::fake::{FakeAws, clients};

        let readable = serde_json::to_string(&spec()).unwrap();
        let row = |id: &str, json: &str| {
            json!({"pk": {"S": "jobs"}, "sk": {"S": id}, "json": {"S": json},
                "state": {"S": "running"}})
        };
        let rows = json!({"Items": [row("b", "{}"), row("a", &readable), row("c", "{}")]});
        let fake = FakeAws::new(move |_| (200, rows.to_string()));
        let jobs = Jobs::new(clients(fake.edge()).dynamodb(), "state".to_owned());
        let page = jobs.list(&PageRequest { limit: 3, after: None }).await.unwrap();
        let ids: Vec<_> = page.items.iter().map(|job| job.spec.id.as_str()).collect();
        assert_eq!((ids, page.next.as_deref()), (vec!["job"], Some("c")));
        assert_eq!(jobs.running().await.unwrap().len(), 1);
    }
}
