//! Applies a report to its order's timeline, or parks it until the order exists.

use aws::clock::now;
use aws::error::IoError;
use aws::tables::contention::{Try, retry};
use aws::tables::orders::{CommitOutcome, PollRowUpdate, UnmatchedReport};
use domain::core::id::{AccountCode, EventId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::Reshipment;
use domain::orders::order::Order;
use domain::tracking::report::{Report, Scan, SourceName};
use domain::tracking::status::Status;
use domain::tracking::timeline::{Arrival, Commit, Origin, TimelineEntry};
use domain::webhooks::notification::Change;
use sources::Source;
use sources::shipway::Shipway;

use crate::Process;

/// Attempts to write an order under contention before the event is retried later.
const TRIES: u32 = 12;

pub(crate) enum ApplyOutcome {
    Applied(Box<AppliedReport>),
    /// No order has any of the report's references.
    Unmatched,
}

/// A report in its order's timeline.
pub(crate) struct AppliedReport {
    /// The order after the report.
    order: Order,
    entry: TimelineEntry,
    /// The event that is processed.
    event_id: EventId,
}

impl AppliedReport {
    fn new(
        mut order: Order,
        entry: TimelineEntry,
        origin: &Origin,
        commit: Option<Commit>,
    ) -> Box<Self> {
        if let Some(commit) = commit {
            order.state = commit.state;
        }
        Box::new(Self { order, entry, event_id: origin.event_id.clone() })
    }

    /// The status change to notify endpoints of.
    pub(crate) fn change(&self, now: Timestamp) -> Option<Change<'_>> {
        Change::by_event(&self.event_id, &self.order, &self.entry, now)
    }

    /// False when another event added the same report earlier.
    fn added_by_event(&self) -> bool {
        self.entry.event_id == self.event_id
    }

    fn poll_row_update(&self, via: Via) -> PollRowUpdate<'_> {
        let entry = &self.entry;
        let source = &entry.facts.source;
        // An out-of-order push is not the carrier's current answer. A polled report always is.
        let current = via == Via::Poll || !entry.late;
        // A report through our own API does not show that the carrier's webhooks arrive.
        let by_webhook = via == Via::Push && *source != SourceName::API;
        PollRowUpdate {
            seen: (current && source.as_str() == Shipway.name().as_str())
                .then(|| entry.report_id()),
            heard_at: by_webhook.then_some(entry.received_at),
            moved_at: self.added_by_event().then_some(entry.received_at),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    Push,
    Poll,
}

impl Process {
    /// Applies a report, or parks it until its order is created.
    pub(crate) async fn apply_or_park(
        &self,
        account: &AccountCode,
        report: &Report,
        origin: &Origin,
    ) -> Result<ApplyOutcome, IoError> {
        let first = self.apply(account, report, origin).await?;
        if matches!(first, ApplyOutcome::Applied(_)) {
            return Ok(first);
        }
        let unmatched = UnmatchedReport {
            report: report.clone(),
            event_id: origin.event_id.clone(),
            received_at: origin.received_at,
        };
        self.orders.park(account, &unmatched).await?;
        // The order may have been created after the first lookup and reconciled before the report
        // was parked, so look again. If a reconciliation added the report, that event unparks it
        // after its fan-out.
        let second = self.apply(account, report, origin).await?;
        if matches!(&second, ApplyOutcome::Applied(applied) if applied.added_by_event()) {
            self.orders.unpark(account, &unmatched).await?;
        }
        Ok(second)
    }

    /// Applies a report to the first order found by its references.
    pub(crate) async fn apply(
        &self,
        account: &AccountCode,
        report: &Report,
        origin: &Origin,
    ) -> Result<ApplyOutcome, IoError> {
        let Some(order) = self.orders.find(account, report).await? else {
            return Ok(ApplyOutcome::Unmatched);
        };
        let key = OrderKey { account: account.clone(), order };
        self.apply_to_order(&key, report, origin, Via::Push).await
    }

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
        let arrival_for = |order: &Order| {
            Arrival::of_report(&order.state, order.profile.parcels(), report, origin)
        };
        let outcome = self.commit_arrival(key, origin, &report.scans, arrival_for).await?;
        self.update_poll_row(&outcome, via).await?;
        Ok(outcome)
    }

    /// A new parcel restarts the order's tracking.
    pub(crate) async fn apply_reshipment(
        &self,
        key: &OrderKey,
        reshipment: &Reshipment,
        origin: &Origin,
    ) -> Result<ApplyOutcome, IoError> {
        let (id, at) = (&reshipment.report_id, reshipment.at);
        let arrival_for =
            |order: &Order| Arrival::of_reshipment(&order.state, id.clone(), at, origin);
        let outcome = self.commit_arrival(key, origin, &[], arrival_for).await?;
        self.update_poll_row(&outcome, Via::Push).await?;
        Ok(outcome)
    }

    async fn update_poll_row(&self, outcome: &ApplyOutcome, via: Via) -> Result<(), IoError> {
        if let ApplyOutcome::Applied(applied) = outcome {
            self.orders.update_poll_row(&applied.order, applied.poll_row_update(via)).await?;
        }
        Ok(())
    }

    /// Writes an entry and the order's new state in one transaction, with retries on contention.
    async fn commit_arrival(
        &self,
        key: &OrderKey,
        origin: &Origin,
        scans: &[Scan],
        arrival_for: impl Fn(&Order) -> Arrival,
    ) -> Result<ApplyOutcome, IoError> {
        let outcome = retry(TRIES, || self.commit_once(key, origin, scans, &arrival_for));
        outcome.await?.ok_or_else(|| IoError::contention("dynamodb:TransactWriteItems"))
    }

    async fn commit_once(
        &self,
        key: &OrderKey,
        origin: &Origin,
        scans: &[Scan],
        arrival_for: &impl Fn(&Order) -> Arrival,
    ) -> Result<Try<ApplyOutcome>, IoError> {
        let Some(order) = self.orders.load(key).await? else {
            return Ok(Try::Done(ApplyOutcome::Unmatched));
        };
        let commit = match arrival_for(&order) {
            Arrival::InOrder(arrival) => Some(arrival.commit(&order.state, now())),
            Arrival::OutOfOrder(arrival) => {
                arrival.commit(&order.state, self.orders.entries(key).await?, now())
            }
        };
        let Some(commit) = commit else { return Ok(Try::Contended) };
        let newest = (!commit.entry.late).then_some(scans);
        let (entry, commit) = match self.orders.commit(&order, &commit, newest).await? {
            CommitOutcome::Committed => {
                log_applied(key, &commit);
                (commit.entry.clone(), Some(commit))
            }
            CommitOutcome::Duplicate(entry) => (*entry, None),
            CommitOutcome::RevMismatch => return Ok(Try::Contended),
        };
        let applied = AppliedReport::new(order, entry, origin, commit);
        Ok(Try::Done(ApplyOutcome::Applied(applied)))
    }
}

