//! Claims the next attempt of a delivery: a lease, so that two workers never post it at once.

use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnValue;
use domain::core::id::OrderId;
use domain::core::timestamp::Timestamp;
use domain::core::trace::TraceParent;
use domain::webhooks::delivery::{Delivery, RETENTION_DAYS};
use domain::webhooks::erased::{Rest, without_order};
use domain::webhooks::kind::Kind;
use domain::webhooks::lease::{DeliveryState, LEASE_MARGIN, LeaseDecision, LeaseRow};

use super::body::{pack, unpack};
use super::erase::ERASED;
use super::restart::begin_again;
use super::row::{read_kind, read_time};
use super::{ClaimOutcome, Deliveries, Lease, Unfinished, delivery_key, listed};
use crate::error::IoError;
use crate::tables::attr::{
    Item, bytes, number, read_bytes, read_number, read_text, read_texts, text, ttl,
};
use crate::tables::expression::{Condition, attr, no_row};
use crate::tables::update::Changes;
use crate::tables::write::{Write, WriteOutcome};

const CALL: &str = "dynamodb:UpdateItem";
/// The wait after another worker was faster.
const SOON: Duration = Duration::from_secs(1);

/// A claim by one worker. `timeout` is the longest that its attempt may take.
struct Claim<'a> {
    delivery: &'a Delivery,
    owner: &'a str,
    timeout: Duration,
    now: Timestamp,
}

enum LeaseOutcome {
    Leased(Lease),
    /// Not claimable; the row as it is.
    Refused(Item),
}

impl Deliveries {
    /// Claims the next attempt. `timeout` is the longest that it may take; `owner` is unique to
    /// this claim.
    pub async fn claim(
        &self,
        delivery: &Delivery,
        owner: &str,
        timeout: Duration,
        now: Timestamp,
    ) -> Result<ClaimOutcome, IoError> {
        let claim = Claim { delivery, owner, timeout, now };
        let row = match self.lease(&claim, claim.next_attempt(), claim.is_claimable()).await? {
            LeaseOutcome::Leased(lease) => return Ok(ClaimOutcome::Leased(lease)),
            LeaseOutcome::Refused(row) => row,
        };
        if row.is_empty() {
            return Ok(ClaimOutcome::Obsolete);
        }
        match read_row(&row)?.claim(delivery.run, now) {
            LeaseDecision::Restart => self.restart_claimed(&claim, &row).await,
            LeaseDecision::Wait(wait) => Ok(ClaimOutcome::Wait(wait)),
            LeaseDecision::Drop => Ok(ClaimOutcome::Obsolete),
            LeaseDecision::EndAsUnknown => Unfinished::read(&row).map(ClaimOutcome::Unfinished),
            // The row has become claimable since the write.
            LeaseDecision::Take => Ok(ClaimOutcome::Wait(SOON)),
        }
    }

    /// Claims the first attempt of a dead letter that was sent again: the attempts start again, the
    /// body stays. `dead` is the row.
    async fn restart_claimed(
        &self,
        claim: &Claim<'_>,
        dead: &Item,
    ) -> Result<ClaimOutcome, IoError> {
        Ok(match self.lease(claim, claim.first_attempt(dead), claim.is_redriven()).await? {
            LeaseOutcome::Leased(lease) => ClaimOutcome::Leased(lease),
            // Another message of the same run was faster.
            LeaseOutcome::Refused(_) => ClaimOutcome::Wait(SOON),
        })
    }

    async fn lease(
        &self,
        claim: &Claim<'_>,
        changes: Changes,
        condition: Condition,
    ) -> Result<LeaseOutcome, IoError> {
        let update = Write::update(&self.table, delivery_key(&claim.delivery.id), changes)
            .only_if(condition)
            .returning(ReturnValue::AllNew)
            .returning_existing();
        match update.send(&self.client).await? {
            WriteOutcome::Applied(row) => claim.read_lease(&row).map(LeaseOutcome::Leased),
            // Our own claim: the SDK repeated a call whose response was lost.
            WriteOutcome::ConditionFailed(row) if read_text(&row, "owner") == Ok(claim.owner) => {
                claim.read_lease(&row).map(LeaseOutcome::Leased)
            }
            WriteOutcome::ConditionFailed(row) => Ok(LeaseOutcome::Refused(row)),
        }
    }
}

