//! Orders that the carrier is asked about: rows of their own, by shard, so that a run reads nothing else.
//!
//! | partition | sort key | what |
//! |---|---|---|
//! | `active:{shard}` | `{length of account}:{account}:{order id}` | what is kept of such an order |
//! | `stale:{length of account}:{account}` | order id | one that is no longer asked about |
//!
//! An order's row is written in the transaction that creates or patches it. After each report `process` brings it up
//! to date. Nothing depends on that: a run that finds an older row asks once too often, or reports what is known.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, ReturnValue, Update};
use domain::core::id::{AccountCode, Awb, EventId, OrderId, OrderKey, ReportId};
use domain::core::timestamp::Timestamp;
use domain::orders::order::{Order, Poll};
use domain::pagination::PageRequest;
use domain::polling::{Active, Run, Stalled, shard};
use serde::{Deserialize, Serialize};

use super::Orders;
use crate::error::IoError;
use crate::tables::attr::{Item, json, read_json, read_text, text};
use crate::tables::transaction::{Write, transact};

/// An order that the carrier is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveOrder {
    /// The order.
    pub key: OrderKey,
    /// What is kept of it.
    pub active: Active,
}

impl ActiveOrder {
    /// Its place in its shard: a page may begin after it.
    pub fn place(&self) -> String {
        place(&self.key)
    }
}

/// Some orders of a shard.
#[derive(Debug)]
pub struct ActivePage {
    /// In the order of their keys, those of an account together. A row that cannot be read hides no other.
    pub orders: Vec<Result<ActiveOrder, IoError>>,
    /// The key that the next page begins after, if there is one.
    pub next: Option<String>,
}

/// An order that the carrier is no longer asked about, because it does not know the parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is.
    pub account_code: AccountCode,
    /// The parcel that the carrier does not know.
    pub awb: Awb,
    /// When the carrier was first asked for it in vain.
    pub unknown_since: Timestamp,
    /// Since when it is no longer asked about.
    pub stale_since: Timestamp,
}

/// What a report tells about the row of its order.
#[derive(Debug, Clone, Copy, Default)]
pub struct PollRowUpdate<'a> {
    /// The carrier's newest claim.
    pub seen: Option<&'a ReportId>,
    /// When somebody else than us spoke of it.
    pub heard_at: Option<Timestamp>,
    /// When its timeline grew.
    pub moved_at: Option<Timestamp>,
}

