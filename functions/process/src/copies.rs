//! Copies the reports under a name that moved from one order to another.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws::clock::now;
use aws::error::IoError;
use aws::tables::contention::{Try, retry};
use domain::core::hash::Fingerprint;
use domain::core::id::{Awb, EventId, OrderId, OrderKey, ReportId};
use domain::orders::api_event::TakenName;
use domain::orders::order::{Order, reports_under};
use domain::tracking::entry::{Fact, ReportFacts, TimelineEntry};
use domain::tracking::report::{Ref, Scan};
use domain::tracking::timeline::{NewFact, Origin};

use crate::apply::{ApplyOutcome, Placed, TRIES, contended, follow};
use crate::fan_out::Undeliverable;
use crate::{Process, Run};

/// A message is retried for so long.
const RETRIED_FOR: Duration = Duration::from_secs(9 * 60 * 60);

/// How far the copying of reports got.
pub(crate) enum Copied {
    /// All are copied; an endpoint may have been left out.
    All(Option<Undeliverable>),
    OutOfTime,
}

/// An order that gave up a name, with the reports that leave with it: withdrawals first, then the
/// newest report first.
struct Left {
    order: Order,
    entries: Vec<TimelineEntry>,
    checkpoints: BTreeMap<Awb, Vec<Scan>>,
    moved: Vec<TimelineEntry>,
    /// In those reports, and the one that they leave with.
    names: BTreeSet<Ref>,
}

/// What became of the reports that were copied.
struct Copies {
    /// The orders that have them now, or had them before.
    owners: BTreeSet<OrderId>,
    /// Events that may not have told endpoints of their changes in the old order.
    interrupted: BTreeSet<EventId>,
    undeliverable: Option<Undeliverable>,
}

impl Process {
    /// Copies the reports of a name that moved here, newest first, each as an event of its own. A
    /// run that stops is repeated from the start: what was copied is then a duplicate.
    pub(crate) async fn copy_reports(
        &self,
        run: &Run<'_>,
        key: &OrderKey,
        taken: &TakenName,
    ) -> Result<Copied, IoError> {
        let left = retry(TRIES, || self.take_names_along(key, taken)).await?;
        let Some(left) = left.ok_or_else(contended)? else { return Ok(Copied::All(None)) };
        let Left { order, entries, checkpoints, moved, names } = left;
        let mut copies = Copies {
            owners: BTreeSet::from([order.key.order.clone()]),
            interrupted: self.interrupted(&moved, RETRIED_FOR).await?,
            undeliverable: None,
        };
        for entry in moved {
            if !run.has_time() {
                return Ok(Copied::OutOfTime);
            }
            // The newest report brings the parcel's scans.
            let scans = entry.awb().and_then(|awb| checkpoints.get(&awb.canonical()));
            let scans = scans.map_or(&[][..], Vec::as_slice);
            self.copy_report(key, entry, scans, &mut copies).await?;
        }
        for event in &copies.interrupted {
            let failed = self.tell_of_changes(event, &order, &entries).await?;
            copies.undeliverable = failed.or(copies.undeliverable);
        }
        self.settle_names(key, &names, &copies.owners).await?;
        Ok(Copied::All(copies.undeliverable))
    }

    /// The names in the reports that leave go with them, unless other reports keep them in the old
    /// order.
    async fn take_names_along(
        &self,
        key: &OrderKey,
        taken: &TakenName,
    ) -> Result<Try<Option<Left>>, IoError> {
        let from = OrderKey { account: key.account.clone(), order: taken.from.clone() };
        let Some((order, entries, checkpoints)) = self.orders.load_all_of(&from).await? else {
            return Ok(Try::Done(None));
        };
        let Some((own, own_entries)) = self.orders.load_with_timeline(key).await? else {
            return Ok(Try::Done(None));
        };
        let mut moved = moved_with(&taken.name, &entries);
        moved.extend(early_withdrawals(&taken.name, &own_entries, &entries));
        // A withdrawal comes first: what it takes back must not teach a name.
        moved.sort_by_key(|entry| (entry.report().is_some(), Reverse(entry.occurred_at)));
        let names = names_in(&moved, taken);
        for name in names.difference(&order.names(&entries)) {
            if !self.orders.give_away(&order, name, Some(&own)).await? {
                return Ok(Try::Contended);
            }
        }
        Ok(Try::Done(Some(Left { order, entries, checkpoints, moved, names })))
    }

