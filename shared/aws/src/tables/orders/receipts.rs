//! Receipts of erasures. They have no expiry and no personal data.
//!
//! | partition | sort key | attributes |
//! |---|---|---|
//! | `erased:{length of account}:{account}:{order id}` | `customer` or `order` | `event`, `created_at` (of the order), `requested_at`, `erased_at`, the counts |

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::core::id::{EventId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::erasure::{Counts, Erasure, Receipt, ReceiptState, Scope};

use super::Orders;
use crate::error::IoError;
use crate::tables::attr::{Item, number, read_as, read_number, read_optional, text, ttl};
use crate::tables::expression::{attr, no_row};
use crate::tables::inbound::{InboundEvent, InboundLog, RETENTION_DAYS};
use crate::tables::keys::{key, tenant};
use crate::tables::read::get;
use crate::tables::transaction::transact;
use crate::tables::update::Changes;
use crate::tables::write::Write;

/// A request for erasure, as its row has it.
#[derive(Debug)]
pub struct StoredReceipt {
    pub event: EventId,
    /// Of the order that it is about.
    pub created_at: Timestamp,
    pub receipt: Receipt,
}

impl Orders {
    pub async fn receipt(
        &self,
        order: &OrderKey,
        scope: Scope,
    ) -> Result<Option<StoredReceipt>, IoError> {
        let row = get(&self.client, &self.table, receipt_key(order, scope), &[]).await?;
        row.map(|row| read(order, scope, &row)).transpose()
    }

    /// Stores a request, in place of one about an earlier order of this id, with the event that
    /// erases. `false` if there is a request about this order.
    pub async fn request_erasure(
        &self,
        order: &OrderKey,
        erasure: &Erasure,
        events: &InboundLog,
        event: &InboundEvent,
    ) -> Result<bool, IoError> {
        self.put_request(order, erasure, None, events, event).await
    }

    /// As [`Orders::request_erasure`], for an order whose retention is over: the receipt expires.
    pub async fn expire(
        &self,
        order: &OrderKey,
        erasure: &Erasure,
        events: &InboundLog,
        event: &InboundEvent,
    ) -> Result<bool, IoError> {
        let expiry = ttl(event.received_at, RETENTION_DAYS);
        self.put_request(order, erasure, Some(expiry), events, event).await
    }

    async fn put_request(
        &self,
        order: &OrderKey,
        erasure: &Erasure,
        expiry: Option<AttributeValue>,
        events: &InboundLog,
        event: &InboundEvent,
    ) -> Result<bool, IoError> {
        let created_at = text(erasure.created_at.to_string());
        let mut row = receipt_key(order, erasure.scope);
        row.extend([
            ("event".to_owned(), text(event.id.as_str())),
            ("created_at".to_owned(), created_at.clone()),
            ("requested_at".to_owned(), text(event.received_at.to_string())),
        ]);
        row.extend(expiry.map(|at| ("ttl".to_owned(), at)));
        let is_new = no_row().or(attr("created_at").differs_from(created_at));
        let writes =
            vec![Write::put(&self.table, row).only_if(is_new), events.put_in_transaction(event)];
        Ok(transact(&self.client, writes).await?.is_committed())
    }

    /// Adds to the counts of a receipt. `erased_at` is the first time at which nothing was left, and
    /// is returned; none if the receipt is of another request, or there is nothing to add.
    pub async fn add_to_receipt(
        &self,
        order: &OrderKey,
        scope: Scope,
        event: &EventId,
        counts: &Counts,
        erased_at: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, IoError> {
        let mut changes = Changes::new();
        if let Some(at) = erased_at {
            changes = changes.set_if_absent("erased_at", text(at.to_string()));
        }
        let added = counts_of(counts).into_iter().filter(|(_, count)| *count > 0);
        let changes =
            added.fold(changes, |changes, (name, count)| changes.add(name, number(count)));
        // A pass that waits for a delivery in use, after one that did all the rest.
        if changes.is_empty() {
            return Ok(None);
        }
        let update = Write::update(&self.table, receipt_key(order, scope), changes)
            .only_if(attr("event").equals(text(event.as_str())))
            .returning(ReturnValue::AllNew);
        let row = update.send(&self.client).await?.applied().unwrap_or_default();
        read_optional(&row, "erased_at", Timestamp::parse)
    }
}

fn counts_of(counts: &Counts) -> [(&'static str, u64); 6] {
    [
        ("order_rows", counts.order_rows),
        ("unmatched_reports", counts.unmatched_reports),
        ("events", counts.events),
        ("deliveries", counts.deliveries),
        ("messages", counts.messages),
        ("conversation", counts.conversation),
    ]
}

fn receipt_key(order: &OrderKey, scope: Scope) -> Item {
    key(format!("erased:{}:{}", tenant(&order.account), order.order), scope.as_str())
}

fn read(order: &OrderKey, scope: Scope, row: &Item) -> Result<StoredReceipt, IoError> {
    let count = |name| read_number(row, name).unwrap_or_default();
    let erased_at = read_optional(row, "erased_at", Timestamp::parse)?;
    let receipt = Receipt {
        order: order.into(),
        scope,
        state: match erased_at {
            Some(_) => ReceiptState::Erased,
            None => ReceiptState::Accepted,
        },
        requested_at: read_as(row, "requested_at", Timestamp::parse)?,
        erased_at,
        erased: Counts {
            order_rows: count("order_rows"),
            unmatched_reports: count("unmatched_reports"),
            events: count("events"),
            deliveries: count("deliveries"),
            messages: count("messages"),
            conversation: count("conversation"),
        },
    };
    Ok(StoredReceipt {
        event: read_as(row, "event", EventId::parse)?,
        created_at: read_as(row, "created_at", Timestamp::parse)?,
        receipt,
    })
}
