//! Creating and patching: an order, its names and the event that adopts waiting reports, all or nothing.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{Delete, Put, ReturnValuesOnConditionCheckFailure, Update};
use domain::core::id::{EventId, OrderKey};
use domain::orders::order::Order;
use domain::tracking::report::Ref;

use super::{Orders, ref_rows, state_item};
use crate::error::IoError;
use crate::tables::attr::{Item, json, number, read_text, text};
use crate::tables::inbound::{InboundEvent, InboundLog};
use crate::tables::keys::order_pk;
use crate::tables::transaction::{Write, transact};

/// What became of a new order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// It is stored.
    Done,
    /// The account has an order of this id.
    Exists {
        /// The hash of the body it was created with.
        fingerprint: String,
        /// The event that adopts what waited for it.
        reconciliation: EventId,
    },
    /// Another order of the account has this name.
    NameTaken(Ref),
    /// Another write stood in the way for a moment: try again.
    Contended,
}

/// What became of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Patched {
    /// It is stored.
    Done,
    /// The order was written in between: read it again.
    Stale,
    /// Another order of the account has this name.
    NameTaken(Ref),
}

impl Orders {
    /// Stores a new order with the event that adopts the reports that wait for it.
    ///
    /// # Errors
    /// The tables cannot be written.
    pub async fn create(
        &self,
        order: &Order,
        fingerprint: &str,
        events: &InboundLog,
        reconciliation: &InboundEvent,
    ) -> Result<Created, IoError> {
        let names = ref_rows(&order.key.account, &order.profile.refs());
        let mut state = state_item(order)?;
        state.insert("fingerprint".to_owned(), text(fingerprint));
        state.insert("adoption".to_owned(), text(reconciliation.id.as_str()));
        let mut writes = vec![
            Write::Put(self.put(state).condition_expression("attribute_not_exists(pk)")),
            Write::Put(self.put(profile_item(order)?)),
            events.put_in_transaction(reconciliation),
        ];
        writes.extend(self.active_writes(None, order));
        let before_names = writes.len();
        writes.extend(names.iter().map(|(pk, _)| self.claim_name(pk, order)));
        let Err(cancelled) = transact(&self.client, writes).await? else {
            return Ok(Created::Done);
        };
        if cancelled.failed(0) {
            return exists(cancelled.row(0)?);
        }
        let taken =
            names.into_iter().enumerate().find(|(index, _)| cancelled.failed(before_names + index));
        Ok(taken.map_or(Created::Contended, |(_, (_, name))| Created::NameTaken(name)))
    }

    /// Stores an order's new profile, claims its new names and frees the old ones. With an reconciliation event if there
    /// are new names.
    ///
    /// # Errors
    /// The tables cannot be written.
    pub async fn patch(
        &self,
        before: &Order,
        after: &Order,
        events: &InboundLog,
        reconciliation: Option<&InboundEvent>,
    ) -> Result<Patched, IoError> {
        let (old, new) = (before.profile.refs(), after.profile.refs());
        let account = &after.key.account;
        let claimed = ref_rows(account, &new.difference(&old).cloned().collect::<BTreeSet<_>>());
        let freed = ref_rows(account, &old.difference(&new).cloned().collect::<BTreeSet<_>>());
        let mut writes = vec![
            self.replace_state(before, after, reconciliation)?,
            Write::Put(self.put(profile_item(after)?)),
        ];
        writes.extend(self.active_writes(Some(before), after));
        let before_names = writes.len();
        writes.extend(claimed.iter().map(|(pk, _)| self.claim_name(pk, after)));
        writes.extend(freed.iter().map(|(pk, _)| self.free_name(pk)));
        if let Some(reconciliation) = reconciliation {
            writes.push(events.put_in_transaction(reconciliation));
        }
        let Err(cancelled) = transact(&self.client, writes).await? else {
            return Ok(Patched::Done);
        };
        let taken = claimed
            .into_iter()
            .enumerate()
            .find(|(index, _)| cancelled.failed(before_names + index));
        Ok(match taken {
            Some((_, (_, name))) if !cancelled.failed(0) => Patched::NameTaken(name),
            _ => Patched::Stale,
        })
    }

    /// The event that last adopted reports for an order, so that a repeated request can send it again.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn last_adoption(&self, key: &OrderKey) -> Result<Option<EventId>, IoError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let request = request.key("pk", text(order_pk(key))).key("sk", text("state"));
        let answer = request.projection_expression("adoption").send().await;
        let item = answer
            .map_err(|error| IoError::of("dynamodb:GetItem", &error))?
            .item
            .unwrap_or_default();
        item.contains_key("adoption").then(|| read_adoption(&item)).transpose()
    }

    pub(super) fn put(&self, item: Item) -> PutBuilder {
        Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    fn claim_name(&self, pk: &str, order: &Order) -> Write {
        let item = Item::from([
            ("pk".to_owned(), text(pk)),
            ("sk".to_owned(), text("order")),
            ("order_id".to_owned(), text(order.key.order.as_str())),
        ]);
        Write::Put(self.put(item).condition_expression("attribute_not_exists(pk)"))
    }

    fn free_name(&self, pk: &str) -> Write {
        Write::Delete(
            Delete::builder().table_name(&self.table).key("pk", text(pk)).key("sk", text("order")),
        )
    }

    /// The write that moves an order on, if nobody wrote it since.
    pub(crate) fn replace_state(
        &self,
        before: &Order,
        after: &Order,
        reconciliation: Option<&InboundEvent>,
    ) -> Result<Write, IoError> {
        let set = match reconciliation {
            Some(_) => "SET json = :json, rev = :rev, adoption = :adoption",
            None => "SET json = :json, rev = :rev",
        };
        let update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(order_pk(&after.key)))
            .key("sk", text("state"))
            .condition_expression("rev = :before")
            .update_expression(set)
            .expression_attribute_values(":before", number(before.state.rev))
            .expression_attribute_values(":rev", number(after.state.rev))
            .expression_attribute_values(":json", json(&after.state)?);
        Ok(Write::Update(match reconciliation {
            Some(event) => update.expression_attribute_values(":adoption", text(event.id.as_str())),
            None => update,
        }))
    }
}

fn exists(item: &Item) -> Result<Created, IoError> {
    let fingerprint = read_text(item, "fingerprint")?.to_owned();
    Ok(Created::Exists { fingerprint, reconciliation: read_adoption(item)? })
}

fn read_adoption(item: &Item) -> Result<EventId, IoError> {
    EventId::parse(read_text(item, "adoption")?)
        .map_err(|_| IoError::unreadable("dynamodb", "adoption"))
}

fn profile_item(order: &Order) -> Result<Item, IoError> {
    Ok(Item::from([
        ("pk".to_owned(), text(order_pk(&order.key))),
        ("sk".to_owned(), text("profile")),
        ("rev".to_owned(), number(order.state.profile_rev)),
        ("json".to_owned(), json(&order.profile)?),
    ]))
}
