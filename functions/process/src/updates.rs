//! Applies channel updates: message statuses reported by providers, messages and calls of shoppers
//! with what they answer, echoes of those that the business wrote on its phone, preferences of
//! shoppers, and statements about accounts, numbers and templates.

pub(crate) mod answers;
mod counts;
mod grouped;
mod provider;

use std::collections::{BTreeMap, BTreeSet};

use aws::clock::now;
use aws::error::IoError;
use aws::tables::concurrency::run_all;
use aws::tables::contention::{Try, retry};
use aws::tables::inbound::{InboundEvent, Progress};
use aws::tables::messages::{SavedTracking, TrackingRow};
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use domain::live::MessageNews;
use domain::messaging::channel::{ChannelUpdate, StatusUpdate};
use domain::messaging::conversation::{Contact, ConversationMessage};
use domain::messaging::message_status::ProviderMessageKey;
use domain::messaging::send::SendId;
use sources::Items;

use crate::live::News;
use crate::reason::FailReason;
use crate::{Process, Run};
use counts::UpdateCounts;
use grouped::GroupedUpdates;

/// Attempts to write a message under contention before the event is retried later.
const TRIES: u32 = 12;
const READ_BATCH: usize = 100;

impl Process {
    /// Applies every update of an event. Repeating an applied update is a no-op, so a run that
    /// stopped for want of time begins again.
    pub(crate) async fn apply_updates(
        &self,
        run: &Run<'_>,
        updates: &Items<ChannelUpdate>,
    ) -> Result<Option<Progress>, IoError> {
        let event = run.event;
        let grouped = self.group_updates(event, updates).await?;
        let recorded = self.record_statuses(&grouped.statuses, run).await;
        let inserted = self.insert_messages(&grouped.messages, run).await;
        let answers = self.record_answers(&grouped.replies, run).await;
        self.link_contacts(&grouped, event.received_at).await?;
        self.keep_preferences(&grouped.preferences, event).await?;
        self.keep_words(&grouped.texts).await?;
        let statements: Vec<_> = grouped.statements.iter().collect();
        let kept = self.keep_statements(&statements, run).await?;
        let (Some(changed), Some(new), Some(states)) = (recorded?, inserted?, kept) else {
            return Ok(None);
        };
        let Some(answers) = answers? else { return Ok(None) };
        let counts = grouped.counts;
        tracing::info!(
            event_id = %event.id,
            statuses = counts.statuses,
            changed,
            written = counts.inbound,
            echoes = counts.echoes,
            calls = counts.calls,
            new,
            answers = answers.count,
            preferences = counts.preferences,
            statements = counts.statements,
            states,
            skipped = counts.skipped(),
            "updates.applied"
        );
        let progress = match answers.told.undeliverable {
            Some(undeliverable) => FailReason::Undeliverable(undeliverable).into(),
            None => counts.progress(),
        };
        let (deliveries, is_erasable) = (answers.told.noted, answers.is_erasable);
        Ok(Some(Progress { deliveries, is_erasable, ..progress }))
    }

