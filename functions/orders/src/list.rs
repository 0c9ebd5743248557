//! `GET /api/external/orders`.

use aws::lambda::auth::{authorize, query_account};
use aws::lambda::http_api::{ApiError, json, page_request};
use domain::auth::Caller;
use domain::core::id::AccountCode;
use domain::orders::order::Order;
use domain::orders::view::OrderSummary;
use domain::pagination::{MAX_LIMIT, Page, PageRequest, cursor};
use domain::tracking::status::Status;
use lambda_http::{Body, Request, RequestExt, Response};

use crate::OrdersApi;

/// Limits the orders read for one page when few of them match the status filter.
const MAX_SCANNED: usize = 5 * MAX_LIMIT;

impl OrdersApi {
    pub(crate) async fn list(
        &self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Response<Body>, ApiError> {
        let account = authorize(caller, query_account(request)?.as_ref(), "accountCode")?;
        let page = page_request(request)?;
        let query = request.query_string_parameters_ref();
        let status = query.and_then(|query| query.first("status")).map(parse_status).transpose()?;
        let (orders, next_page) = self.find_orders(&account, &page, status).await?;
        let items = orders.iter().map(OrderSummary::of).collect();
        Ok(json(200, &Page { items, next_page }))
    }

    /// Filters by status while scanning: an index by status would cost a write with every status
    /// change.
    async fn find_orders(
        &self,
        account: &AccountCode,
        page: &PageRequest,
        status: Option<Status>,
    ) -> Result<(Vec<Order>, Option<String>), ApiError> {
        let mut found = Vec::new();
        let mut step = PageRequest {
            limit: if status.is_some() { MAX_LIMIT } else { page.limit },
            ..page.clone()
        };
        for _ in 0..MAX_SCANNED / MAX_LIMIT {
            let listed = self.orders.list(account, &step).await?;
            for order in self.orders.load_all(account, &listed).await? {
                if status.is_none_or(|status| order.state.tracking.status == status) {
                    found.push(order);
                }
                if found.len() == page.limit {
                    let last = found.last().map(aws::tables::orders::sort_key_of);
                    return Ok((found, last.as_deref().map(cursor)));
                }
            }
            if listed.len() < step.limit {
                return Ok((found, None));
            }
            step.after = listed.last().map(|listed| listed.sort_key.clone());
        }
        Ok((found, step.after.as_deref().map(cursor)))
    }
}

fn parse_status(text: &str) -> Result<Status, ApiError> {
    Status::parse(text)
        .ok_or_else(|| ApiError::invalid("status", "must be one of the order statuses"))
}
