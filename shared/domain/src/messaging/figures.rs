//! How messages perform: counts of what became of them, by the day on which they were sent and by
//! template.
//!
//! What a message adds is a function of its record and of all that was reported about it. A report
//! adds the difference of what it changes, in the transaction that stores it: neither the order of
//! reports nor their repeats make a difference.

mod counter;
mod duration;
mod view;

use std::collections::BTreeMap;
use std::ops::AddAssign;

use crate::core::timestamp::Timestamp;
use crate::messaging::linked::TrackedMessage;
use crate::messaging::message::Message;
use crate::messaging::message_details::TemplateName;
use crate::messaging::message_status::{MessageTracking, ProviderStatus};

pub use counter::{Counter, ErrorCode};
pub use duration::Bucket;
pub use view::{FiguresView, TemplateFigures};

/// Counts, without those that are 0. As a difference, also negative ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures(BTreeMap<Counter, i64>);

/// Where a message is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The date (UTC) on which the message was sent, e.g. `2026-01-20`.
    pub day: String,
    /// `None` for a message without a template.
    pub template: Option<TemplateName>,
}

/// What a message adds to the figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    pub place: Place,
    pub figures: Figures,
}

impl Figures {
    /// Reads counts by their names; unknown ones are left out.
    pub fn read<'a>(counts: impl IntoIterator<Item = (&'a str, i64)>) -> Self {
        let counters = counts.into_iter().filter_map(|(name, count)| {
            let counter = Counter::parse(name)?;
            (count != 0).then_some((counter, count))
        });
        Self(counters.collect())
    }

    /// By the names under which they are stored.
    pub fn named(&self) -> impl Iterator<Item = (String, i64)> {
        self.0.iter().map(|(counter, count)| (counter.name(), *count))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn of(tracked: &TrackedMessage) -> Self {
        let tracking = &tracked.tracking;
        let mut counters = reached(tracking);
        counters.extend(tracked.replied_at.map(|_| Counter::Replied));
        counters.extend(failure(tracking));
        counters.extend(durations(tracking));
        let is_delivered = counters.contains(&Counter::Delivered);
        if let Some(pricing) = tracking.pricing() {
            counters.push(Counter::Priced(pricing));
            counters.extend(is_delivered.then_some(Counter::DeliveredPriced(pricing)));
        }
        Self(counters.into_iter().map(|counter| (counter, 1)).collect())
    }

    fn negated(&self) -> Self {
        Self(self.0.iter().map(|(counter, count)| (*counter, -count)).collect())
    }
}

impl AddAssign<&Figures> for Figures {
    fn add_assign(&mut self, other: &Self) {
        for (counter, count) in &other.0 {
            let sum = self.0.entry(*counter).or_default();
            *sum = sum.saturating_add(*count);
        }
        self.0.retain(|_, count| *count != 0);
    }
}

/// A status may never come although a later one does: each counts if it or a later one came.
fn reached(tracking: &MessageTracking) -> Vec<Counter> {
    use ProviderStatus::{Accepted, Delivered, NotSent, Played, Read, Sent};
    let has = |all: &[ProviderStatus]| tracking.statuses().any(|(status, _)| all.contains(&status));
    let ranks = [
        (Counter::Sent, tracking.status() > Some(NotSent)),
        (Counter::Accepted, has(&[Accepted, Sent, Delivered, Read, Played])),
        (Counter::Delivered, has(&[Delivered, Read, Played])),
        (Counter::Read, has(&[Read, Played])),
    ];
    ranks.into_iter().filter_map(|(counter, is_reached)| is_reached.then_some(counter)).collect()
}

/// A message that was delivered after all has not failed.
fn failure(tracking: &MessageTracking) -> Vec<Counter> {
    let has_failed =
        matches!(tracking.status(), Some(ProviderStatus::NotSent | ProviderStatus::Failed));
    if !has_failed {
        return Vec::new();
    }
    let code = tracking.error().and_then(|error| error.code.as_deref());
    vec![Counter::Failed, Counter::Error(ErrorCode::of(code))]
}

/// From when the provider took the message: rules put messages off, and queues hold them up.
fn durations(tracking: &MessageTracking) -> Vec<Counter> {
    use ProviderStatus::{Accepted, Delivered, Played, Read, Sent};
    let first = |all: &[ProviderStatus]| {
        let times = tracking.statuses().filter(|(status, _)| all.contains(status));
        times.map(|(_, at)| at).min()
    };
    let Some(began) = first(&[Accepted, Sent]) else { return Vec::new() };
    let until = |at: Timestamp| Bucket::of(at.since(began));
    let delivered = first(&[Delivered]).map(|at| Counter::DeliveredIn(until(at)));
    let read = first(&[Read, Played]).map(|at| Counter::ReadIn(until(at)));
    delivered.into_iter().chain(read).collect()
}

impl Counted {
    /// `None` for a message that nobody recorded: it has no day.
    pub fn of(tracked: &TrackedMessage) -> Option<Self> {
        let record = tracked.record.as_ref()?;
        let template = record.template.as_ref().or(tracked.template.as_ref());
        let place = Place { day: day_of(record.sent_at), template: template.cloned() };
        Some(Self { place, figures: Figures::of(tracked) })
    }

    /// A message of which nothing will be reported.
    pub fn of_untracked(record: &Message) -> Option<Self> {
        let mut tracked = TrackedMessage::default();
        tracked.link(record);
        Self::of(&tracked)
    }

    /// What is to be added, and where, so that `after` is counted instead of `before`.
    pub fn changes(before: Option<&Self>, after: Option<&Self>) -> Vec<Self> {
        let mut changes: Vec<Self> = Vec::new();
        let taken = before.map(|it| Self { figures: it.figures.negated(), ..it.clone() });
        for counted in taken.into_iter().chain(after.cloned()) {
            match changes.iter_mut().find(|it| it.place == counted.place) {
                Some(change) => change.figures += &counted.figures,
                None => changes.push(counted),
            }
        }
        changes.retain(|change| !change.figures.is_empty());
        changes
    }
}

/// E.g. `2026-01-20`.
pub fn day_of(time: Timestamp) -> String {
    const LENGTH: usize = 10;
    time.to_string().chars().take(LENGTH).collect()
}

#[cfg(test)]
mod tests;
