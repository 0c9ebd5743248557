//! The three bodies that customers' servers get, of either event. Field order and names are promises.

use serde::Serialize;

use crate::core::id::{AccountCode, Awb, OrderId};
use crate::core::json::Json;
use crate::core::timestamp::Timestamp;
use crate::orders::order::{Order, Profile, VendorDetails};
use crate::tracking::report::SourceName;
use crate::tracking::status::Status;
use crate::webhooks::delivery::{Change, CurrentOrder, StalledOrder};
use crate::webhooks::endpoint::Event;

/// What is told of one order.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The order.
    pub order: &'a Order,
    /// Its version.
    pub version: u64,
    /// Where it stands.
    pub status: Status,
    previous_status: Option<Status>,
    label: &'a str,
    previous_label: Option<&'a str>,
    occurred_at: Timestamp,
    stalled_since: Option<Timestamp>,
}

impl<'a> Told<'a> {
    /// That its status changed.
    pub fn changed(change: &Change<'a>) -> Self {
        let transition = change.transition;
        Self {
            order: change.order,
            version: transition.version,
            status: transition.status,
            previous_status: Some(transition.previous_status),
            label: &transition.label,
            previous_label: Some(&transition.previous_label),
            occurred_at: transition.occurred_at,
            stalled_since: None,
        }
    }

    /// That it stands still, and where. In whose words it stood before is not kept: the status before is told in ours.
    pub fn stalled(stalled: &StalledOrder<'a>) -> Self {
        let state = &stalled.order.state;
        Self {
            order: stalled.order,
            version: state.version,
            status: state.standing.status,
            previous_status: state.previous_status,
            label: &state.standing.label,
            previous_label: state.previous_status.map(Status::title),
            occurred_at: state.standing.since.unwrap_or(state.created_at),
            stalled_since: Some(stalled.since),
        }
    }

    /// How it stands, in the words of its last change.
    pub fn current(current: &CurrentOrder<'a>) -> Self {
        let state = &current.order.state;
        Self {
            order: current.order,
            version: state.version,
            status: state.standing.status,
            previous_status: state.previous_status,
            label: &state.standing.label,
            previous_label: current.last.map(|transition| transition.previous_label.as_str()),
            occurred_at: state.standing.since.unwrap_or(state.created_at),
            stalled_since: None,
        }
    }

    /// What of it is told.
    pub fn event(&self) -> Event {
        if self.stalled_since.is_some() { Event::Stalled } else { Event::StatusChanged }
    }
}

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
    previous_status: Option<&'a str>,
    status: Status,
    shipping_phone: Option<&'a str>,
    shipping_firstname: Option<&'a str>,
    shipping_lastname: Option<&'a str>,
    number_of_product: usize,
    number_of_quantity: u64,
    latest_message_status: Option<&'a str>,
    sequence: u64,
    occurred_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    stalled_since: Option<Timestamp>,
}

impl<'a> UpdatedOrder<'a> {
    fn of(told: &Told<'a>) -> Self {
        let (order, profile) = (told.order, &told.order.profile);
        let (number_of_product, number_of_quantity) = profile.counts();
        Self {
            order_id: &order.key.order,
            account_code: &order.key.account,
            carrier_id: profile.carrier_id.as_ref(),
            awb: profile.awb.as_ref(),
            current_shipment_status: told.label,
            previous_status: told.previous_label,
            status: told.status,
            shipping_phone: profile.customer.phone.as_deref(),
            shipping_firstname: profile.customer.first_name.as_deref(),
            shipping_lastname: profile.customer.last_name.as_deref(),
            number_of_product,
            number_of_quantity,
            latest_message_status: order.state.latest_message_status.as_deref(),
            sequence: told.version,
            occurred_at: told.occurred_at,
            stalled_since: told.stalled_since,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderBody<'a> {
    order_id: &'a OrderId,
    customer_id: Option<&'a str>,
    status: Status,
    previous_status: Option<Status>,
    updated_at: Timestamp,
    order_data: OrderData<'a>,
    vendor_details: VendorDetails,
    sequence: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    stalled_since: Option<Timestamp>,
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

impl<'a> OrderBody<'a> {
    fn of(told: &Told<'a>) -> Self {
        let order = told.order;
        Self {
            order_id: &order.key.order,
            customer_id: order.profile.customer_id.as_deref(),
            status: told.status,
            previous_status: told.previous_status,
            updated_at: order.state.updated_at,
            order_data: OrderData::of(order),
            vendor_details: order.profile.vendor_details.clone().unwrap_or_default(),
            sequence: told.version,
            stalled_since: told.stalled_since,
        }
    }
}

impl<'a> OrderData<'a> {
    fn of(order: &'a Order) -> Self {
        let profile: &Profile = &order.profile;
        let standing = &order.state.standing;
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
            created_at: order.state.created_at,
            metadata: profile.metadata.as_ref(),
        }
    }
}

#[derive(Serialize)]
struct Standard<'a> {
    r#type: &'static str,
    timestamp: Timestamp,
    data: OrderBody<'a>,
}

/// The body of the format `status_update`, for orders of which the same event is told; `now` is when it is written.
pub fn status_update(event: Event, orders: &[Told<'_>], now: Timestamp) -> String {
    let event = match event {
        Event::StatusChanged => "status_update",
        Event::Stalled => "order_stalled",
    };
    text(&StatusUpdate {
        timestamp: now,
        event,
        orders: orders.iter().map(UpdatedOrder::of).collect(),
    })
}

/// The body of the format `order.status_changed`. Its header says which event it is.
pub fn order_status_changed(told: &Told<'_>) -> String {
    text(&OrderBody::of(told))
}

/// The body of the format `standard`: the payload that Standard Webhooks 1.0.0 describes.
pub fn standard(told: &Told<'_>) -> String {
    let timestamp = told.stalled_since.unwrap_or(told.occurred_at);
    text(&Standard { r#type: told.event().as_str(), timestamp, data: OrderBody::of(told) })
}

/// These types have string keys and no floats: writing them cannot fail.
fn text(payload: &impl Serialize) -> String {
    serde_json::to_string(payload).unwrap_or_default()
}
