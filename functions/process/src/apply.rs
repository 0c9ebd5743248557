//! Applies a fact to its order's timeline, or parks a report until its order exists.

use aws::clock::now;
use aws::error::IoError;
use aws::tables::contention::{Try, retry};
use aws::tables::orders::{CommitOutcome, NameChanges, PollRowUpdate, UnmatchedReport};
use domain::core::id::{AccountCode, EventId, OrderId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::order::{Order, goes_to, is_withdrawn, went, went_to};
use domain::tracking::entry::{Fact, ReportFacts, TimelineEntry};
use domain::tracking::report::{Ref, Report, Scan, SourceName};
use domain::tracking::state::{MAX_PARCEL_CHANGES, MAX_PARCELS};
use domain::tracking::status::Status;
use domain::tracking::timeline::{Arrival, Commit, NewFact, Origin, arrive};
use domain::webhooks::answer_event::AnsweredOrder;
use domain::webhooks::notification::Change;
use sources::Source;
use sources::shipway::Shipway;

use crate::Process;
use crate::names::Naming;
use crate::scans::new_scans;
use crate::traces::forget_words;
use crate::updates::answers::is_one_too_many;

/// A fact follows its name through at most so many moves; then the event is retried.
const MOVES: u32 = 8;

/// Attempts to write an order under contention before the event is retried later.
pub(crate) const TRIES: u32 = 12;

pub(crate) enum ApplyOutcome {
    Applied(Box<AppliedFact>),
    /// No order has any of the report's references.
    Unmatched,
    /// The order holds no more parcels, or the parcel no more reports.
    Full,
    /// The report was taken back.
    Withdrawn,
}

/// Where a fact belongs.
pub(crate) enum Placed {
    Here(ApplyOutcome),
    /// The fact is about this order of the account.
    OtherOrder(OrderId),
}

/// A fact in its order's timeline.
pub(crate) struct AppliedFact {
    /// The order after the fact.
    pub(crate) order: Order,
    pub(crate) entry: TimelineEntry,
    /// The event that is processed.
    event_id: EventId,
    /// Looks for the reports that wait under names which the fact gave the order.
    pub(crate) reconciliation: Option<EventId>,
    /// It was there before: an earlier run of this event, or another event, had added it.
    pub(crate) is_repeat: bool,
    /// Its report, if it was parked; it is not removed before endpoints are told.
    pub(crate) parked: Option<Box<UnmatchedReport>>,
}

impl AppliedFact {
    /// A fact that an event added earlier.
    pub(crate) fn of(order: Order, entry: TimelineEntry, event_id: EventId) -> Self {
        Self { order, entry, event_id, reconciliation: None, is_repeat: true, parked: None }
    }

    fn new(
        order: Order,
        commit: Commit,
        event_id: EventId,
        reconciliation: Option<EventId>,
    ) -> Self {
        let order = Order { state: commit.state, ..order };
        Self { reconciliation, is_repeat: false, ..Self::of(order, commit.entry, event_id) }
    }

    /// Notifies endpoints in place of this event.
    pub(crate) fn act_for(&mut self, event: &EventId) {
        self.event_id = event.clone();
    }

    /// The change to notify endpoints of.
    pub(crate) fn change(&self, now: Timestamp) -> Option<Change<'_>> {
        Change::by_event(&self.event_id, &self.order, &self.entry, now)
    }

    /// The shopper's answer to notify endpoints of.
    pub(crate) fn answer(&self, now: Timestamp) -> Option<AnsweredOrder<'_>> {
        AnsweredOrder::by_event(&self.event_id, &self.order, &self.entry, now)
    }

    /// True if there is a change to notify of, or a new name to look for reports under.
    pub(crate) fn has_effect(&self) -> bool {
        self.reconciliation.is_some() || self.change(now()).is_some()
    }

    /// False when another event added the same fact earlier.
    pub(crate) fn added_by_event(&self) -> bool {
        self.entry.event_id == self.event_id
    }

    fn poll_row_update(&self, via: Via) -> Option<PollRowUpdate<'_>> {
        let entry = &self.entry;
        let source = &entry.report()?.source;
        // An out-of-order push is not the carrier's current answer. A polled report always is.
        let current = via == Via::Poll || !entry.late;
        // A report through our own API does not show that the carrier's webhooks arrive.
        let by_webhook = via == Via::Push && *source != SourceName::API;
        Some(PollRowUpdate {
            seen: (current && source.as_str() == Shipway.name().as_str()).then_some(&entry.id),
            heard_at: by_webhook.then_some(entry.received_at),
            moved_at: self.added_by_event().then_some(entry.received_at),
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    Push,
    Poll,
}

impl Process {
    /// Applies a report to the first order found by its references.
    pub(crate) async fn apply(
        &self,
        account: &AccountCode,
        report: &Report,
        origin: &Origin,
    ) -> Result<ApplyOutcome, IoError> {
        match self.orders.find(account, report).await? {
            Some(order) => {
                let key = OrderKey { account: account.clone(), order };
                self.apply_to_order(&key, report, origin, Via::Push).await
            }
            None => Ok(ApplyOutcome::Unmatched),
        }
    }

    /// Applies a report to an order, or to the one that its name has moved to since the lookup.
    pub(crate) async fn apply_to_order(
        &self,
        key: &OrderKey,
        report: &Report,
        origin: &Origin,
        via: Via,
    ) -> Result<ApplyOutcome, IoError> {
        if has_unknown_status(report) {
            tracing::warn!(
                source = report.source.as_str(),
                word = report.source_status.as_deref(),
                event_id = %origin.event_id,
                "report.unknown_status"
            );
        }
        let fact = NewFact::of_report(report, &key.order, origin);
        let first = self.apply_fact(key, fact, report, origin, via).await?;
        follow(first, &key.account, async |key| {
            let mut fact = NewFact::of_report(report, &key.order, origin);
            self.forget_foreign_names(&key, &mut fact).await?;
            self.apply_fact(&key, fact, report, origin, via).await
        })
        .await
    }

    async fn apply_fact(
        &self,
        key: &OrderKey,
        fact: NewFact,
        report: &Report,
        origin: &Origin,
        via: Via,
    ) -> Result<Placed, IoError> {
        let placed = self.commit_fact(key, fact, origin, &report.scans).await?;
        self.trace_without_entry(key, &placed, origin, via).await?;
        if let Placed::Here(ApplyOutcome::Applied(applied)) = &placed
            && let Some(update) = applied.poll_row_update(via)
        {
            self.orders.update_poll_rows(&applied.order, applied.entry.awb(), update).await?;
        }
        Ok(placed)
    }

    /// Writes a fact and the order's new state at once, with retries on contention.
    pub(crate) async fn commit_fact(
        &self,
        key: &OrderKey,
        fact: NewFact,
        origin: &Origin,
        scans: &[Scan],
    ) -> Result<Placed, IoError> {
        let placed = retry(TRIES, || self.commit_once(key, fact.clone(), None, origin, scans));
        placed.await?.ok_or_else(contended)
    }

    /// As [`Self::commit_fact`]. `withdrawn` is the report that the fact takes back, for an order that
    /// does not have it yet.
    pub(crate) async fn commit_withdrawal(
        &self,
        key: &OrderKey,
        fact: NewFact,
        withdrawn: Option<&ReportFacts>,
        origin: &Origin,
    ) -> Result<Placed, IoError> {
        let placed = retry(TRIES, || self.commit_once(key, fact.clone(), withdrawn, origin, &[]));
        placed.await?.ok_or_else(contended)
    }

    async fn commit_once(
        &self,
        key: &OrderKey,
        mut fact: NewFact,
        withdrawn: Option<&ReportFacts>,
        origin: &Origin,
        scans: &[Scan],
    ) -> Result<Try<Placed>, IoError> {
        let Some((order, entries)) = self.orders.load_with_timeline(key).await? else {
            return Ok(here(ApplyOutcome::Unmatched));
        };
        let scans = if order.is_erased() { forget_words(&mut fact) } else { scans };
        let is_known = entries.iter().any(|entry| entry.id == fact.id)
            && went_to(&fact.id, &entries).is_none();
        if !is_known && let Some(other) = other_order(&order, &fact, withdrawn, &entries) {
            return Ok(Try::Done(Placed::OtherOrder(other.clone())));
        }
        let names = match self.name_changes(&order, &entries, &mut fact, is_known).await? {
            Naming::Own(names) => names,
            // Another run may have added it before the other order took the name over.
            Naming::OtherOrder(_) if self.orders.has_report(key, &fact.id).await? => {
                return Ok(Try::Contended);
            }
            Naming::OtherOrder(order) => return Ok(Try::Done(Placed::OtherOrder(order))),
        };
        self.forget_body(&order, &fact, origin).await?;
        if is_one_too_many(&fact, &entries) {
            tracing::info!(account = %key.account, order_id = %key.order, "answer.not_kept");
            return Ok(here(ApplyOutcome::Full));
        }
        if is_full(&order, &entries, &fact, &names) {
            tracing::error!(account = %key.account, order_id = %key.order, "report.timeline_full");
            return Ok(here(ApplyOutcome::Full));
        }
        let mut commit = match arrive(&order.state, &entries, fact, origin, now()) {
            Arrival::Duplicate(entry)
                if is_withdrawn(&entry.id, &entries) && entry.event_id != origin.event_id =>
            {
                return Ok(here(ApplyOutcome::Withdrawn));
            }
            Arrival::Duplicate(entry) => {
                return Ok(here(applied_before(order, *entry, origin)));
            }
            Arrival::Full => return Ok(here(ApplyOutcome::Full)),
            Arrival::Commit(commit) => *commit,
        };
        // First: a lost answer may hide that the fact was written.
        self.trace_dropped(key, &entries, &commit).await?;
        let scans = new_scans(&mut commit, scans);
        let committed =
            self.orders.commit(&order, &entries, &commit, scans.as_ref(), &names, &self.events);
        match committed.await? {
            CommitOutcome::Committed => {
                log_applied(key, &commit);
                let reconciliation = names.reconciliation.map(|event| event.id);
                let fact = AppliedFact::new(order, commit, origin.event_id.clone(), reconciliation);
                Ok(here(ApplyOutcome::Applied(Box::new(fact))))
            }
            CommitOutcome::Contended => Ok(Try::Contended),
        }
    }
}

/// True if the fact brings a parcel, or a change of parcels, that the order has no room for.
fn is_full(order: &Order, entries: &[TimelineEntry], fact: &NewFact, names: &NameChanges) -> bool {
    let (brings_parcel, is_change) = match &fact.fact {
        Fact::Report(_) => {
            let mut gained = names.claimed.iter().chain(&names.kept);
            (gained.any(|name| matches!(name, Ref::Awb(_))), false)
        }
        // The request made sure that there is room for a parcel.
        Fact::Parcel(fact) if fact.is_given() => (false, true),
        Fact::Parcel(_) | Fact::Withdrawal { .. } | Fact::Answer(_) => (false, false),
    };
    let changes = entries.iter().filter(|entry| matches!(entry.fact, Fact::Parcel(_))).count();
    brings_parcel && order.state.reserved_parcels() >= MAX_PARCELS
        || is_change && changes >= MAX_PARCEL_CHANGES
}

/// Goes on to the order that has taken over what a fact is about, until one has it. Two orders name
/// each other while a parcel moves from one to the other: the event is then tried again later.
pub(crate) async fn follow(
    first: Placed,
    account: &AccountCode,
    mut apply: impl AsyncFnMut(OrderKey) -> Result<Placed, IoError>,
) -> Result<ApplyOutcome, IoError> {
    let (mut placed, mut moves) = (first, 0);
    loop {
        match placed {
            Placed::Here(outcome) => return Ok(outcome),
            Placed::OtherOrder(_) if moves == MOVES => return Err(contended()),
            Placed::OtherOrder(order) => {
                placed = apply(OrderKey { account: account.clone(), order }).await?;
                moves += 1;
            }
        }
    }
}

/// The order that has taken over what the fact is about.
fn other_order<'a>(
    order: &Order,
    fact: &NewFact,
    withdrawn: Option<&ReportFacts>,
    entries: &'a [TimelineEntry],
) -> Option<&'a OrderId> {
    match &fact.fact {
        // The parcel is coming back, though the timeline does not show it yet.
        Fact::Report(ReportFacts { awb: Some(awb), .. })
            if order.names(entries).contains(&Ref::awb(awb)) =>
        {
            None
        }
        Fact::Report(report) => goes_to(report, entries),
        // The parcel may have left again before the report was copied here.
        Fact::Withdrawal { report_id } if entries.iter().all(|entry| entry.id != *report_id) => {
            went(withdrawn?, entries)
        }
        Fact::Withdrawal { report_id } => went_to(report_id, entries),
        Fact::Parcel(_) | Fact::Answer(_) => None,
    }
}

