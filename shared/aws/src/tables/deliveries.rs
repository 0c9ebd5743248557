//! The deliveries table: one row a delivery, with its frozen body and its attempts, 30 days.
//!
//! Each attempt costs two writes: the claim, which counts it, and its outcome, which only the claim's owner may write.

mod summary;

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::Delivery;
use domain::webhooks::endpoint::{EventType, Format};
use domain::webhooks::lease::{DeliveryState, LEASE_MARGIN, LeaseDecision, LeaseRow};
use domain::webhooks::retry::DeadReason;
use serde::Serialize;

pub use summary::DeliverySummary;

use crate::error::IoError;
use crate::tables::attr::{
    Item, bytes, compress, decompress, json, number, read_bytes, read_number, read_text, text, ttl,
};

const DAYS: u64 = 30;
const CALL: &str = "dynamodb:UpdateItem";

/// The deliveries table.
#[derive(Debug, Clone)]
pub struct Deliveries {
    client: Client,
    table: String,
}

/// The right to make one attempt.
#[derive(Debug, Clone)]
pub struct Lease {
    /// Which attempt of this run it is, counted from 1.
    pub attempt: u32,
    /// What to post: the bytes of whoever created the row.
    pub body: Vec<u8>,
    /// The form they were written in.
    pub format: Format,
    /// What they tell.
    pub event: EventType,
    /// When the first attempt of this run was claimed.
    pub began_at: Timestamp,
    id: String,
    owner: String,
}

/// Whether a worker got the right.
#[derive(Debug, Clone)]
pub enum ClaimOutcome {
    /// It did.
    Leased(Lease),
    /// Not now.
    Wait(Duration),
    /// Never: the delivery has ended.
    Ended,
}

/// One POST, as the row tells it.
#[derive(Debug, Clone, Serialize)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// The answer's status code.
    pub status: Option<u16>,
    /// Why there is none.
    pub error: Option<&'static str>,
    /// How long it took.
    pub latency_ms: u64,
    /// The start of the answer's body.
    pub excerpt: Option<String>,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Delivered.
    Delivered,
    /// Another attempt follows at this time.
    Retry(Timestamp),
    /// Given up for this reason.
    Dead(DeadReason),
}

impl Deliveries {
    /// The table of this name.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Asks for the next attempt. `timeout` is what the attempt may take; `owner` names this worker and no other.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn claim(
        &self,
        delivery: &Delivery,
        owner: &str,
        timeout: Duration,
        now: Timestamp,
    ) -> Result<ClaimOutcome, IoError> {
        let take = self.take(delivery, owner, timeout, now).condition_expression(
            "attribute_not_exists(pk) OR (run = :run AND #state IN (:pending, :retrying) \
             AND (attribute_not_exists(lease_until) OR lease_until <= :now) \
             AND (attribute_not_exists(next_attempt_at) OR next_attempt_at <= :now))",
        );
        let take = take
            .update_expression(TAKE)
            .expression_attribute_values(":retrying", text(DeliveryState::Retrying.as_str()))
            .expression_attribute_values(":zero", number(0));
        match lease(take, delivery, owner).await? {
            Ok(lease) => Ok(ClaimOutcome::Leased(lease)),
            Err(row) => match read_row(&row)?.claim(delivery.run, now) {
                LeaseDecision::Restart => self.restart(delivery, owner, timeout, now).await,
                LeaseDecision::Wait(wait) => Ok(ClaimOutcome::Wait(wait)),
                LeaseDecision::Drop => Ok(ClaimOutcome::Ended),
                // It came free between the write and its answer.
                LeaseDecision::Take => Ok(ClaimOutcome::Wait(Duration::from_secs(1))),
            },
        }
    }

    /// A dead delivery was sent again: its attempts count from the start, its body stays.
    async fn restart(
        &self,
        delivery: &Delivery,
        owner: &str,
        timeout: Duration,
        now: Timestamp,
    ) -> Result<ClaimOutcome, IoError> {
        let restart = self
            .take(delivery, owner, timeout, now)
            .update_expression(RESTART)
            .condition_expression("run = :before AND #state = :dead")
            .expression_attribute_values(":before", number(delivery.run.saturating_sub(1)))
            .expression_attribute_values(":dead", text(DeliveryState::Dead.as_str()));
        match lease(restart, delivery, owner).await? {
            Ok(lease) => Ok(ClaimOutcome::Leased(lease)),
            // Another message of the same run was faster.
            Err(_row) => Ok(ClaimOutcome::Wait(Duration::from_secs(1))),
        }
    }

    fn take(
        &self,
        delivery: &Delivery,
        owner: &str,
        timeout: Duration,
        now: Timestamp,
    ) -> UpdateItemFluentBuilder {
        let optional = |value: Option<AttributeValue>| value.unwrap_or(AttributeValue::Null(true));
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(&delivery.id))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .set_expression_attribute_names(Some(names(&[
                "state", "owner", "version", "format", "ttl",
            ])))
            .expression_attribute_values(":endpoint", text(delivery.endpoint.as_str()))
            .expression_attribute_values(":account", text(delivery.account.as_str()))
            .expression_attribute_values(
                ":order",
                optional(delivery.order_id.as_ref().map(|id| text(id.as_str()))),
            )
            .expression_attribute_values(":version", optional(delivery.version.map(number)))
            .expression_attribute_values(":format", text(delivery.format.as_str()))
            .expression_attribute_values(":event", text(delivery.event.as_str()))
            .expression_attribute_values(":body", bytes(compress(delivery.body.as_bytes())))
            .expression_attribute_values(":run", number(delivery.run))
            .expression_attribute_values(":pending", text(DeliveryState::Pending.as_str()))
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(
                ":lease",
                number(now.after(timeout).after(LEASE_MARGIN).millis()),
            )
            .expression_attribute_values(":now", number(now.millis()))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":ttl", ttl(now, DAYS))
    }

    /// Writes what came of an attempt. `false` if the lease has gone to another worker meanwhile.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn record(
        &self,
        lease: &Lease,
        attempt: &Attempt,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let (state, next, reason) = match outcome {
            Outcome::Delivered => (DeliveryState::Delivered, None, None),
            Outcome::Retry(at) => (DeliveryState::Retrying, Some(number(at.millis())), None),
            Outcome::Dead(reason) => (DeliveryState::Dead, None, Some(text(reason.as_str()))),
        };
        let mut set = "SET #state = :state, updated_at = :now, \
             attempt_log = list_append(if_not_exists(attempt_log, :none), :attempt)"
            .to_owned();
        let mut remove = " REMOVE #owner, lease_until".to_owned();
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(&lease.id))
            .condition_expression("#owner = :owner")
            .set_expression_attribute_names(Some(names(&["state", "owner"])))
            .expression_attribute_values(":owner", text(&lease.owner))
            .expression_attribute_values(":state", text(state.as_str()))
            .expression_attribute_values(":now", number(now.millis()))
            .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
            .expression_attribute_values(":attempt", AttributeValue::L(vec![json(attempt)?]));
        for (name, value) in [("next_attempt_at", next), ("reason", reason)] {
            match value {
                Some(value) => {
                    set.push_str(&format!(", {name} = :{name}"));
                    update = update.expression_attribute_values(format!(":{name}"), value);
                }
                None => remove.push_str(&format!(", {name}")),
            }
        }
        let Err(error) = update.update_expression(set + &remove).send().await else {
            return Ok(true);
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(IoError::of(CALL, &error)),
        }
    }
}

