//! Payload formats with their defaults, and event types.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

/// The payload format: body and headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum Format {
    /// One body for up to 50 orders.
    StatusUpdate,
    /// One body for an order, with legacy headers.
    #[serde(rename = "order.status_changed")]
    #[strum(serialize = "order.status_changed")]
    OrderStatusChanged,
    /// The Standard Webhooks payload.
    #[default]
    Standard,
}

impl Format {
    /// The name in settings and rows.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    /// The default timeout of an attempt.
    pub(super) fn timeout(self) -> Duration {
        Duration::from_secs(match self {
            Self::StatusUpdate => 30,
            Self::OrderStatusChanged => 10,
            Self::Standard => 15,
        })
    }

    /// The default of `retry_4xx`. Standard Webhooks calls every answer but 2xx a failure that is
    /// worth repeating.
    pub(super) fn retries_4xx(self) -> bool {
        self == Self::Standard
    }

    /// The default retry schedule: the backoff between attempts, in seconds.
    pub(super) fn backoff(self) -> &'static [u32] {
        const MINUTE: u32 = 60;
        const HOUR: u32 = 60 * MINUTE;
        match self {
            Self::StatusUpdate => &[1, 2, 4],
            Self::OrderStatusChanged => &[1, 2, 3],
            Self::Standard => &[
                5,
                30,
                2 * MINUTE,
                10 * MINUTE,
                30 * MINUTE,
                HOUR,
                3 * HOUR,
                6 * HOUR,
                12 * HOUR,
                24 * HOUR,
            ],
        }
    }
}

/// The event types that endpoints subscribe to.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Serialize,
    Deserialize,
    IntoStaticStr,
    EnumString,
    VariantArray,
)]
pub enum EventType {
    #[default]
    #[serde(rename = "order.status_changed")]
    #[strum(serialize = "order.status_changed")]
    StatusChanged,
    /// A parcel of an order changed.
    #[serde(rename = "shipment.status_changed")]
    #[strum(serialize = "shipment.status_changed")]
    ShipmentStatusChanged,
    /// The timeline has not grown for too long.
    #[serde(rename = "order.stalled")]
    #[strum(serialize = "order.stalled")]
    Stalled,
    /// A shopper answered a message about an order.
    #[serde(rename = "message.received")]
    #[strum(serialize = "message.received")]
    MessageReceived,
    /// An endpoint fails, or an admin paused it.
    #[serde(rename = "endpoint.paused")]
    #[strum(serialize = "endpoint.paused")]
    EndpointPaused,
    /// An endpoint asked for no more deliveries.
    #[serde(rename = "endpoint.disabled")]
    #[strum(serialize = "endpoint.disabled")]
    EndpointDisabled,
    /// An endpoint that was paused or disabled is sent deliveries again.
    #[serde(rename = "endpoint.recovered")]
    #[strum(serialize = "endpoint.recovered")]
    EndpointRecovered,
}

impl EventType {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// True for the types whose body only the format `standard` has.
    pub fn is_standard_only(self) -> bool {
        let is_of_endpoint =
            matches!(self, Self::EndpointPaused | Self::EndpointDisabled | Self::EndpointRecovered);
        is_of_endpoint || self == Self::MessageReceived
    }

    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}