    async fn group_updates<'a>(
        &self,
        event: &InboundEvent,
        updates: &'a Items<ChannelUpdate>,
    ) -> Result<GroupedUpdates<'a>, IoError> {
        let mut grouped = GroupedUpdates {
            counts: UpdateCounts { unreadable: updates.skipped, ..UpdateCounts::default() },
            ..GroupedUpdates::default()
        };
        for update in &updates.items {
            match self.find_account(event, update).await? {
                Some(account) => grouped.add(account, update, event),
                None => grouped.counts.foreign += 1,
            }
        }
        Ok(grouped)
    }

    /// The account is that of the webhook path, else the owner of the business phone number, or of
    /// the business account.
    async fn find_account(
        &self,
        event: &InboundEvent,
        update: &ChannelUpdate,
    ) -> Result<Option<AccountCode>, IoError> {
        match (&event.account, &update.number, &update.business_account) {
            (Some(account), ..) => Ok(Some(account.clone())),
            (None, Some(number), _) => Ok(self.numbers.account(number, now()).await?),
            (None, None, Some(id)) => Ok(self.numbers.account_of_business(id, now()).await?),
            (None, None, None) => Ok(None),
        }
    }

    /// Returns the number of messages changed; `None` if the time did not suffice.
    async fn record_statuses(
        &self,
        statuses: &BTreeMap<ProviderMessageKey, Vec<&StatusUpdate>>,
        run: &Run<'_>,
    ) -> Result<Option<usize>, IoError> {
        let messages: Vec<(&ProviderMessageKey, &Vec<&StatusUpdate>)> = statuses.iter().collect();
        // A failed batch must not block the others; the first error is returned.
        let mut changed = Ok(0);
        for batch in messages.chunks(READ_BATCH) {
            if !run.has_time() {
                return changed.map(|_| None);
            }
            let more = self.record_status_batch(batch, run.event).await;
            changed = changed.and_then(|sum| more.map(|more| sum + more));
        }
        changed.map(Some)
    }

    async fn record_status_batch(
        &self,
        messages: &[(&ProviderMessageKey, &Vec<&StatusUpdate>)],
        event: &InboundEvent,
    ) -> Result<usize, IoError> {
        let keys: Vec<ProviderMessageKey> =
            messages.iter().map(|(key, _)| (*key).clone()).collect();
        let rows = self.messages.load_trackings(&keys).await?;
        let rows = self.by_provider_id(rows, messages).await?;
        let writes = rows.into_iter().zip(messages).map(async |(row, (_, statuses))| {
            // A message that has yet to be settled has a result of its own, which does that.
            let recorded = self.record_message_statuses(row?, statuses, Some(event)).await;
            recorded.map(|recorded| recorded.has_changed)
        });
        run_all(writes).await.map(count)
    }

    /// Statuses whose callback data only look like an id of ours, or name a message that was erased,
    /// are kept under the provider's id.
    async fn by_provider_id(
        &self,
        mut rows: Vec<Result<TrackingRow, IoError>>,
        messages: &[(&ProviderMessageKey, &Vec<&StatusUpdate>)],
    ) -> Result<Vec<Result<TrackingRow, IoError>>, IoError> {
        for (row, (key, statuses)) in rows.iter_mut().zip(messages) {
            let is_ours = SendId::parse(key.message.as_str()).is_some();
            let is_unknown = row.as_ref().is_ok_and(|row| row.tracked.record.is_none());
            if let (true, true, Some(status)) = (is_ours, is_unknown, statuses.first()) {
                let (account, message) = (key.account.clone(), status.message.clone());
                let provider = ProviderMessageKey { account, message };
                *row = self.messages.load_tracking(&provider).await;
            }
        }
        Ok(rows)
    }

    /// Merges statuses into a message's row, with retries on contention.
    pub(crate) async fn record_message_statuses(
        &self,
        row: TrackingRow,
        statuses: &[&StatusUpdate],
        event: Option<&InboundEvent>,
    ) -> Result<Recorded, IoError> {
        let key = row.key.clone();
        let mut loaded = Some(row);
        let recorded =
            retry(TRIES, || self.record_statuses_once(&key, loaded.take(), statuses, event));
        let recorded = recorded.await?.ok_or_else(|| IoError::contention("dynamodb:PutItem"))?;
        let early = &recorded.early_answers;
        self.messages.repeat_early_answers(&key, early, &self.events_queue, now()).await?;
        Ok(recorded)
    }

    async fn record_statuses_once(
        &self,
        key: &ProviderMessageKey,
        loaded: Option<TrackingRow>,
        statuses: &[&StatusUpdate],
        event: Option<&InboundEvent>,
    ) -> Result<Try<Recorded>, IoError> {
        let mut row = match loaded {
            Some(row) => row,
            None => self.messages.load_tracking(key).await?,
        };
        let before = row.tracked.tracking.status();
        let adopts = self.adopt_provider_id(&mut row, statuses).await?;
        let received_at = event.map_or_else(now, |event| event.received_at);
        let tracking = &mut row.tracked.tracking;
        let changes = statuses.iter().filter(|status| tracking.merge(status, received_at)).count();
        if changes == 0 && !adopts {
            // The run that made the change may have been killed before it settled the message.
            let is_settled = self.settle_unknown(&row).await?;
            return Ok(Try::Done(Recorded::of(row, false, is_settled)));
        }
        if let Some(event) = event {
            row.note(&event.id);
        }
        let saved = self.messages.save_tracking(&row, before, &self.orders, now()).await?;
        let Some(saved) = saved else { return Ok(Try::Contended) };
        let is_settled = self.settle_unknown(&row).await?;
        if row.tracked.tracking.status() != before {
            self.tell_of_message(&row, saved).await;
        }
        Ok(Try::Done(Recorded::of(row, true, is_settled)))
    }

    /// Tells sockets the new status of a message that is recorded.
    async fn tell_of_message(&self, row: &TrackingRow, saved: SavedTracking) {
        let Some(record) = &row.tracked.record else { return };
        let order = record.order();
        let status = row.tracked.display_status(record);
        let at = row.tracked.tracking.statuses().find(|(known, _)| known.shown() == status);
        let news = MessageNews {
            message_id: record.id.clone(),
            order_id: order.as_ref().map(|order| order.order.clone()),
            status,
            timestamp: at.map_or_else(now, |(_, at)| at),
        };
        let account = &row.key.account;
        let news = News::of_message(account, order.as_ref(), saved.watched_until, news);
        self.tell_sockets(&[news]).await;
    }

    /// Notes with the delivery that the provider has a message whose attempt had no result. False if
    /// the worker of the attempt has yet to say that it has none.
    async fn settle_unknown(&self, row: &TrackingRow) -> Result<bool, IoError> {
        if !row.tracked.is_settled() {
            return Ok(true);
        }
        self.bodies.settle_unknown(row.key.message.as_str(), now()).await
    }

    /// Learns the provider's id of a message of ours from its first status. True if that is new.
    async fn adopt_provider_id(
        &self,
        row: &mut TrackingRow,
        statuses: &[&StatusUpdate],
    ) -> Result<bool, IoError> {
        let is_known = row.tracked.provider_id.is_some();
        if is_known || SendId::parse(row.key.message.as_str()).is_none() {
            return Ok(false);
        }
        let mut ids = statuses.iter().map(|status| &status.message);
        let Some(id) = ids.find(|id| **id != row.key.message) else { return Ok(false) };
        let (account, message) = (row.key.account.clone(), id.clone());
        let provider = ProviderMessageKey { account, message };
        row.adopt(self.messages.load_tracking(&provider).await?);
        Ok(true)
    }

    /// Returns the number of new messages; `None` if the time did not suffice.
    async fn insert_messages(
        &self,
        messages: &[(AccountCode, Contact, ConversationMessage<'_>)],
        run: &Run<'_>,
    ) -> Result<Option<usize>, IoError> {
        let (mut new, event) = (0, &run.event.id);
        for batch in messages.chunks(READ_BATCH) {
            if !run.has_time() {
                return Ok(None);
            }
            let inserts = batch.iter().map(async |(account, contact, message)| {
                self.messages.insert_conversation(account, contact, message, event).await
            });
            new += run_all(inserts).await.map(count)?;
        }
        Ok(Some(new))
    }

    /// The conversation of a contact is one, under whichever id. Links last as long as messages.
    async fn link_contacts(
        &self,
        grouped: &GroupedUpdates<'_>,
        received_at: Timestamp,
    ) -> Result<(), IoError> {
        self.messages.link_contacts(&grouped.links, received_at).await?;
        let contacts = grouped.messages.iter().map(|(account, contact, _)| (account, contact));
        let contacts: BTreeSet<(&AccountCode, &Contact)> = contacts.collect();
        let renewals = contacts.into_iter().map(async |(account, contact)| {
            self.messages.renew_links(account, contact, received_at).await
        });
        run_all(renewals).await.map(drop)
    }
}

pub(crate) struct Recorded {
    pub(crate) has_changed: bool,
    /// False for a message that has to be settled later.
    pub(crate) is_settled: bool,
    /// Of a message that is known now.
    early_answers: BTreeSet<EventId>,
}

impl Recorded {
    fn of(row: TrackingRow, has_changed: bool, is_settled: bool) -> Self {
        let known = row.tracked.record.map(|_| row.tracked.early_answers);
        Self { has_changed, is_settled, early_answers: known.unwrap_or_default() }
    }
}

fn count(changes: Vec<bool>) -> usize {
    changes.into_iter().filter(|changed| *changed).count()
}

#[cfg(test)]
mod tests;
