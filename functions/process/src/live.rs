//! Tells open sockets and Pusher about changes: one message of the queue `live`, if a socket may be open
//! for them, or if the stage has an app of Pusher, whose listeners are unknown.
//!
//! Best effort: a client that missed an update gets it when it registers again. A failure here fails
//! no event, and delays none for long.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws::clock::now;
use aws::error::IoError;
use aws::pusher::PusherPresence;
use aws::sqs::{Outgoing, Queue};
use aws::tables::connections::Connections;
use aws::tables::inbound::group as group_of;
use aws::telemetry::Metrics;
use domain::core::id::{AccountCode, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::live::{LiveMessage, LiveUpdate, MessageNews, OrderNews, Scope, ServerFrame};
use domain::tracking::report::SourceName;
use domain::webhooks::notification::Change;
use tokio::time::timeout;

use crate::Process;

/// Longest delay of an event for its sockets.
const TIME: Duration = Duration::from_millis(500);
/// How long a worker remembers whether an account has sockets.
pub const REMEMBERED: Duration = Duration::from_secs(10);
/// After a failure.
const PAUSE: Duration = Duration::from_secs(5);
const MAX_REMEMBERED: usize = 1000;
/// One message for any event but very large ones.
const MAX_UPDATES: usize = 200;

pub struct Live {
    queue: Queue,
    connections: Connections,
    pusher: Option<PusherPresence>,
    remembered: Duration,
    watched: Mutex<HashMap<AccountCode, Remembered>>,
    /// After a failure, updates are dropped until then: an event may have a thousand.
    failing_until: Mutex<Option<Timestamp>>,
}

#[derive(Clone, Copy)]
struct Remembered {
    is_watched: bool,
    until: Timestamp,
}

impl Live {
    /// It asks for each account again after this time.
    pub fn new(queue: Queue, connections: Connections, remembered: Duration) -> Self {
        let (watched, failing_until) = (Mutex::default(), Mutex::default());
        Self { queue, connections, pusher: None, remembered, watched, failing_until }
    }

    #[must_use]
    pub fn with_pusher(self, pusher: PusherPresence) -> Self {
        Self { pusher: Some(pusher), ..self }
    }

    pub(crate) async fn load_settings(&self, now: Timestamp) {
        self.is_published(now).await;
    }

    async fn tell(&self, news: &[News<'_>], now: Timestamp) -> Result<(), IoError> {
        let transient = |code: &str| IoError::Transient { call: "live", code: code.to_owned() };
        if lock(&self.failing_until).is_some_and(|until| now < until) {
            return Err(transient("failed before"));
        }
        let told = timeout(TIME, self.send(news, now)).await;
        let told = told.unwrap_or_else(|_| Err(transient("timeout")));
        *lock(&self.failing_until) = told.is_err().then(|| now.after(PAUSE));
        told
    }

    async fn send(&self, news: &[News<'_>], now: Timestamp) -> Result<(), IoError> {
        let is_published = self.is_published(now).await;
        let mut updates = Vec::new();
        for News { account, order, watched_until, frame } in news {
            let is_order_watched = watched_until.is_some_and(|until| now < until);
            let about = order.map_or_else(|| Scope::account(account), Scope::from);
            let order = order.filter(|_| is_order_watched).map(Scope::from);
            let is_account_watched = self.is_watched(account, now).await?;
            let account = is_account_watched.then(|| Scope::account(account));
            let scopes: Vec<Scope> = account.into_iter().chain(order).collect();
            let is_told = is_published || !scopes.is_empty();
            let update = is_told.then(|| LiveUpdate::new(scopes, frame));
            updates.extend(update.map(|it| if is_published { it.about(about) } else { it }));
        }
        let Some(first) = news.first().filter(|_| !updates.is_empty()) else { return Ok(()) };
        let group = group_of(Some(first.account), &SourceName::API);
        let messages = updates.chunks(MAX_UPDATES).map(|updates| Outgoing {
            body: LiveMessage::new(updates.to_vec()).write(),
            group: group.clone(),
        });
        self.queue.send_all(messages.collect()).await
    }

    /// False also while this cannot be known: sockets must not wait for it.
    async fn is_published(&self, now: Timestamp) -> bool {
        let Some(pusher) = &self.pusher else { return false };
        pusher.is_there(now).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "pusher.unknown");
            false
        })
    }

    async fn is_watched(&self, account: &AccountCode, now: Timestamp) -> Result<bool, IoError> {
        if let Some(remembered) = self.remembered(account).filter(|it| now < it.until) {
            return Ok(remembered.is_watched);
        }
        let is_watched = self.connections.is_watched(account, now).await?;
        let mut watched = lock(&self.watched);
        if watched.len() >= MAX_REMEMBERED {
            watched.clear();
        }
        watched
            .insert(account.clone(), Remembered { is_watched, until: now.after(self.remembered) });
        Ok(is_watched)
    }

    fn remembered(&self, account: &AccountCode) -> Option<Remembered> {
        lock(&self.watched).get(account).copied()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One frame, with its account and order.
pub(crate) struct News<'a> {
    account: &'a AccountCode,
    order: Option<&'a OrderKey>,
    watched_until: Option<Timestamp>,
    frame: ServerFrame<'a>,
}

impl<'a> News<'a> {
    pub(crate) fn of_change(change: &Change<'a>) -> Self {
        let key = &change.order.key;
        Self {
            account: &key.account,
            order: Some(key),
            watched_until: change.order.watched_until,
            frame: ServerFrame::OrderUpdate(OrderNews::of(key, change.transition)),
        }
    }

    /// `watched_until` is that of the message's order.
    pub(crate) fn of_message(
        account: &'a AccountCode,
        order: Option<&'a OrderKey>,
        watched_until: Option<Timestamp>,
        news: MessageNews,
    ) -> Self {
        Self { account, order, watched_until, frame: ServerFrame::MessageStatusUpdate(news) }
    }
}

impl Process {
    /// Tells sockets and Pusher. A failure is logged and counted.
    pub(crate) async fn tell_sockets(&self, news: &[News<'_>]) {
        let Some(live) = self.live.as_ref().filter(|_| !news.is_empty()) else { return };
        if let Err(error) = live.tell(news, now()).await {
            tracing::warn!(%error, updates = news.len(), "live.not_told");
            Metrics::new().count("LiveUpdatesLost", news.len() as u64).emit(now());
        }
    }
}

#[cfg(test)]
mod tests;