/// False for words that are known to have no status, such as Shipway's "other".
fn has_unknown_status(report: &Report) -> bool {
    let source = sources::by_name(report.source.as_str());
    let is_neutral = |words: &str| source.is_some_and(|source| source.is_neutral_status(words));
    report.status == Status::Unknown && !report.source_status.as_deref().is_some_and(is_neutral)
}

fn log_applied(key: &OrderKey, commit: &Commit) {
    let entry = &commit.entry;
    tracing::info!(
        account = %key.account,
        order_id = %key.order,
        report_id = %entry.report_id(),
        event_id = %entry.event_id,
        status = entry.facts.claim.status().as_str(),
        verdict = ?commit.disposition,
        late = entry.late,
        version = commit.state.version,
        "report.applied"
    );
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::timestamp::Timestamp;
    use sources::{Reading, Request};

    use super::*;

    #[test]
    fn warns_of_unknown_statuses_but_not_of_neutral_ones() {
        for (words, expected) in [
            ("XYZ", true),
            ("", true),
            ("OOD", false),
            ("RPSH", false),
            ("RCAN", false),
            ("Return Lost", false),
            ("RCLO", false),
            ("ROTH", false),
            ("Others", false),
        ] {
            let body = format!(r#"{{"order_id":"A","current_status":"{words}"}}"#);
            let request = Request::stored(None, body.as_bytes());
            let reading = Shipway.parse(&request, Timestamp::EPOCH).unwrap().reading;
            let Reading::Reports(reports) = reading else { unreachable!("{words}") };
            assert_eq!(has_unknown_status(&reports.items[0]), expected, "{words}");
        }
    }
}
