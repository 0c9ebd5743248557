//! `POST /api/external/orders/{order_id}/shipments`: a further parcel beside the others.

use aws::lambda::auth::{authorize_order, query_account};
use aws::lambda::http_api::{ApiError, json, json_body};
use aws::tables::contention::{Try, retry};
use domain::auth::Caller;
use domain::core::id::OrderKey;
use domain::core::timestamp::Timestamp;
use domain::orders::order::Order;
use domain::orders::request::NewShipment;
use domain::tracking::entry::TimelineEntry;
use domain::tracking::report::Ref;
use lambda_http::{Body, Request, Response};

use crate::{BODY_LIMIT, OrdersApi, TRIES};

impl OrdersApi {
    pub(crate) async fn add_shipment(
        &self,
        request: &Request,
        caller: &Caller,
        order: &str,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let shipment = NewShipment::read(json_body(request, BODY_LIMIT)?)?;
        let query_account = query_account(request)?;
        let account = shipment.account.as_ref().or(query_account.as_ref());
        let key = authorize_order(caller, account, order, "accountCode")?;
        let added = retry(TRIES, || self.add_shipment_once(&key, &shipment, now));
        let status = added.await?.ok_or_else(ApiError::unavailable)?;
        let OrderKey { account, order } = &key;
        let body = serde_json::json!({
            "orderId": order,
            "accountCode": account,
            "awb": shipment.awb,
            "carrierId": shipment.carrier_id,
            "carrierName": shipment.carrier_name,
        });
        Ok(json(status, &body))
    }

    /// Returns the response's status. The order shows the parcel once the event is processed.
    async fn add_shipment_once(
        &self,
        key: &OrderKey,
        shipment: &NewShipment,
        now: Timestamp,
    ) -> Result<Try<u16>, ApiError> {
        let loaded = self.orders.load_with_timeline(key).await?;
        let (before, entries) = loaded.ok_or_else(|| ApiError::not_found("no such order"))?;
        if self.has_parcel(&before, &entries, shipment).await? {
            self.queue_last_reconciliation(key).await?;
            return Ok(Try::Done(200));
        }
        let profile = before.profile.clone();
        let changes = vec![shipment.to_change()];
        Ok(match self.write_patch((before, &entries), profile, changes, now).await? {
            Try::Done(()) => Try::Done(201),
            Try::Contended => Try::Contended,
        })
    }

    /// True if the shop has given the order this parcel, or a request to do so is under way.
    async fn has_parcel(
        &self,
        order: &Order,
        entries: &[TimelineEntry],
        shipment: &NewShipment,
    ) -> Result<bool, ApiError> {
        let (awb, profile) = (&shipment.awb, &order.profile);
        if profile.return_awb.as_ref().is_some_and(|it| it.is_same_parcel(awb)) {
            return Err(ApiError::invalid("awb", "is the return parcel of this order"));
        }
        let is_given = match order.state.parcel(awb) {
            Some(parcel) if parcel.learnt || parcel.replaced || parcel.released => {
                order.is_being_added(awb, entries)
            }
            Some(_) => true,
            None => order.state.has_added(awb),
        };
        if !is_given {
            return Ok(false);
        }
        let owner = self.orders.named(&order.key.account, &Ref::awb(awb)).await?;
        Ok(owner.as_ref() == Some(&order.key.order))
    }
}