fn here(outcome: ApplyOutcome) -> Try<Placed> {
    Try::Done(Placed::Here(outcome))
}

/// Other writers came in between in all tries.
pub(crate) fn contended() -> IoError {
    IoError::contention("dynamodb:TransactWriteItems")
}

fn applied_before(order: Order, entry: TimelineEntry, origin: &Origin) -> ApplyOutcome {
    let fact = AppliedFact::of(order, entry, origin.event_id.clone());
    ApplyOutcome::Applied(Box::new(fact))
}

/// False for words that are known to have no status, such as Shipway's "other".
pub(crate) fn has_unknown_status(report: &Report) -> bool {
    let source = sources::by_name(report.source.as_str());
    let is_neutral = |words: &str| source.is_some_and(|source| source.is_neutral_status(words));
    report.status == Status::Unknown && !report.source_status.as_deref().is_some_and(is_neutral)
}

/// For debugging only: an event has one line in the log, `event.settled`, and the order's timeline
/// shows the rest.
fn log_applied(key: &OrderKey, commit: &Commit) {
    let (entry, judgement) = (&commit.entry, commit.judgement);
    tracing::debug!(
        account = %key.account,
        order_id = %key.order,
        report_id = %entry.id,
        event_id = %entry.event_id,
        status = judgement.map(|it| it.status.as_str()),
        verdict = ?judgement.map(|it| it.disposition),
        late = entry.late,
        version = commit.state.version,
        "report.applied"
    );
}

#[cfg(test)]
mod tests;
