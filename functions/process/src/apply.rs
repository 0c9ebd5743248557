//! One report meets its order.

use aws::clock::now;
use aws::error::IoError;
use aws::tables::contention::{Try, retry};
use aws::tables::orders::{CommitOutcome, PollRowUpdate, UnmatchedReport};
use domain::core::id::{AccountCode, OrderKey};
use domain::orders::api_event::Reshipment;
use domain::orders::order::Order;
use domain::tracking::report::{Report, Scan, SourceName};
use domain::tracking::status::Status;
use domain::tracking::timeline::{Arrival, Commit, Origin, TimelineEntry};
use domain::webhooks::notification::Change;
use sources::Source;
use sources::shipway::Shipway;

use crate::Process;

/// How often an order is read again because others wrote it in between, before the event has to come back.
const TRIES: u32 = 12;

/// What became of a report.
pub(crate) enum ApplyOutcome {
    /// It is in a timeline.
    Applied(Box<AppliedReport>),
    /// Nobody knows its order.
    Unmatched,
}

/// A report in its timeline.
pub(crate) struct AppliedReport {
    /// As it stands after the report.
    order: Order,
    entry: TimelineEntry,
    /// Whether this event brought the report there.
    ours: bool,
}

impl AppliedReport {
    fn new(
        mut order: Order,
        entry: TimelineEntry,
        origin: &Origin,
        settled: Option<Commit>,
    ) -> Box<Self> {
        if let Some(settled) = settled {
            order.state = settled.state;
        }
        let ours = entry.event_id == origin.event_id;
        Box::new(Self { order, entry, ours })
    }

    /// What has to be told: the change of status that this event caused, if any.
    pub(crate) fn change(&self) -> Option<Change<'_>> {
        let transition = self.entry.transition.as_ref().filter(|_| self.ours)?;
        Some(Change { order: &self.order, report_id: self.entry.report_id(), transition })
    }

    /// What there is to note for the next time that the carrier is asked about the order.
    fn poll_row_update(&self, via: Via) -> PollRowUpdate<'_> {
        let entry = &self.entry;
        let source = &entry.facts.source;
        // What was pushed late is not what the carrier answers; what it answered is, however old.
        let newest = via == Via::Poll || !entry.late;
        // What the shop says does not show that the carrier's webhooks come.
        let by_webhook = via == Via::Push && *source != SourceName::API;
        PollRowUpdate {
            seen: (newest && source.as_str() == Shipway.name().as_str()).then(|| entry.report_id()),
            heard_at: by_webhook.then_some(entry.received_at),
            moved_at: self.ours.then_some(entry.received_at),
        }
    }
}

/// How we came to know of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// Somebody told us.
    Push,
    /// We asked.
    Poll,
}

impl Process {
    /// Applies a report, or keeps it until its order is known.
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
        // Its order may have been created since: then nobody else would come for it. Where an reconciliation was faster,
        // the unmatched row stays until that has told what it did.
        let second = self.apply(account, report, origin).await?;
        if matches!(&second, ApplyOutcome::Applied(applied) if applied.ours) {
            self.orders.unpark(account, &unmatched).await?;
        }
        Ok(second)
    }

    /// Applies a report to the order that one of its names means.
    pub(crate) async fn apply(
        &self,
        account: &AccountCode,
        report: &Report,
        origin: &Origin,
    ) -> Result<ApplyOutcome, IoError> {
        let Some(order) = self.orders.find(account, &report.refs()).await? else {
            return Ok(ApplyOutcome::Unmatched);
        };
        let key = OrderKey { account: account.clone(), order };
        self.apply_to(&key, report, origin, Via::Push).await
    }

    /// Applies a report to this order.
    pub(crate) async fn apply_to(
        &self,
        key: &OrderKey,
        report: &Report,
        origin: &Origin,
        via: Via,
    ) -> Result<ApplyOutcome, IoError> {
        if report.status == Status::Unknown {
            let word = report.source_status.as_deref();
            tracing::warn!(source = report.source.as_str(), word, event_id = %origin.event_id, "report.unknown_status");
        }
        let arrive = |order: &Order| {
            Arrival::of_report(&order.state, order.profile.parcels(), report, origin)
        };
        let outcome = self.arrive(key, origin, &report.scans, arrive).await?;
        if let ApplyOutcome::Applied(applied) = &outcome {
            self.orders.update_poll_row(&applied.order, applied.poll_row_update(via)).await?;
        }
        Ok(outcome)
    }

    /// A new parcel starts the order's way anew.
    pub(crate) async fn reship(
        &self,
        key: &OrderKey,
        reshipment: &Reshipment,
        origin: &Origin,
    ) -> Result<ApplyOutcome, IoError> {
        let (id, at) = (&reshipment.report_id, reshipment.at);
        let arrive = |order: &Order| Arrival::of_reshipment(&order.state, id.clone(), at, origin);
        let outcome = self.arrive(key, origin, &[], arrive).await?;
        if let ApplyOutcome::Applied(applied) = &outcome {
            self.orders.update_poll_row(&applied.order, applied.poll_row_update(Via::Push)).await?;
        }
        Ok(outcome)
    }

    /// Writes an entry and the state it leads to, whoever else writes the order at the same time.
    async fn arrive(
        &self,
        key: &OrderKey,
        origin: &Origin,
        scans: &[Scan],
        arrive: impl Fn(&Order) -> Arrival,
    ) -> Result<ApplyOutcome, IoError> {
        let outcome = retry(TRIES, || self.arrive_once(key, origin, scans, &arrive));
        outcome.await?.ok_or_else(|| IoError::contention("dynamodb:TransactWriteItems"))
    }

    async fn arrive_once(
        &self,
        key: &OrderKey,
        origin: &Origin,
        scans: &[Scan],
        arrive: &impl Fn(&Order) -> Arrival,
    ) -> Result<Try<ApplyOutcome>, IoError> {
        let Some(order) = self.orders.load(key).await? else {
            return Ok(Try::Done(ApplyOutcome::Unmatched));
        };
        let commit = match arrive(&order) {
            Arrival::InOrder(next) => Some(next.commit(&order.state, now())),
            Arrival::OutOfOrder(late) => {
                late.commit(&order.state, self.orders.entries(key).await?, now())
            }
        };
        let Some(commit) = commit else { return Ok(Try::Contended) };
        let newest = (!commit.entry.late).then_some(scans);
        let (entry, commit) = match self.orders.commit(key, &commit, newest).await? {
            CommitOutcome::Committed => {
                log(key, &commit);
                (commit.entry.clone(), Some(commit))
            }
            CommitOutcome::Duplicate(entry) => (*entry, None),
            CommitOutcome::Stale => return Ok(Try::Contended),
        };
        let applied = AppliedReport::new(order, entry, origin, commit);
        Ok(Try::Done(ApplyOutcome::Applied(applied)))
    }
}

fn log(key: &OrderKey, settled: &Commit) {
    let entry = &settled.entry;
    tracing::info!(
        account = %key.account,
        order_id = %key.order,
        report_id = %entry.report_id(),
        event_id = %entry.event_id,
        status = entry.facts.claim.status().as_str(),
        verdict = ?settled.disposition,
        late = entry.late,
        version = settled.state.version,
        "report.applied"
    );
}
