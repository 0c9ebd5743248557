//! For endpoints with `latest_only`: a row for each order or parcel that an endpoint is told of,
//! with the version of its newest delivery.

use domain::core::hash::Fingerprint;
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::{Delivery, RETENTION_DAYS};
use domain::webhooks::lease::DeliveryState;

use super::{Deliveries, Lease, delivery_key, ended};
use crate::error::IoError;
use crate::tables::attr::{number, ttl};
use crate::tables::expression::attr;
use crate::tables::update::Changes;
use crate::tables::write::Write;

impl Deliveries {
    /// Records the delivery as the newest of its endpoint, type, and order or parcel. `false` if
    /// there is one with a later version. A delivery without a version is the newest.
    pub async fn note_latest(&self, delivery: &Delivery, now: Timestamp) -> Result<bool, IoError> {
        let Some((version, id)) = delivery.version.zip(latest_id(delivery)) else {
            return Ok(true);
        };
        let changes =
            Changes::new().set("version", number(version)).set("ttl", ttl(now, RETENTION_DAYS));
        let is_newest = attr("version").absent().or(attr("version").at_most(number(version)));
        let update = Write::update(&self.table, delivery_key(&id), changes).only_if(is_newest);
        Ok(update.send(&self.client).await?.is_applied())
    }

    /// Ends a delivery that a newer one makes unnecessary. The claimed attempt does not count.
    /// `false` if another worker has the lease by now.
    pub async fn supersede(&self, lease: &Lease, now: Timestamp) -> Result<bool, IoError> {
        let changes = ended(Changes::new(), DeliveryState::Superseded)
            .set("updated_at", number(now.millis()))
            .add("attempts", number(-1))
            .remove("parked_since")
            .remove("unusable_since")
            .remove("reason");
        self.release(lease, changes).await
    }
}

/// `None` for a delivery that is about no order.
fn latest_id(delivery: &Delivery) -> Option<String> {
    let (account, order) = (delivery.account.as_ref()?, delivery.order_id.as_ref()?);
    let event = delivery.kind.event()?;
    let mut hash = Fingerprint::of("latest")
        .with(&delivery.endpoint)
        .with(event.as_str())
        .with(account)
        .with(order)
        .with_option(delivery.awb.as_ref().map(|awb| awb.canonical()));
    // The versions of another order with this id begin again.
    if let Some(created_at) = delivery.order_created_at {
        hash = hash.with(created_at.to_string());
    }
    Some(format!("latest_{}", hash.finish()))
}
