//! Every minute: events that were kept but could not be queued are queued. What cannot be queued for a day ends.

use std::time::Duration;

use aws::error::IoError;
use aws::events::{EventMessage, EventState, Events, Pending, Progress};
use aws::queue::Queue;
use domain::timestamp::Timestamp;

/// Whoever wrote an event sends it at once; only what is older than this was left behind.
const GRACE: Duration = Duration::from_secs(10);
/// Longer than this nobody waits: somebody has to look.
const GIVE_UP: Duration = Duration::from_secs(24 * 60 * 60);

/// The function.
pub struct Sweep {
    events: Events,
    queue: Queue,
}

impl Sweep {
    /// With the inbound table and the events queue.
    pub fn new(events: Events, queue: Queue) -> Self {
        Self { events, queue }
    }

    /// Sends what was left behind.
    ///
    /// # Errors
    /// Something is not available; the next minute tries again.
    pub async fn run(&self, now: Timestamp) -> Result<(), IoError> {
        let mut sent = 0_usize;
        for shard in Events::PENDING_SHARDS {
            for pending in self.events.pending(shard).await? {
                let age = now.since(pending.since);
                if age > GIVE_UP {
                    self.give_up(&pending, now).await?;
                } else if age > GRACE {
                    self.queue.send(EventMessage::write(&pending.id)).await?;
                    self.events.clear_pending(&pending).await?;
                    sent += 1;
                }
            }
        }
        if sent > 0 {
            tracing::warn!(sent, "sweep.sent");
        }
        Ok(())
    }

    async fn give_up(&self, pending: &Pending, now: Timestamp) -> Result<(), IoError> {
        tracing::error!(event_id = %pending.id, "event.given_up");
        let failed = Progress::because(EventState::Failed, "could not be queued for 24 hours");
        self.events.mark(&pending.id, &failed, now).await
    }
}
