//! `GET /api/orders/{order_id}/messages`.

use std::collections::BTreeMap;

use aws::lambda::auth::{authorize_order, query_account};
use aws::lambda::http_api::{ApiError, json, page_request};
use aws::tables::messages::sort_key;
use domain::auth::Caller;
use domain::core::timestamp::Timestamp;
use domain::messaging::linked::{MessageView, TrackedMessage};
use domain::messaging::message::Message;
use domain::messaging::message_status::ProviderMessageKey;
use domain::pagination::Page;
use lambda_http::{Body, Request, RequestExt, Response};

use crate::MessagesApi;

impl MessagesApi {
    pub(crate) async fn list(
        &self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let path = request.path_parameters_ref();
        let order = path.and_then(|path| path.first("order_id")).unwrap_or_default();
        let account = query_account(request)?;
        let key = authorize_order(caller, account.as_ref(), order, "account_code")?;
        let page = page_request(request)?;
        if self.orders.load(&key).await?.is_none() {
            return Err(ApiError::not_found("no such order"));
        }
        let messages = self.messages.of_order(&key, &page).await?;
        let next_page = messages.next_page(sort_key);
        let messages = messages.items;
        let trackings = self.load_trackings(&messages).await?;
        let untracked = TrackedMessage::default();
        let tracked = |message: &Message| trackings.get(&message.tracking_key()?);
        let items = messages
            .iter()
            .map(|message| MessageView::new(message, tracked(message).unwrap_or(&untracked), now));
        Ok(json(200, &Page { items: items.collect(), next_page }))
    }

    /// The provider statuses of one account's messages.
    async fn load_trackings(
        &self,
        messages: &[Message],
    ) -> Result<BTreeMap<ProviderMessageKey, TrackedMessage>, ApiError> {
        let keys: Vec<_> = messages.iter().filter_map(Message::tracking_key).collect();
        let rows = self.messages.readable_trackings(&keys).await?;
        let rows = keys.into_iter().zip(rows);
        Ok(rows.filter_map(|(key, row)| Some((key, row?.tracked))).collect())
    }
}
