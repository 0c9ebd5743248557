//! The three bodies that customers' servers get. Field order and names are promises.

use serde::Serialize;

use crate::delivery::Change;
use crate::id::{AccountCode, Awb, OrderId};
use crate::json::Json;
use crate::order::{Profile, VendorDetails};
use crate::report::SourceName;
use crate::status::Status;
use crate::timestamp::Timestamp;

#[derive(Serialize)]
struct StatusUpdate<'a> {
    timestamp: Timestamp,
    event: &'static str,
    orders: Vec<UpdatedOrder<'a>>,
}

#[derive(Serialize)]
struct UpdatedOrder<'a> {
    order_id: &'a OrderId,
    account_code: &'a AccountCode,
    carrier_id: Option<&'a Json>,
    awb: Option<&'a Awb>,
    current_shipment_status: &'a str,
    previous_status: &'a str,
    status: Status,
    shipping_phone: Option<&'a str>,
    shipping_firstname: Option<&'a str>,
    shipping_lastname: Option<&'a str>,
    number_of_product: usize,
    number_of_quantity: u64,
    latest_message_status: Option<&'a str>,
    sequence: u64,
    occurred_at: Timestamp,
}

impl<'a> UpdatedOrder<'a> {
    fn of(change: &Change<'a>) -> Self {
        let (order, profile) = (change.order, &change.order.profile);
        let (number_of_product, number_of_quantity) = profile.counts();
        Self {
            order_id: &order.key.order,
            account_code: &order.key.account,
            carrier_id: profile.carrier_id.as_ref(),
            awb: profile.awb.as_ref(),
            current_shipment_status: &change.transition.label,
            previous_status: &change.transition.previous_label,
            status: change.transition.status,
            shipping_phone: profile.customer.phone.as_deref(),
            shipping_firstname: profile.customer.first_name.as_deref(),
            shipping_lastname: profile.customer.last_name.as_deref(),
            number_of_product,
            number_of_quantity,
            latest_message_status: order.state.latest_message_status.as_deref(),
            sequence: change.transition.version,
            occurred_at: change.transition.occurred_at,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusChanged<'a> {
    order_id: &'a OrderId,
    customer_id: Option<&'a str>,
    status: Status,
    previous_status: Status,
    updated_at: Timestamp,
    order_data: OrderData<'a>,
    vendor_details: VendorDetails,
    sequence: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderData<'a> {
    fare: Option<&'a Json>,
    payment_method: Option<&'a Json>,
    payment_status: Option<&'a Json>,
    pickup: Option<&'a Json>,
    drop: Option<&'a Json>,
    items: Option<&'a Json>,
    customer_notes: Option<&'a Json>,
    vendor_notes: Option<&'a Json>,
    scheduled_at: Option<Timestamp>,
    assigned_at: Option<Timestamp>,
    accepted_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    cancelled_at: Option<Timestamp>,
    cancellation_reason: Option<&'a str>,
    cancelled_by: Option<&'a SourceName>,
    created_at: Timestamp,
    metadata: Option<&'a Json>,
}

impl<'a> StatusChanged<'a> {
    fn of(change: &Change<'a>) -> Self {
        let order = change.order;
        Self {
            order_id: &order.key.order,
            customer_id: order.profile.customer_id.as_deref(),
            status: change.transition.status,
            previous_status: change.transition.previous_status,
            updated_at: order.state.updated_at,
            order_data: OrderData::of(change),
            vendor_details: order.profile.vendor_details.clone().unwrap_or_default(),
            sequence: change.transition.version,
        }
    }
}

impl<'a> OrderData<'a> {
    fn of(change: &Change<'a>) -> Self {
        let profile: &Profile = &change.order.profile;
        let standing = &change.order.state.standing;
        let cancellation = standing.cancellation.as_ref();
        Self {
            fare: profile.fare.as_ref(),
            payment_method: profile.payment_method.as_ref(),
            payment_status: profile.payment_status.as_ref(),
            pickup: profile.pickup.as_ref(),
            drop: profile.drop.as_ref(),
            items: profile.items.as_ref(),
            customer_notes: profile.customer_notes.as_ref(),
            vendor_notes: profile.vendor_notes.as_ref(),
            scheduled_at: profile.scheduled_at,
            assigned_at: standing.assigned_at,
            accepted_at: standing.accepted_at,
            completed_at: standing.completed_at,
            cancelled_at: cancellation.map(|c| c.at),
            cancellation_reason: cancellation.and_then(|c| c.reason.as_deref()),
            cancelled_by: cancellation.map(|c| &c.by),
            created_at: change.order.state.created_at,
            metadata: profile.metadata.as_ref(),
        }
    }
}

#[derive(Serialize)]
struct Standard<'a> {
    r#type: &'static str,
    timestamp: Timestamp,
    data: StatusChanged<'a>,
}

/// The body of the format `status_update`; `now` is when it is written.
pub fn status_update(changes: &[&Change<'_>], now: Timestamp) -> String {
    let orders = changes.iter().map(|change| UpdatedOrder::of(change)).collect();
    text(&StatusUpdate { timestamp: now, event: "status_update", orders })
}

/// The body of the format `order.status_changed`.
pub fn order_status_changed(change: &Change<'_>) -> String {
    text(&StatusChanged::of(change))
}

/// The body of the format `standard`: the payload that Standard Webhooks 1.0.0 describes.
pub fn standard(change: &Change<'_>) -> String {
    let data = StatusChanged::of(change);
    text(&Standard { r#type: "order.status_changed", timestamp: change.transition.occurred_at, data })
}

/// These types have string keys and no floats: writing them cannot fail.
fn text(payload: &impl Serialize) -> String {
    serde_json::to_string(payload).unwrap_or_default()
}
