//! `PATCH /api/external/orders/{order_id}`.

use std::collections::BTreeSet;

use aws::lambda::auth::{authorize_order, query_account};
use aws::lambda::http_api::{ApiError, json_body};
use aws::tables::contention::{Try, retry};
use aws::tables::inbound::InboundEvent;
use aws::tables::orders::{PatchOutcome, PatchedNames};
use domain::auth::Caller;
use domain::core::id::{Awb, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::{Reconciliation, TakenName};
use domain::orders::order::{Order, Profile, has_left, parcel_moved_to};
use domain::orders::request::OrderPatch;
use domain::tracking::entry::{Direction, ParcelChange, ParcelFact, TimelineEntry};
use domain::tracking::report::Ref;
use domain::tracking::state::{MAX_PARCELS, State};
use lambda_http::{Body, Request, Response};

use crate::names::{Acquisition, is_recycled};
use crate::{BODY_LIMIT, FIRST_PAGE, OrdersApi, TRIES};

impl OrdersApi {
    pub(crate) async fn patch(
        &self,
        request: &Request,
        caller: &Caller,
        order: &str,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let patch = OrderPatch::read(json_body(request, BODY_LIMIT)?)?;
        let query_account = query_account(request)?;
        let account = patch.account().or(query_account.as_ref());
        let key = authorize_order(caller, account, order, "accountCode")?;
        let patched = retry(TRIES, || self.patch_once(&key, &patch, now));
        patched.await?.ok_or_else(ApiError::unavailable)?;
        self.show(&key, &FIRST_PAGE, 200).await
    }

    async fn patch_once(
        &self,
        key: &OrderKey,
        patch: &OrderPatch,
        now: Timestamp,
    ) -> Result<Try<()>, ApiError> {
        let loaded = self.orders.load_with_timeline(key).await?;
        let (before, entries) = loaded.ok_or_else(|| ApiError::not_found("no such order"))?;
        let profile = patch.apply(&before.profile, &sources::ref_sources())?;
        if before.is_erased()
            && let Some(field) = profile.personal_field()
        {
            let message = "the shopper's data of this order was erased";
            return Err(ApiError::erased(message).with_field(field));
        }
        if profile == before.profile {
            // A repeated request: the first one may have crashed before it queued its event.
            self.queue_last_reconciliation(key).await?;
            return Ok(Try::Done(()));
        }
        let changes = parcel_changes(&before.profile, &profile);
        if let Some(awb) = profile.return_awb.as_ref().filter(|awb| before.state.has_added(awb))
            && before.profile.return_awb.as_ref() != Some(awb)
        {
            return Err(ApiError::invalid("returnAwb", "is a forward parcel of this order"));
        }
        self.write_patch((before, &entries), profile, changes, now).await
    }

    /// Stores a new profile with the names and parcels that come with it.
    pub(crate) async fn write_patch(
        &self,
        (before, entries): (Order, &[TimelineEntry]),
        profile: Profile,
        changes: Vec<ParcelChange>,
        now: Timestamp,
    ) -> Result<Try<()>, ApiError> {
        let rev = before.state.rev + 1;
        let mut added = before.state.added.clone();
        added.extend(changes.iter().filter_map(added_awb));
        let state = State { rev, profile_rev: rev, added, updated_at: now, ..before.state.clone() };
        let mut after = Order { profile, state, ..before.clone() };
        let names = self.patched_names(&before, &after, entries, &changes, now).await?;
        after.regain(names.claimed.iter().chain(&names.kept));
        let parcels: Vec<ParcelFact> =
            changes.into_iter().map(|change| fact(rev, change, &names)).collect();
        let has_news = !parcels.is_empty() || !names.claimed.is_empty();
        let reconciliation = has_news.then(|| {
            let taken = [names.taken.clone(), names.back.clone()].concat();
            let content =
                Reconciliation { parcels, taken, ..Reconciliation::of(after.key.order.clone()) };
            InboundEvent::reconciliation(&after.key.account, rev, content, now)
        });
        let event = reconciliation.as_ref();
        match self.orders.patch(&before, &after, &names, &self.events, event).await? {
            PatchOutcome::Patched => {}
            PatchOutcome::NameTaken(_) | PatchOutcome::RevMismatch => return Ok(Try::Contended),
        }
        if let Some(event) = &reconciliation {
            self.queue_event(&after.key, &event.id).await;
        }
        Ok(Try::Done(()))
    }

    async fn patched_names(
        &self,
        before: &Order,
        after: &Order,
        entries: &[TimelineEntry],
        changes: &[ParcelChange],
        now: Timestamp,
    ) -> Result<PatchedNames, ApiError> {
        let known = before.names(entries);
        // Another order may have taken over a parcel that this one had only learnt, though the
        // timeline does not show it yet.
        let named: BTreeSet<Ref> = changes.iter().filter_map(awb_of).map(Ref::awb).collect();
        let (old, wanted) = (before.profile.refs(), after.profile.refs());
        let new = wanted.difference(&old).filter(|name| !known.contains(*name));
        let new: BTreeSet<&Ref> = new.chain(&named).collect();
        let mut names = PatchedNames::default();
        for name in new {
            match self.acquire(&after.key, name, now).await? {
                Acquisition::Owned => names.kept.push(name.clone()),
                Acquisition::Claimed => {
                    names.claimed.push(name.clone());
                    names.back.extend(self.left_behind(&before.key, name, entries).await?);
                }
                Acquisition::Taken(mut taken) => {
                    // Its reports left with the parcel, so they come back with it, even if the AWB
                    // is free.
                    taken.with_reports |= matches!(name, Ref::Awb(awb) if has_left(awb, entries));
                    names.claimed.push(name.clone());
                    names.taken.push(taken);
                }
            }
        }
        let is_new_parcel = |name: &&Ref| matches!(name, Ref::Awb(_)) && !known.contains(*name);
        let parcels = names.claimed.iter().filter(is_new_parcel).count();
        check_parcels(before, parcels, changes)?;
        let kept = after.names(entries);
        for name in known.difference(&kept).filter(|name| matches!(name, Ref::Provider { .. })) {
            if self.orders.named(&after.key.account, name).await?.as_ref() == Some(&after.key.order)
            {
                names.freed.push(name.clone());
            }
        }
        Ok(names)
    }

    /// What another order has of a parcel that left this one and is free by now: its reports, and
    /// that they were withdrawn there.
    async fn left_behind(
        &self,
        key: &OrderKey,
        name: &Ref,
        entries: &[TimelineEntry],
    ) -> Result<Option<TakenName>, ApiError> {
        let Ref::Awb(awb) = name else { return Ok(None) };
        let Some(from) = parcel_moved_to(awb, entries) else { return Ok(None) };
        let other = OrderKey { account: key.account.clone(), order: from.clone() };
        let rev = self.orders.load(&other).await?.map_or(0, |order| order.state.rev);
        let (name, from) = (name.clone(), from.clone());
        Ok(Some(TakenName { name, from, rev, with_reports: true }))
    }

    pub(crate) async fn queue_last_reconciliation(&self, key: &OrderKey) -> Result<(), ApiError> {
        if let Some(reconciliation) = self.orders.last_reconciliation(key).await? {
            self.queue_event(key, &reconciliation).await;
        }
        Ok(())
    }
}

/// Rejects so many new parcels if the order has no room for them.
fn check_parcels(order: &Order, new: usize, changes: &[ParcelChange]) -> Result<(), ApiError> {
    if order.state.reserved_parcels() + new <= MAX_PARCELS {
        return Ok(());
    }
    let is_return = |change: &ParcelChange| {
        matches!(change, ParcelChange::Named { direction: Direction::Return, .. })
    };
    let field = if changes.iter().all(is_return) { "returnAwb" } else { "awb" };
    Err(ApiError::invalid(field, "an order has at most 20 parcels"))
}

fn fact(rev: u64, change: ParcelChange, names: &PatchedNames) -> ParcelFact {
    let recycled = awb_of(&change).is_some_and(|awb| is_recycled(&Ref::awb(awb), &names.taken));
    ParcelFact { rev, change, recycled }
}

fn added_awb(change: &ParcelChange) -> Option<Awb> {
    match change {
        ParcelChange::Added { awb, .. } => Some(awb.canonical()),
        _ => None,
    }
}

fn awb_of(change: &ParcelChange) -> Option<&Awb> {
    match change {
        ParcelChange::Named { awb, .. } => awb.as_ref(),
        ParcelChange::Added { awb, .. } => Some(awb),
        ParcelChange::Moved { .. } | ParcelChange::Released { .. } => None,
    }
}

/// The parcels that a patch names, or no longer names. The same parcel in another spelling is no
/// change.
fn parcel_changes(before: &Profile, after: &Profile) -> Vec<ParcelChange> {
    let named = |direction, old: &Option<Awb>, new: &Option<Awb>| {
        let is_same = match (old, new) {
            (Some(old), Some(new)) => old.is_same_parcel(new),
            (old, new) => old == new,
        };
        (!is_same).then(|| ParcelChange::Named { direction, awb: new.clone() })
    };
    let forward = named(Direction::Forward, &before.awb, &after.awb);
    let back = named(Direction::Return, &before.return_awb, &after.return_awb);
    forward.into_iter().chain(back).collect()
}