    async fn copy_report(
        &self,
        key: &OrderKey,
        entry: TimelineEntry,
        scans: &[Scan],
        copies: &mut Copies,
    ) -> Result<(), IoError> {
        let event = entry.event_id.clone();
        let event_id = copy_event_id(&entry.id, key);
        let origin = Origin {
            event_id,
            logged_as: Some(entry.log_id().clone()),
            received_at: entry.received_at,
        };
        let outcome = self.commit_copy(key, &entry, &origin, scans).await?;
        let is_new = matches!(&outcome, ApplyOutcome::Applied(applied) if !applied.is_repeat);
        if let ApplyOutcome::Applied(mut applied) = outcome {
            let is_by_event = applied.entry.event_id == event;
            let teller = if is_by_event { &event } else { &origin.event_id };
            applied.act_for(teller);
            copies.owners.insert(applied.order.key.order.clone());
            let failed = self.fan_out(teller, &[*applied], now()).await?;
            copies.undeliverable = failed.or(copies.undeliverable.take());
        }
        // Its event may have gone on here since, and ended without a look at the old order.
        if !is_new {
            copies.interrupted.insert(event);
        }
        Ok(())
    }

    /// Copies a fact to the order, or to the one that has taken its parcel over since.
    async fn commit_copy(
        &self,
        key: &OrderKey,
        entry: &TimelineEntry,
        origin: &Origin,
        scans: &[Scan],
    ) -> Result<ApplyOutcome, IoError> {
        let first = self.commit_copy_here(key, entry, origin, scans).await?;
        follow(first, &key.account, async |key| {
            self.commit_copy_here(&key, entry, origin, scans).await
        })
        .await
    }

    async fn commit_copy_here(
        &self,
        key: &OrderKey,
        entry: &TimelineEntry,
        origin: &Origin,
        scans: &[Scan],
    ) -> Result<Placed, IoError> {
        let mut fact = fact_of(entry, &key.order);
        self.forget_foreign_names(key, &mut fact).await?;
        let mut placed = self.commit_fact(key, fact.clone(), origin, scans).await?;
        // Meanwhile another order may have taken over a name that does not decide.
        while matches!(placed, Placed::OtherOrder(_))
            && self.forget_foreign_names(key, &mut fact).await?
        {
            placed = self.commit_fact(key, fact.clone(), origin, scans).await?;
        }
        Ok(placed)
    }

    /// A name went back to its old order: those that went along with it go back too.
    pub(crate) async fn settle_names_along(
        &self,
        key: &OrderKey,
        taken: &TakenName,
    ) -> Result<(), IoError> {
        let from = OrderKey { account: key.account.clone(), order: taken.from.clone() };
        let Some((_, entries)) = self.orders.load_with_timeline(&from).await? else {
            return Ok(());
        };
        let names = names_in(&moved_with(&taken.name, &entries), taken);
        self.settle_names(key, &names, &BTreeSet::from([from.order])).await
    }

    /// Brings the names in line with the orders that have them by their facts: an order may have had
    /// the reports before, without these names, the reports may have gone on to others, and those
    /// that were withdrawn give no name.
    async fn settle_names(
        &self,
        key: &OrderKey,
        names: &BTreeSet<Ref>,
        owners: &BTreeSet<OrderId>,
    ) -> Result<(), IoError> {
        let settled = retry(TRIES, || self.settle_names_once(key, names, owners)).await?;
        settled.ok_or_else(contended)
    }

    async fn settle_names_once(
        &self,
        key: &OrderKey,
        names: &BTreeSet<Ref>,
        owners: &BTreeSet<OrderId>,
    ) -> Result<Try<()>, IoError> {
        let Some((order, entries)) = self.orders.load_with_timeline(key).await? else {
            return Ok(Try::Done(()));
        };
        let own = order.names(&entries);
        for name in names.difference(&own) {
            let owner = self.first_with(key, name, owners).await?;
            if !self.orders.give_away(&order, name, owner.as_ref()).await? {
                return Ok(Try::Contended);
            }
        }
        Ok(Try::Done(()))
    }