impl Orders {
    /// The orders of a shard whose keys come after this one, as they were a moment ago.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn active(
        &self,
        shard: u8,
        after: Option<&str>,
        limit: i32,
    ) -> Result<ActivePage, IoError> {
        let from = after.map(|sk| Item::from([pk(partition(shard)), ("sk".to_owned(), text(sk))]));
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(partition(shard)))
            .set_exclusive_start_key(from)
            .limit(limit);
        let answer = query.send().await.map_err(|error| IoError::of("dynamodb:Query", &error))?;
        let next = answer
            .last_evaluated_key()
            .map(|key| read_text(key, "sk").map(str::to_owned))
            .transpose()?;
        Ok(ActivePage { orders: answer.items().iter().map(read_active).collect(), next })
    }

    /// Brings the row of an order up to date after a report. Orders that do not want to be asked about have none.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn update_poll_row(
        &self,
        order: &Order,
        change: PollRowUpdate<'_>,
    ) -> Result<(), IoError> {
        let (Some(Poll::Shipway), Some(awb)) = (order.profile.poll, &order.profile.awb) else {
            return Ok(());
        };
        // Whoever is killed in between finds the order stale again, and takes it off the list then.
        if !order.is_polled() {
            self.take_off_stale(&order.key).await?;
            return self.remove_active(&order.key, awb).await;
        }
        let before = self.write_poll_row(order, awb, change).await?;
        if before.is_some_and(|before| before.contains_key("stale_since")) {
            self.take_off_stale(&order.key).await?;
            self.reactivate(&order.key).await?;
        }
        Ok(())
    }

    async fn take_off_stale(&self, key: &OrderKey) -> Result<(), IoError> {
        let delete =
            self.client.delete_item().table_name(&self.table).set_key(Some(stale_key(key)));
        delete.send().await.map(drop).map_err(|error| IoError::of("dynamodb:DeleteItem", &error))
    }

    /// The carrier is asked about the order again, unless somebody saw to it already.
    async fn reactivate(&self, key: &OrderKey) -> Result<(), IoError> {
        let update =
            self.client.update_item().table_name(&self.table).set_key(Some(active_key(key)));
        let update = update
            .update_expression("REMOVE stale_since")
            .condition_expression("attribute_exists(pk)");
        match update.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(IoError::of("dynamodb:UpdateItem", &error)),
            },
        }
    }

    /// The row as it was. A patch may have given the order another parcel meanwhile: what it wrote stays.
    async fn write_poll_row(
        &self,
        order: &Order,
        awb: &Awb,
        change: PollRowUpdate<'_>,
    ) -> Result<Option<Item>, IoError> {
        let mut set =
            "SET account = :account, order_id = :order, awb = if_not_exists(awb, :awb)".to_owned();
        let mut remove = " REMOVE #unknown".to_owned();
        let moved_at = change.moved_at.unwrap_or(order.state.created_at);
        set += if change.moved_at.is_some() {
            ", moved_at = :moved"
        } else {
            ", moved_at = if_not_exists(moved_at, :moved)"
        };
        let mut update =
            self.client.update_item().table_name(&self.table).set_key(Some(active_key(&order.key)));
        if change.moved_at.is_some() {
            remove += ", stalled";
        }
        if let Some(seen) = change.seen {
            set += ", seen = :seen";
            update = update.expression_attribute_values(":seen", text(seen.as_str()));
        }
        if let Some(heard_at) = change.heard_at {
            set += ", heard_at = :heard";
            update = update.expression_attribute_values(":heard", text(heard_at.to_string()));
        }
        let update = update
            .update_expression(set + &remove)
            .expression_attribute_names("#unknown", "unknown")
            .expression_attribute_values(":account", text(order.key.account.as_str()))
            .expression_attribute_values(":order", text(order.key.order.as_str()))
            .expression_attribute_values(":awb", text(awb.as_str()))
            .expression_attribute_values(":moved", text(moved_at.to_string()))
            .return_values(ReturnValue::AllOld);
        let answer =
            update.send().await.map_err(|error| IoError::of("dynamodb:UpdateItem", &error))?;
        Ok(answer.attributes)
    }

    /// Unless it is about another parcel by now.
    async fn remove_active(&self, key: &OrderKey, awb: &Awb) -> Result<(), IoError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(active_key(key)))
            .condition_expression("awb = :awb")
            .expression_attribute_values(":awb", text(awb.as_str()));
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(IoError::of("dynamodb:DeleteItem", &error)),
            },
        }
    }

    /// Notes that a run asked for a parcel that the carrier does not know. `before` is the order as the run found it:
    /// what has happened since stays, and the same run notes it once.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn not_found(
        &self,
        key: &OrderKey,
        before: &Active,
        run: &Run,
    ) -> Result<(), IoError> {
        let after = before.not_found(run);
        let Some(unknown) = &after.unknown else { return Ok(()) };
        let same = "awb = :awb AND moved_at = :moved";
        let unnoted = match &before.unknown {
            Some(_) => "#unknown = :before",
            None => "attribute_not_exists(#unknown)",
        };
        let set = if after.stale_since.is_some() {
            "SET #unknown = :unknown, stale_since = :stale"
        } else {
            "SET #unknown = :unknown"
        };
        let mut update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(active_key(key)))
            .update_expression(set)
            .condition_expression(format!("{same} AND {unnoted}"))
            .expression_attribute_names("#unknown", "unknown")
            .expression_attribute_values(":awb", text(before.awb.as_str()))
            .expression_attribute_values(":moved", text(before.moved_at.to_string()))
            .expression_attribute_values(":unknown", json(unknown)?);
        if let Some(unknown) = &before.unknown {
            update = update.expression_attribute_values(":before", json(unknown)?);
        }
        let mut writes = Vec::new();
        if let Some(since) = after.stale_since {
            update = update.expression_attribute_values(":stale", text(since.to_string()));
            writes.push(Write::Put(self.put(stale_row(key, &after.awb, unknown.since, since)?)));
        }
        writes.push(Write::Update(update));
        // Only a condition can have failed, and then there is nothing to note.
        transact(&self.client, writes).await.map(drop)
    }

    /// Notes that the carrier knows a parcel after all, and claims nothing new about it.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn found_again(&self, key: &OrderKey) -> Result<(), IoError> {
        let update =
            self.client.update_item().table_name(&self.table).set_key(Some(active_key(key)));
        let update = update
            .update_expression("REMOVE #unknown")
            .condition_expression("attribute_exists(#unknown)")
            .expression_attribute_names("#unknown", "unknown");
        holds(update).await.map(drop)
    }

    /// Notes which event tells that an order stands still. Tells whether it is this one: the order may have moved
    /// since, or another run may have been faster.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn mark_stalled(&self, still: &Stalled, event: &EventId) -> Result<bool, IoError> {
        let key = OrderKey { account: still.account.clone(), order: still.order_id.clone() };
        let update =
            self.client.update_item().table_name(&self.table).set_key(Some(active_key(&key)));
        let update = update
            .update_expression("SET stalled = :event")
            .condition_expression(
                "moved_at = :since AND (attribute_not_exists(stalled) OR stalled = :event)",
            )
            .expression_attribute_values(":event", text(event.as_str()))
            .expression_attribute_values(":since", text(still.since.to_string()));
        holds(update).await
    }

    /// An account's orders that the carrier is no longer asked about, by their ids, at most `page.limit`.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn stale(
        &self,
        account: &AccountCode,
        page: &PageRequest,
    ) -> Result<Vec<Stale>, IoError> {
        let query = match &page.after {
            Some(after) => self
                .query(stale_partition(account), "pk = :pk AND sk > :after")
                .expression_attribute_values(":after", text(after)),
            None => self.query(stale_partition(account), "pk = :pk"),
        };
        let limit = i32::try_from(page.limit).unwrap_or(i32::MAX);
        let answer = query
            .limit(limit)
            .send()
            .await
            .map_err(|error| IoError::of("dynamodb:Query", &error))?;
        answer.items().iter().map(|item| read_json(item, "json")).collect()
    }

    /// The writes that keep the rows of a new or patched order true.
    pub(super) fn active_writes(&self, before: Option<&Order>, after: &Order) -> Vec<Write> {
        let parcel = |order: &Order| order.profile.awb.clone().filter(|_| order.is_polled());
        let (old, new) = (before.and_then(parcel), parcel(after));
        if old == new {
            return Vec::new();
        }
        let row = match new {
            Some(awb) => Write::Put(
                self.put(active_row(&after.key, &Active::new(awb, after.state.updated_at))),
            ),
            None => self.delete(active_key(&after.key)),
        };
        // It may have been stale.
        let unlisted = before.map(|_| self.delete(stale_key(&after.key)));
        std::iter::once(row).chain(unlisted).collect()
    }

    fn delete(&self, key: Item) -> Write {
        Write::Delete(Delete::builder().table_name(&self.table).set_key(Some(key)))
    }
}

