//! `GET /api/orders/stale`: orders no longer polled because the carrier does not know their
//! tracking numbers.

use aws::lambda::auth::{authorize, query_account};
use aws::lambda::http_api::{ApiError, json, page_request};
use domain::auth::Caller;
use domain::pagination::{Page, cursor};
use lambda_http::{Body, Request, Response};

use crate::Ops;

impl Ops {
    pub(crate) async fn list_stale(
        &self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Response<Body>, ApiError> {
        let account = authorize(caller, query_account(request)?.as_ref(), "account_code")?;
        let page = page_request(request)?;
        let found = self.tables.orders.stale(&account, &page).await?;
        let next_page = found.next.as_deref().map(cursor);
        Ok(json(200, &Page { items: found.items, next_page }))
    }
}
