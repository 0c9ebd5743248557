//! The names that a fact gives an order, or takes from it.

use aws::clock::now;
use aws::error::IoError;
use aws::tables::inbound::InboundEvent;
use aws::tables::orders::NameChanges;
use domain::core::id::{OrderId, OrderKey, ReportId};
use domain::orders::api_event::Reconciliation;
use domain::orders::order::{Order, goes_to, is_withdrawn, moved_to};
use domain::tracking::entry::{Fact, ReportFacts, TimelineEntry};
use domain::tracking::report::{Ref, SourceName};
use domain::tracking::state::MAX_PARCELS;
use domain::tracking::timeline::NewFact;

use crate::Process;

pub(crate) enum Naming {
    Own(Box<NameChanges>),
    /// Another order of the account has the name that decides.
    OtherOrder(OrderId),
}

/// The order with exactly a report's id.
enum Exact {
    Absent,
    Order,
    /// The report's parcel has moved from it to this one.
    MovedHere,
}

impl Naming {
    fn none() -> Self {
        Self::Own(Box::default())
    }
}

impl Process {
    /// A report teaches the names that no order has; names of other orders are removed from it. A
    /// withdrawal frees the names that only its report taught. `is_known`: the timeline has the fact.
    pub(crate) async fn name_changes(
        &self,
        order: &Order,
        entries: &[TimelineEntry],
        fact: &mut NewFact,
        is_known: bool,
    ) -> Result<Naming, IoError> {
        match &mut fact.fact {
            // A withdrawn report that moves here teaches nothing.
            Fact::Report(_) if is_withdrawn(&fact.id, entries) => Ok(Naming::none()),
            Fact::Report(report) => self.learn_names(order, entries, report, is_known).await,
            Fact::Withdrawal { report_id } => self.freed_names(order, entries, report_id).await,
            Fact::Parcel(_) | Fact::Answer(_) => Ok(Naming::none()),
        }
    }

    /// Of several names in the report, the first that an order has decides.
    async fn learn_names(
        &self,
        order: &Order,
        entries: &[TimelineEntry],
        report: &mut ReportFacts,
        is_known: bool,
    ) -> Result<Naming, IoError> {
        let known = order.names(entries);
        let own = report.awb.as_ref().map(Ref::awb);
        let is_full = order.state.reserved_parcels() >= MAX_PARCELS;
        // The old parcel of an AWB that is used again: see `goes_to`.
        let parcel_is_gone =
            report.awb.as_ref().is_some_and(|awb| moved_to(awb, entries).is_some());
        let stays = is_known || parcel_is_gone && report.source == SourceName::API;
        let mut is_decided = stays;
        let (mut claimed, mut kept): (Vec<Ref>, Vec<Ref>) = (Vec::new(), Vec::new());
        let names: Vec<Ref> = report.names().collect();
        for name in names {
            if known.contains(&name) {
                is_decided = true;
                continue;
            }
            match self.orders.named(&order.key.account, &name).await? {
                // The facts that were read do not show it yet.
                Some(owner) if owner == order.key.order => {
                    is_decided = true;
                    kept.push(name);
                }
                Some(_) if stays && own.as_ref() == Some(&name) => {}
                // It has the name since the lookup.
                Some(owner) if !is_decided => return Ok(Naming::OtherOrder(owner)),
                Some(_) => report.forget(&name),
                // It left, and no order has it any more.
                None if is_gone(&name, entries) => report.forget(&name),
                // The report is about a parcel of the order: only its way back has no room.
                None if is_full && own.as_ref() != Some(&name) && matches!(name, Ref::Awb(_)) => {
                    report.forget(&name);
                }
                None => claimed.push(name),
            }
        }
        // The order with exactly the report's id may have been created since the lookup.
        let mut unless_exists = report.spelled_id.clone().filter(|_| !is_decided);
        if let Some(exact) = &unless_exists {
            match self.exact_order(&order.key, exact, report).await? {
                Exact::Absent => {}
                Exact::Order => return Ok(Naming::OtherOrder(exact.clone())),
                Exact::MovedHere => unless_exists = None,
            }
        }
        let reconciliation = (!claimed.is_empty()).then(|| next_reconciliation(order));
        let changes =
            NameChanges { claimed, kept, unless_exists, reconciliation, ..Default::default() };
        Ok(Naming::Own(Box::new(changes)))
    }

    async fn exact_order(
        &self,
        key: &OrderKey,
        exact: &OrderId,
        report: &ReportFacts,
    ) -> Result<Exact, IoError> {
        let exact = OrderKey { account: key.account.clone(), order: exact.clone() };
        Ok(match self.orders.load_with_timeline(&exact).await? {
            None => Exact::Absent,
            Some((_, entries)) if goes_to(report, &entries) == Some(&key.order) => Exact::MovedHere,
            Some(_) => Exact::Order,
        })
    }

    async fn freed_names(
        &self,
        order: &Order,
        entries: &[TimelineEntry],
        withdrawn: &ReportId,
    ) -> Result<Naming, IoError> {
        let others: Vec<TimelineEntry> =
            entries.iter().filter(|entry| entry.id != *withdrawn).cloned().collect();
        let kept = order.names(&others);
        let mut freed = Vec::new();
        for name in order.names(entries).difference(&kept) {
            let owner = self.orders.named(&order.key.account, name).await?;
            if owner.as_ref() == Some(&order.key.order) {
                freed.push(name.clone());
            }
        }
        Ok(Naming::Own(Box::new(NameChanges { freed, ..NameChanges::default() })))
    }
}

fn is_gone(name: &Ref, entries: &[TimelineEntry]) -> bool {
    matches!(name, Ref::Awb(awb) if moved_to(awb, entries).is_some())
}

/// Looks for the reports that wait under names which the next fact teaches the order.
fn next_reconciliation(order: &Order) -> InboundEvent {
    let content = Reconciliation::of(order.key.order.clone());
    InboundEvent::reconciliation(&order.key.account, order.state.rev + 1, content, now())
}
