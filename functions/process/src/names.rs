//! The names that a fact gives an order, or takes from it.

use aws::clock::now;
use aws::error::IoError;
use aws::tables::inbound::InboundEvent;
use aws::tables::orders::NameChanges;
use domain::core::id::{OrderId, ReportId};
use domain::orders::api_event::Reconciliation;
use domain::orders::order::{Order, is_withdrawn};
use domain::tracking::entry::{Fact, ReportFacts, TimelineEntry};
use domain::tracking::report::Ref;
use domain::tracking::state::MAX_PARCELS;
use domain::tracking::timeline::NewFact;

use crate::Process;

pub(crate) enum Naming {
    Own(NameChanges),
    /// Another order of the account has the fact's parcel.
    OtherOrder(OrderId),
}

impl Naming {
    fn none() -> Self {
        Self::Own(NameChanges::default())
    }
}

impl Process {
    /// A report teaches the names that no order has; names of other orders are removed from it. A
    /// withdrawal frees the names that only its report taught.
    pub(crate) async fn name_changes(
        &self,
        order: &Order,
        entries: &[TimelineEntry],
        fact: &mut NewFact,
    ) -> Result<Naming, IoError> {
        match &mut fact.fact {
            // A withdrawn report that moves here teaches nothing.
            Fact::Report(_) if is_withdrawn(&fact.id, entries) => Ok(Naming::none()),
            Fact::Report(report) => self.learn_names(order, entries, report).await,
            Fact::Withdrawal { report_id } => self.freed_names(order, entries, report_id).await,
            Fact::Parcel(_) => Ok(Naming::none()),
        }
    }

    async fn learn_names(
        &self,
        order: &Order,
        entries: &[TimelineEntry],
        report: &mut ReportFacts,
    ) -> Result<Naming, IoError> {
        let known = order.names(entries);
        let own = report.awb.as_ref().map(Ref::awb);
        let is_full = order.state.parcels.len() >= MAX_PARCELS;
        let mut claimed: Vec<Ref> = Vec::new();
        let new: Vec<Ref> = report.names().filter(|name| !known.contains(name)).collect();
        for name in new {
            match self.orders.named(&order.key.account, &name).await? {
                Some(owner) if owner == order.key.order => {}
                Some(owner) if own.as_ref() == Some(&name) => {
                    return Ok(Naming::OtherOrder(owner));
                }
                Some(_) => report.forget(&name),
                None if claimed.contains(&name) => {}
                // The report is about a parcel of the order: only its way back has no room.
                None if is_full && own.as_ref() != Some(&name) && matches!(name, Ref::Awb(_)) => {
                    report.forget(&name);
                }
                None => claimed.push(name),
            }
        }
        let reconciliation = (!claimed.is_empty()).then(|| {
            let content = Reconciliation::of(order.key.order.clone());
            let rev = order.state.rev + 1;
            InboundEvent::reconciliation(&order.key.account, rev, content, now())
        });
        Ok(Naming::Own(NameChanges { claimed, freed: Vec::new(), reconciliation }))
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
        Ok(Naming::Own(NameChanges { freed, ..NameChanges::default() }))
    }
}
