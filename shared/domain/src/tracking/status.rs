//! The statuses of an order: two legs, their ranks, what ends a leg.

use serde::{Deserialize, Serialize};

/// Which way a parcel travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// From the shop to the shopper.
    Outbound,
    /// Back to the shop.
    Return,
}

/// The coarse status that a shop system knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Not with the carrier yet.
    Processing,
    /// On its way, in either direction.
    Shipped,
    /// With the shopper, or done.
    Delivered,
    /// Will not arrive: cancelled, lost or returned.
    Cancelled,
}

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident $text:literal $title:literal,)+) => {
        /// What an order's status can be. The order of the variants is the rank among reports of the same time.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Status {
            $($(#[$doc])* #[serde(rename = $text)] $name,)+
        }

        impl Status {
            /// Every status, by rank.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name on the wire, e.g. `out_for_delivery`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// The name for people, e.g. `Out For Delivery`.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }
        }
    };
}

statuses! {
    /// A provider's word that we have no meaning for. Belongs to no leg and never applies.
    Unknown "unknown" "Unknown",
    /// Created.
    Pending "pending" "Pending",
    /// Somebody is responsible for it.
    Assigned "assigned" "Assigned",
    /// Accepted by who is responsible.
    Accepted "accepted" "Accepted",
    /// Being worked on.
    InProgress "in_progress" "In Progress",
    /// Waiting for the shopper's payment.
    PaymentRequested "payment_requested" "Payment Requested",
    /// Paid.
    PaymentConfirmed "payment_confirmed" "Payment Confirmed",
    /// The vendor has arrived.
    ArrivalConfirmed "arrival_confirmed" "Arrival Confirmed",
    /// Being made ready for the carrier.
    Processing "processing" "Processing",
    /// Could not be made; may be tried again.
    Failed "failed" "Failed",
    /// With the carrier.
    PickedUp "picked_up" "Picked Up",
    /// Moving.
    InTransit "in_transit" "In Transit",
    /// Moving, later than promised.
    Delayed "delayed" "Delayed",
    /// Something went wrong at the carrier.
    Exception "exception" "Exception",
    /// On the last vehicle.
    OutForDelivery "out_for_delivery" "Out For Delivery",
    /// An attempt to hand it over failed.
    Undelivered "undelivered" "Undelivered",
    /// What was ordered is made; terminal.
    Completed "completed" "Completed",
    /// Lost, destroyed or disposed of; terminal.
    Lost "lost" "Lost",
    /// Called off; terminal.
    Cancelled "cancelled" "Cancelled",
    /// Handed over; terminal.
    Delivered "delivered" "Delivered",
    /// It will go back.
    ReturnInitiated "return_initiated" "Return Initiated",
    /// On its way back.
    ReturnInTransit "return_in_transit" "Return In Transit",
    /// On the last vehicle back.
    ReturnOutForDelivery "return_out_for_delivery" "Return Out For Delivery",
    /// Back at the shop; ends everything.
    Returned "returned" "Returned",
}

impl Status {
    /// From the name on the wire.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.as_str() == text)
    }

    /// The leg it belongs to; `unknown` belongs to none.
    pub fn leg(self) -> Option<Leg> {
        match self {
            Self::Unknown => None,
            status if status >= Self::ReturnInitiated => Some(Leg::Return),
            _ => Some(Leg::Outbound),
        }
    }

    /// Whether it ends the outbound leg.
    pub fn ends_outbound(self) -> bool {
        matches!(self, Self::Completed | Self::Lost | Self::Cancelled | Self::Delivered)
    }

    /// Whether nothing is expected to follow it.
    pub fn is_end(self) -> bool {
        self.ends_outbound() || self == Self::Returned
    }

    /// What a carrier's word means when the parcel is on its way back. A cancelled or lost return says nothing
    /// about where the order stands.
    #[must_use]
    pub fn on_return_leg(self) -> Self {
        match self {
            status if status.leg() == Some(Leg::Return) => status,
            Self::OutForDelivery => Self::ReturnOutForDelivery,
            Self::Delivered | Self::Completed => Self::Returned,
            Self::PickedUp
            | Self::InTransit
            | Self::Delayed
            | Self::Exception
            | Self::Undelivered => Self::ReturnInTransit,
            Self::Unknown | Self::Cancelled | Self::Lost => Self::Unknown,
            _ => Self::ReturnInitiated,
        }
    }

    /// The coarse status for shop systems.
    pub fn order_status(self) -> OrderStatus {
        match self {
            Self::Delivered | Self::Completed => OrderStatus::Delivered,
            Self::Cancelled | Self::Lost | Self::Returned => OrderStatus::Cancelled,
            status if status >= Self::PickedUp => OrderStatus::Shipped,
            _ => OrderStatus::Processing,
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_titles_follow_them() {
        for status in Status::ALL.iter().copied() {
            assert_eq!(Status::parse(status.as_str()), Some(status));
            let title = status.title().to_lowercase().replace(' ', "_");
            assert_eq!(title, status.as_str());
        }
    }

    /// Written apart from the code, by rank.
    #[test]
    fn ranks_are_as_designed() {
        let ranks = "unknown pending assigned accepted in_progress payment_requested payment_confirmed \
                     arrival_confirmed processing failed picked_up in_transit delayed exception out_for_delivery \
                     undelivered completed lost cancelled delivered return_initiated return_in_transit \
                     return_out_for_delivery returned";
        let ours: Vec<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
        assert_eq!(ours, ranks.split_whitespace().collect::<Vec<_>>());
        assert!(Status::ALL.is_sorted());
    }

    #[test]
    fn legs_and_ends() {
        let named = |matches: fn(&Status) -> bool| -> Vec<_> {
            Status::ALL.iter().copied().filter(matches).map(Status::as_str).collect()
        };
        assert_eq!(named(|s| s.ends_outbound()), ["completed", "lost", "cancelled", "delivered"]);
        assert_eq!(
            named(|s| s.is_end()),
            ["completed", "lost", "cancelled", "delivered", "returned"]
        );
        let returns =
            ["return_initiated", "return_in_transit", "return_out_for_delivery", "returned"];
        assert_eq!(named(|s| s.leg() == Some(Leg::Return)), returns);
        assert_eq!(named(|s| s.leg().is_none()), ["unknown"]);
    }

    #[test]
    fn the_coarse_status() {
        for status in Status::ALL.iter().copied() {
            let expected = match status.as_str() {
                "picked_up"
                | "in_transit"
                | "delayed"
                | "exception"
                | "out_for_delivery"
                | "undelivered"
                | "return_initiated"
                | "return_in_transit"
                | "return_out_for_delivery" => OrderStatus::Shipped,
                "completed" | "delivered" => OrderStatus::Delivered,
                "lost" | "cancelled" | "returned" => OrderStatus::Cancelled,
                _ => OrderStatus::Processing,
            };
            assert_eq!(status.order_status(), expected, "{status}");
        }
    }

    #[test]
    fn the_way_back() {
        for status in Status::ALL.iter().copied() {
            let back = match status.as_str() {
                "unknown" | "cancelled" | "lost" => Status::Unknown,
                "picked_up" | "in_transit" | "delayed" | "exception" | "undelivered" => {
                    Status::ReturnInTransit
                }
                "out_for_delivery" => Status::ReturnOutForDelivery,
                "completed" | "delivered" => Status::Returned,
                name if name.starts_with("return") => status,
                _ => Status::ReturnInitiated,
            };
            assert_eq!(status.on_return_leg(), back, "{status}");
        }
    }
}
