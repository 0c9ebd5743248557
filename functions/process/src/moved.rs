//! Facts of the shop about parcels, and names that an order takes over from others.

use std::collections::BTreeSet;

use aws::clock::now;
use aws::error::IoError;
use aws::tables::contention::{Try, retry};
use aws::tables::inbound::InboundEvent;
use domain::core::hash::Fingerprint;
use domain::core::id::{Awb, OrderKey};
use domain::orders::api_event::{Reconciliation, TakenName};
use domain::orders::order::{Order, moved_to, parcels_by_id, parcels_moved_by, reports_under};
use domain::tracking::entry::{Fact, ParcelChange, ParcelFact, TimelineEntry};
use domain::tracking::report::Ref;
use domain::tracking::timeline::{NewFact, Origin};

use crate::Process;
use crate::apply::{AppliedFact, ApplyOutcome, Placed, TRIES, contended};
use crate::fan_out::Undeliverable;

impl Process {
    /// True if the order that gave the name up has taken it back since.
    pub(crate) async fn is_back(&self, key: &OrderKey, taken: &TakenName) -> Result<bool, IoError> {
        let owner = self.orders.named(&key.account, &taken.name).await?;
        Ok(owner.as_ref() == Some(&taken.from))
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
            let fact =
                ParcelFact { rev: taken.rev, change: departure(taken, key), recycled: false };
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
            Placed::Here(ApplyOutcome::Applied(applied)) => Ok(Some(*applied)),
            _ => Ok(None),
        }
    }

    /// An order whose id is spelled otherwise may have taken the reports that name exactly this id.
    /// Takes them over: those without a parcel by the id, the others with the parcels that no other
    /// report of that order names.
    pub(crate) async fn take_spelled_reports(
        &self,
        event: &InboundEvent,
        key: &OrderKey,
    ) -> Result<Vec<TakenName>, IoError> {
        let mut taken = Vec::new();
        for spelling in key.order.other_spellings() {
            let other = OrderKey { account: key.account.clone(), order: spelling };
            let from_other = retry(TRIES, || self.take_reports_of(event, key, &other)).await?;
            taken.extend(from_other.ok_or_else(contended)?);
        }
        Ok(taken)
    }

    async fn take_reports_of(
        &self,
        event: &InboundEvent,
        key: &OrderKey,
        other: &OrderKey,
    ) -> Result<Try<Vec<TakenName>>, IoError> {
        let Some((order, entries)) = self.orders.load_with_timeline(other).await? else {
            return Ok(Try::Done(Vec::new()));
        };
        let mut names: Vec<Ref> = Vec::new();
        for awb in self.parcels_to_take(key, &order, &entries).await? {
            let name = Ref::Awb(awb);
            // An earlier run may have taken it, and another report may name it since.
            let is_taken = order.given_up.get(&name) == Some(&Some(key.order.clone()));
            if !is_taken && !self.orders.give_away(&order, &name, Some(&key.order)).await? {
                return Ok(Try::Contended);
            }
            names.push(name);
        }
        // An earlier run may have written that they left, and ended before it copied their reports.
        names.extend(parcels_moved_by(&event.id, &entries).map(Ref::awb));
        let by_id = Ref::Order(key.order.clone());
        names.extend((!reports_under(&by_id, &entries).is_empty()).then_some(by_id));
        let taken = names.into_iter().map(|name| TakenName {
            name,
            from: other.order.clone(),
            rev: order.state.rev,
            with_reports: true,
        });
        Ok(Try::Done(taken.collect()))
    }

    /// Leaves out parcels that this order gave back to the other one: a late event must not take them
    /// again.
    async fn parcels_to_take(
        &self,
        key: &OrderKey,
        other: &Order,
        entries: &[TimelineEntry],
    ) -> Result<BTreeSet<Awb>, IoError> {
        let mut parcels = parcels_by_id(&key.order, other, entries);
        if !parcels.is_empty() {
            let own = self.orders.load_with_timeline(key).await?;
            let own = own.map(|(_, entries)| entries).unwrap_or_default();
            parcels.retain(|awb| moved_to(awb, &own) != Some(&other.key.order));
        }
        Ok(parcels)
    }
}

fn departure(taken: &TakenName, to: &OrderKey) -> ParcelChange {
    let to = to.order.clone();
    match &taken.name {
        Ref::Awb(awb) if !taken.with_reports => ParcelChange::Released { awb: awb.clone(), to },
        name => ParcelChange::Moved { name: name.clone(), to },
    }
}
