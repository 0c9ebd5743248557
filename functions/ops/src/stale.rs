//! `GET /api/orders/stale`: orders that the carrier is no longer asked about, because it does not know their parcels.

use aws::lambda::auth::{authorize, query_account};
use aws::lambda::http_api::{ApiError, json, page_request};
use domain::auth::Caller;
use domain::pagination::{Page, cursor};
use lambda_http::{Body, Request, Response};

use crate::Ops;

impl Ops {
    pub(crate) async fn stale(
        &self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Response<Body>, ApiError> {
        let account = authorize(caller, query_account(request)?.as_ref(), "account_code")?;
        let page = page_request(request)?;
        let items = self.tables.orders.stale(&account, &page).await?;
        let next_page = items
            .last()
            .filter(|_| items.len() == page.limit)
            .map(|stale| cursor(stale.order_id.as_str()));
        Ok(json(200, &Page { items, next_page }))
    }
}
