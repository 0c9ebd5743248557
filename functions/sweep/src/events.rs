//! Queues the events that were stored but could not be queued. Events that are not processed an
//! hour after they were received become pending too. What was queued here or for a
//! retry is queued again after an hour, and given up a day later, unless it is processed: its
//! message may be lost, or in the dead-letter queue.

use std::time::Duration;

use aws::clock;
use aws::error::IoError;
use aws::sqs::{MAX_BATCH, Queue};
use aws::tables::inbound::{InboundLog, Pending, PendingPage, Stage};
use aws::telemetry::Metrics;
use domain::core::timestamp::Timestamp;
use futures::future::join_all;

/// Younger events are still being queued by the function that stored them.
const GRACE: Duration = Duration::from_secs(10);
/// Older events are given up and need an operator.
const GIVE_UP: Duration = Duration::from_secs(24 * 60 * 60);

/// An event that is not processed by then may have lost its message.
const OVERDUE: Duration = Duration::from_secs(60 * 60);

pub struct PendingEvents {
    events: InboundLog,
    queue: Queue,
}

impl PendingEvents {
    pub fn new(events: InboundLog, queue: Queue) -> Self {
        Self { events, queue }
    }

    /// Queues every event due at `now`, and starts no batch after `deadline`. One failure does not
    /// stop the rest; the first error is returned, and the next run retries.
    pub async fn run(&self, now: Timestamp, deadline: Timestamp) -> Result<(), IoError> {
        let shards = |stage| InboundLog::PENDING_SHARDS.map(|shard| (stage, shard));
        let shards = Stage::ALL.into_iter().flat_map(shards);
        let results =
            join_all(shards.map(|(stage, shard)| self.drain_shard(stage, shard, now, deadline)));
        let results = results.await;
        let sent: usize = results.iter().map(|result| result.sent).sum();
        if sent > 0 {
            tracing::warn!(sent, "sweep.sent");
            Metrics::new().gauge("EventsQueuedLate", sent).emit(now);
        }
        results.into_iter().find_map(|result| result.error).map_or(Ok(()), Err)
    }

    /// Marks the overdue events pending, each of them once, until `deadline`. The next run queues
    /// them: processing an event twice has no further effect.
    pub async fn check_overdue(&self, now: Timestamp, deadline: Timestamp) -> Result<(), IoError> {
        let until = now.before(OVERDUE);
        if clock::now() >= deadline {
            return Ok(());
        }
        let mut cursor = self.events.overdue_cursor(now).await?;
        loop {
            let page = self.events.overdue(&cursor, until).await?;
            for id in &page.events {
                tracing::warn!(event_id = %id, "event.overdue");
                self.events.mark_pending(id, now).await?;
            }
            let Some(next) = page.next else { return Ok(()) };
            self.events.save_overdue_cursor(&next).await?;
            if !page.has_more || clock::now() >= deadline {
                return Ok(());
            }
            cursor = next;
        }
    }

    /// Reads each page once. The index is eventually consistent and failed events stay in it, so a
    /// second read could return the same events.
    async fn drain_shard(
        &self,
        stage: Stage,
        shard: &str,
        now: Timestamp,
        deadline: Timestamp,
    ) -> ShardResult {
        let mut result = ShardResult::default();
        let mut from = None;
        loop {
            let page = match self.events.pending(stage, shard, from).await {
                Ok(page) => page,
                Err(error) => {
                    result.record_error(&error, None);
                    return result;
                }
            };
            let next = page.next.clone();
            let (due, page_done) = select_due(page, stage, now, &mut result);
            for batch in due.chunks(MAX_BATCH) {
                if clock::now() >= deadline {
                    return result;
                }
                self.process_batch(stage, batch, now, &mut result).await;
            }
            if !page_done || next.is_none() || clock::now() >= deadline {
                return result;
            }
            from = next;
        }
    }

    async fn process_batch(
        &self,
        stage: Stage,
        batch: &[Pending],
        now: Timestamp,
        result: &mut ShardResult,
    ) {
        let (expired, due): (Vec<&Pending>, Vec<&Pending>) =
            batch.iter().partition(|pending| now.since(pending.since) > GIVE_UP);
        let given_up = expired.iter().map(|pending| self.give_up(stage, pending, now));
        let given_up = join_all(given_up).await;
        result.record_errors(&expired, given_up);
        let sent = self.send(&due, result).await;
        result.sent += sent.len();
        let marked = sent.iter().map(|pending| self.events.mark_sent(pending, stage, now));
        let marked = join_all(marked).await;
        result.record_errors(&sent, marked);
    }

    /// Returns the events that SQS accepted.
    async fn send<'a>(&self, due: &[&'a Pending], result: &mut ShardResult) -> Vec<&'a Pending> {
        if due.is_empty() {
            return Vec::new();
        }
        let sent = match self.events.messages(due).await {
            Ok(messages) => self.queue.send_batch(messages).await,
            Err(error) => Err(error),
        };
        let responses = sent.unwrap_or_else(|error| vec![Err(error); due.len()]);
        let sent = due
            .iter()
            .zip(&responses)
            .filter(|(_, response)| response.is_ok())
            .map(|(pending, _)| *pending)
            .collect();
        result.record_errors(due, responses);
        sent
    }

    async fn give_up(
        &self,
        stage: Stage,
        pending: &Pending,
        now: Timestamp,
    ) -> Result<(), IoError> {
        let reason = match stage {
            Stage::ToSend => "could not be queued for 24 hours",
            Stage::Sent | Stage::Resent => "not processed for 24 hours",
        };
        if self.events.give_up(pending, reason, now).await? {
            tracing::error!(event_id = %pending.id, reason, "event.given_up");
        }
        Ok(())
    }
}

/// Younger events of the stage are left alone.
fn grace(stage: Stage) -> Duration {
    match stage {
        Stage::ToSend => GRACE,
        Stage::Sent => OVERDUE,
        Stage::Resent => GIVE_UP,
    }
}

/// Returns the page's events older than the grace period, and false if a younger one was found.
/// Pages are sorted by age, so every event after a younger one is younger too.
fn select_due(
    page: PendingPage,
    stage: Stage,
    now: Timestamp,
    result: &mut ShardResult,
) -> (Vec<Pending>, bool) {
    let mut due = Vec::with_capacity(page.events.len());
    for pending in page.events {
        match pending {
            Ok(pending) if now.since(pending.since) <= grace(stage) => return (due, false),
            Ok(pending) => due.push(pending),
            Err(error) => result.record_error(&error, None),
        }
    }
    (due, true)
}

#[derive(Default)]
struct ShardResult {
    sent: usize,
    /// The first error; every error is logged.
    error: Option<IoError>,
}

impl ShardResult {
    fn record_errors(&mut self, events: &[&Pending], results: Vec<Result<(), IoError>>) {
        for (pending, result) in events.iter().zip(results) {
            if let Err(error) = result {
                self.record_error(&error, Some(pending));
            }
        }
    }

    fn record_error(&mut self, error: &IoError, pending: Option<&Pending>) {
        let event_id = pending.map(|pending| pending.id.as_str());
        tracing::error!(event_id, %error, "sweep.failed");
        self.error.get_or_insert_with(|| error.clone());
    }
}
