//! `POST /api/dlq/deliveries/replay` and `POST /api/dlq/events/replay`: counts dead deliveries or
//! failed events, or starts a job that begins them again.

use aws::error::IoError;
use aws::lambda::auth::authorize;
use aws::lambda::http_api::{ApiError, json, json_body};
use aws::tables::audit::AuditAction;
use aws::tables::deliveries::Direction;
use aws::tables::jobs::{Job, JobSpec, JobState};
use domain::auth::Caller;
use domain::core::timestamp::Timestamp;
use domain::pagination::MAX_LIMIT;
use domain::redrive::{Redrive, RedriveKind, RedriveRequest};
use lambda_http::{Body, Request, Response};
use serde::Serialize;

use crate::Ops;
use crate::audit::{Act, only};
use crate::jobs::JobView;

/// In bytes.
const BODY_LIMIT: usize = 16 * 1024;
/// Pages of a count. Each looks at up to 500 rows.
const MAX_PAGES: usize = 20;

#[derive(Debug, Default, Serialize)]
struct Count {
    count: usize,
    /// False if there may be more.
    is_complete: bool,
}

impl Ops {
    pub(crate) async fn redrive(
        &self,
        kind: RedriveKind,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let body = json_body(request, BODY_LIMIT)?;
        let RedriveRequest { redrive, dry_run } = RedriveRequest::read(kind, body)?;
        let spec = job_spec(redrive, caller, now)?;
        if dry_run {
            return Ok(json(200, &self.count(&spec, now).await?));
        }
        Ok(json(202, &JobView::of(&self.start(spec, caller, now).await?)))
    }

    /// Starts the job, unless one that does the same is running, or was started in this minute.
    async fn start(&self, spec: JobSpec, caller: &Caller, now: Timestamp) -> Result<Job, ApiError> {
        let jobs = &self.tables.jobs;
        let is_same =
            |job: &Job| (&job.spec.redrive, &job.spec.accounts) == (&spec.redrive, &spec.accounts);
        if let Some(job) = jobs.running().await?.into_iter().find(is_same) {
            return Ok(job);
        }
        if let Some(job) = jobs.find(&spec.id).await? {
            return not_stopped(job);
        }
        let action = match spec.redrive.kind {
            RedriveKind::Deliveries => AuditAction::RedriveDeliveries,
            RedriveKind::Events => AuditAction::RedriveEvents,
        };
        let details = serde_json::to_value(&spec.redrive).ok();
        let act = Act { details, ..Act::new(action, &spec.id, spec.accounts.clone()) };
        self.record(caller, act, now).await?;
        jobs.insert(&spec).await?;
        jobs.find(&spec.id).await?.ok_or_else(ApiError::unavailable)
    }

    async fn count(&self, spec: &JobSpec, now: Timestamp) -> Result<Count, IoError> {
        let limit = spec.redrive.limit.map_or(usize::MAX, |limit| limit as usize);
        let mut found = match spec.redrive.kind {
            RedriveKind::Deliveries => self.count_deliveries(spec, limit, now).await?,
            RedriveKind::Events => self.count_events(spec, limit, now).await?,
        };
        if found.count >= limit {
            found = Count { count: limit, is_complete: true };
        }
        Ok(found)
    }

    async fn count_deliveries(
        &self,
        spec: &JobSpec,
        limit: usize,
        now: Timestamp,
    ) -> Result<Count, IoError> {
        let (filter, mut count, mut from) = (spec.deliveries(), 0, None);
        for _ in 0..MAX_PAGES {
            let deliveries = &self.tables.deliveries;
            let page =
                deliveries.list(&filter, Direction::OldestFirst, MAX_LIMIT, from, now).await?;
            count += page.rows.iter().filter(|row| spec.has_delivery(row)).count();
            from = page.next;
            if from.is_none() || count >= limit {
                return Ok(Count { count, is_complete: true });
            }
        }
        Ok(Count { count, is_complete: false })
    }

    async fn count_events(
        &self,
        spec: &JobSpec,
        limit: usize,
        now: Timestamp,
    ) -> Result<Count, IoError> {
        let (filter, mut count, mut from) = (spec.events(), 0, None);
        for _ in 0..MAX_PAGES {
            let page = self.tables.events.list(&filter, MAX_LIMIT, from, now).await?;
            count += page.rows.iter().filter(|row| spec.has_event(row)).count();
            from = page.next;
            if from.is_none() || count >= limit {
                return Ok(Count { count, is_complete: true });
            }
        }
        Ok(Count { count, is_complete: false })
    }
}

/// Its id is taken for the rest of the minute. A caller who gets the stopped job as if it were
/// started would wait for it in vain.
fn not_stopped(job: Job) -> Result<Job, ApiError> {
    match job.state {
        JobState::Stopped => {
            Err(ApiError::conflict("this job was stopped: repeat the request in a minute"))
        }
        JobState::Running | JobState::Finished => Ok(job),
    }
}

fn job_spec(redrive: Redrive, caller: &Caller, now: Timestamp) -> Result<JobSpec, ApiError> {
    let is_source = |name: &String| name == "api" || sources::by_name(name).is_some();
    if redrive.source.as_ref().is_some_and(|name| !is_source(name)) {
        return Err(ApiError::invalid("source", "must be the name of a source"));
    }
    let accounts = match &redrive.account_code {
        Some(account) => only(Some(&authorize(caller, Some(account), "account_code")?)),
        None => caller.accounts().clone(),
    };
    let id = redrive.job_id(&accounts, now);
    let by = caller.name.clone().unwrap_or_default();
    Ok(JobSpec { id, redrive, accounts, by, started_at: now })
}
