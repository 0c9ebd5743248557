//! Publishes updates on the channels of an app of Pusher.
//!
//! Best effort, and beside the posts to sockets, which a failure here does not delay.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws::pusher::PusherApp;
use aws::settings::Settings;
use aws::telemetry::Metrics;
use domain::core::timestamp::Timestamp;
use domain::live::LiveUpdate;
use domain::live::pusher::{PusherEvent, PusherSetting, batches, events_of};
use egress::policy::Target;
use egress::{HeaderMap, Http, LOOPBACK, SendError, header_map};
use futures::{StreamExt, stream};
use tokio::time::Instant;

/// For one request.
const TIMEOUT: Duration = Duration::from_secs(2);
/// For all requests of an invocation. It ends well before the function's own timeout.
const TIME: Duration = Duration::from_secs(5);
/// After a request without an answer: a dead server must not occupy the workers.
const PAUSE: Duration = Duration::from_secs(10);
/// Requests at once.
const AT_ONCE: usize = 4;

pub(crate) struct Publisher {
    app: PusherApp,
    http: Http,
    unreachable_until: Mutex<Option<Timestamp>>,
}

/// Why a request was not published.
#[derive(Debug, Clone, Copy)]
enum Failure {
    Unanswered(SendError),
    Refused(u16),
    /// No time is left for it.
    Late,
}

impl Failure {
    fn class(self) -> &'static str {
        match self {
            Self::Unanswered(error) => error.code(),
            Self::Refused(_) => "refused",
            Self::Late => "late",
        }
    }

    fn status(self) -> Option<u16> {
        match self {
            Self::Refused(status) => Some(status),
            Self::Unanswered(_) | Self::Late => None,
        }
    }
}

impl Publisher {
    pub(crate) fn new(settings: Settings, http: Http) -> Self {
        Self { app: PusherApp::new(settings), http, unreachable_until: Mutex::default() }
    }

    pub(crate) async fn publish(&self, updates: &[LiveUpdate], now: Timestamp) {
        let told = updates.iter().filter(|update| update.about.is_some()).count();
        if told == 0 {
            return;
        }
        let app = match self.app.get(now).await {
            Ok(app) => app,
            Err(error) => {
                tracing::warn!(%error, updates = told, "pusher.not_published");
                return report(0, told, now);
            }
        };
        // The setting may have been removed meanwhile.
        let Some(setting) = app.as_ref() else { return };
        let events: Vec<PusherEvent> =
            updates.iter().flat_map(|update| events_of(update, setting)).collect();
        let published = self.post_all(setting, &events, now).await;
        report(published, events.len() - published, now);
    }

    /// Returns how many events were published. The first failure ends it: a server that refuses one
    /// request refuses all, or is overloaded.
    async fn post_all(
        &self,
        setting: &PusherSetting,
        events: &[PusherEvent],
        now: Timestamp,
    ) -> usize {
        if self.is_unreachable(now) {
            return 0;
        }
        let deadline = Instant::now() + TIME;
        let posts = batches(events).map(|(count, body)| async move {
            self.post(setting, body, deadline, now).await.map(|()| count)
        });
        let mut posts = stream::iter(posts).buffered(AT_ONCE);
        let mut published = 0;
        while let Some(posted) = posts.next().await {
            match posted {
                Ok(count) => published += count,
                Err(failure) => {
                    let (class, status) = (failure.class(), failure.status());
                    tracing::warn!(error = class, status, "pusher.not_published");
                    if matches!(failure, Failure::Unanswered(_)) {
                        *self.unreachable_until() = Some(now.after(PAUSE));
                    }
                    break;
                }
            }
        }
        published
    }

    async fn post(
        &self,
        setting: &PusherSetting,
        body: Vec<u8>,
        deadline: Instant,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let left = deadline.saturating_duration_since(Instant::now()).min(TIMEOUT);
        if left.is_zero() {
            return Err(Failure::Late);
        }
        let url = setting.signed_url("batch_events", &body, now);
        let target =
            Target::parse(&url, LOOPBACK).map_err(|error| Failure::Unanswered(error.into()))?;
        let posted = self.http.post(&target, headers(), body, left).await;
        match posted.map_err(Failure::Unanswered)?.status {
            200..=299 => Ok(()),
            status => Err(Failure::Refused(status)),
        }
    }

    fn is_unreachable(&self, now: Timestamp) -> bool {
        self.unreachable_until().is_some_and(|until| now < until)
    }

    fn unreachable_until(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.unreachable_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn headers() -> HeaderMap {
    header_map([
        ("content-type", "application/json", false),
        ("user-agent", concat!("Waypost/", env!("CARGO_PKG_VERSION")), false),
    ])
}

fn report(published: usize, lost: usize, now: Timestamp) {
    tracing::info!(published, lost, "pusher.published");
    let metrics = Metrics::new().count("PusherPublished", published as u64);
    metrics.count("PusherEventsLost", lost as u64).emit(now);
}
