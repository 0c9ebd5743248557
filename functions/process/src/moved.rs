//! Facts of the shop about parcels, and names that an order takes over from others.

use aws::clock::now;
use aws::error::IoError;
use aws::tables::contention::{Try, retry};
use aws::tables::inbound::InboundEvent;
use domain::core::hash::Fingerprint;
use domain::core::id::{EventId, OrderKey};
use domain::orders::api_event::{Reconciliation, TakenName};
use domain::orders::order::{Order, moved_to, names_by_id};
use domain::tracking::entry::{Fact, ParcelChange, ParcelFact};
use domain::tracking::report::Ref;
use domain::tracking::timeline::{NewFact, Origin};

use crate::apply::{AppliedFact, ApplyOutcome, Placed, TRIES, contended};
use crate::fan_out::Undeliverable;
use crate::{Process, Run};

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
    ) -> Result<Option<Undeliverable>, IoError> {
        let mut applied = Vec::new();
        for taken in &reconciliation.taken {
            let from = OrderKey { account: key.account.clone(), order: taken.from.clone() };
            let fact =
                ParcelFact { rev: taken.rev, change: departure(taken, key), recycled: false };
            applied.extend(self.write_fact(event, &from, fact).await?);
        }
        for fact in &reconciliation.parcels {
            applied.extend(self.write_fact(event, key, fact.clone()).await?);
        }
        self.fan_out(event, &applied, now()).await
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
        let origin =
            Origin { event_id: event.id.clone(), logged_as: None, received_at: event.received_at };
        match self.commit_fact(key, fact, &origin, &[]).await? {
            Placed::Here(ApplyOutcome::Applied(applied)) => Ok(Some(*applied)),
            _ => Ok(None),
        }
    }

    /// An order whose id is spelled otherwise may have taken the reports that name exactly this id.
    /// They move with an event of their own, so that another run of this event cannot mark the move
    /// as done.
    pub(crate) async fn take_spelled_reports(
        &self,
        run: &Run<'_>,
        key: &OrderKey,
    ) -> Result<(), IoError> {
        for spelling in key.order.other_spellings() {
            let other = OrderKey { account: key.account.clone(), order: spelling };
            let moved = retry(TRIES, || self.take_reports_of(key, &other)).await?;
            if let Some(event) = moved.ok_or_else(contended)? {
                self.follow_up(&event, run.deadline).await;
            }
        }
        Ok(())
    }

    async fn take_reports_of(
        &self,
        key: &OrderKey,
        other: &OrderKey,
    ) -> Result<Try<Option<EventId>>, IoError> {
        let Some((order, entries)) = self.orders.load_with_timeline(other).await? else {
            return Ok(Try::Done(None));
        };
        let mut names = names_by_id(&key.order, &order, &entries);
        if names.is_empty() {
            return Ok(Try::Done(None));
        }
        let Some((own, own_entries)) = self.orders.load_with_timeline(key).await? else {
            return Ok(Try::Done(None));
        };
        // A late event must not take a parcel again that this order gave back.
        let gave_back = |name: &Ref| match name {
            Ref::Awb(awb) => moved_to(awb, &own_entries) == Some(&other.order),
            Ref::Order(_) | Ref::Provider { .. } => false,
        };
        names.retain(|name| !gave_back(name) && !own.given_up.contains(name));
        if names.is_empty() {
            return Ok(Try::Done(None));
        }
        let event = reconciliation_of(&own, &order, &names);
        let is_moved = self.orders.move_names([&order, &own], &names, &self.events, &event).await?;
        Ok(if is_moved { Try::Done(Some(event.id)) } else { Try::Contended })
    }
}

/// The event that moves the reports of names from one order to another.
fn reconciliation_of(to: &Order, from: &Order, names: &[Ref]) -> InboundEvent {
    let taken = names.iter().map(|name| TakenName {
        name: name.clone(),
        from: from.key.order.clone(),
        rev: from.state.rev,
        with_reports: true,
    });
    let content =
        Reconciliation { taken: taken.collect(), ..Reconciliation::of(to.key.order.clone()) };
    InboundEvent::reconciliation(&to.key.account, to.state.rev, content, now())
}

fn departure(taken: &TakenName, to: &OrderKey) -> ParcelChange {
    let to = to.order.clone();
    match &taken.name {
        Ref::Awb(awb) if !taken.with_reports => ParcelChange::Released { awb: awb.clone(), to },
        name => ParcelChange::Moved { name: name.clone(), to },
    }
}
