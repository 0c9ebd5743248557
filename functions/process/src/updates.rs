//! News about messages: statuses join what is known of their messages, and what shoppers write is kept.

mod tally;

use std::collections::BTreeMap;

use aws::clock::now;
use aws::error::IoError;
use aws::tables::contention::pause;
use aws::tables::inbound::{Event, Progress};
use aws::tables::messages::TrackRow;
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::messaging::channel::{News, StatusNews, Update};
use domain::messaging::conversation::{Contact, Remark};
use domain::messaging::message_status::{TrackKey, Word};
use futures::stream::{self, StreamExt};
use sources::Items;

use crate::Process;
use tally::Tally;

/// How often a message is read again because others wrote it in between, before the event has to come back.
const TRIES: u32 = 12;
/// So many messages are read at once,
const READ_AT_ONCE: usize = 100;
/// and so many written side by side.
const SIDE_BY_SIDE: usize = 16;

/// News by what has to be done about it.
#[derive(Default)]
struct Sorted<'a> {
    /// By message, so that each is written once.
    statuses: BTreeMap<TrackKey, Vec<&'a StatusNews>>,
    remarks: Vec<(AccountCode, Contact, Remark<'a>)>,
    tally: Tally,
}

impl Process {
    /// Applies all news of an event. What had been applied before is found so.
    pub(crate) async fn apply_updates(
        &self,
        event: &Event,
        updates: &Items<Update>,
    ) -> Result<Progress, IoError> {
        let sorted = self.sort(event, updates).await?;
        let followed = self.follow_all(&sorted.statuses, event.received_at).await;
        let heard = self.hear_all(&sorted.remarks).await;
        let (changed, new) = (followed?, heard?);
        let tally = sorted.tally;
        tracing::info!(
            event_id = %event.id,
            statuses = tally.statuses,
            changed,
            written = tally.written,
            new,
            skipped = tally.skipped(),
            "updates.applied"
        );
        Ok(tally.progress())
    }

    async fn sort<'a>(
        &self,
        event: &Event,
        updates: &'a Items<Update>,
    ) -> Result<Sorted<'a>, IoError> {
        let mut sorted =
            Sorted { tally: Tally { odd: updates.odd, ..Tally::default() }, ..Sorted::default() };
        for update in &updates.items {
            match self.account(event, update).await? {
                Some(account) => sorted.take(account, update, event),
                None => sorted.tally.foreign += 1,
            }
        }
        Ok(sorted)
    }

    /// Whose an update is: it came by somebody's own path, or its number says so.
    async fn account(
        &self,
        event: &Event,
        update: &Update,
    ) -> Result<Option<AccountCode>, IoError> {
        match (&event.account, &update.number) {
            (Some(account), _) => Ok(Some(account.clone())),
            (None, Some(number)) => Ok(self.numbers.account(number, now()).await?),
            (None, None) => Ok(None),
        }
    }

    /// How many messages the news changed.
    async fn follow_all(
        &self,
        statuses: &BTreeMap<TrackKey, Vec<&StatusNews>>,
        received_at: Timestamp,
    ) -> Result<usize, IoError> {
        let messages: Vec<(&TrackKey, &Vec<&StatusNews>)> = statuses.iter().collect();
        // A row that cannot be read or written keeps no other from being followed.
        let mut changed = Ok(0);
        for some in messages.chunks(READ_AT_ONCE) {
            let more = self.follow_some(some, received_at).await;
            changed = changed.and_then(|sum| more.map(|more| sum + more));
        }
        changed
    }

    async fn follow_some(
        &self,
        messages: &[(&TrackKey, &Vec<&StatusNews>)],
        received_at: Timestamp,
    ) -> Result<usize, IoError> {
        let keys: Vec<TrackKey> = messages.iter().map(|(key, _)| (*key).clone()).collect();
        let rows = self.messages.tracks(&keys).await?;
        let each = rows.into_iter().zip(messages);
        all(each.map(async |(row, (_, news))| self.follow(row?, news, received_at).await)).await
    }

    /// Joins news to what is known of a message, whoever else does so at the same time; whether that changed anything.
    async fn follow(
        &self,
        mut row: TrackRow,
        news: &[&StatusNews],
        received_at: Timestamp,
    ) -> Result<bool, IoError> {
        for attempt in 0..TRIES {
            let before = row.tracked.track.status();
            let changes =
                news.iter().filter(|news| row.tracked.track.join(news, received_at)).count();
            if changes == 0 {
                return Ok(false);
            }
            if self.save(&row, before).await? {
                return Ok(true);
            }
            pause(attempt).await;
            row = self.messages.track(&row.key).await?;
        }
        Err(IoError::Transient { call: "dynamodb:PutItem", code: "contention".to_owned() })
    }

    /// Writes a message whose status was `before`, together with the order that shows it; whether nobody was faster.
    async fn save(&self, row: &TrackRow, before: Option<Word>) -> Result<bool, IoError> {
        let now = now();
        if let Some(record) = &row.tracked.record
            && row.tracked.track.status() != before
            && let Some(order) = self.orders.load(&record.order()).await?
            && record.is_newest(&order.state)
        {
            let noted = record.noted_on(&order, row.tracked.shown(record), now);
            return self
                .messages
                .save_track_and_order(row, &self.orders, &order, &noted, now)
                .await;
        }
        self.messages.save_track(row, now).await
    }

    /// How many of these were new.
    async fn hear_all(
        &self,
        remarks: &[(AccountCode, Contact, Remark<'_>)],
    ) -> Result<usize, IoError> {
        all(remarks
            .iter()
            .map(async |(account, from, remark)| self.messages.hear(account, from, remark).await))
        .await
    }
}

impl<'a> Sorted<'a> {
    fn take(&mut self, account: AccountCode, update: &'a Update, event: &Event) {
        let number = update.number.as_deref();
        match &update.news {
            News::Status(news) => {
                let key = TrackKey { account, message: news.message.clone() };
                self.statuses.entry(key).or_default().push(news);
                self.tally.statuses += 1;
            }
            News::Written(written) => match Contact::parse(&written.from) {
                Some(from) => {
                    self.remarks.push((
                        account,
                        from,
                        Remark::new(written, number, event.received_at),
                    ));
                    self.tally.written += 1;
                }
                None => self.tally.odd += 1,
            },
            News::NumberError(error) => {
                // Without the error's words: they may quote.
                tracing::warn!(event_id = %event.id, number, code = error.code, "number.error");
                self.tally.number_errors += 1;
            }
        }
    }
}

/// Does all of it, whatever becomes of each; how often it was true. If anything failed, why that did.
async fn all(
    work: impl Iterator<Item: Future<Output = Result<bool, IoError>>>,
) -> Result<usize, IoError> {
    let done: Vec<Result<bool, IoError>> =
        stream::iter(work).buffer_unordered(SIDE_BY_SIDE).collect().await;
    let mut count = 0;
    for result in done {
        count += usize::from(result?);
    }
    Ok(count)
}
