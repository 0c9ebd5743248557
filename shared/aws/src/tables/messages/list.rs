//! Messages of an account, of an order or of a shopper, newest first.
//!
//! The index `by_day` has an account's records by day. A partition of an index takes 1,000 writes a
//! second, more than WhatsApp lets one phone number send.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::core::id::{AccountCode, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::messaging::conversation::Contact;
use domain::messaging::conversation_view::ConversationView;
use domain::messaging::figures::day_of;
use domain::messaging::linked::TrackedMessage;
use domain::messaging::message::{Message, MessageStatus};
use domain::messaging::message_details::TemplateName;
use domain::messaging::message_status::ProviderMessageKey;
use domain::messaging::send::SendId;
use domain::pagination::{MAX_LIMIT, PageRequest};

use super::{DAY, Messages, day_pk, sort_key};
use crate::error::IoError;
use crate::tables::attr::{Item, item, read_json, read_text, text};
use crate::tables::batch_get::batch_get;
use crate::tables::expression::attr;
use crate::tables::keys::order_pk;
use crate::tables::read::{first_page, limit, query};

/// Messages that are read for one page, however few of them match.
const MAX_SCANNED: usize = 5 * MAX_LIMIT;
/// Days that are read for one page, however few messages they have.
const MAX_DAYS: usize = 62;
/// How far a list without a beginning goes back.
const PERIOD: Duration = Duration::from_secs(400 * 24 * 60 * 60);
const DAY_LENGTH: Duration = Duration::from_secs(24 * 60 * 60);
/// After all times.
const END: &str = "~";

/// Whose messages are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessagesOf {
    Account(AccountCode),
    Order(OrderKey),
    /// Only messages of ours: whom others sent a message is not known.
    Shopper(AccountCode, Contact),
}

/// Messages that match every part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFilter {
    pub of: MessagesOf,
    /// Sent at this time or later.
    pub from: Option<Timestamp>,
    /// Sent before this time.
    pub to: Option<Timestamp>,
    /// As the API shows it.
    pub status: Option<MessageStatus>,
    pub template: Option<TemplateName>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundMessage {
    pub record: Message,
    pub tracked: TrackedMessage,
}

#[derive(Debug, PartialEq, Eq)]
pub struct FoundMessages {
    pub items: Vec<FoundMessage>,
    /// The place at which the next page begins, if there may be one.
    pub next: Option<String>,
}

/// Messages that were read at once, and the place after them.
struct Step {
    /// Rows that were read.
    scanned: usize,
    found: Vec<FoundMessage>,
    next: Option<String>,
}

impl MessageFilter {
    fn matches(&self, FoundMessage { record, tracked }: &FoundMessage) -> bool {
        let template = record.template.as_ref().or(tracked.template.as_ref());
        let status = |status: &MessageStatus| tracked.display_status(record) == status.as_str();
        self.from.is_none_or(|from| record.sent_at >= from)
            && self.to.is_none_or(|to| record.sent_at < to)
            && self.status.as_ref().is_none_or(status)
            && self.template.as_ref().is_none_or(|wanted| template == Some(wanted))
    }

    /// The place before all messages.
    fn beginning(&self, now: Timestamp) -> String {
        match (self.to, &self.of) {
            // Clocks of senders may be ahead. The days after that are not read.
            (to, MessagesOf::Account(_)) => {
                let last = now.after(DAY_LENGTH);
                to.map_or(last, |to| to.min(last)).to_string()
            }
            (Some(to), _) => to.to_string(),
            (None, _) => END.to_owned(),
        }
    }

    /// The place at which the list ends.
    fn end(&self, now: Timestamp) -> String {
        match (self.from, &self.of) {
            (Some(from), _) => from.to_string(),
            (None, MessagesOf::Account(_)) => now.before(PERIOD).to_string(),
            (None, _) => String::new(),
        }
    }
}

