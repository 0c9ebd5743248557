//! `POST /api/external/orders`.

use aws::lambda::auth::authorize;
use aws::lambda::http_api::{ApiError, json_body};
use aws::tables::contention::pause;
use aws::tables::inbound::{EventState, InboundEvent};
use aws::tables::orders::Created;
use domain::auth::Caller;
use domain::core::hash::Fingerprint;
use domain::core::id::{EventId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::{ApiEvent, Reconciliation, Reshipment};
use domain::orders::order::Order;
use domain::orders::request::NewOrder;
use domain::tracking::report::SourceName;
use domain::tracking::timeline::State;
use lambda_http::{Body, Request, Response};

use crate::{BODY_LIMIT, Orders, TRIES, name_taken};

impl Orders {
    pub(crate) async fn create(
        &self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let asked = NewOrder::read(json_body(request, BODY_LIMIT)?, &sources::with_order_refs())?;
        let key = OrderKey {
            account: authorize(caller, asked.account.as_ref(), "accountCode")?,
            order: asked.order_id,
        };
        let order =
            Order { key, profile: asked.profile, state: State::at_creation(asked.status, now) };
        let reconciliation = adoption_event(&order, None, now);
        let mut created = Created::Contended;
        for attempt in 0..TRIES {
            created = self
                .orders
                .create(&order, &asked.fingerprint, &self.events, &reconciliation)
                .await?;
            if created != Created::Contended {
                break;
            }
            pause(attempt).await;
        }
        match created {
            Created::Done => {
                tracing::info!(account = %order.key.account, order_id = %order.key.order, "order.created");
                self.send(&reconciliation.id).await;
                self.show(&order.key, 201).await
            }
            // The first request may have died before it sent the event.
            Created::Exists { fingerprint, reconciliation } if fingerprint == asked.fingerprint => {
                self.send(&reconciliation).await;
                self.show(&order.key, 200).await
            }
            Created::Exists { .. } => {
                Err(ApiError::conflict("this order was created with another body")
                    .with_field("orderId"))
            }
            Created::NameTaken(name) => Err(name_taken(&name)),
            Created::Contended => Err(ApiError::unavailable()),
        }
    }
}

/// The event by which `process` adopts what waits for an order as it is written now.
pub(crate) fn adoption_event(
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

/// One for each time the order is written, so that no later reconciliation hides behind an earlier one. The time keeps
/// apart the attempts of two callers of whom only one wrote.
fn event_id(order: &Order) -> EventId {
    let fingerprint = Fingerprint::of("adoption").with(&order.key.account).with(&order.key.order);
    let fingerprint = fingerprint.with(order.state.rev.to_be_bytes());
    fingerprint.with(order.state.updated_at.millis().to_be_bytes()).into()
}
