//! Facts of the shop about parcels, and names that an order takes over from others with the reports
//! under them.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use aws::clock::now;
use aws::error::IoError;
use aws::tables::inbound::{EventState, InboundEvent};
use domain::core::hash::Fingerprint;
use domain::core::id::{EventId, OrderId, OrderKey, ReportId};
use domain::orders::api_event::{Reconciliation, TakenName};
use domain::orders::order::{Order, parcels_by_id, reports_under};
use domain::tracking::entry::{Fact, ParcelChange, ParcelFact, ReportFacts, TimelineEntry};
use domain::tracking::report::Ref;
use domain::tracking::timeline::{NewFact, Origin};

use crate::apply::{AppliedFact, ApplyOutcome};
use crate::fan_out::Undeliverable;
use crate::{Process, Run};

/// How far the copying of reports got.
pub(crate) enum Copied {
    /// An endpoint may have been left out.
    All(Option<Undeliverable>),
    OutOfTime,
}

impl Process {
    /// Without the names that another order has taken over since: a late event must not move them.
    pub(crate) async fn still_taken(
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
    pub(crate) async fn write_facts(
        &self,
        event: &InboundEvent,
        key: &OrderKey,
        reconciliation: &Reconciliation,
        taken: &[TakenName],
    ) -> Result<Option<Undeliverable>, IoError> {
        let mut applied = Vec::new();
        for taken in taken {
            let from = OrderKey { account: key.account.clone(), order: taken.from.clone() };
            let Some(order) = self.orders.load(&from).await? else { continue };
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
    /// Takes them over: those without a parcel by the id, the others with the parcels that no other
    /// report of that order names.
    pub(crate) async fn take_spelled_reports(
        &self,
        key: &OrderKey,
    ) -> Result<Vec<TakenName>, IoError> {
        let mut taken = Vec::new();
        for spelling in key.order.other_spellings() {
            let other = OrderKey { account: key.account.clone(), order: spelling };
            let Some((order, entries)) = self.orders.load_with_timeline(&other).await? else {
                continue;
            };
            let mut names: Vec<Ref> = Vec::new();
            for awb in parcels_by_id(&key.order, &order, &entries) {
                let name = Ref::Awb(awb);
                self.orders.hand_over(&key.account, &name, &other.order, &key.order).await?;
                names.push(name);
            }
            let by_id = Ref::Order(key.order.clone());
            names.extend((!reports_under(&by_id, &entries).is_empty()).then_some(by_id));
            taken.extend(names.into_iter().map(|name| TakenName {
                name,
                from: other.order.clone(),
                rev: order.state.rev,
                with_reports: true,
            }));
        }
        self.still_taken(key, &taken).await
    }

    /// Copies the reports of a name that moved here, newest first, each as an event of its own.
    /// The next run finds what was copied.
    pub(crate) async fn copy_reports(
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
        let all = entries.clone();
        retain_moved(&mut entries, &taken.name);
        let mut interrupted = self.interrupted(&entries).await?;
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
            let event = entry.event_id.clone();
            let event_id = copy_event_id(&entry.id, key);
            let origin = Origin { event_id, received_at: entry.received_at };
            // The newest report brings the parcel's scans.
            let scans = entry.awb().and_then(|awb| checkpoints.get(&awb.canonical()));
            let scans = scans.map_or(&[][..], Vec::as_slice);
            let fact = fact_of(entry, &key.order);
            let outcome = self.commit_fact(key, fact, &origin, scans).await?;
            let ApplyOutcome::Applied(applied) = outcome else { continue };
            // Its event went on here, and may have ended without a look at the old order.
            interrupted.extend((!applied.added_by_event()).then_some(event));
            let failed = self.fan_out(&origin.event_id, &[*applied], now()).await?;
            undeliverable = failed.or(undeliverable);
        }
        for event in &interrupted {
            let failed = self.tell_of_changes(event, &order, &all).await?;
            undeliverable = failed.or(undeliverable);
        }
        Ok(Copied::All(undeliverable))
    }

    /// The events of facts with a change that may not have told endpoints of it yet. When they go on
    /// they find their reports in another order.
    async fn interrupted(&self, entries: &[TimelineEntry]) -> Result<BTreeSet<EventId>, IoError> {
        let changes = entries.iter().filter(|entry| entry.transition.is_some());
        let mut interrupted: BTreeSet<EventId> = changes.map(|it| it.event_id.clone()).collect();
        for event in interrupted.clone() {
            let stored = self.events.open(&event).await?;
            if stored.is_some_and(|stored| stored.state().is_ok_and(EventState::is_settled)) {
                interrupted.remove(&event);
            }
        }
        Ok(interrupted)
    }

    /// Tells endpoints of the changes that an event made in an order, once more if it told them: the
    /// deliveries have the same ids.
    async fn tell_of_changes(
        &self,
        event: &EventId,
        order: &Order,
        entries: &[TimelineEntry],
    ) -> Result<Option<Undeliverable>, IoError> {
        let own = entries.iter().filter(|entry| entry.event_id == *event);
        let facts: Vec<AppliedFact> =
            own.map(|entry| AppliedFact::of(order.clone(), entry.clone(), event.clone())).collect();
        self.fan_out(event, &facts, now()).await
    }
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
fn retain_moved(entries: &mut Vec<TimelineEntry>, name: &Ref) {
    let moved = reports_under(name, entries);
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
