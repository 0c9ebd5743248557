//! `POST /api/orders/trigger-webhook`: sends the current status of orders to the endpoints, even if
//! it has not changed.

mod response;

use std::time::Duration;

use aws::clock;
use aws::error::IoError;
use aws::lambda::auth::authorize;
use aws::lambda::http_api::{ApiError, json, json_body, request_id, traceparent};
use aws::tables::audit::AuditAction;
use aws::tables::deliveries::DeliverySummary;
use aws::tables::orders::OrderAndTimeline;
use domain::auth::Caller;
use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, EventId, OrderId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::trigger::Trigger;
use domain::tracking::entry::{TimelineEntry, Transition};
use domain::webhooks::delivery::{Delivery, fan_out_current};
use domain::webhooks::notification::CurrentOrder;
use domain::webhooks::payload::Context;
use futures::future::try_join_all;
use lambda_http::{Body, Request, Response};

use crate::Ops;
use crate::audit::{Act, only};
use response::TriggerResponse;

/// In bytes.
const BODY_LIMIT: usize = 256 * 1024;
const CONCURRENT_READS: usize = 10;
/// How long the response waits for deliveries, from the start of the request.
const WAIT: Duration = Duration::from_secs(20);
/// The pause between two looks at the deliveries grows from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

struct RequestedOrders {
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
        let requested = self.load_orders(&account, order_ids).await?;
        if requested.known.is_empty() {
            return Err(ApiError::not_found("no such order"));
        }
        let endpoints = self.endpoints.all(now).await.map_err(IoError::from)?;
        let event: EventId = Fingerprint::of("trigger").with(request_id(request)).into();
        let current: Vec<_> = requested.known.iter().map(current_order).collect();
        let links = self.links.get(now).await?;
        let context = Context { now, links: links.as_ref().as_ref() };
        let mut deliveries = fan_out_current(&event, &current, endpoints.usable(), context);
        for delivery in &mut deliveries {
            delivery.traceparent = traceparent(request);
        }
        let keys = current.iter().map(|current| &current.order.key);
        self.tables.orders.trace_all(&event, keys, &deliveries, now).await?;
        let orders: Vec<&str> = current.iter().map(|it| it.order.key.order.as_str()).collect();
        let orders = orders.join(", ");
        let act = Act::new(AuditAction::TriggerOrders, &orders, only(Some(&account)));
        self.record(caller, act, now).await?;
        self.queues.deliveries.send_deliveries(&event, &deliveries).await?;
        let summaries = self.await_deliveries(&deliveries, now.after(WAIT)).await;
        let invalid =
            endpoints.invalid.iter().filter(|endpoint| endpoint.accounts.include(&account));
        let response =
            TriggerResponse::new(&current, requested.unknown, &deliveries, &summaries, invalid);
        Ok(json(200, &response))
    }

    async fn load_orders(
        &self,
        account: &AccountCode,
        ids: Vec<OrderId>,
    ) -> Result<RequestedOrders, IoError> {
        let mut requested =
            RequestedOrders { known: Vec::with_capacity(ids.len()), unknown: Vec::new() };
        for batch in ids.chunks(CONCURRENT_READS) {
            let keys = batch
                .iter()
                .map(|order| OrderKey { account: account.clone(), order: order.clone() });
            let found = try_join_all(
                keys.map(async |key| self.tables.orders.load_with_timeline(&key).await),
            )
            .await?;
            for (id, order) in batch.iter().zip(found) {
                match order {
                    Some(order) => requested.known.push(order),
                    None => requested.unknown.push(id.clone()),
                }
            }
        }
        Ok(requested)
    }

    /// Returns the deliveries' states once all have ended, or at `until`. A failed read only hides
    /// the states: the deliveries are queued already.
    async fn await_deliveries(
        &self,
        deliveries: &[Delivery],
        until: Timestamp,
    ) -> Vec<DeliverySummary> {
        let ids: Vec<&str> = deliveries.iter().map(|delivery| delivery.id.as_str()).collect();
        let mut pause = FIRST_PAUSE;
        let mut summaries: Vec<DeliverySummary> = Vec::new();
        let ended = |summary: &&DeliverySummary| summary.state.has_ended();
        while summaries.iter().filter(ended).count() < ids.len()
            && clock::now().after(pause) <= until
        {
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
            match self.tables.deliveries.summaries(&ids).await {
                Ok(current) => summaries = current,
                Err(error) => tracing::warn!(%error, "deliveries.unseen"),
            }
        }
        summaries
    }
}

fn current_order((order, timeline): &OrderAndTimeline) -> CurrentOrder<'_> {
    CurrentOrder { order, last: last_change(timeline) }
}

fn last_change(timeline: &[TimelineEntry]) -> Option<&Transition> {
    timeline
        .iter()
        .filter_map(|entry| entry.transition.as_ref())
        .max_by_key(|transition| transition.version)
}
