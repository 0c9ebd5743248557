//! Posts updates to the sockets that see them, and publishes them with Pusher.
//!
//! Best effort: a message of the queue `live` is never tried again. A client that misses an update
//! gets it when it registers again.

mod publisher;

use std::collections::BTreeMap;

use aws::client::Clients;
use aws::clock::now;
use aws::env::{BadEnvironment, Environment};
use aws::error::IoError;
use aws::lambda::Invocation;
use aws::settings::Settings;
use aws::sockets::{Posted, Sockets};
use aws::tables::connections::Connections;
use aws::telemetry::Metrics;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use domain::live::{LiveMessage, LiveUpdate, Scope};
use egress::Http;
use futures::{StreamExt, stream};
use lambda_runtime::LambdaEvent;

use publisher::Publisher;

/// Sockets that are posted to at once.
const AT_ONCE: usize = 64;

pub struct Push {
    connections: Connections,
    sockets: Sockets,
    publisher: Publisher,
}

/// The results of an invocation's posts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    sockets: u64,
    frames: u64,
    gone: u64,
    failed: u64,
}

impl Push {
    pub fn from_environment(
        clients: &Clients,
        environment: &Environment,
        http: Http,
    ) -> Result<Self, BadEnvironment> {
        let table = environment.variable("CONNECTIONS_TABLE")?;
        let sockets = clients.sockets(&environment.variable("SOCKETS_URL")?);
        let connections = Connections::new(clients.dynamodb(), table);
        let settings = Settings::from_environment(clients.ssm(), environment)?;
        let publisher = Publisher::new(settings, http);
        Ok(Self { connections, sockets: Sockets::new(sockets), publisher })
    }

    /// Never fails, and never reports a message as failed: see the module's comment.
    pub fn invoke(&self, event: LambdaEvent<SqsEvent>) -> Invocation<'_, SqsBatchResponse> {
        Box::pin(async move {
            let updates = updates_of(&event.payload);
            let publishing = self.publisher.publish(&updates, now());
            tokio::join!(self.post_to_sockets(&updates), publishing);
            Ok(SqsBatchResponse::default())
        })
    }

    async fn post_to_sockets(&self, updates: &[LiveUpdate]) {
        let mut tally = Tally::default();
        for (scope, frames) in &frames_by_scope(updates) {
            match self.post_to_scope(scope, frames).await {
                Ok(more) => tally.add(more),
                Err(error) => {
                    tracing::error!(account = %scope.account, %error, "live.not_pushed");
                    tally.failed += frames.len() as u64;
                }
            }
        }
        tally.report();
    }

    async fn post_to_scope(&self, scope: &Scope, frames: &[&str]) -> Result<Tally, IoError> {
        let connections = self.connections.registered(scope, now()).await?;
        let posts = connections.iter().map(|connection| self.post_all(connection, frames));
        let tallies: Vec<Tally> = stream::iter(posts).buffer_unordered(AT_ONCE).collect().await;
        let mut tally = Tally::default();
        tallies.into_iter().for_each(|more| tally.add(more));
        Ok(tally)
    }

    /// Posts to one socket, in order. Forgets it if it is closed.
    async fn post_all(&self, connection: &str, frames: &[&str]) -> Tally {
        let mut tally = Tally { sockets: 1, ..Tally::default() };
        for frame in frames {
            match self.sockets.post(connection, frame).await {
                Ok(Posted::Sent) => tally.frames += 1,
                Ok(Posted::Gone) => {
                    tally.gone = 1;
                    if let Err(error) = self.connections.close(connection).await {
                        tracing::warn!(%error, "socket.not_forgotten");
                    }
                    break;
                }
                Err(error) => {
                    tracing::warn!(%error, "live.not_posted");
                    tally.failed += 1;
                    break;
                }
            }
        }
        tally
    }
}

/// All updates of the batch, in the order of its messages.
fn updates_of(batch: &SqsEvent) -> Vec<LiveUpdate> {
    let read = |record: &SqsMessage| {
        let message = record.body.as_deref().and_then(LiveMessage::read);
        if message.is_none() {
            tracing::warn!(message_id = record.message_id, "live.unreadable");
        }
        message
    };
    batch.records.iter().filter_map(read).flat_map(|message| message.updates).collect()
}

/// So that each scope is read once.
fn frames_by_scope(updates: &[LiveUpdate]) -> BTreeMap<&Scope, Vec<&str>> {
    let mut frames: BTreeMap<&Scope, Vec<&str>> = BTreeMap::new();
    for update in updates {
        for scope in &update.scopes {
            frames.entry(scope).or_default().push(&update.frame);
        }
    }
    frames
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.sockets += other.sockets;
        self.frames += other.frames;
        self.gone += other.gone;
        self.failed += other.failed;
    }

    fn report(self) {
        let Self { sockets, frames, gone, failed } = self;
        tracing::info!(sockets, frames, gone, failed, "live.pushed");
        Metrics::new().count("LivePushed", frames).count("LiveUpdatesLost", failed).emit(now());
    }
}

#[cfg(test)]
mod tests;