impl Messages {
    /// A page of messages, newest first. It may have fewer than `limit`, or none, although there is a
    /// next page: what is read for one page is limited. A place is `{sent_at}/{id}`, and comes after
    /// the message that it names.
    pub async fn find(
        &self,
        filter: &MessageFilter,
        page: &PageRequest,
        now: Timestamp,
    ) -> Result<FoundMessages, IoError> {
        let (mut items, mut scanned, mut days) = (Vec::new(), 0, 0);
        let end = filter.end(now);
        let mut place = filter.beginning(now);
        if let Some(after) = page.after.as_ref().filter(|after| **after < place) {
            place.clone_from(after);
        }
        let is_narrow = filter.status.is_some() || filter.template.is_some();
        let count = if is_narrow { MAX_LIMIT } else { page.limit };
        if place <= end {
            return Ok(FoundMessages { items, next: None });
        }
        while scanned < MAX_SCANNED && days < MAX_DAYS {
            let Step { scanned: read, found, next } = match &filter.of {
                MessagesOf::Account(account) => {
                    self.step_of_day(account, [&place, &end], count).await?
                }
                MessagesOf::Order(order) => self.step_of_order(order, &place, count).await?,
                MessagesOf::Shopper(account, with) => {
                    self.step_of_shopper(account, with, &place).await?
                }
            };
            (scanned, days) = (scanned + read, days + 1);
            for message in found.into_iter().filter(|message| filter.matches(message)) {
                let after = sort_key(&message.record);
                items.push(message);
                if items.len() == page.limit {
                    return Ok(FoundMessages { items, next: Some(after) });
                }
            }
            let Some(next) = next.filter(|next| *next > end) else {
                return Ok(FoundMessages { items, next: None });
            };
            place = next;
        }
        Ok(FoundMessages { items, next: Some(place) })
    }

    /// The messages of an account on the day of a place.
    async fn step_of_day(
        &self,
        account: &AccountCode,
        [place, end]: [&str; 2],
        count: usize,
    ) -> Result<Step, IoError> {
        let Some(day) = day_before(place) else {
            return Ok(Step { scanned: 0, found: Vec::new(), next: None });
        };
        let start = day.to_string();
        let range = attr("sk").between(text(format!("at:{end}")), text(format!("at:{place}")));
        let partition = attr(DAY).equals(text(day_pk(account, &day_of(day))));
        let query = query(&self.client, &self.table, partition.and(range))
            .index_name("by_day")
            .scan_index_forward(false)
            .limit(limit(count.saturating_add(1)));
        let found = first_page(query).await?;
        let mut rows = found.rows;
        // The range includes its end: the last message of the page before.
        rows.retain(|row| {
            read_text(row, "sk").is_ok_and(|sk| sk.strip_prefix("at:") != Some(place))
        });
        let has_more = found.next.is_some() || rows.len() > count;
        rows.truncate(count);
        let last = rows.last().and_then(|row| read_text(row, "sk").ok()?.strip_prefix("at:"));
        let next = last.filter(|_| has_more).map_or(start, str::to_owned);
        let found = self.tracked(self.records(&rows).await?).await?;
        Ok(Step { scanned: rows.len(), found, next: Some(next) })
    }

    async fn step_of_order(
        &self,
        order: &OrderKey,
        place: &str,
        count: usize,
    ) -> Result<Step, IoError> {
        let (pk, until) = (order_pk(order), format!("at:{place}"));
        let read = |row: &Item| read_json(row, "json");
        let (slice, last) = self.rows_before(&pk, &until, count, read).await?;
        let last = last.as_deref().and_then(|last| last.strip_prefix("at:"));
        let next = last.filter(|_| slice.has_more).map(str::to_owned);
        Ok(Step { scanned: slice.items.len(), found: self.tracked(slice.items).await?, next })
    }