const TAKE: &str = "SET endpoint = :endpoint, account = :account, order_id = :order, #version = :version, \
     #format = if_not_exists(#format, :format), event = if_not_exists(event, :event), \
     body = if_not_exists(body, :body), run = :run, \
     #state = if_not_exists(#state, :pending), #owner = :owner, lease_until = :lease, \
     attempts = if_not_exists(attempts, :zero) + :one, created_at = if_not_exists(created_at, :now), \
     began_at = if_not_exists(began_at, :now), updated_at = :now, #ttl = :ttl";
const RESTART: &str = "SET endpoint = :endpoint, account = :account, order_id = :order, #version = :version, \
     #format = if_not_exists(#format, :format), event = if_not_exists(event, :event), \
     body = if_not_exists(body, :body), run = :run, \
     #state = :pending, #owner = :owner, lease_until = :lease, \
     attempts = :one, began_at = :now, updated_at = :now, #ttl = :ttl \
     REMOVE reason, next_attempt_at, attempt_log";

/// DynamoDB refuses a name that no expression uses.
fn names(reserved: &[&str]) -> HashMap<String, String> {
    reserved.iter().map(|name| (format!("#{name}"), (*name).to_owned())).collect()
}

async fn lease(
    update: UpdateItemFluentBuilder,
    delivery: &Delivery,
    owner: &str,
) -> Result<Result<Lease, Item>, IoError> {
    match update.send().await {
        Ok(answer) => read_lease(&answer.attributes.unwrap_or_default(), delivery, owner).map(Ok),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                let row = failed.item().ok_or_else(|| IoError::unreadable(CALL, "row"))?;
                // Our own claim, whose answer was lost: the SDK asked twice.
                if read_text(row, "owner") == Ok(owner) {
                    return read_lease(row, delivery, owner).map(Ok);
                }
                Ok(Err(row.clone()))
            }
            _ => Err(IoError::of(CALL, &error)),
        },
    }
}

fn read_lease(row: &Item, delivery: &Delivery, owner: &str) -> Result<Lease, IoError> {
    let unreadable = |what: &'static str| move || IoError::unreadable(CALL, what);
    let format = read_text(row, "format").ok().and_then(Format::parse);
    let event = read_text(row, "event").ok().and_then(EventType::parse);
    Ok(Lease {
        attempt: read_number(row, "attempts").ok_or_else(unreadable("attempts"))?,
        body: decompress(read_bytes(row, "body").ok_or_else(unreadable("body"))?)?,
        format: format.ok_or_else(unreadable("format"))?,
        event: event.ok_or_else(unreadable("event"))?,
        began_at: read_time(row, "began_at").ok_or_else(unreadable("began_at"))?,
        id: delivery.id.clone(),
        owner: owner.to_owned(),
    })
}

fn read_time(item: &Item, name: &str) -> Option<Timestamp> {
    read_number(item, name).and_then(|millis| Timestamp::from_millis(millis).ok())
}

fn read_row(item: &Item) -> Result<LeaseRow, IoError> {
    Ok(LeaseRow {
        state: DeliveryState::parse(read_text(item, "state")?)
            .ok_or_else(|| IoError::unreadable(CALL, "state"))?,
        run: read_number(item, "run").ok_or_else(|| IoError::unreadable(CALL, "run"))?,
        lease_until: read_time(item, "lease_until"),
        next_attempt_at: read_time(item, "next_attempt_at"),
    })
}
