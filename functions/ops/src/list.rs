//! `GET /api/webhooks/logs`.

use aws::lambda::auth::{authorize, query_account};
use aws::lambda::http_api::{ApiError, json, page_request};
use aws::tables::inbound::{LogFilter, LogPosition};
use domain::auth::Caller;
use domain::core::timestamp::Timestamp;
use domain::pagination::{InvalidPage, Page, cursor};
use domain::tracking::report::SourceName;
use lambda_http::{Body, Request, RequestExt, Response};

use crate::Ops;
use crate::deliveries::filter::{query_order, read_times};
use crate::event_view::EventSummary;
use crate::sealed::{open, seal};

impl Ops {
    pub(crate) async fn list_events(
        &self,
        request: &Request,
        caller: Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let page = page_request(request)?;
        let key = self.callers.private_key(now).await?;
        let after = page.after.as_deref();
        let open = |cursor| LogPosition::parse(&open(&key, cursor)?);
        let after = after.map(|cursor| open(cursor).ok_or_else(invalid_page)).transpose()?;
        let order = query_order(request, &caller)?;
        let filter = parse_filter(request, caller)?;
        let events = &self.tables.events;
        let found = match order {
            Some(order) => {
                let links = self.tables.orders.links(&order, now).await?;
                events.list_of(&links.events, &filter, page.limit, after.as_ref()).await?
            }
            None => events.list(&filter, page.limit, after, now).await?,
        };
        let items = found.rows.iter().map(EventSummary::of).collect();
        let next = found.next.map(|place| seal(&key, &place.to_string())).transpose()?;
        let next_page = next.as_deref().map(cursor);
        Ok(json(200, &Page { items, next_page }))
    }
}

pub(crate) fn invalid_page() -> ApiError {
    ApiError::invalid(InvalidPage::Page.field(), InvalidPage::Page.to_string())
}

fn parse_filter(request: &Request, caller: Caller) -> Result<LogFilter, ApiError> {
    let query = request.query_string_parameters_ref();
    let parameter = |name: &str| query.and_then(|query| query.first(name));
    let account = query_account(request)?
        .map(|account| authorize(&caller, Some(&account), "account_code"))
        .transpose()?;
    let is_source =
        |name: &str| name == SourceName::API.as_str() || sources::by_name(name).is_some();
    let filter = LogFilter::parse(caller, parameter("status"), parameter("source"), is_source)
        .map_err(|error| ApiError::invalid(error.field(), error.to_string()))?;
    let (from, to) = read_times(parameter("from"), parameter("to"))?;
    Ok(LogFilter { account, from, to, ..filter })
}
