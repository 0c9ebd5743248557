//! ChannelEvent about messages: statuses join what is known of their messages, and what shoppers write is kept.

mod counts;

use std::collections::BTreeMap;

use aws::clock::now;
use aws::error::IoError;
use aws::tables::contention::{Try, retry};
use aws::tables::inbound::{InboundEvent, Progress};
use aws::tables::messages::TrackingRow;
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::messaging::channel::{ChannelEvent, ChannelUpdate, StatusUpdate};
use domain::messaging::conversation::{Contact, ConversationMessage};
use domain::messaging::message_status::{ProviderMessageKey, ProviderStatus};
use futures::stream::{self, StreamExt};
use sources::Items;

use crate::Process;
use counts::UpdateCounts;

/// How often a message is read again because others wrote it in between, before the event has to come back.
const TRIES: u32 = 12;
/// So many messages are read at once,
const READ_AT_ONCE: usize = 100;
/// and so many written side by side.
const SIDE_BY_SIDE: usize = 16;

/// ChannelEvent by what has to be done about it.
#[derive(Default)]
struct Sorted<'a> {
    /// By message, so that each is written once.
    statuses: BTreeMap<ProviderMessageKey, Vec<&'a StatusUpdate>>,
    messages: Vec<(AccountCode, Contact, ConversationMessage<'a>)>,
    counts: UpdateCounts,
}

impl Process {
    /// Applies all news of an event. What had been applied before is found so.
    pub(crate) async fn apply_updates(
        &self,
        event: &InboundEvent,
        updates: &Items<ChannelUpdate>,
    ) -> Result<Progress, IoError> {
        let sorted = self.sort(event, updates).await?;
        let followed = self.follow_all(&sorted.statuses, event.received_at).await;
        let heard = self.insert_all(&sorted.messages).await;
        let (changed, new) = (followed?, heard?);
        let counts = sorted.counts;
        tracing::info!(
            event_id = %event.id,
            statuses = counts.statuses,
            changed,
            written = counts.written,
            new,
            skipped = counts.skipped(),
            "updates.applied"
        );
        Ok(counts.progress())
    }

    async fn sort<'a>(
        &self,
        event: &InboundEvent,
        updates: &'a Items<ChannelUpdate>,
    ) -> Result<Sorted<'a>, IoError> {
        let mut sorted = Sorted {
            counts: UpdateCounts { skipped: updates.skipped, ..UpdateCounts::default() },
            ..Sorted::default()
        };
        for update in &updates.items {
            match self.account(event, update).await? {
                Some(account) => sorted.take(account, update, event),
                None => sorted.counts.foreign += 1,
            }
        }
        Ok(sorted)
    }

    /// Whose an update is: it came by somebody's own path, or its number says so.
    async fn account(
        &self,
        event: &InboundEvent,
        update: &ChannelUpdate,
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
        statuses: &BTreeMap<ProviderMessageKey, Vec<&StatusUpdate>>,
        received_at: Timestamp,
    ) -> Result<usize, IoError> {
        let messages: Vec<(&ProviderMessageKey, &Vec<&StatusUpdate>)> = statuses.iter().collect();
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
        messages: &[(&ProviderMessageKey, &Vec<&StatusUpdate>)],
        received_at: Timestamp,
    ) -> Result<usize, IoError> {
        let keys: Vec<ProviderMessageKey> =
            messages.iter().map(|(key, _)| (*key).clone()).collect();
        let rows = self.messages.load_trackings(&keys).await?;
        let each = rows.into_iter().zip(messages);
        all(each.map(async |(row, (_, news))| self.follow(row?, news, received_at).await)).await
    }

    /// Joins news to what is known of a message, whoever else does so at the same time; whether that changed anything.
    async fn follow(
        &self,
        row: TrackingRow,
        news: &[&StatusUpdate],
        received_at: Timestamp,
    ) -> Result<bool, IoError> {
        let key = row.key.clone();
        let mut loaded = Some(row);
        let changed = retry(TRIES, || self.follow_once(&key, loaded.take(), news, received_at));
        changed.await?.ok_or_else(|| IoError::contention("dynamodb:PutItem"))
    }

    async fn follow_once(
        &self,
        key: &ProviderMessageKey,
        loaded: Option<TrackingRow>,
        news: &[&StatusUpdate],
        received_at: Timestamp,
    ) -> Result<Try<bool>, IoError> {
        let mut row = match loaded {
            Some(row) => row,
            None => self.messages.load_tracking(key).await?,
        };
        let before = row.tracked.tracking.status();
        let changes =
            news.iter().filter(|news| row.tracked.tracking.join(news, received_at)).count();
        if changes == 0 {
            return Ok(Try::Done(false));
        }
        Ok(if self.save(&row, before).await? { Try::Done(true) } else { Try::Contended })
    }

    /// Writes a message whose status was `before`, together with the order that shows it; whether nobody was faster.
    async fn save(
        &self,
        row: &TrackingRow,
        before: Option<ProviderStatus>,
    ) -> Result<bool, IoError> {
        let now = now();
        if let Some(record) = &row.tracked.record
            && row.tracked.tracking.status() != before
            && let Some(order) = self.orders.load(&record.order()).await?
            && record.is_newest(&order.state)
        {
            let noted = record.noted_on(&order, row.tracked.shown(record), now);
            return self
                .messages
                .replace_tracking_and_order(row, &self.orders, &order, &noted, now)
                .await;
        }
        self.messages.replace_tracking(row, now).await
    }

    /// How many of these were new.
    async fn insert_all(
        &self,
        messages: &[(AccountCode, Contact, ConversationMessage<'_>)],
    ) -> Result<usize, IoError> {
        all(messages.iter().map(async |(account, from, message)| {
            self.messages.insert_inbound(account, from, message).await
        }))
        .await
    }
}

impl<'a> Sorted<'a> {
    fn take(&mut self, account: AccountCode, update: &'a ChannelUpdate, event: &InboundEvent) {
        let number = update.number.as_deref();
        match &update.event {
            ChannelEvent::Status(news) => {
                let key = ProviderMessageKey { account, message: news.message.clone() };
                self.statuses.entry(key).or_default().push(news);
                self.counts.statuses += 1;
            }
            ChannelEvent::InboundMessage(written) => match Contact::parse(&written.from) {
                Some(from) => {
                    self.messages.push((
                        account,
                        from,
                        ConversationMessage::new(written, number, event.received_at),
                    ));
                    self.counts.written += 1;
                }
                None => self.counts.skipped += 1,
            },
            ChannelEvent::NumberError(error) => {
                // Without the error's words: they may quote.
                tracing::warn!(event_id = %event.id, number, code = error.code, "number.error");
                self.counts.number_errors += 1;
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