async fn holds(update: UpdateItemFluentBuilder) -> Result<bool, IoError> {
    let Err(error) = update.send().await else { return Ok(true) };
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
        _ => Err(IoError::of("dynamodb:UpdateItem", &error)),
    }
}

fn partition(shard: u8) -> String {
    format!("active:{shard:02}")
}

fn stale_partition(account: &AccountCode) -> String {
    format!("stale:{}:{account}", account.as_str().len())
}

fn pk(partition: String) -> (String, AttributeValue) {
    ("pk".to_owned(), text(partition))
}

fn place(key: &OrderKey) -> String {
    format!("{}:{}:{}", key.account.as_str().len(), key.account, key.order)
}

fn active_key(key: &OrderKey) -> Item {
    Item::from([pk(partition(shard(key))), ("sk".to_owned(), text(place(key)))])
}

fn stale_key(key: &OrderKey) -> Item {
    Item::from([pk(stale_partition(&key.account)), ("sk".to_owned(), text(key.order.as_str()))])
}

fn active_row(key: &OrderKey, active: &Active) -> Item {
    let mut row = active_key(key);
    row.insert("account".to_owned(), text(key.account.as_str()));
    row.insert("order_id".to_owned(), text(key.order.as_str()));
    row.insert("awb".to_owned(), text(active.awb.as_str()));
    row.insert("moved_at".to_owned(), text(active.moved_at.to_string()));
    row
}

fn stale_row(
    key: &OrderKey,
    awb: &Awb,
    unknown: Timestamp,
    stale: Timestamp,
) -> Result<Item, IoError> {
    let content = Stale {
        order_id: key.order.clone(),
        account_code: key.account.clone(),
        awb: awb.clone(),
        unknown_since: unknown,
        stale_since: stale,
    };
    let mut row = stale_key(key);
    row.insert("json".to_owned(), json(&content)?);
    Ok(row)
}

fn read_active(item: &Item) -> Result<ActiveOrder, IoError> {
    let unreadable = |name: &'static str| move || IoError::unreadable("dynamodb", name);
    let time = |name: &'static str| {
        let text = read_text(item, name).ok();
        text.map(|text| Timestamp::parse(text).map_err(|_| unreadable(name)())).transpose()
    };
    let id = |name: &'static str| read_text(item, name).ok();
    Ok(ActiveOrder {
        key: OrderKey {
            account: id("account")
                .and_then(|text| AccountCode::parse(text).ok())
                .ok_or_else(unreadable("account"))?,
            order: id("order_id")
                .and_then(|text| OrderId::parse(text).ok())
                .ok_or_else(unreadable("order_id"))?,
        },
        active: Active {
            awb: id("awb").and_then(|text| Awb::parse(text).ok()).ok_or_else(unreadable("awb"))?,
            seen: id("seen").and_then(|text| ReportId::parse(text).ok()),
            heard_at: time("heard_at")?,
            moved_at: time("moved_at")?.ok_or_else(unreadable("moved_at"))?,
            unknown: id("unknown").map(|_| read_json(item, "unknown")).transpose()?,
            stale_since: time("stale_since")?,
            stalled: id("stalled").and_then(|text| EventId::parse(text).ok()),
        },
    })
}