    /// The messages of ours in a conversation. Their records are in their tracking rows.
    async fn step_of_shopper(
        &self,
        account: &AccountCode,
        with: &Contact,
        place: &str,
    ) -> Result<Step, IoError> {
        let page = PageRequest { limit: MAX_LIMIT, after: Some(place.to_owned()) };
        let talk = self.conversation(account, with, &page).await?;
        let ids = talk.items.iter().filter_map(|it| {
            let id = ConversationView::read(&it.message)?.outbound_id()?;
            SendId::parse(id.as_str())
        });
        let keys: Vec<_> = ids.map(|id| id.tracking_key(account)).collect();
        let rows = self.readable_trackings(&keys).await?;
        let found = rows.into_iter().flatten().filter_map(|row| {
            let record = row.tracked.record.clone()?;
            Some(FoundMessage { record, tracked: row.tracked })
        });
        let last = talk.items.last().filter(|_| talk.has_more);
        let next = last.map(|last| last.sort_key.clone());
        Ok(Step { scanned: talk.items.len(), found: found.collect(), next })
    }

    /// The records with these keys, in this order. Those that were erased are left out.
    async fn records(&self, keys: &[Item]) -> Result<Vec<Message>, IoError> {
        let mut found = HashMap::new();
        // A page of an index has keys only, and at most MAX_LIMIT.
        let keys: Vec<Item> = keys
            .iter()
            .map(|row| item([("pk", row["pk"].clone()), ("sk", row["sk"].clone())]))
            .collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys.clone()));
        for row in batch_get(&self.client, &self.table, wanted.consistent_read(true)).await? {
            let sk = read_text(&row, "sk")?.to_owned();
            match read_json::<Message>(&row, "json") {
                Ok(message) => drop(found.insert(sk, message)),
                Err(error) => tracing::error!(id = sk, %error, "row.unreadable"),
            }
        }
        let in_order = keys.iter().filter_map(|key| found.remove(read_text(key, "sk").ok()?));
        Ok(in_order.collect())
    }

    async fn tracked(&self, records: Vec<Message>) -> Result<Vec<FoundMessage>, IoError> {
        let keys: Vec<_> = records.iter().filter_map(Message::tracking_key).collect();
        let rows = self.readable_trackings(&keys).await?;
        let rows = keys.into_iter().zip(rows);
        let rows: HashMap<ProviderMessageKey, TrackedMessage> =
            rows.filter_map(|(key, row)| Some((key, row?.tracked))).collect();
        let with_tracking = |record: Message| {
            let tracked = record.tracking_key().and_then(|key| rows.get(&key).cloned());
            FoundMessage { record, tracked: tracked.unwrap_or_default() }
        };
        Ok(records.into_iter().map(with_tracking).collect())
    }
}

/// The beginning of the last day that has messages before a place: a place at the very beginning of
/// a day, without a message's id, is after that of the day before.
fn day_before(place: &str) -> Option<Timestamp> {
    let (time, id) = place.split_once('/').map_or((place, None), |(time, id)| (time, Some(id)));
    let time = Timestamp::parse(time).ok()?;
    let start = Timestamp::parse(&format!("{}T00:00:00Z", day_of(time))).ok()?;
    let is_start = id.is_none() && time == start;
    Some(if is_start { start.before(DAY_LENGTH) } else { start })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_day_before_a_place() {
        for (place, day) in [
            ("2026-01-20T10:00:00.000Z/abc", "2026-01-20"),
            ("2026-01-20T10:00:00.000Z", "2026-01-20"),
            ("2026-01-20T00:00:00.000Z/abc", "2026-01-20"),
            ("2026-01-20T00:00:00.000Z", "2026-01-19"),
            ("2026-03-01T00:00:00.000Z", "2026-02-28"),
        ] {
            assert_eq!(day_before(place).map(day_of).as_deref(), Some(day), "{place}");
        }
        assert_eq!(day_before("x"), None);
    }
}
