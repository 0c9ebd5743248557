//! The figures of messages: rows of counters by day and template, for 400 days.
//!
//! A row changes in the transaction that changes what it counts, so nothing counts twice. A
//! transaction that meets another one at a row is cancelled: the counts of a day and template are
//! spread over rows, and over more of them the more often they meet.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use domain::messaging::figures::{Counted, Figures};
use domain::messaging::message_details::TemplateName;
use domain::messaging::message_status::ProviderMessageKey;

use super::{Messages, TrackingRow};
use crate::error::IoError;
use crate::tables::attr::{Item, number, read_optional, text, ttl};
use crate::tables::concurrency::run_all;
use crate::tables::contention::{Try, retry};
use crate::tables::expression::attr;
use crate::tables::keys::{key, tenant};
use crate::tables::read::{first_page, query, readable};
use crate::tables::transaction::{TransactionOutcome, transact};
use crate::tables::update::Changes;
use crate::tables::write::Write;

const RETENTION_DAYS: u64 = 400;
/// Rows of a day and template. A transaction that meets another one chooses among twice as many.
const SHARDS: u64 = 16;
/// Transactions that are sent before the message is read again.
const TRIES: u32 = 5;
/// Attempts to write a message under contention.
const REPLY_TRIES: u32 = 12;
/// Pages of 1 MB that are read of a day: of thousands of templates, some are left out.
const MAX_PAGES: u32 = 4;

/// The figures of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayFigures {
    pub day: String,
    pub templates: BTreeMap<Option<String>, Figures>,
    /// False if the day has too many templates to read them all.
    pub is_complete: bool,
}

