//! Tickets for sockets, in the table `state`, and how many the links of an order made in a minute.
//!
//! | partition | sort key | row |
//! |---|---|---|
//! | `ticket:{hash}` | `ticket` | `json` (`Grant`), `expires_at`; an hour |
//! | `tickets:{account and order}` | beginning of a minute | `count`; an hour |

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::core::id::OrderKey;
use domain::core::timestamp::Timestamp;
use domain::live::{Grant, TICKET_LIFE, Ticket};

use super::attr::{Item, json, number, read_json};
use super::expression::attr;
use super::keys::{key, tenant};
use super::update::Changes;
use super::write::Write;
use crate::error::IoError;

const RETENTION: Duration = Duration::from_secs(60 * 60);
const MINUTE: Duration = Duration::from_secs(60);
/// Tickets of an order's links in a minute. A page takes one when it opens and when its socket breaks.
const MAX_OF_LINKS: u32 = 10;

pub struct Tickets {
    client: Client,
    table: String,
}

impl Tickets {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Stores a new ticket by its hash. Returns when it expires.
    pub async fn put(
        &self,
        ticket: &Ticket,
        grant: &Grant,
        now: Timestamp,
    ) -> Result<Timestamp, IoError> {
        let expires_at = now.after(TICKET_LIFE);
        let mut row = ticket_key(ticket);
        row.insert("json".to_owned(), json(grant)?);
        row.insert("expires_at".to_owned(), number(expires_at.millis()));
        row.insert("ttl".to_owned(), expiry(now));
        Write::put(&self.table, row).send(&self.client).await.map(|_| expires_at)
    }

    /// Takes a ticket, which cannot be used again. `None` if it was taken, has expired, or never was.
    pub async fn take(&self, ticket: &Ticket, now: Timestamp) -> Result<Option<Grant>, IoError> {
        let is_valid = attr("expires_at").above(number(now.millis()));
        let take = Write::delete(&self.table, ticket_key(ticket)).only_if(is_valid);
        let taken = take.returning(ReturnValue::AllOld).send(&self.client).await?.applied();
        taken.map(|row| read_json(&row, "json")).transpose()
    }

    /// Counts a ticket by a link of an order. Otherwise, the time until it may have another one.
    pub async fn count(
        &self,
        order: &OrderKey,
        now: Timestamp,
    ) -> Result<Result<(), Duration>, IoError> {
        let minute = i64::try_from(MINUTE.as_millis()).unwrap_or(i64::MAX);
        let (begin, passed) = (now.millis().div_euclid(minute), now.millis().rem_euclid(minute));
        let row =
            key(format!("tickets:{}:{}", tenant(&order.account), order.order), begin.to_string());
        let changes = Changes::new().add("count", number(1)).set("ttl", expiry(now));
        let count = attr("count");
        let has_room = count.absent().or(count.below(number(MAX_OF_LINKS)));
        let update = Write::update(&self.table, row, changes).only_if(has_room);
        let is_counted = update.send(&self.client).await?.is_applied();
        let left = u64::try_from(minute - passed).unwrap_or_default();
        Ok(if is_counted { Ok(()) } else { Err(Duration::from_millis(left)) })
    }
}

fn ticket_key(ticket: &Ticket) -> Item {
    key(format!("ticket:{}", ticket.hash()), "ticket")
}

fn expiry(now: Timestamp) -> AttributeValue {
    number(now.after(RETENTION).seconds())
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::client::fake::{FakeAws, clients};

    fn tickets(fake: &FakeAws) -> Tickets {
        Tickets::new(clients(fake.edge()).dynamodb(), "state".to_owned())
    }

    #[tokio::test]
    async fn a_ticket_that_was_taken_is_worth_nothing() {
        let row = r#"{"Attributes":{"json":{"S":
            "{\"scope\":{\"account\":\"A\",\"order\":\"O\"},\"holder\":\"shopper\"}"}}}"#;
        let taken = r#"{"__type":"ConditionalCheckFailedException"}"#;
        let fake = FakeAws::sequence(&[(200, row), (400, taken)]);
        let (tickets, ticket) = (tickets(&fake), Ticket::new([7; 20]));
        let grant = tickets.take(&ticket, Timestamp::EPOCH).await.unwrap().unwrap();
        assert_eq!(grant.scope.order().unwrap().order.as_str(), "O");
        assert_eq!(tickets.take(&ticket, Timestamp::EPOCH).await.unwrap(), None);
        for request in fake.requests().iter() {
            let body = String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap();
            assert!(!body.contains(ticket.as_str()), "only its hash is stored");
        }
    }

    #[tokio::test]
    async fn a_full_minute_says_when_it_ends() {
        let order = r#"{"account":"A","order":"O"}"#;
        let order: OrderKey = serde_json::from_str(order).unwrap();
        let full = r#"{"__type":"ConditionalCheckFailedException"}"#;
        let fake = FakeAws::sequence(&[(200, "{}"), (400, full)]);
        let (tickets, now) = (tickets(&fake), Timestamp::from_millis(119_000).unwrap());
        assert_eq!(tickets.count(&order, now).await.unwrap(), Ok(()));
        assert_eq!(tickets.count(&order, now).await.unwrap(), Err(Duration::from_secs(1)));
    }
}
