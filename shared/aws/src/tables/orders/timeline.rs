//! Timeline entries, written together with the state they lead to.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::core::id::{AccountCode, OrderId, OrderKey, ReportId};
use domain::orders::api_event::TakenName;
use domain::orders::order::Order;
use domain::tracking::entry::TimelineEntry;
use domain::tracking::report::{ParcelScans, Ref};
use domain::tracking::timeline::Commit;

use super::checkpoints::pack_scans;
use super::facts::Packed;
use super::find::{KEPT, MOVED};
use super::{Orders, facts, state_key};
use crate::error::IoError;
use crate::tables::attr::{item, text};
use crate::tables::expression::{attr, no_row};
use crate::tables::inbound::{InboundEvent, InboundLog};
use crate::tables::keys::{key, ref_pk};
use crate::tables::transaction::{TransactionOutcome, transact};
use crate::tables::update::Changes;
use crate::tables::write::Write;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitOutcome {
    Committed,
    /// The order, or one of its names, was written since it was read: read it again.
    Contended,
}

/// Names that an order gains or loses with a fact.
#[derive(Debug, Default)]
pub struct NameChanges {
    /// No order has them.
    pub claimed: Vec<Ref>,
    /// The order has them, and keeps them only if no other order takes them over meanwhile.
    pub kept: Vec<Ref>,
    /// The order has them.
    pub freed: Vec<Ref>,
    /// The fact belongs to the order with exactly this id as soon as there is one.
    pub unless_exists: Option<OrderId>,
    /// Looks for the reports that wait under the claimed names.
    pub reconciliation: Option<InboundEvent>,
}

impl Orders {
    /// Stores a fact together with the state it leads to, if the order was not written since it was
    /// read with these entries, which are all; also the new scans of its parcel. As a rule that is one
    /// write of one row. Parcels that begin or end to be polled also write their rows.
    pub async fn commit(
        &self,
        order: &Order,
        entries: &[TimelineEntry],
        commit: &Commit,
        scans: Option<&ParcelScans>,
        names: &NameChanges,
        events: &InboundLog,
    ) -> Result<CommitOutcome, IoError> {
        if !facts::is_whole(&order.state, entries) {
            return Ok(CommitOutcome::Contended);
        }
        let key = &order.key;
        let mut after = Order { state: commit.state.clone(), ..order.clone() };
        after.regain(names.claimed.iter().chain(&names.kept));
        let packed_scans = match scans {
            Some(new) => self.take_scans(&mut after, new).await?,
            None => pack_scans(&after.scans)?,
        };
        let mut writes = self.fact_writes(order, &mut after, entries, commit, packed_scans).await?;
        writes.extend(names.claimed.iter().map(|name| self.claim(key, name)));
        writes.extend(names.kept.iter().map(|name| self.keep(key, name)));
        writes.extend(names.freed.iter().map(|name| self.free(key, name)));
        writes.extend(names.reconciliation.iter().map(|event| events.put_in_transaction(event)));
        writes.extend(self.active_writes(Some(order), &after));
        if commit.entry.transition.is_some() {
            writes.extend(self.expiry_write(&after));
        }
        writes.extend(names.unless_exists.iter().map(|id| self.unless_exists(&key.account, id)));
        let is_committed = match writes.len() {
            1 => writes.remove(0).send_if_unchanged(&self.client).await?,
            _ => transact(&self.client, writes).await?.is_committed(),
        };
        Ok(if is_committed { CommitOutcome::Committed } else { CommitOutcome::Contended })
    }

    /// The writes of the state row, and of rows with earlier facts that change with it.
    async fn fact_writes(
        &self,
        order: &Order,
        after: &mut Order,
        entries: &[TimelineEntry],
        commit: &Commit,
        packed_scans: Option<AttributeValue>,
    ) -> Result<Vec<Write>, IoError> {
        let replaced = commit.replaces.then_some(&commit.entry.id);
        let gone: BTreeSet<&ReportId> = replaced.into_iter().chain(&commit.dropped).collect();
        let mut recent = facts::recent(order, entries);
        let before = recent.len();
        recent.retain(|entry| !gone.contains(&entry.id));
        let are_all_recent = before - recent.len() == gone.len();
        recent.push(commit.entry.clone());
        let (packed, aside) = Packed::with_overflow(after, &mut recent, packed_scans)?;
        let mut writes = vec![self.replace_facts(order, after, packed)?];
        if !are_all_recent {
            let keep = |entry: &TimelineEntry| (!gone.contains(&entry.id)).then(|| entry.clone());
            writes.extend(self.change_aside(&order.key, keep).await?);
        }
        writes.extend(self.put_aside(&order.key, &aside)?);
        Ok(writes)
    }

