//! `POST /api/external/orders`.

use aws::lambda::auth::authorize;
use aws::lambda::http_api::{ApiError, json_body};
use aws::tables::contention::{Try, retry};
use aws::tables::inbound::{EventState, InboundEvent};
use aws::tables::orders::CreateOutcome;
use domain::auth::Caller;
use domain::core::hash::Fingerprint;
use domain::core::id::{EventId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::{ApiEvent, Reconciliation, Reshipment};
use domain::orders::order::Order;
use domain::orders::request::{Fingerprints, NewOrder};
use domain::tracking::report::SourceName;
use domain::tracking::timeline::State;
use lambda_http::{Body, Request, Response};

use crate::{BODY_LIMIT, OrdersApi, TRIES, name_taken};

impl OrdersApi {
    pub(crate) async fn create(
        &self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let new_order = NewOrder::read(json_body(request, BODY_LIMIT)?, &sources::ref_sources())?;
        let key = OrderKey {
            account: authorize(caller, new_order.account.as_ref(), "accountCode")?,
            order: new_order.order_id,
        };
        let state = State::at_creation(new_order.status, now);
        let order = Order { key, profile: new_order.profile, state };
        let reconciliation = reconciliation_event(&order, None, now);
        let created =
            retry(TRIES, || self.create_once(&order, &new_order.fingerprints, &reconciliation));
        let (status, event) = created.await?.ok_or_else(ApiError::unavailable)?;
        self.queue_event(&event).await;
        self.show(&order.key, status).await
    }

    /// Returns the response's status and the reconciliation event to queue.
    async fn create_once(
        &self,
        order: &Order,
        fingerprints: &Fingerprints,
        reconciliation: &InboundEvent,
    ) -> Result<Try<(u16, EventId)>, ApiError> {
        match self.orders.create(order, fingerprints, &self.events, reconciliation).await? {
            CreateOutcome::Created => {
                let OrderKey { account, order: order_id } = &order.key;
                tracing::info!(%account, %order_id, "order.created");
                Ok(Try::Done((201, reconciliation.id.clone())))
            }
            // An idempotent repeat. The first request may have crashed before it queued its event.
            CreateOutcome::Exists { is_repeat: true, reconciliation } => {
                Ok(Try::Done((200, reconciliation)))
            }
            CreateOutcome::Exists { .. } => {
                let message = "this order was already created with a different body";
                Err(ApiError::conflict(message).with_field("orderId"))
            }
            CreateOutcome::NameTaken(name) => Err(name_taken(&name)),
            CreateOutcome::Contended => Ok(Try::Contended),
        }
    }
}

/// The event that makes `process` reconcile the order with its unmatched reports.
pub(crate) fn reconciliation_event(
    order: &Order,
    reshipped: Option<Reshipment>,
    now: Timestamp,
) -> InboundEvent {
    let reconciliation = Reconciliation { order_id: order.key.order.clone(), reshipped };
    InboundEvent {
        id: event_id(order),
        source: SourceName::API,
        account: Some(order.key.account.clone()),
        received_at: now,
        state: EventState::Received,
        reason: None,
        body: ApiEvent::Reconciliation(reconciliation).to_body(),
    }
}

/// Each write of an order has its own event id: dedup must not drop a later reconciliation as a
/// repeat of an earlier one. The time separates two concurrent requests that prepare the same
/// revision.
fn event_id(order: &Order) -> EventId {
    let fingerprint = Fingerprint::of("adoption").with(&order.key.account).with(&order.key.order);
    let fingerprint = fingerprint.with(order.state.rev.to_be_bytes());
    fingerprint.with(order.state.updated_at.millis().to_be_bytes()).into()
}
