//! `GET /api/webhooks/logs`.

use aws::lambda::auth::{authorize, query_account};
use aws::lambda::http_api::{ApiError, json, page_request};
use aws::tables::inbound::{LogFilter, Place};
use domain::auth::Caller;
use domain::core::timestamp::Timestamp;
use domain::pagination::{InvalidPage, Page, cursor};
use domain::tracking::report::SourceName;
use lambda_http::{Body, Request, RequestExt, Response};

use crate::Ops;
use crate::view::Item;

impl Ops {
    pub(crate) async fn list(
        &self,
        request: &Request,
        caller: Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let page = page_request(request)?;
        let after = page
            .after
            .as_deref()
            .map(|place| Place::parse(place).ok_or_else(wrong_page))
            .transpose()?;
        let filter = read_filter(request, caller)?;
        let found = self.tables.events.list(&filter, page.limit, after, now).await?;
        let items = found.rows.iter().map(Item::of).collect();
        Ok(json(
            200,
            &Page { items, next_page: found.next.map(|place| cursor(&place.to_string())) },
        ))
    }
}

fn wrong_page() -> ApiError {
    ApiError::invalid(InvalidPage::Page.field(), InvalidPage::Page.to_string())
}

fn read_filter(request: &Request, caller: Caller) -> Result<LogFilter, ApiError> {
    let query = request.query_string_parameters_ref();
    let parameter = |name: &str| query.and_then(|query| query.first(name));
    let named = query_account(request)?;
    let account =
        named.map(|account| authorize(&caller, Some(&account), "account_code")).transpose()?;
    let known = |name: &str| name == SourceName::API.as_str() || sources::by_name(name).is_some();
    let filter = LogFilter::parse(caller, parameter("status"), parameter("source"), known)
        .map_err(|error| ApiError::invalid(error.field(), error.to_string()))?;
    Ok(LogFilter { account, ..filter })
}
