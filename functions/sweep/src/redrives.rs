//! Works on the redrives that operators have started, at a bounded rate. A run only writes rows:
//! the deliveries are then due, and the events pending, so that the next run queues them.

use std::time::Duration;

use aws::clock;
use aws::error::IoError;
use aws::tables::deliveries::{Deliveries, DeliveryRow, Direction, Place};
use aws::tables::inbound::{EventState, InboundLog, LogPosition};
use aws::tables::jobs::{Job, Jobs, Progress};
use domain::core::timestamp::Timestamp;
use domain::pagination::MAX_LIMIT;
use domain::redrive::{GAP, PER_SECOND, RedriveKind};

/// The next run starts after this time.
const PERIOD: Duration = Duration::from_secs(60);
/// The most time of a run: a scan that finds little goes on in the next one.
const MAX_TIME: Duration = Duration::from_secs(15);
/// The most deliveries or events that a run restarts, of all jobs together.
const MAX_RESTARTED: u32 = PER_SECOND * 60;

pub struct Redrives {
    jobs: Jobs,
    deliveries: Deliveries,
    events: InboundLog,
}

/// The rest of a run's budget.
struct Budget {
    now: Timestamp,
    deadline: Timestamp,
    restarted: u32,
}

impl Budget {
    fn left(&self) -> u32 {
        if clock::now() < self.deadline { MAX_RESTARTED.saturating_sub(self.restarted) } else { 0 }
    }
}

impl Redrives {
    pub fn new(jobs: Jobs, deliveries: Deliveries, events: InboundLog) -> Self {
        Self { jobs, deliveries, events }
    }

    /// Works on each running job, the oldest first, and restarts none after `deadline`. One failure
    /// does not stop the rest; the first error is returned, and the next run retries.
    pub async fn run(&self, now: Timestamp, deadline: Timestamp) -> Result<(), IoError> {
        let deadline = deadline.min(clock::now().after(MAX_TIME));
        let mut budget = Budget { now, deadline, restarted: 0 };
        let mut first = Ok(());
        for job in self.jobs.running().await? {
            if budget.left() == 0 {
                break;
            }
            if let Err(error) = self.work_on(&job, &mut budget).await {
                tracing::error!(job = job.spec.id, %error, "sweep.redrive_failed");
                first = first.and(Err(error));
            }
        }
        first
    }

    async fn work_on(&self, job: &Job, budget: &mut Budget) -> Result<(), IoError> {
        if !self.jobs.claim(job, budget.now).await? {
            return Ok(());
        }
        let progress = match job.spec.redrive.kind {
            RedriveKind::Deliveries => self.restart_deliveries(job, budget).await?,
            RedriveKind::Events => self.reopen_events(job, budget).await?,
        };
        tracing::info!(
            job = job.spec.id,
            restarted = progress.restarted,
            is_finished = progress.is_finished,
            "sweep.redriven"
        );
        self.jobs.save(job, &progress, budget.now).await
    }

    /// The oldest deliveries first. Those that died after the job was started are not part of it: a
    /// job restarts none twice.
    async fn restart_deliveries(
        &self,
        job: &Job,
        budget: &mut Budget,
    ) -> Result<Progress, IoError> {
        let filter = job.spec.deliveries();
        let mut work = Work::new(job);
        let cursor = job.cursor.as_deref();
        let mut from: Option<Place> = cursor.and_then(|it| serde_json::from_str(it).ok());
        loop {
            let max = work.page(budget);
            if max == 0 {
                let place = from.map(|place| serde_json::to_string(&place).unwrap_or_default());
                return Ok(work.paused(place));
            }
            let deliveries = &self.deliveries;
            let page = deliveries.list(&filter, Direction::OldestFirst, max, from, budget.now);
            let page = page.await?;
            for row in page.rows.iter().filter(|row| job.spec.has_delivery(row)) {
                if self.restart(row, budget).await? {
                    work.restarted += 1;
                }
            }
            from = page.next;
            if from.is_none() {
                return Ok(work.finished());
            }
        }
    }

    async fn restart(&self, row: &DeliveryRow, budget: &mut Budget) -> Result<bool, IoError> {
        let due = budget.now.after(PERIOD).after(GAP * budget.restarted);
        let begun = self.deliveries.restart(row, due, true, budget.now).await?.is_some();
        budget.restarted += u32::from(begun);
        Ok(begun)
    }

    /// The newest events first. Events that failed after the job was started are not part of it.
    async fn reopen_events(&self, job: &Job, budget: &mut Budget) -> Result<Progress, IoError> {
        let filter = job.spec.events();
        let mut work = Work::new(job);
        let mut from = job.cursor.as_deref().and_then(LogPosition::parse);
        loop {
            let max = work.page(budget);
            if max == 0 {
                return Ok(work.paused(from.map(|place| place.to_string())));
            }
            let page = self.events.list(&filter, max, from, budget.now).await?;
            for row in page.rows.iter().filter(|row| job.spec.has_event(row)) {
                if self.events.reopen(&row.id, EventState::Failed, budget.now).await? {
                    tracing::info!(event_id = %row.id, job = job.spec.id, "event.reopened");
                    budget.restarted += 1;
                    work.restarted += 1;
                }
            }
            from = page.next;
            if from.is_none() {
                return Ok(work.finished());
            }
        }
    }
}

/// The work of a run on one job.
struct Work<'a> {
    job: &'a Job,
    restarted: u32,
}

impl<'a> Work<'a> {
    fn new(job: &'a Job) -> Self {
        Self { job, restarted: 0 }
    }

    /// How many may be begun again at once; 0 if this run has no room for more.
    fn page(&self, budget: &Budget) -> usize {
        let page = u32::try_from(MAX_LIMIT).unwrap_or(u32::MAX);
        let left = budget.left().min(page);
        self.left().map_or(left, |of_job| left.min(of_job)) as usize
    }

    fn left(&self) -> Option<u32> {
        let done = self.job.restarted.saturating_add(self.restarted);
        self.job.spec.redrive.limit.map(|limit| limit.saturating_sub(done))
    }

    fn finished(self) -> Progress {
        Progress { restarted: self.restarted, cursor: None, is_finished: true }
    }

    /// Finished, too, if the job's limit is reached.
    fn paused(self, cursor: Option<String>) -> Progress {
        let is_finished = self.left() == Some(0);
        Progress { restarted: self.restarted, cursor, is_finished }
    }
}
