//! `GET /api/deliveries`, `GET /api/deliveries/{id}` and `POST /api/deliveries/{id}/replay`.

pub(crate) mod filter;
mod of_order;
mod replay;
mod view;

use aws::lambda::http_api::{ApiError, json, page_request};
use aws::tables::deliveries::{DeliveryRow, Direction, Place};
use domain::auth::Caller;
use domain::core::timestamp::Timestamp;
use domain::messaging::send::SendId;
use domain::pagination::{Page, cursor};
use lambda_http::{Body, Request, Response};

use crate::Ops;
use crate::list::invalid_page;
use crate::sealed::{open, seal};
use view::{DeliveryDetail, DeliveryView};

impl Ops {
    pub(crate) async fn list_deliveries(
        &self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let page = page_request(request)?;
        let filter = filter::read(request, caller)?;
        let order = filter::query_order(request, caller)?;
        let key = self.callers.private_key(now).await?;
        let read = |cursor: &str| {
            let place: Place = serde_json::from_str(&open(&key, cursor)?).ok()?;
            let has_place = match &order {
                Some(order) => filter.has_place_of(order, &place),
                None => filter.has_place(&place, now),
            };
            has_place.then_some(place)
        };
        let after = page.after.as_deref();
        let after = after.map(|cursor| read(cursor).ok_or_else(invalid_page)).transpose()?;
        let deliveries = &self.tables.deliveries;
        let found = match &order {
            Some(order) => {
                let until = after.as_ref().and_then(Place::latest_after);
                let among = self.deliveries_of(order, until, now).await?;
                deliveries.list_of(order, among, &filter, page.limit, after.as_ref()).await?
            }
            None => {
                deliveries.list(&filter, Direction::NewestFirst, page.limit, after, now).await?
            }
        };
        let items = found.rows.iter().map(DeliveryView::of).collect();
        let place = found.next.map(|place| serde_json::to_string(&place).unwrap_or_default());
        let next = place.map(|place| seal(&key, &place)).transpose()?;
        Ok(json(200, &Page { items, next_page: next.as_deref().map(cursor) }))
    }

    pub(crate) async fn show_delivery(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<Response<Body>, ApiError> {
        let (row, body) = self.find_delivery(caller, id).await?;
        let body = body.map(|body| String::from_utf8_lossy(&body).into_owned());
        Ok(json(200, &DeliveryDetail::new(&row, body)))
    }

    /// Returns the delivery, and its body, if the caller has access to its account.
    async fn find_delivery(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<(DeliveryRow, Option<Vec<u8>>), ApiError> {
        let found = if is_id(id) { self.tables.deliveries.find(id).await? } else { None };
        found
            .filter(|(row, _)| caller.can_see(row.account.as_ref()))
            .ok_or_else(|| ApiError::not_found("no such delivery"))
    }
}

/// The table has rows of other kinds, and DynamoDB refuses keys of more than 2048 bytes.
fn is_id(id: &str) -> bool {
    (id.starts_with("msg_") || SendId::parse(id).is_some()) && id.len() <= 256
}
