//! Reconciliation: after an order is created or patched, or has learnt a name, writes the facts of
//! the request, takes over the reports of names that it took from other orders, and applies the
//! unmatched reports parked under its names.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use aws::clock::now;
use aws::error::IoError;
use aws::tables::inbound::{EventState, InboundEvent, Progress};
use aws::tables::orders::{OrderAndTimeline, UnmatchedReport};
use domain::core::hash::Fingerprint;
use domain::core::id::{EventId, OrderId, OrderKey, ReportId};
use domain::orders::api_event::{Reconciliation, TakenName};
use domain::orders::order::reports_under;
use domain::tracking::entry::{Fact, ParcelChange, ParcelFact, ReportFacts, TimelineEntry};
use domain::tracking::report::Ref;
use domain::tracking::state::Start;
use domain::tracking::timeline::{NewFact, Origin, plausible_time};

use crate::apply::{AppliedFact, ApplyOutcome};
use crate::fan_out::Undeliverable;
use crate::reason::FailReason;
use crate::{Process, Run};

/// Parked reports in work at once. Each may have fifty scans.
const MAX_UNMATCHED: usize = 200;

impl Process {
    pub(crate) async fn reconcile(
        &self,
        run: &Run<'_>,
        reconciliation: &Reconciliation,
    ) -> Result<Option<Progress>, IoError> {
        let event = run.event;
        let Some(account) = event.account.clone() else {
            return Ok(Some(FailReason::NoAccount.into()));
        };
        let key = OrderKey { account, order: reconciliation.order_id.clone() };
        let mut taken = self.still_taken(&key, &reconciliation.taken).await?;
        if reconciliation.is_new {
            taken.extend(self.take_spelled_reports(&key).await?);
        }
        let mut undeliverable = self.write_facts(event, &key, reconciliation, &taken).await?;
        for name in taken.iter().filter(|name| name.with_reports) {
            match self.copy_reports(run, &key, name).await? {
                Copied::All(failed) => undeliverable = failed.or(undeliverable),
                Copied::OutOfTime => return Ok(None),
            }
        }
        let Some(order) = self.orders.load_with_timeline(&key).await? else {
            return Ok(Some(FailReason::NoSuchOrder.into()));
        };
        let Unmatched { reports, has_more } = self.find_unmatched(&key, &order).await?;
        let mut reconciled = Vec::new();
        for unmatched in newest_first(reports) {
            // The next run goes on: reports that were applied are no longer parked.
            if !run.has_time() {
                return Ok(None);
            }
            let failed = self.reconcile_report(&key, &unmatched, &mut reconciled).await?;
            undeliverable = failed.or(undeliverable);
        }
        self.follow_up(&reconciled, run.deadline).await;
        if has_more && !reconciled.is_empty() && undeliverable.is_none() {
            return Ok(None);
        }
        Ok(Some(undeliverable.map_or_else(
            || EventState::Processed.into(),
            |undeliverable| FailReason::Undeliverable(undeliverable).into(),
        )))
    }

    /// Without the names that another order has taken over since: a late event must not move them.
    async fn still_taken(
        &self,
        key: &OrderKey,
        taken: &[TakenName],
    ) -> Result<Vec<TakenName>, IoError> {
        let mut still = Vec::new();
        for name in taken {
            let owner = self.orders.named(&key.account, &name.name).await?;
            if owner.as_ref() == Some(&key.order) {
                still.push(name.clone());
            }
        }
        Ok(still)
    }

    /// Names leave their old orders before the parcels of the request come to the new one.
    async fn write_facts(
        &self,
        event: &InboundEvent,
        key: &OrderKey,
        reconciliation: &Reconciliation,
        taken: &[TakenName],
    ) -> Result<Option<Undeliverable>, IoError> {
        let mut applied = Vec::new();
        for taken in taken {
            let from = OrderKey { account: key.account.clone(), order: taken.from.clone() };
            let Some((order, _)) = self.orders.load_with_timeline(&from).await? else { continue };
            let fact =
                ParcelFact { rev: order.state.rev, change: departure(taken, key), recycled: false };
            applied.extend(self.write_fact(event, &from, fact).await?);
        }
        for fact in &reconciliation.parcels {
            applied.extend(self.write_fact(event, key, fact.clone()).await?);
        }
        self.fan_out(&event.id, &applied, now()).await
    }

