//! `GET /api/webhooks/denied`: denied webhooks by hour, source and hook.

use aws::lambda::http_api::{ApiError, json, page_request};
use domain::auth::Caller;
use domain::core::timestamp::Timestamp;
use domain::pagination::{Page, PageRequest, cursor};
use lambda_http::{Body, Request, Response};

use crate::Ops;
use crate::list::invalid_page;
use crate::sealed::{open, seal};

impl Ops {
    /// A page may hold fewer items than the limit, or none, as those of other accounts are left out.
    pub(crate) async fn list_denied(
        &self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let page = page_request(request)?;
        let key = self.callers.private_key(now).await?;
        let after = page.after.as_deref();
        let after = after.map(|cursor| open(&key, cursor).ok_or_else(invalid_page)).transpose()?;
        let found = self.tables.events.denied(&PageRequest { after, ..page }).await?;
        let last = found.items.last().filter(|_| found.has_more);
        let next = last.map(|last| seal(&key, &last.sort_key)).transpose()?;
        let hours = found.items.into_iter();
        let items = hours.filter(|hour| caller.can_see(hour.account_code.as_ref())).collect();
        Ok(json(200, &Page { items, next_page: next.as_deref().map(cursor) }))
    }
}
