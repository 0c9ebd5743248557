//! Every minute: events that were kept but could not be queued are queued. What cannot be queued for a day ends.

use std::time::Duration;

use aws::clock;
use aws::error::IoError;
use aws::sqs::{MAX_BATCH, Queue};
use aws::tables::inbound::{EventMessage, InboundLog, Pending, PendingPage};
use domain::core::timestamp::Timestamp;
use futures::future::join_all;

/// Whoever wrote an event sends it at once; only what is older than this was left behind.
const GRACE: Duration = Duration::from_secs(10);
/// Longer than this nobody waits: somebody has to look.
const GIVE_UP: Duration = Duration::from_secs(24 * 60 * 60);

/// The function.
pub struct Sweep {
    events: InboundLog,
    queue: Queue,
}

impl Sweep {
    /// With the inbound table and the events queue.
    pub fn new(events: InboundLog, queue: Queue) -> Self {
        Self { events, queue }
    }

    /// Sends what had been left behind at `now`, until nothing is left or `deadline` has passed. What fails does not
    /// keep the rest from being sent.
    ///
    /// # Errors
    /// Something failed; the next minute tries again.
    pub async fn run(&self, now: Timestamp, deadline: Timestamp) -> Result<(), IoError> {
        let shards = InboundLog::PENDING_SHARDS.map(|shard| self.drain(shard, now, deadline));
        let tallies = join_all(shards).await;
        let sent: usize = tallies.iter().map(|tally| tally.sent).sum();
        if sent > 0 {
            tracing::warn!(sent, "sweep.sent");
        }
        tallies.into_iter().find_map(|tally| tally.failure).map_or(Ok(()), Err)
    }

    /// Page by page, never the same one twice: the index may still show what was cleared a moment ago, and what fails
    /// stays where it is.
    async fn drain(&self, shard: &str, now: Timestamp, deadline: Timestamp) -> Tally {
        let mut tally = Tally::default();
        let mut from = None;
        loop {
            let page = match self.events.pending(shard, from).await {
                Ok(page) => page,
                Err(error) => {
                    tally.failed(&error, None);
                    return tally;
                }
            };
            let next = page.next.clone();
            let (due, all) = due(page, now, &mut tally);
            for batch in due.chunks(MAX_BATCH) {
                if clock::now() >= deadline {
                    return tally;
                }
                self.process_webhook(batch, now, &mut tally).await;
            }
            if !all || next.is_none() || clock::now() >= deadline {
                return tally;
            }
            from = next;
        }
    }

    async fn process_webhook(&self, batch: &[Pending], now: Timestamp, tally: &mut Tally) {
        let (old, due): (Vec<&Pending>, Vec<&Pending>) =
            batch.iter().partition(|pending| now.since(pending.since) > GIVE_UP);
        let ended = join_all(old.iter().map(|pending| self.give_up(pending, now))).await;
        tally.note(&old, ended);
        let sent = self.send(&due, tally).await;
        tally.sent += sent.len();
        let cleared = join_all(sent.iter().map(|pending| self.events.clear_pending(pending))).await;
        tally.note(&sent, cleared);
    }

    /// Sends a batch; those of it that were taken.
    async fn send<'a>(&self, due: &[&'a Pending], tally: &mut Tally) -> Vec<&'a Pending> {
        if due.is_empty() {
            return Vec::new();
        }
        let bodies = due.iter().map(|pending| EventMessage::write(&pending.id)).collect();
        let taken =
            self.queue.send_batch(bodies).await.unwrap_or_else(|error| vec![Err(error); due.len()]);
        let sent = due
            .iter()
            .zip(&taken)
            .filter(|(_, taken)| taken.is_ok())
            .map(|(pending, _)| *pending)
            .collect();
        tally.note(due, taken);
        sent
    }

    async fn give_up(&self, pending: &Pending, now: Timestamp) -> Result<(), IoError> {
        if self.events.give_up(pending, "could not be queued for 24 hours", now).await? {
            tracing::error!(event_id = %pending.id, "event.given_up");
        }
        Ok(())
    }
}

/// What was left behind, and whether that is all of the page: what comes after a younger one is younger still.
fn due(page: PendingPage, now: Timestamp, tally: &mut Tally) -> (Vec<Pending>, bool) {
    let mut due = Vec::with_capacity(page.events.len());
    for pending in page.events {
        match pending {
            Ok(pending) if now.since(pending.since) <= GRACE => return (due, false),
            Ok(pending) => due.push(pending),
            Err(error) => tally.failed(&error, None),
        }
    }
    (due, true)
}

/// What came of a shard.
#[derive(Default)]
struct Tally {
    sent: usize,
    /// The first one; all are logged.
    failure: Option<IoError>,
}

impl Tally {
    fn note(&mut self, events: &[&Pending], outcomes: Vec<Result<(), IoError>>) {
        for (pending, outcome) in events.iter().zip(outcomes) {
            if let Err(error) = outcome {
                self.failed(&error, Some(pending));
            }
        }
    }

    fn failed(&mut self, error: &IoError, pending: Option<&Pending>) {
        tracing::error!(event_id = pending.map(|pending| pending.id.as_str()), %error, "sweep.failed");
        self.failure.get_or_insert_with(|| error.clone());
    }
}
