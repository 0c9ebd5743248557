//! Creates and patches an order: the order, its references and the event that reconciles parked
//! reports are written in one transaction.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::core::id::{EventId, OrderId, OrderKey};
use domain::orders::api_event::TakenName;
use domain::orders::order::Order;
use domain::tracking::report::Ref;

use super::erase::is_deleting;
use super::given_up::{is_unchanged, remove_regained};
use super::list::found_in;
use super::{Orders, STATE, profile_row, state_key, state_row};
use crate::error::IoError;
use crate::tables::attr::{Item, number, read_as, read_text, text};
use crate::tables::inbound::{InboundEvent, InboundLog};
use crate::tables::packed::pack;
use crate::tables::read::get;
use crate::tables::transaction::{Cancellation, TransactionOutcome, transact};
use crate::tables::update::Changes;
use crate::tables::write::Write;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateOutcome {
    Created,
    /// The account already has an order with this id.
    Exists {
        /// True if it was created with the same values.
        is_repeat: bool,
        /// The event that reconciles the reports parked for it.
        reconciliation: EventId,
    },
    /// Another order of the account has this name.
    NameTaken(Ref),
    /// Another write was in progress: try again.
    Contended,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatchOutcome {
    Patched,
    /// The order was written since it was read: read it again.
    RevMismatch,
    /// Another order of the account has this name.
    NameTaken(Ref),
}

/// The names that a patch gives or takes.
#[derive(Debug, Default)]
pub struct PatchedNames {
    pub claimed: Vec<Ref>,
    /// Those of the claimed names that other orders give up.
    pub taken: Vec<TakenName>,
    /// Of the claimed names that no order has: those that had left the order with their reports.
    pub back: Vec<TakenName>,
    /// The order has them, and keeps them only if no other order takes them over meanwhile.
    pub kept: Vec<Ref>,
    /// The order has them.
    pub freed: Vec<Ref>,
}

impl Orders {
    /// Stores a new order with the event that reconciles the reports parked for it. `taken` are
    /// names that other orders give up to it.
    pub async fn create(
        &self,
        order: &Order,
        fingerprint: &str,
        events: &InboundLog,
        reconciliation: &InboundEvent,
        taken: &[TakenName],
    ) -> Result<CreateOutcome, IoError> {
        let names: Vec<Ref> = order.profile.refs().into_iter().collect();
        let mut state = state_row(order)?;
        state.insert("fingerprint".to_owned(), text(fingerprint));
        state.insert("adoption".to_owned(), text(reconciliation.id.as_str()));
        let mut writes = vec![
            Write::insert(&self.table, state).returning_existing(),
            Write::put(&self.table, profile_row(order)?),
            events.put_in_transaction(reconciliation),
        ];
        writes.extend(self.active_writes(None, order));
        writes.extend(self.expiry_write(order));
        let first_name = writes.len();
        let (name_writes, names) = self.name_writes(&order.key, &names, taken)?;
        writes.extend(name_writes);
        writes.extend(self.phone_writes(None, order));
        let cancelled = match transact(&self.client, writes).await? {
            TransactionOutcome::Committed => return Ok(CreateOutcome::Created),
            TransactionOutcome::Cancelled(cancelled) => cancelled,
        };
        if cancelled.condition_failed(0) {
            if is_deleting(cancelled.existing(0)?) {
                return Ok(CreateOutcome::Contended);
            }
            return existing(cancelled.existing(0)?, fingerprint);
        }
        let taken = first_taken(&cancelled, first_name, names);
        Ok(taken.map_or(CreateOutcome::Contended, CreateOutcome::NameTaken))
    }

    /// Stores an order's new profile, claims its new names and frees those of providers that it no
    /// longer has. Names of parcels stay: late reports may still come. A patch with new names has an
    /// event that reconciles the reports parked for them.
    pub async fn patch(
        &self,
        before: &Order,
        after: &Order,
        names: &PatchedNames,
        events: &InboundLog,
        reconciliation: Option<&InboundEvent>,
    ) -> Result<PatchOutcome, IoError> {
        let mut writes = vec![
            self.replace_state(before, after, reconciliation)?,
            Write::put(&self.table, profile_row(after)?),
        ];
        writes.extend(self.active_writes(Some(before), after));
        let first_name = writes.len();
        let (name_writes, claimed) = self.name_writes(&after.key, &names.claimed, &names.taken)?;
        writes.extend(name_writes);
        writes.extend(names.kept.iter().map(|name| self.keep(&after.key, name)));
        writes.extend(names.freed.iter().map(|name| self.free(&after.key, name)));
        writes.extend(self.phone_writes(Some(before), after));
        writes.extend(reconciliation.map(|event| events.put_in_transaction(event)));
        let cancelled = match transact(&self.client, writes).await? {
            TransactionOutcome::Committed => return Ok(PatchOutcome::Patched),
            TransactionOutcome::Cancelled(cancelled) => cancelled,
        };
        if cancelled.condition_failed(0) {
            return Ok(PatchOutcome::RevMismatch);
        }
        let taken = first_taken(&cancelled, first_name, claimed);
        Ok(taken.map_or(PatchOutcome::RevMismatch, PatchOutcome::NameTaken))
    }

    /// The writes that claim names, or take them over from orders that were not written since they
    /// were read; each with the name that it is for.
    fn name_writes(
        &self,
        order: &OrderKey,
        names: &[Ref],
        taken: &[TakenName],
    ) -> Result<(Vec<Write>, Vec<Ref>), IoError> {
        let claims = names.iter().map(|name| {
            let write = match taken.iter().find(|taken| taken.name == *name) {
                Some(taken) => self.take(order, taken),
                None => self.claim(order, name),
            };
            (write, name.clone())
        });
        let mut writes: Vec<(Write, Ref)> = claims.collect();
        // If names of one order were read at different revisions, the oldest one fails.
        let mut givers: BTreeMap<&OrderId, (u64, Vec<&Ref>)> = BTreeMap::new();
        for taken in taken.iter().filter(|taken| names.contains(&taken.name) && taken.rev > 0) {
            let (_, given) = givers.entry(&taken.from).or_insert((taken.rev, Vec::new()));
            given.push(&taken.name);
        }
        for (from, (rev, given)) in givers {
            let from = OrderKey { account: order.account.clone(), order: from.clone() };
            let write = self.give_up(&from, rev, given.iter().copied())?;
            writes.extend(given.first().map(|first| (write, (*first).clone())));
        }
        Ok(writes.into_iter().unzip())
    }

    /// The order's last reconciliation event, so that a repeated request can send it again.
    pub async fn last_reconciliation(&self, key: &OrderKey) -> Result<Option<EventId>, IoError> {
        let row = get(&self.client, &self.table, state_key(key), &["adoption"]).await?;
        let row = row.unwrap_or_default();
        row.contains_key("adoption").then(|| read_reconciliation(&row)).transpose()
    }

    /// Writes an order's new state, unless the order was written since it was read.
    pub(crate) fn replace_state(
        &self,
        before: &Order,
        after: &Order,
        reconciliation: Option<&InboundEvent>,
    ) -> Result<Write, IoError> {
        let mut changes = changes_of(before, after, pack(&after.state)?)?;
        if let Some(event) = reconciliation {
            changes = changes.set("adoption", text(event.id.as_str()));
        }
        let write = Write::update(&self.table, state_key(&after.key), changes);
        Ok(write.only_if(is_unchanged(before)?))
    }
}

/// The changes of a state row, but for its facts.
pub(super) fn changes_of(
    before: &Order,
    after: &Order,
    packed_state: AttributeValue,
) -> Result<Changes, IoError> {
    let changes = Changes::new()
        .set(STATE, packed_state)
        .set("rev", number(after.state.rev))
        .set_or_remove("found_in", found_in(&after.key.account, after.state.tracking.status))
        // Of releases before.
        .remove("json");
    remove_regained(changes, before, after)
}

/// The first of these names that another order has. Their writes begin at this index.
fn first_taken(cancelled: &Cancellation, first: usize, names: Vec<Ref>) -> Option<Ref> {
    let mut failed = names.into_iter().enumerate();
    let taken = failed.find(|(index, _)| cancelled.condition_failed(first + index));
    taken.map(|(_, name)| name)
}

fn existing(row: &Item, fingerprint: &str) -> Result<CreateOutcome, IoError> {
    let is_repeat = read_text(row, "fingerprint")? == fingerprint;
    Ok(CreateOutcome::Exists { is_repeat, reconciliation: read_reconciliation(row)? })
}

fn read_reconciliation(row: &Item) -> Result<EventId, IoError> {
    read_as(row, "adoption", EventId::parse)
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::tables::attr::item;

    #[test]
    fn a_repeat_has_the_same_fingerprint() {
        let row = item([("fingerprint", text("values")), ("adoption", text("event"))]);
        for (fingerprint, expected) in [("values", true), ("others", false)] {
            let outcome = existing(&row, fingerprint).unwrap();
            let is_expected =
                matches!(outcome, CreateOutcome::Exists { is_repeat, .. } if is_repeat == expected);
            assert!(is_expected, "{fingerprint}: {outcome:?}");
        }
    }
}
