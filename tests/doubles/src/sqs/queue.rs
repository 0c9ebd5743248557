//! One queue: its messages by number, and a schedule of when each can be received next.

use std::collections::{BTreeMap, BTreeSet};

use crate::failure::Failure;
use crate::sqs::errors::{invalid, service_error, unavailable};
use crate::sqs::message::{Counter, Message};
use crate::sqs::{Chances, MAX_VISIBILITY, QueueSettings, Received, chance};

#[derive(Debug)]
pub(super) struct Queue {
    pub(super) settings: QueueSettings,
    messages: BTreeMap<u64, Message>,
    /// (due, number)
    schedule: BTreeSet<(u64, u64)>,
    /// No message was sent before this time.
    sent_since: u64,
}

/// How a receive is made, and what can go wrong with it.
pub(super) struct Receive<'a> {
    pub(super) max: usize,
    pub(super) visibility: u64,
    pub(super) now: u64,
    pub(super) chances: &'a Chances,
}

/// What a receive yields: messages for the receiver, and those for the dead-letter queue.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) received: Vec<Received>,
    pub(super) dead: Vec<(u64, Message)>,
}

impl Queue {
    pub(super) fn new(settings: QueueSettings) -> Self {
        Self {
            settings,
            messages: BTreeMap::new(),
            schedule: BTreeSet::new(),
            sent_since: u64::MAX,
        }
    }

    pub(super) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.values()
    }

    pub(super) fn next_due(&self) -> Option<u64> {
        self.schedule.first().map(|(due, _)| *due)
    }

    pub(super) fn in_flight(&self, now: u64) -> usize {
        self.messages.values().filter(|message| message.in_flight(now)).count()
    }

    /// A queue with fewer messages need not count them.
    pub(super) fn has_in_flight(&self, limit: usize, now: u64) -> bool {
        self.messages.len() >= limit && self.in_flight(now) >= limit
    }

    pub(super) fn insert(&mut self, number: u64, message: Message) {
        self.sent_since = self.sent_since.min(message.sent_at);
        self.schedule.insert((message.due_at(), number));
        self.messages.insert(number, message);
    }

    fn remove(&mut self, number: u64) -> Option<Message> {
        let message = self.messages.remove(&number)?;
        self.schedule.remove(&(message.due_at(), number));
        Some(message)
    }

    /// Deletes messages that were sent longer ago than the retention.
    pub(super) fn expire(&mut self, now: u64) {
        let Some(sent_until) = now.checked_sub(self.settings.retention) else { return };
        if self.sent_since > sent_until {
            return;
        }
        self.messages.retain(|_, message| message.sent_at > sent_until);
        let kept = self.messages.iter();
        self.schedule = kept.map(|(number, message)| (message.due_at(), *number)).collect();
        self.sent_since =
            self.messages.values().map(|message| message.sent_at).min().unwrap_or(u64::MAX);
    }

    /// `max_receives` applies if the queue has a dead-letter queue.
    pub(super) fn receive(
        &mut self,
        receive: &Receive<'_>,
        max_receives: Option<u32>,
        counter: &mut Counter,
        rng: &mut fastrand::Rng,
    ) -> Taken {
        let mut taken = Taken::default();
        let mut seen = BTreeSet::new();
        let max = self.batch_size(receive, rng);
        while taken.received.len() < max {
            let Some(number) = self.pick(receive, &seen, rng) else { break };
            seen.insert(number);
            let Some(mut message) = self.remove(number) else { break };
            if max_receives.is_some_and(|max| message.receive_count >= max) {
                taken.dead.push((number, message));
                continue;
            }
            message.mark_received(receive, counter.next(), rng);
            taken.received.push(Received::new(number, &message));
            self.insert(number, message);
        }
        taken
    }

    fn batch_size(&self, receive: &Receive<'_>, rng: &mut fastrand::Rng) -> usize {
        let available = self.due(receive.now).take(receive.max).count();
        if available > 0 && chance(rng, receive.chances.short_batch) {
            rng.usize(..available)
        } else {
            receive.max
        }
    }

    fn due(&self, now: u64) -> impl Iterator<Item = u64> {
        self.schedule.range(..=(now, u64::MAX)).map(|(_, number)| *number)
    }

    /// The message that has been due longest, or any.
    fn pick(
        &self,
        receive: &Receive<'_>,
        seen: &BTreeSet<u64>,
        rng: &mut fastrand::Rng,
    ) -> Option<u64> {
        let mut due = self.due(receive.now).filter(|number| !seen.contains(number));
        if chance(rng, receive.chances.reorder) {
            rng.choice(due.collect::<Vec<_>>())
        } else {
            due.next()
        }
    }

    /// An old receipt is accepted without effect, unless it still works.
    pub(super) fn delete(&mut self, number: u64, receipt: u64) {
        let Some(mut message) = self.remove(number) else { return };
        if message.accepts(receipt) {
            if message.repeat_at.is_none() {
                return;
            }
            message.deleted = true;
        }
        self.insert(number, message);
    }

    /// The message becomes visible `visibility` after `now`.
    pub(super) fn change_visibility(
        &mut self,
        (number, receipt): (u64, u64),
        handle: &str,
        visibility: u64,
        now: u64,
    ) -> Result<(), Failure> {
        let message = self.messages.get(&number).filter(|message| message.accepts(receipt));
        let message = message.ok_or_else(|| unavailable(handle))?;
        if !message.in_flight(now) {
            return Err(service_error("MessageNotInflight", "The message is not in flight."));
        }
        if now + visibility > message.received_at + MAX_VISIBILITY {
            let reason = "Total VisibilityTimeout for the message is beyond the limit [43200 \
                          seconds]";
            return Err(invalid("VisibilityTimeout", visibility / 1000, reason));
        }
        if let Some(message) = self.remove(number) {
            self.insert(number, Message { visible_at: now + visibility, ..message });
        }
        Ok(())
    }
}

impl Message {
    fn mark_received(&mut self, receive: &Receive<'_>, receipt: u64, rng: &mut fastrand::Rng) {
        if self.receipt > 0 && chance(rng, receive.chances.old_receipt) {
            self.old_receipts.push(self.receipt);
        }
        self.receipt = receipt;
        self.deleted = false;
        self.receive_count += 1;
        self.received_at = receive.now;
        self.first_received_at.get_or_insert(receive.now);
        self.visible_at = receive.now + receive.visibility;
        self.repeat_at = chance(rng, receive.chances.duplicate).then(|| repeat_at(receive, rng));
    }
}

/// Half of the repeats are at once; the others are spread over twice the visibility timeout, so
/// that many come after the deletion.
fn repeat_at(receive: &Receive<'_>, rng: &mut fastrand::Rng) -> u64 {
    let wait = if rng.bool() { 0 } else { rng.u64(..=2 * receive.visibility) };
    receive.now + wait
}
