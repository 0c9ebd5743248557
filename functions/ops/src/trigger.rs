//! `POST /api/orders/trigger-webhook`: customers are told how orders stand, whether or not that is new.

mod outcome;

use std::time::Duration;

use aws::clock;
use aws::error::IoError;
use aws::lambda::auth::authorize;
use aws::lambda::http_api::{ApiError, json, json_body, request_id};
use aws::sqs::Outgoing;
use aws::tables::deliveries::DeliverySummary;
use aws::tables::orders::OrderAndTimeline;
use domain::auth::Caller;
use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, EventId, OrderId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::trigger::Trigger;
use domain::tracking::timeline::{TimelineEntry, Transition};
use domain::webhooks::delivery::{Delivery, fan_out_current};
use domain::webhooks::notification::CurrentOrder;
use futures::future::try_join_all;
use lambda_http::{Body, Request, Response};

use crate::Ops;
use outcome::Outcome;

/// The largest body, in bytes.
const BODY_LIMIT: usize = 256 * 1024;
/// So many orders are read side by side.
const SIDE_BY_SIDE: usize = 10;
/// From when the request came in, deliveries are waited for this long.
const WAIT: Duration = Duration::from_secs(20);
/// How they stand is looked up after ever longer pauses.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The orders of a request.
struct Asked {
    known: Vec<OrderAndTimeline>,
    unknown: Vec<OrderId>,
}

impl Ops {
    pub(crate) async fn trigger(
        &self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let Trigger { order_ids, account_code } = Trigger::read(json_body(request, BODY_LIMIT)?)?;
        let account = authorize(caller, account_code.as_ref(), "account_code")?;
        let asked = self.read_orders(&account, order_ids).await?;
        if asked.known.is_empty() {
            return Err(ApiError::not_found("no such order"));
        }
        let endpoints = self.endpoints.all(now).await.map_err(IoError::from)?;
        let event: EventId = Fingerprint::of("trigger").with(request_id(request)).into();
        let current: Vec<_> = asked.known.iter().map(current).collect();
        let deliveries = fan_out_current(&event, &current, endpoints.usable.values(), now);
        self.send_all(&event, &deliveries).await?;
        let summaries = self.wait(&deliveries, now.after(WAIT)).await;
        let invalid =
            endpoints.invalid.iter().filter(|endpoint| endpoint.accounts.include(&account));
        let outcome = Outcome::new(&current, asked.unknown, &deliveries, &summaries, invalid);
        Ok(json(200, &outcome))
    }

    async fn read_orders(
        &self,
        account: &AccountCode,
        ids: Vec<OrderId>,
    ) -> Result<Asked, IoError> {
        let mut asked = Asked { known: Vec::with_capacity(ids.len()), unknown: Vec::new() };
        for some in ids.chunks(SIDE_BY_SIDE) {
            let keys = some
                .iter()
                .map(|order| OrderKey { account: account.clone(), order: order.clone() });
            let found = try_join_all(
                keys.map(async |key| self.tables.orders.load_with_timeline(&key).await),
            )
            .await?;
            for (id, order) in some.iter().zip(found) {
                match order {
                    Some(order) => asked.known.push(order),
                    None => asked.unknown.push(id.clone()),
                }
            }
        }
        Ok(asked)
    }

    async fn send_all(&self, event: &EventId, deliveries: &[Delivery]) -> Result<(), IoError> {
        let messages = deliveries.iter().map(|delivery| {
            tracing::info!(event_id = %event, delivery_id = delivery.id, endpoint = %delivery.endpoint, "delivery.queued");
            Outgoing { body: delivery.to_message(), group: delivery.endpoint.as_str().to_owned() }
        });
        self.queues.deliveries.send_all(messages.collect()).await
    }

    /// How the deliveries stand once all have ended, or when nobody waits any longer. They are on their way whether or
    /// not that can be seen.
    async fn wait(&self, deliveries: &[Delivery], until: Timestamp) -> Vec<DeliverySummary> {
        let ids: Vec<&str> = deliveries.iter().map(|delivery| delivery.id.as_str()).collect();
        let (mut pause, mut summaries) = (FIRST_PAUSE, Vec::new());
        while summaries
            .iter()
            .filter(|summary: &&DeliverySummary| summary.state.has_ended())
            .count()
            < ids.len()
            && clock::now().after(pause) <= until
        {
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
            match self.tables.deliveries.summaries(&ids).await {
                Ok(seen) => summaries = seen,
                Err(error) => tracing::warn!(%error, "deliveries.unseen"),
            }
        }
        summaries
    }
}

fn current((order, timeline): &OrderAndTimeline) -> CurrentOrder<'_> {
    CurrentOrder { order, last: last_change(timeline) }
}

fn last_change(timeline: &[TimelineEntry]) -> Option<&Transition> {
    timeline
        .iter()
        .filter_map(|entry| entry.transition.as_ref())
        .max_by_key(|transition| transition.version)
}