    /// Gives a name of the order to another one, or frees it. `false` if one of them was written since
    /// it was read. Does nothing if the order does not have the name.
    pub async fn give_away(
        &self,
        order: &Order,
        name: &Ref,
        to: Option<&Order>,
    ) -> Result<bool, IoError> {
        let (from, rev) = (order.key.order.clone(), order.state.rev);
        let give = match to {
            Some(to) => {
                let taken = TakenName { name: name.clone(), from, rev, with_reports: true };
                self.take(&to.key, &taken)
            }
            None => self.free(&order.key, name),
        };
        let mut writes = vec![give, self.give_up(&order.key, rev, [name])?];
        if let Some(to) = to {
            writes.push(self.regain(to, [name])?);
        }
        Ok(match transact(&self.client, writes).await? {
            TransactionOutcome::Committed => true,
            TransactionOutcome::Cancelled(cancelled) => {
                cancelled.condition_failed(0) && !cancelled.condition_failed(1)
            }
        })
    }

    /// Moves names to another order, with the event that moves their reports. `false` if one of the
    /// orders was written since it was read.
    pub async fn move_names(
        &self,
        [from, to]: [&Order; 2],
        names: &[Ref],
        events: &InboundLog,
        event: &InboundEvent,
    ) -> Result<bool, IoError> {
        let mut writes =
            vec![self.give_up(&from.key, from.state.rev, names)?, events.put_in_transaction(event)];
        // The id of an order has no row of its own.
        let with_row = names.iter().filter(|name| !matches!(name, Ref::Order(_)));
        writes.extend(with_row.map(|name| {
            let (name, from) = (name.clone(), from.key.order.clone());
            self.take(&to.key, &TakenName { name, from, rev: 0, with_reports: true })
        }));
        writes.push(self.regain(to, names)?);
        Ok(transact(&self.client, writes).await?.is_committed())
    }

    /// The write that fails if there is an order with this id. A delete that finds nothing needs no
    /// further permission, as a check of a condition would.
    fn unless_exists(&self, account: &AccountCode, order: &OrderId) -> Write {
        let key = OrderKey { account: account.clone(), order: order.clone() };
        Write::delete(&self.table, state_key(&key)).only_if(no_row())
    }

    /// The write that gives a free name to an order.
    pub(super) fn claim(&self, order: &OrderKey, name: &Ref) -> Write {
        let row = item([
            ("pk", text(ref_pk(&order.account, name))),
            ("sk", text("order")),
            ("order_id", text(order.order.as_str())),
        ]);
        Write::insert(&self.table, row)
    }

    /// The write that takes a name over from another order, and remembers that one.
    pub(super) fn take(&self, order: &OrderKey, taken: &TakenName) -> Write {
        let from = || text(taken.from.as_str());
        let changes = Changes::new()
            .set("order_id", text(order.order.as_str()))
            .set_or_remove(KEPT, (!taken.with_reports).then(from))
            .set_or_remove(MOVED, taken.with_reports.then(from));
        Write::update(&self.table, key(ref_pk(&order.account, &taken.name), "order"), changes)
            .only_if(attr("order_id").equals(from()))
    }

    /// The write that fails if another order has taken a name over.
    pub(super) fn keep(&self, order: &OrderKey, name: &Ref) -> Write {
        let own = || text(order.order.as_str());
        let changes = Changes::new().set("order_id", own());
        Write::update(&self.table, key(ref_pk(&order.account, name), "order"), changes)
            .only_if(attr("order_id").equals(own()))
    }

    /// The write that frees a name, if the order still has it.
    pub(super) fn free(&self, order: &OrderKey, name: &Ref) -> Write {
        Write::delete(&self.table, key(ref_pk(&order.account, name), "order"))
            .only_if(attr("order_id").equals(text(order.order.as_str())))
    }
}
