//! `DELETE /api/external/orders/{order_id}/customer` and `DELETE /api/external/orders/{order_id}`.
//! `process` erases; the receipt says when, and how much.

use aws::lambda::auth::{authorize_order, query_account};
use aws::lambda::http_api::{ApiError, json};
use aws::tables::audit::{AuditAction, AuditEntry};
use aws::tables::inbound::InboundEvent;
use domain::auth::{Accounts, Caller};
use domain::core::id::OrderKey;
use domain::core::timestamp::Timestamp;
use domain::orders::erasure::{Erasure, ReceiptState, Scope};
use domain::orders::order::Order;
use lambda_http::{Body, Request, Response};

use crate::OrdersApi;

impl OrdersApi {
    /// Answers 202, and 200 once all is erased. A repeat gets the receipt, and queues an erasure
    /// again that has not ended.
    pub(crate) async fn erase(
        &self,
        request: &Request,
        caller: &Caller,
        order: &str,
        scope: Scope,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        if !caller.can_operate() {
            return Err(ApiError::forbidden("these credentials do not allow erasing"));
        }
        let account = query_account(request)?;
        let key = authorize_order(caller, account.as_ref(), order, "accountCode")?;
        if let Some(order) = self.orders.load(&key).await? {
            self.request(caller, &order, scope, now).await?;
        }
        let stored = self.orders.receipt(&key, scope).await?;
        let stored = stored.ok_or_else(|| ApiError::not_found("no such order"))?;
        if stored.receipt.state == ReceiptState::Accepted {
            // Its event is pending: `sweep` queues it if this fails.
            self.queue_event(&key, &stored.event).await;
            return Ok(json(202, &stored.receipt));
        }
        Ok(json(200, &stored.receipt))
    }

    /// Has no effect if the erasure of this order was requested before.
    async fn request(
        &self,
        caller: &Caller,
        order: &Order,
        scope: Scope,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let key = &order.key;
        let erasure = Erasure {
            order_id: key.order.clone(),
            scope,
            created_at: order.state.created_at,
            phone: order.profile.customer.phone.clone(),
            with_conversation: true,
        };
        let event = InboundEvent::erasure(key, &erasure, now);
        let stored = self.orders.receipt(key, scope).await?;
        if stored.is_some_and(|stored| stored.event == event.id) {
            return Ok(());
        }
        self.audit.record(&audit_entry(caller, key, scope, now)).await?;
        if self.orders.request_erasure(key, &erasure, &self.events, &event).await? {
            let OrderKey { account, order } = key;
            let scope = scope.as_str();
            tracing::warn!(%account, order_id = %order, scope, event_id = %event.id, "order.erasure");
        }
        Ok(())
    }
}

fn audit_entry(caller: &Caller, key: &OrderKey, scope: Scope, now: Timestamp) -> AuditEntry {
    AuditEntry {
        at: now,
        by: caller.name.clone().unwrap_or_default(),
        action: match scope {
            Scope::Customer => AuditAction::EraseCustomer,
            Scope::Order => AuditAction::EraseOrder,
        },
        target: key.order.to_string(),
        details: None,
        accounts: Accounts::Only([key.account.clone()].into()),
    }
}
