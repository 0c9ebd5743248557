//! `GET /api/messages/numbers` and `GET /api/messages/templates`: what the provider says about
//! business accounts, phone numbers and templates.

use aws::lambda::auth::{authorize, query_account};
use aws::lambda::http_api::{ApiError, json, page_request};
use domain::auth::Caller;
use domain::core::timestamp::Timestamp;
use domain::messaging::provider_state::{SenderView, TemplateView};
use domain::pagination::{Page, cursor};
use lambda_http::{Body, Request, Response};

use crate::MessagesApi;

impl MessagesApi {
    pub(crate) async fn list_senders(
        &self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let account = authorize(caller, query_account(request)?.as_ref(), "account_code")?;
        let rows = self.messages.senders(&account, &page_request(request)?).await?;
        let view = rows.items.iter();
        let items = view.filter_map(|row| SenderView::new(&row.key.about, &row.state, now));
        let next_page = rows.next.as_deref().map(cursor);
        Ok(json(200, &Page { items: items.collect(), next_page }))
    }

    pub(crate) async fn list_templates(
        &self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Response<Body>, ApiError> {
        let account = authorize(caller, query_account(request)?.as_ref(), "account_code")?;
        let rows = self.messages.templates(&account, &page_request(request)?).await?;
        let view = rows.items.iter();
        let items = view.filter_map(|row| TemplateView::new(&row.key.about, &row.state));
        let next_page = rows.next.as_deref().map(cursor);
        Ok(json(200, &Page { items: items.collect(), next_page }))
    }
}
