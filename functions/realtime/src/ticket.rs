//! `POST /api/realtime/ticket`: a ticket for one socket.

use aws::entropy;
use aws::lambda::auth::authorize;
use aws::lambda::http_api::{ApiError, check_query, json, json_body};
use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::live::{Grant, Holder, SOCKET_LIFE, Scope, Ticket, TicketRequest};
use domain::page::TokenError;
use lambda_http::Request;
use serde::Serialize;

use crate::Realtime;
use crate::cross_origin::Granted;

/// In bytes.
const BODY_LIMIT: usize = 256 * 1024;

/// The ticket is a secret.
#[derive(Serialize)]
struct TicketView<'a> {
    ticket: &'a str,
    url: &'a str,
    expires_at: Timestamp,
}

impl Realtime {
    pub(crate) async fn make_ticket(
        &self,
        request: &Request,
        now: Timestamp,
    ) -> Result<Granted, ApiError> {
        check_query(request, &[])?;
        // A body without a token is of no interest before its caller is known.
        let asked = json_body(request, BODY_LIMIT).and_then(|body| Ok(TicketRequest::read(body)?));
        let grant = match asked {
            Ok(TicketRequest {
                account_code: Some(account),
                order_id: Some(order),
                token: Some(token),
            }) => self.grant_by_token(OrderKey { account, order }, &token, now).await?,
            asked => {
                let caller = self.callers.authenticate(request, now).await?;
                if !caller.can_watch() {
                    return Err(ApiError::forbidden("these credentials do not allow live updates"));
                }
                let TicketRequest { account_code, order_id, .. } = asked?;
                let account = authorize(&caller, account_code.as_ref(), "account_code")?;
                self.grant_to_caller(account, order_id).await?
            }
        };
        let Some(open) = &self.sockets else {
            return Err(ApiError::not_found("this installation has no live updates"));
        };
        let ticket = Ticket::new(entropy::secret()?);
        let expires_at = self.tickets.put(&ticket, &grant, now).await?;
        if grant.scope.order.is_none() {
            // Early, as workers remember for a while that an account has no sockets.
            self.connections.watch(&grant.scope.account, now.after(SOCKET_LIFE)).await?;
        }
        tracing::info!(account = %grant.scope.account, holder = ?grant.holder, "ticket.made");
        let view = TicketView { ticket: ticket.as_str(), url: &open.url, expires_at };
        Ok(Granted { account: grant.scope.account, response: json(201, &view) })
    }

    async fn grant_to_caller(
        &self,
        account: AccountCode,
        order: Option<OrderId>,
    ) -> Result<Grant, ApiError> {
        let scope = Scope { account, order };
        if let Some(order) = scope.order()
            && self.orders.load(&order).await?.is_none()
        {
            return Err(ApiError::not_found("no such order").with_field("order_id"));
        }
        Ok(Grant { scope, holder: Holder::Caller })
    }

    /// The answer does not depend on whether the order exists.
    async fn grant_by_token(
        &self,
        order: OrderKey,
        token: &str,
        now: Timestamp,
    ) -> Result<Grant, ApiError> {
        let links = self.links.get(now).await?;
        let checked = links
            .as_ref()
            .as_ref()
            .map_or(Err(TokenError::Wrong), |links| links.check(&order, token, now));
        checked.map_err(|error| match error {
            TokenError::Wrong => ApiError::unauthorized(),
            TokenError::Expired => ApiError::forbidden("the link has expired").with_field("token"),
        })?;
        match self.tickets.count(&order, now).await? {
            Ok(()) => Ok(Grant { scope: Scope::from(&order), holder: Holder::Shopper }),
            Err(wait) => Err(ApiError::too_many_requests(wait)),
        }
    }
}