    /// The first other order whose facts give it a name, whether or not another one took it since.
    async fn first_with(
        &self,
        key: &OrderKey,
        name: &Ref,
        orders: &BTreeSet<OrderId>,
    ) -> Result<Option<Order>, IoError> {
        for order in orders.iter().filter(|order| **order != key.order) {
            let other = OrderKey { account: key.account.clone(), order: order.clone() };
            if let Some((order, entries)) = self.orders.load_with_timeline(&other).await?
                && order.names_by_facts(&entries).contains(name)
            {
                return Ok(Some(order));
            }
        }
        Ok(None)
    }

    /// A report goes with its parcel, or without one with its order's id, whichever order has its
    /// other names by now. True if it removed any.
    pub(crate) async fn forget_foreign_names(
        &self,
        key: &OrderKey,
        fact: &mut NewFact,
    ) -> Result<bool, IoError> {
        let Fact::Report(report) = &mut fact.fact else { return Ok(false) };
        let own = report.awb.as_ref().map(Ref::awb);
        let others: Vec<Ref> = report.names().filter(|name| own.as_ref() != Some(name)).collect();
        let mut has_foreign = false;
        for name in others {
            let owner = self.orders.named(&key.account, &name).await?;
            if owner.is_some_and(|owner| owner != key.order) {
                report.forget(&name);
                has_foreign = true;
            }
        }
        Ok(has_foreign)
    }
}

/// Another one than that of the report in its old order, so that the change there and the change
/// here are told in different deliveries.
fn copy_event_id(report: &ReportId, to: &OrderKey) -> EventId {
    Fingerprint::of("moved").with(report).with(&to.account).with(&to.order).into()
}

/// The reports under a name, and their withdrawals.
pub(crate) fn moved_with(name: &Ref, entries: &[TimelineEntry]) -> Vec<TimelineEntry> {
    let moved = reports_under(name, entries);
    let is_moved = |entry: &&TimelineEntry| match &entry.fact {
        Fact::Withdrawal { report_id } => moved.contains(report_id),
        Fact::Report(_) | Fact::Parcel(_) | Fact::Answer(_) => moved.contains(&entry.id),
    };
    entries.iter().filter(is_moved).cloned().collect()
}

/// Withdrawals that came to the old order when a report was on its way there. It is back before it
/// was copied.
fn early_withdrawals<'a>(
    name: &Ref,
    own: &[TimelineEntry],
    entries: &'a [TimelineEntry],
) -> impl Iterator<Item = TimelineEntry> + use<'a> {
    let here: BTreeSet<&ReportId> = entries.iter().map(|entry| &entry.id).collect();
    let mut back = reports_under(name, own);
    back.retain(|report| !here.contains(report));
    let is_early = move |entry: &&TimelineEntry| match &entry.fact {
        Fact::Withdrawal { report_id } => back.contains(report_id),
        Fact::Report(_) | Fact::Parcel(_) | Fact::Answer(_) => false,
    };
    entries.iter().filter(is_early).cloned()
}

/// The names in the reports that moved, and the one that they moved with.
fn names_in(moved: &[TimelineEntry], taken: &TakenName) -> BTreeSet<Ref> {
    let names = moved.iter().filter_map(TimelineEntry::report).flat_map(ReportFacts::names);
    let with = Some(&taken.name).filter(|name| !matches!(name, Ref::Order(_)));
    names.chain(with.cloned()).collect()
}

/// A fact as the order `own` has it.
fn fact_of(entry: &TimelineEntry, own: &OrderId) -> NewFact {
    let TimelineEntry { id, occurred_at, mut fact, .. } = entry.clone();
    if let Fact::Report(report) = &mut fact {
        report.spelled_id = report.spelled_id.take().filter(|id| id != own);
    }
    NewFact { id, occurred_at, fact }
}