impl Claim<'_> {
    /// A new delivery, or one of the same run that has not ended, is not leased and is due. A
    /// message without a body creates no row.
    fn is_claimable(&self) -> Condition {
        let now = number(self.now.millis());
        let open = [DeliveryState::Pending, DeliveryState::Retrying, DeliveryState::Parked];
        let passed = |name| attr(name).absent().or(attr(name).at_most(now.clone()));
        let is_open = attr("run")
            .equals(number(self.delivery.run))
            .and(attr("state").one_of(open.map(|state| text(state.as_str()))))
            .and(passed("lease_until"))
            .and(passed("next_attempt_at"));
        let is_open = match self.delivery.kind {
            Kind::Webhook { .. } => is_open,
            // A message is not sent again after an attempt without a result.
            Kind::WhatsApp => is_open.and(attr("owner").absent()),
        };
        if self.delivery.body.is_empty() { is_open } else { no_row().or(is_open) }
    }

    /// A dead delivery of the run before.
    fn is_redriven(&self) -> Condition {
        attr("run")
            .equals(number(self.delivery.run.saturating_sub(1)))
            .and(attr("state").equals(text(DeliveryState::Dead.as_str())))
    }

    fn next_attempt(&self) -> Changes {
        let now = number(self.now.millis());
        listed::enter(self.leased(), &self.delivery.endpoint, self.now)
            .set_if_absent("state", text(DeliveryState::Pending.as_str()))
            .set_if_absent("created_at", now.clone())
            .set_if_absent("began_at", now)
            .add("attempts", number(1))
    }

    fn first_attempt(&self, dead: &Item) -> Changes {
        let changes = listed::renew(self.leased(), &self.delivery.endpoint, self.now);
        begin_again(changes, dead)
            .set("began_at", number(self.now.millis()))
            .set("attempts", number(1))
            .remove("next_attempt_at")
    }

    fn leased(&self) -> Changes {
        let Self { delivery, owner, timeout, now } = self;
        let order_id = delivery.order_id.as_ref().map(|id| text(id.as_str()));
        let account = delivery.account.as_ref().map(|account| text(account.as_str()));
        let awb = delivery.awb.as_ref().map(|awb| text(awb.as_str()));
        let order_created_at = delivery.order_created_at.map(|at| number(at.millis()));
        let lease_until = now.after(*timeout).after(LEASE_MARGIN);
        let body = Some(&delivery.body).filter(|body| !body.is_empty());
        let changes = match body {
            Some(body) => Changes::new().set_if_absent("body", bytes(pack(body.as_bytes()))),
            None => Changes::new(),
        };
        let changes = match delivery.kind.event() {
            Some(event) => changes.set_if_absent("event", text(event.as_str())),
            None => changes,
        };
        let changes = match delivery.traceparent {
            Some(trace) => changes.set_if_absent("trace", bytes(trace.to_bytes())),
            None => changes,
        };
        changes
            .set("endpoint", text(delivery.endpoint.as_str()))
            .set_or_remove("account", account)
            .set_or_remove("order_id", order_id)
            .set_or_remove("awb", awb)
            .set_or_remove("version", delivery.version.map(number))
            .set_or_remove("order_created_at", order_created_at)
            .set_if_absent("format", text(delivery.kind.format()))
            .set("run", number(delivery.run))
            .set("owner", text(*owner))
            .set("lease_until", number(lease_until.millis()))
            .set("updated_at", number(now.millis()))
            .set("ttl", ttl(*now, RETENTION_DAYS))
    }

    /// Rows of older releases, and of triggered deliveries, have no trace.
    fn read_trace(&self, row: &Item) -> TraceParent {
        let id = &self.delivery.id;
        let stored = read_bytes(row, "trace").and_then(|it| TraceParent::from_bytes(it, id));
        stored.unwrap_or_else(|| TraceParent::of(id))
    }

    fn read_lease(&self, row: &Item) -> Result<Lease, IoError> {
        let unreadable = |name: &'static str| move || IoError::unreadable(CALL, name);
        let (body, is_cut) = body_of(row)?;
        Ok(Lease {
            attempt: read_number(row, "attempts").ok_or_else(unreadable("attempts"))?,
            body,
            is_cut,
            kind: read_kind(row)?.ok_or_else(unreadable("format"))?,
            created_at: read_time(row, "created_at").ok_or_else(unreadable("created_at"))?,
            began_at: read_time(row, "began_at").ok_or_else(unreadable("began_at"))?,
            unusable_since: read_time(row, "unusable_since"),
            parked_since: read_time(row, "parked_since"),
            expires_at: read_time(row, "expires_at"),
            is_in_index: row.contains_key("due"),
            trace: self.read_trace(row),
            day: read_text(row, "day")?.to_owned(),
            run: self.delivery.run,
            until: read_time(row, "lease_until").ok_or_else(unreadable("lease_until"))?,
            id: self.delivery.id.clone(),
            owner: self.owner.to_owned(),
        })
    }
}

/// The body without the orders that were erased since it was queued, and whether that is another one
/// than the row has.
fn body_of(row: &Item) -> Result<(Vec<u8>, bool), IoError> {
    let erased = read_texts(row, ERASED);
    let mut body = match read_bytes(row, "body") {
        Some(packed) => unpack(packed)?,
        None if !erased.is_empty() => return Ok((Vec::new(), false)),
        None => return Err(IoError::unreadable(CALL, "body")),
    };
    let mut is_cut = false;
    for order in erased.iter().filter_map(|id| OrderId::parse(id).ok()) {
        match without_order(&body, &order) {
            Rest::Unchanged => {}
            Rest::Others(rest) => (body, is_cut) = (rest, true),
            Rest::Nothing => return Ok((Vec::new(), true)),
        }
    }
    Ok((body, is_cut))
}

fn read_row(row: &Item) -> Result<LeaseRow, IoError> {
    Ok(LeaseRow {
        state: DeliveryState::parse(read_text(row, "state")?)
            .ok_or_else(|| IoError::unreadable(CALL, "state"))?,
        run: read_number(row, "run").ok_or_else(|| IoError::unreadable(CALL, "run"))?,
        lease_until: read_time(row, "lease_until"),
        next_attempt_at: read_time(row, "next_attempt_at"),
        is_in_index: row.contains_key("due"),
        is_doubtful: read_kind(row)? == Some(Kind::WhatsApp) && row.contains_key("owner"),
    })
}