    /// The fact's id is made of the event and what it is about, so that a redelivery repeats it.
    async fn write_fact(
        &self,
        event: &InboundEvent,
        key: &OrderKey,
        fact: ParcelFact,
    ) -> Result<Option<AppliedFact>, IoError> {
        let change = serde_json::to_vec(&fact.change)
            .map_err(|_| IoError::unreadable("serde_json", "change"))?;
        let id = Fingerprint::of("parcel").with(&event.id).with(&key.order).with(change);
        let fact =
            NewFact { id: id.into(), occurred_at: event.received_at, fact: Fact::Parcel(fact) };
        let origin = Origin { event_id: event.id.clone(), received_at: event.received_at };
        match self.commit_fact(key, fact, &origin, &[]).await? {
            ApplyOutcome::Applied(applied) => Ok(Some(*applied)),
            _ => Ok(None),
        }
    }

    /// An order whose id is spelled otherwise may have taken the reports that name exactly this id.
    async fn take_spelled_reports(&self, key: &OrderKey) -> Result<Vec<TakenName>, IoError> {
        let mut taken = Vec::new();
        for spelling in key.order.other_spellings() {
            let other = OrderKey { account: key.account.clone(), order: spelling };
            let Some((order, entries)) = self.orders.load_with_timeline(&other).await? else {
                continue;
            };
            let name = Ref::Order(key.order.clone());
            if !reports_under(&name, &order.state.start, &entries).is_empty() {
                let (from, rev) = (other.order, order.state.rev);
                taken.push(TakenName { name, from, rev, with_reports: true });
            }
        }
        Ok(taken)
    }

    /// Copies the reports of a name that moved here, newest first, each as an event of its own.
    /// The next run finds what was copied.
    async fn copy_reports(
        &self,
        run: &Run<'_>,
        key: &OrderKey,
        taken: &TakenName,
    ) -> Result<Copied, IoError> {
        let from = OrderKey { account: key.account.clone(), order: taken.from.clone() };
        let Some((order, mut entries, checkpoints)) = self.orders.load_all_of(&from).await? else {
            return Ok(Copied::All(None));
        };
        let kept = order.names(&entries);
        retain_moved(&mut entries, &taken.name, &order.state.start);
        let taught = entries.iter().filter_map(TimelineEntry::report).flat_map(ReportFacts::names);
        let taught: BTreeSet<Ref> = taught.filter(|name| *name != taken.name).collect();
        for name in taught.difference(&kept) {
            self.orders.hand_over(&key.account, name, &from.order, &key.order).await?;
        }
        entries.sort_by_key(|entry| (entry.report().is_some(), Reverse(entry.occurred_at)));
        let mut undeliverable = None;
        for entry in entries {
            if !run.has_time() {
                return Ok(Copied::OutOfTime);
            }
            let event_id = copy_event_id(&entry.id, key);
            let origin = Origin { event_id, received_at: entry.received_at };
            // The newest report brings the parcel's scans.
            let scans = entry.awb().and_then(|awb| checkpoints.get(&awb.canonical()));
            let scans = scans.map_or(&[][..], Vec::as_slice);
            let fact = fact_of(entry, &key.order);
            let outcome = self.commit_fact(key, fact, &origin, scans).await?;
            let ApplyOutcome::Applied(applied) = outcome else { continue };
            let failed = self.fan_out(&origin.event_id, &[*applied], now()).await?;
            undeliverable = failed.or(undeliverable);
        }
        Ok(Copied::All(undeliverable))
    }

    /// A report parked under several names of the order is returned once.
    async fn find_unmatched(
        &self,
        key: &OrderKey,
        (order, entries): &OrderAndTimeline,
    ) -> Result<Unmatched, IoError> {
        let mut names = order.names(entries);
        names.insert(Ref::Order(key.order.clone()));
        let mut found = Unmatched::default();
        for name in &names {
            if found.reports.len() >= MAX_UNMATCHED {
                found.has_more = true;
                break;
            }
            let (parked, has_more) = self.orders.unmatched_reports(&key.account, name).await?;
            found.has_more |= has_more;
            let by_id = |it: UnmatchedReport| ((it.report.id.clone(), it.event_id.clone()), it);
            found.reports.extend(parked.into_iter().map(by_id));
        }
        Ok(found)
    }

    /// An unmatched report becomes an event of its own: other reports of its original event may
    /// have been applied long ago. It stays parked while an endpoint cannot be notified.
    async fn reconcile_report(
        &self,
        key: &OrderKey,
        unmatched: &UnmatchedReport,
        reconciled: &mut Vec<AppliedFact>,
    ) -> Result<Option<Undeliverable>, IoError> {
        let origin = Origin {
            event_id: unmatched.report.id.clone().into(),
            received_at: unmatched.received_at,
        };
        let undeliverable = match self.apply(&key.account, &unmatched.report, &origin).await? {
            ApplyOutcome::Applied(applied) => {
                let applied = [*applied];
                let undeliverable = self.fan_out(&origin.event_id, &applied, now()).await?;
                reconciled.extend(applied);
                undeliverable
            }
            // It will never apply.
            ApplyOutcome::Full | ApplyOutcome::Withdrawn => None,
            ApplyOutcome::Unmatched | ApplyOutcome::OtherOrder(_) => return Ok(None),
        };
        if undeliverable.is_none() {
            self.events.mark_reconciled(&unmatched.event_id, &unmatched.report.id, now()).await?;
            self.orders.unpark(&key.account, unmatched).await?;
        }
        Ok(undeliverable)
    }
}

