//! `POST /api/external/orders`.

use aws::lambda::auth::authorize;
use aws::lambda::http_api::{ApiError, json_body};
use aws::tables::contention::{Try, retry};
use aws::tables::inbound::InboundEvent;
use aws::tables::orders::CreateOutcome;
use domain::auth::Caller;
use domain::core::id::{EventId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::{Reconciliation, TakenName};
use domain::orders::order::Order;
use domain::orders::request::NewOrder;
use domain::tracking::report::Ref;
use lambda_http::{Body, Request, Response};

use crate::names::Acquisition;
use crate::{BODY_LIMIT, FIRST_PAGE, OrdersApi, TRIES, name_taken};

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
            order: new_order.order_id.clone(),
        };
        let mut taken = Vec::new();
        let mut tries = 0;
        let (status, event) = loop {
            let order = new_order.to_order(&key, &taken, now);
            let created = retry(TRIES, || self.create_once(&order, &new_order, &taken, now));
            match created.await?.ok_or_else(ApiError::unavailable)? {
                Created::Done(status, event) => break (status, event),
                // Another order has the name, and may give it up.
                Created::NameTaken(name) if tries < TRIES => {
                    tries += 1;
                    taken.retain(|it: &TakenName| it.name != name);
                    if let Acquisition::Taken(name) = self.acquire(&key, &name, now).await? {
                        taken.push(name);
                    }
                }
                Created::NameTaken(name) => return Err(name_taken(&name)),
            }
        };
        self.queue_event(&key, &event).await;
        self.show(&key, &FIRST_PAGE, status).await
    }

    async fn create_once(
        &self,
        order: &Order,
        new_order: &NewOrder,
        taken: &[TakenName],
        now: Timestamp,
    ) -> Result<Try<Created>, ApiError> {
        let content = Reconciliation {
            is_new: true,
            taken: taken.to_vec(),
            ..Reconciliation::of(order.key.order.clone())
        };
        let account = &order.key.account;
        let event = InboundEvent::reconciliation(account, order.state.rev, content, now);
        let fingerprint = &new_order.fingerprint;
        let created = self.orders.create(order, fingerprint, &self.events, &event, taken).await?;
        match created {
            CreateOutcome::Created => {
                let order_id = &order.key.order;
                tracing::info!(%account, %order_id, "order.created");
                Ok(Try::Done(Created::Done(201, event.id)))
            }
            // An idempotent repeat. The first request may have crashed before it queued its event.
            CreateOutcome::Exists { is_repeat: true, reconciliation } => {
                Ok(Try::Done(Created::Done(200, reconciliation)))
            }
            CreateOutcome::Exists { .. } => {
                let message = "this order was already created with a different body";
                Err(ApiError::conflict(message).with_field("orderId"))
            }
            CreateOutcome::NameTaken(name) => Ok(Try::Done(Created::NameTaken(name))),
            CreateOutcome::Contended => Ok(Try::Contended),
        }
    }
}

enum Created {
    /// The response's status and the reconciliation event to queue.
    Done(u16, EventId),
    NameTaken(Ref),
}
