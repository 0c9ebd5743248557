//! `GET /api/jobs`, `GET /api/jobs/{id}` and `DELETE /api/jobs/{id}`: redrives that `sweep` works on.

use aws::lambda::http_api::{ApiError, json, page_request};
use aws::tables::audit::AuditAction;
use aws::tables::jobs::Job;
use domain::auth::{Accounts, Caller};
use domain::core::timestamp::Timestamp;
use domain::pagination::{Page, cursor};
use domain::redrive::Redrive;
use lambda_http::{Body, Request, Response};
use serde::Serialize;

use crate::Ops;
use crate::audit::Act;

#[derive(Debug, Serialize)]
pub(crate) struct JobView<'a> {
    id: &'a str,
    state: &'static str,
    started_by: &'a str,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    restarted: u32,
    accounts: &'a Accounts,
    #[serde(flatten)]
    redrive: &'a Redrive,
}

impl<'a> JobView<'a> {
    pub(crate) fn of(job: &'a Job) -> Self {
        Self {
            id: &job.spec.id,
            state: job.state.as_str(),
            started_by: &job.spec.by,
            started_at: job.spec.started_at,
            ended_at: job.ended_at,
            restarted: job.restarted,
            accounts: &job.spec.accounts,
            redrive: &job.spec.redrive,
        }
    }
}

impl Ops {
    /// A page may hold fewer items than the limit, or none, as those of other accounts are left out.
    pub(crate) async fn list_jobs(
        &self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Response<Body>, ApiError> {
        let page = page_request(request)?;
        let jobs = self.tables.jobs.list(&page).await?;
        let next_page = jobs.next.as_deref().map(cursor);
        let seen = jobs.items.iter().filter(|job| caller.can_see_all(&job.spec.accounts));
        Ok(json(200, &Page { items: seen.map(JobView::of).collect(), next_page }))
    }

    pub(crate) async fn show_job(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<Response<Body>, ApiError> {
        Ok(json(200, &JobView::of(&self.find_job(caller, id).await?)))
    }

    /// Has no effect on a job that has ended: a request can be repeated.
    pub(crate) async fn stop_job(
        &self,
        caller: &Caller,
        id: &str,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let job = self.find_job(caller, id).await?;
        if job.ended_at.is_none() {
            let act = Act::new(AuditAction::StopJob, id, job.spec.accounts.clone());
            self.record(caller, act, now).await?;
            self.tables.jobs.stop(&job, now).await?;
        }
        self.show_job(caller, id).await
    }

    async fn find_job(&self, caller: &Caller, id: &str) -> Result<Job, ApiError> {
        let is_id = (1..=128).contains(&id.len());
        let found = if is_id { self.tables.jobs.find(id).await? } else { None };
        found
            .filter(|job| caller.can_see_all(&job.spec.accounts))
            .ok_or_else(|| ApiError::not_found("no such job"))
    }
}