impl Messages {
    /// Notes that the shopper answered a message, which counts as replied from then on, once. The
    /// event with the answer is kept while the message is unknown. Returns the message as it is then.
    pub async fn note_reply(
        &self,
        loaded: TrackingRow,
        event: &EventId,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<TrackingRow, IoError> {
        let key = loaded.key.clone();
        let mut loaded = Some(loaded);
        let noted =
            retry(REPLY_TRIES, || self.note_reply_once(&key, loaded.take(), (event, at), now));
        noted.await?.ok_or_else(|| IoError::contention("dynamodb:PutItem"))
    }

    async fn note_reply_once(
        &self,
        key: &ProviderMessageKey,
        loaded: Option<TrackingRow>,
        (event, at): (&EventId, Timestamp),
        now: Timestamp,
    ) -> Result<Try<TrackingRow>, IoError> {
        let mut row = match loaded {
            Some(row) => row,
            None => self.load_tracking(key).await?,
        };
        let is_new = row.tracked.answer(at) | row.tracked.keep_early_answer(event);
        if is_new && !self.save_counted(&row, Vec::new(), now).await? {
            return Ok(Try::Contended);
        }
        Ok(Try::Done(row))
    }

    /// Writes a tracking row, what it changes in the figures, and these writes. `false` if one of
    /// them was written since it was read, or is being written.
    pub(super) async fn save_counted(
        &self,
        row: &TrackingRow,
        others: Vec<Write>,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let mut writes = self.tracking_writes(row, now)?;
        writes.extend(others);
        let changes = row.changes();
        if changes.is_empty()
            && let Ok([write]) = <&[Write; 1]>::try_from(writes.as_slice())
        {
            return write.clone().send_if_unchanged(&self.client).await;
        }
        let counting = Counting { account: &row.key.account, message: row.key.message.as_str() };
        Ok(self.transact_counted(writes, counting, &changes, now).await?.is_committed())
    }

    /// Sends a transaction together with the changes of the figures.
    pub(super) async fn transact_counted(
        &self,
        writes: Vec<Write>,
        counting: Counting<'_>,
        changes: &[Counted],
        now: Timestamp,
    ) -> Result<TransactionOutcome, IoError> {
        let mut sent = 1;
        loop {
            let mut all = writes.clone();
            let kept = changes.iter().filter(|change| is_kept(&change.place.day, now));
            all.extend(kept.map(|change| self.count(change, counting, counting.shard(sent))));
            let outcome = transact(&self.client, all).await?;
            // The message is as it was read: only the row of the figures must be another one.
            let meets = matches!(&outcome, TransactionOutcome::Cancelled(cancelled)
                if cancelled.conflicts_only_from(writes.len()));
            if !meets || sent == TRIES {
                return Ok(outcome);
            }
            sent += 1;
        }
    }

    fn count(&self, change: &Counted, counting: Counting<'_>, shard: u64) -> Write {
        let place = &change.place;
        let pk = figures_pk(counting.account, &place.day);
        let sk = format!("{}{shard:03}", prefix_of(place.template.as_ref()));
        let day = beginning_of(&place.day).unwrap_or(Timestamp::EPOCH);
        let changes = Changes::new().set("ttl", ttl(day, RETENTION_DAYS));
        let changes = match &place.template {
            Some(template) => changes.set("template", text(template.as_str())),
            None => changes,
        };
        let changes = change
            .figures
            .named()
            .fold(changes, |changes, (name, count)| changes.add(name, number(count)));
        Write::update(&self.table, key(pk, sk), changes)
    }

    /// The figures of these days, of all templates or of one. Sorted by day.
    pub async fn figures(
        &self,
        account: &AccountCode,
        days: &[String],
        template: Option<&TemplateName>,
    ) -> Result<Vec<DayFigures>, IoError> {
        let days = days.iter().cloned().map(|day| self.figures_of_day(account, day, template));
        let mut days = run_all(days).await?;
        days.sort_by(|one, other| one.day.cmp(&other.day));
        Ok(days)
    }

    async fn figures_of_day(
        &self,
        account: &AccountCode,
        day: String,
        template: Option<&TemplateName>,
    ) -> Result<DayFigures, IoError> {
        let partition = attr("pk").equals(text(figures_pk(account, &day)));
        let rows = match template {
            Some(_) => partition.and(attr("sk").begins_with(text(prefix_of(template)))),
            None => partition,
        };
        let mut templates: BTreeMap<Option<String>, Figures> = BTreeMap::new();
        let mut start = None;
        for _ in 0..MAX_PAGES {
            let query = query(&self.client, &self.table, rows.clone());
            let page = first_page(query.set_exclusive_start_key(start)).await?;
            for (template, figures) in readable(&page.rows, "sk", read) {
                *templates.entry(template).or_default() += &figures;
            }
            start = page.next;
            if start.is_none() {
                break;
            }
        }
        Ok(DayFigures { day, templates, is_complete: start.is_none() })
    }
}

/// The message whose figures change.
#[derive(Clone, Copy)]
pub(super) struct Counting<'a> {
    pub(super) account: &'a AccountCode,
    pub(super) message: &'a str,
}

impl Counting<'_> {
    /// The row of the transaction that is sent for this time.
    fn shard(self, time: u32) -> u64 {
        let hash = Fingerprint::of("shard").with(self.message).with(time.to_be_bytes());
        hash.number() % (SHARDS << (time - 1))
    }
}

fn figures_pk(account: &AccountCode, day: &str) -> String {
    format!("stats:{}:{day}", tenant(account))
}

/// A sort key has 1,024 bytes at most, and the name of a template may have more.
fn prefix_of(template: Option<&TemplateName>) -> String {
    let hash = Fingerprint::of("template").with_option(template.map(TemplateName::as_str));
    format!("{}/", hash.finish())
}

fn beginning_of(day: &str) -> Option<Timestamp> {
    Timestamp::parse(&format!("{day}T00:00:00Z")).ok()
}

/// A row that has expired already would only be written to be deleted.
fn is_kept(day: &str, now: Timestamp) -> bool {
    const RETENTION: Duration = Duration::from_secs(RETENTION_DAYS * 24 * 60 * 60);
    beginning_of(day).is_some_and(|day| day.after(RETENTION) > now)
}

fn read(row: &Item) -> Result<(Option<String>, Figures), IoError> {
    let template = read_optional(row, "template", |text| Ok::<_, ()>(text.to_owned()))?;
    let counts = row
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_n().ok()?.parse().ok()?)));
    Ok((template, Figures::read(counts)))
}

#[cfg(test)]
mod tests;
