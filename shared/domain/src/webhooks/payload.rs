//! The bodies of the three payload formats. Field names and their order are a contract with
//! receivers.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::core::id::{AccountCode, Awb, OrderId};
use crate::core::raw_json::RawJson;
use crate::core::timestamp::Timestamp;
use crate::orders::order::{Order, Profile, VendorDetails};
use crate::page::TrackingLinks;
use crate::tracking::entry::Direction;
use crate::tracking::report::SourceName;
use crate::tracking::state::ParcelState;
use crate::tracking::status::Status;
use crate::webhooks::endpoint::EventType;
use crate::webhooks::notification::Notification;

#[derive(Serialize)]
struct StatusUpdateBody<'a> {
    timestamp: Timestamp,
    event: &'static str,
    orders: Vec<UpdatedOrder<'a>>,
}

#[derive(Serialize)]
struct UpdatedOrder<'a> {
    order_id: &'a OrderId,
    account_code: &'a AccountCode,
    carrier_id: Option<&'a RawJson>,
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
    delivery_attempts: u32,
    tracking_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stalled_since: Option<Timestamp>,
}

impl<'a> UpdatedOrder<'a> {
    fn of(notification: &Notification<'a>, links: Option<&TrackingLinks>) -> Self {
        let (order, profile) = (notification.order, &notification.order.profile);
        let (number_of_product, number_of_quantity) = profile.counts();
        Self {
            order_id: &order.key.order,
            account_code: &order.key.account,
            carrier_id: profile.carrier_id.as_ref(),
            awb: notification.awb,
            current_shipment_status: notification.label,
            previous_status: notification.previous_label,
            status: notification.status,
            shipping_phone: profile.customer.phone.as_deref(),
            shipping_firstname: profile.customer.first_name.as_deref(),
            shipping_lastname: profile.customer.last_name.as_deref(),
            number_of_product,
            number_of_quantity,
            latest_message_status: order.state.latest_message_status.as_deref(),
            sequence: notification.version,
            occurred_at: notification.occurred_at,
            delivery_attempts: notification.attempts,
            tracking_url: links.map(|links| links.of(order)),
            stalled_since: notification.stalled_since,
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
    account_code: &'a AccountCode,
    awb: Option<&'a Awb>,
    occurred_at: Timestamp,
    current_shipment_status: &'a str,
    location: Option<&'a str>,
    eta: Option<Timestamp>,
    note: Option<&'a str>,
    delivery_attempts: u32,
    shipments: Vec<Shipment<'a>>,
    tracking_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stalled_since: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shipment<'a> {
    awb: &'a Awb,
    direction: Direction,
    carrier_name: Option<&'a str>,
    status: Status,
    current_shipment_status: &'a str,
    delivery_attempts: u32,
    replaced: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderData<'a> {
    fare: Option<&'a RawJson>,
    payment_method: Option<&'a RawJson>,
    payment_status: Option<&'a RawJson>,
    pickup: Option<&'a RawJson>,
    drop: Option<&'a RawJson>,
    items: Option<&'a RawJson>,
    customer_notes: Option<&'a RawJson>,
    vendor_notes: Option<&'a RawJson>,
    scheduled_at: Option<Timestamp>,
    assigned_at: Option<Timestamp>,
    accepted_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    cancelled_at: Option<Timestamp>,
    cancellation_reason: Option<&'a str>,
    cancelled_by: Option<&'a SourceName>,
    created_at: Timestamp,
    metadata: Option<&'a RawJson>,
}

impl<'a> OrderBody<'a> {
    fn of(notification: &Notification<'a>, links: Option<&TrackingLinks>) -> Self {
        let (order, report) = (notification.order, notification.report);
        let tracking = &order.state.tracking;
        let location = match report {
            Some(report) => &report.location,
            None => &tracking.location,
        };
        Self {
            order_id: &order.key.order,
            customer_id: order.profile.customer_id.as_deref(),
            status: notification.status,
            previous_status: notification.previous_status,
            updated_at: order.state.updated_at,
            order_data: OrderData::of(order),
            vendor_details: order.profile.vendor_details.clone().unwrap_or_default(),
            sequence: notification.version,
            account_code: &order.key.account,
            awb: notification.awb,
            occurred_at: notification.occurred_at,
            current_shipment_status: notification.label,
            location: location.as_deref(),
            eta: report.and_then(|report| report.eta).or(notification.eta),
            note: report.and_then(|report| report.note.as_deref()),
            delivery_attempts: notification.attempts,
            shipments: order.state.parcels.iter().map(|it| Shipment::of(it, order)).collect(),
            tracking_url: links.map(|links| links.of(order)),
            stalled_since: notification.stalled_since,
        }
    }
}

impl<'a> Shipment<'a> {
    fn of(parcel: &'a ParcelState, order: &'a Order) -> Self {
        Self {
            awb: &parcel.awb,
            direction: parcel.direction,
            carrier_name: order.carrier_name_of(parcel),
            status: parcel.status,
            current_shipment_status: &parcel.label,
            delivery_attempts: parcel.attempts,
            replaced: parcel.replaced,
        }
    }
}

impl<'a> OrderData<'a> {
    fn of(order: &'a Order) -> Self {
        let profile: &Profile = &order.profile;
        let tracking = &order.state.tracking;
        let cancellation = tracking.cancellation.as_ref();
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
            assigned_at: tracking.assigned_at,
            accepted_at: tracking.accepted_at,
            completed_at: tracking.completed_at,
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

/// What bodies have besides their orders.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub now: Timestamp,
    /// `None` without tracking pages.
    pub links: Option<&'a TrackingLinks>,
}

impl From<Timestamp> for Context<'_> {
    fn from(now: Timestamp) -> Self {
        Self { now, links: None }
    }
}

/// The format `status_update`. All orders have the same event type.
pub fn status_update(
    event: EventType,
    orders: &[Notification<'_>],
    Context { now, links }: Context<'_>,
) -> String {
    let event = match event {
        EventType::Stalled => "order_stalled",
        _ => "status_update",
    };
    text(&StatusUpdateBody {
        timestamp: now,
        event,
        orders: orders.iter().map(|order| UpdatedOrder::of(order, links)).collect(),
    })
}

/// The format `order.status_changed`. The event type is in the header `x-webhook-event`.
pub fn order_status_changed(
    notification: &Notification<'_>,
    links: Option<&TrackingLinks>,
) -> String {
    text(&OrderBody::of(notification, links))
}

/// The format `standard`: the payload of Standard Webhooks 1.0.0.
pub fn standard(notification: &Notification<'_>, links: Option<&TrackingLinks>) -> String {
    let timestamp = notification.stalled_since.unwrap_or(notification.occurred_at);
    text(&Standard {
        r#type: notification.event_type().as_str(),
        timestamp,
        data: OrderBody::of(notification, links),
    })
}

fn text(payload: &impl Serialize) -> String {
    // String keys and no floats: serialization cannot fail.
    serde_json::to_string(payload).unwrap_or_default()
}

/// True if a body of the format `status_update` has a row of this order.
pub fn is_about(body: &[u8], order: &OrderId) -> bool {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        orders: Vec<Row<'a>>,
    }
    #[derive(Deserialize)]
    struct Row<'a> {
        #[serde(borrow)]
        order_id: Cow<'a, str>,
    }
    let body: Result<Body<'_>, _> = serde_json::from_slice(body);
    body.is_ok_and(|body| body.orders.iter().any(|row| row.order_id == order.as_str()))
}
