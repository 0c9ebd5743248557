//! Answers that came before the message that they answer was known.

use std::collections::BTreeSet;

use domain::core::id::EventId;
use domain::core::timestamp::Timestamp;
use domain::messaging::message_status::ProviderMessageKey;

use super::Messages;
use crate::error::IoError;
use crate::sqs::Queue;
use crate::tables::contention::{Try, retry};
use crate::tables::inbound::{EventMessage, in_group_of};

/// Attempts to write a message under contention.
const TRIES: u32 = 12;

impl Messages {
    /// Queues events again with answers to a message that is known now, then forgets them. If this
    /// fails, the next status of the message repeats it.
    pub async fn repeat_early_answers(
        &self,
        message: &ProviderMessageKey,
        events: &BTreeSet<EventId>,
        queue: &Queue,
        now: Timestamp,
    ) -> Result<(), IoError> {
        if events.is_empty() {
            return Ok(());
        }
        let messages = events.iter().map(EventMessage::write_again);
        let messages = messages.map(|event| in_group_of(&message.account, event));
        queue.send_all(messages.collect()).await?;
        let forgotten = retry(TRIES, || self.forget_once(message, events, now));
        forgotten.await?.ok_or_else(|| IoError::contention("dynamodb:PutItem"))
    }

    async fn forget_once(
        &self,
        message: &ProviderMessageKey,
        events: &BTreeSet<EventId>,
        now: Timestamp,
    ) -> Result<Try<()>, IoError> {
        let mut row = self.load_tracking(message).await?;
        row.tracked.early_answers.retain(|event| !events.contains(event));
        let is_saved = self.save_counted(&row, Vec::new(), now).await?;
        Ok(if is_saved { Try::Done(()) } else { Try::Contended })
    }
}