/// How far the copying of reports got.
enum Copied {
    /// An endpoint may have been left out.
    All(Option<Undeliverable>),
    OutOfTime,
}

/// Some of the reports that are parked under an order's names.
#[derive(Default)]
struct Unmatched {
    reports: BTreeMap<(ReportId, EventId), UnmatchedReport>,
    /// More are parked.
    has_more: bool,
}

fn departure(taken: &TakenName, to: &OrderKey) -> ParcelChange {
    let to = to.order.clone();
    match &taken.name {
        Ref::Awb(awb) if !taken.with_reports => ParcelChange::Released { awb: awb.clone(), to },
        name => ParcelChange::Moved { name: name.clone(), to },
    }
}

/// Another one than that of the report in its old order, so that the change there and the change
/// here are told in different deliveries.
fn copy_event_id(report: &ReportId, to: &OrderKey) -> EventId {
    Fingerprint::of("moved").with(report).with(&to.account).with(&to.order).into()
}

/// Keeps the reports under a name, and their withdrawals. A withdrawal comes first: what it takes
/// back must not teach a name.
fn retain_moved(entries: &mut Vec<TimelineEntry>, name: &Ref, start: &Start) {
    let moved = reports_under(name, start, entries);
    entries.retain(|entry| match &entry.fact {
        Fact::Withdrawal { report_id } => moved.contains(report_id),
        Fact::Report(_) | Fact::Parcel(_) => moved.contains(&entry.id),
    });
}

/// A fact as the order `own` has it.
fn fact_of(entry: TimelineEntry, own: &OrderId) -> NewFact {
    let TimelineEntry { id, occurred_at, mut fact, .. } = entry;
    if let Fact::Report(report) = &mut fact {
        report.spelled_id = report.spelled_id.take().filter(|id| id != own);
    }
    NewFact { id, occurred_at, fact }
}

/// The newest report decides the status, and endpoints are notified of it. The older ones then fill
/// in the timeline, whatever order their rows were read in.
fn newest_first(unmatched: BTreeMap<(ReportId, EventId), UnmatchedReport>) -> Vec<UnmatchedReport> {
    let mut reports: Vec<UnmatchedReport> = unmatched.into_values().collect();
    // Stable: reports of one time and status stay sorted by id.
    reports.sort_by_key(|unmatched| {
        let report = &unmatched.report;
        Reverse((plausible_time(report.occurred_at, unmatched.received_at), report.status))
    });
    reports
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::timestamp::Timestamp;
    use domain::tracking::report::{Report, SourceName};
    use domain::tracking::status::{Leg, Status};

    use super::*;

    fn at(hour: u32) -> Timestamp {
        Timestamp::parse(&format!("2026-01-20T{hour:02}:00:00Z")).unwrap()
    }

    fn unmatched(id: &str, status: Status, occurred_at: Option<u32>) -> UnmatchedReport {
        let report = Report {
            id: ReportId::parse(id).unwrap(),
            source: SourceName::new("shiprocket"),
            awb: None,
            return_awb: None,
            provider_id: None,
            order_id: None,
            leg: Leg::Outbound,
            status,
            source_status: None,
            occurred_at: occurred_at.map(at),
            location: None,
            note: None,
            eta: None,
            attempts: None,
            carrier_name: None,
            scans: Vec::new(),
        };
        UnmatchedReport { report, event_id: EventId::parse("e").unwrap(), received_at: at(12) }
    }

    #[test]
    fn applies_the_newest_report_first() {
        let reports = [
            unmatched("a", Status::PickedUp, Some(1)),
            unmatched("b", Status::InTransit, None),
            unmatched("c", Status::Delivered, Some(9)),
            unmatched("d", Status::OutForDelivery, Some(9)),
            unmatched("e", Status::InTransit, Some(3)),
            unmatched("f", Status::InTransit, Some(3)),
        ];
        let by_id = reports.map(|it| ((it.report.id.clone(), it.event_id.clone()), it));
        let sorted = newest_first(BTreeMap::from(by_id));
        let ids: Vec<&str> = sorted.iter().map(|it| it.report.id.as_str()).collect();
        assert_eq!(ids, ["b", "c", "d", "e", "f", "a"]);
    }
}
