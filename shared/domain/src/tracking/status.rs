//! The statuses of an order: two legs, their ranks, the statuses that end a leg.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// From the shop to the shopper.
    Outbound,
    /// Back to the shop.
    Return,
}

/// The coarse status for shop systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Not with the carrier yet.
    Processing,
    /// On its way, in either direction.
    Shipped,
    Delivered,
    /// Will not arrive: cancelled, lost or returned.
    Cancelled,
}

/// The order of the variants is their rank: of two reports of the same time, the higher rank counts
/// as the later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(IntoStaticStr, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// A provider status without a mapping. Belongs to no leg and never applies.
    Unknown,
    Pending,
    /// Given to a vendor.
    Assigned,
    /// Accepted by the vendor.
    Accepted,
    InProgress,
    PaymentRequested,
    PaymentConfirmed,
    /// The vendor has arrived.
    ArrivalConfirmed,
    /// Being prepared for the carrier.
    Processing,
    /// The carrier could not collect it.
    PickupFailed,
    /// Could not be made; the vendor may try again.
    Failed,
    PickedUp,
    InTransit,
    Delayed,
    /// The carrier reports a problem.
    Exception,
    OutForDelivery,
    /// A delivery attempt failed.
    Undelivered,
    /// The vendor finished the product; terminal.
    Completed,
    /// Lost, destroyed or disposed of; terminal.
    Lost,
    /// Terminal.
    Cancelled,
    /// Terminal.
    Delivered,
    ReturnInitiated,
    ReturnInTransit,
    ReturnOutForDelivery,
    /// Back at the shop; no status follows.
    Returned,
}

impl Status {
    /// Every status, by rank.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The name on the wire, e.g. `out_for_delivery`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    /// The name for people, e.g. `Out For Delivery`.
    pub fn title(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Pending => "Pending",
            Self::Assigned => "Assigned",
            Self::Accepted => "Accepted",
            Self::InProgress => "In Progress",
            Self::PaymentRequested => "Payment Requested",
            Self::PaymentConfirmed => "Payment Confirmed",
            Self::ArrivalConfirmed => "Arrival Confirmed",
            Self::Processing => "Processing",
            Self::PickupFailed => "Pickup Failed",
            Self::Failed => "Failed",
            Self::PickedUp => "Picked Up",
            Self::InTransit => "In Transit",
            Self::Delayed => "Delayed",
            Self::Exception => "Exception",
            Self::OutForDelivery => "Out For Delivery",
            Self::Undelivered => "Undelivered",
            Self::Completed => "Completed",
            Self::Lost => "Lost",
            Self::Cancelled => "Cancelled",
            Self::Delivered => "Delivered",
            Self::ReturnInitiated => "Return Initiated",
            Self::ReturnInTransit => "Return In Transit",
            Self::ReturnOutForDelivery => "Return Out For Delivery",
            Self::Returned => "Returned",
        }
    }

    /// `None` for `unknown`.
    pub fn leg(self) -> Option<Leg> {
        match self {
            Self::Unknown => None,
            status if status >= Self::ReturnInitiated => Some(Leg::Return),
            _ => Some(Leg::Outbound),
        }
    }

    pub fn ends_outbound(self) -> bool {
        matches!(self, Self::Completed | Self::Lost | Self::Cancelled | Self::Delivered)
    }

    /// True if no further report is expected.
    pub fn is_final(self) -> bool {
        self.ends_outbound() || self == Self::Returned
    }

    /// Physical movement: the carrier has the parcel in its hands.
    pub fn is_movement(self) -> bool {
        matches!(
            self,
            Self::PickedUp
                | Self::InTransit
                | Self::OutForDelivery
                | Self::Undelivered
                | Self::Delivered
        )
    }

    /// True if a forward parcel with this status has been picked up.
    pub fn shows_pickup(self) -> bool {
        self.is_movement() || self.leg() == Some(Leg::Return)
    }

    /// Maps a carrier's status for a parcel on its way back. A cancelled or lost return does not
    /// change the order's status.
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

    /// A carrier's status in the words of a return, such as `RTO Delivered`. `cancelled` and `lost`
    /// stay, together with [`Leg::Return`]: what they mean for an order is decided by the fold.
    #[must_use]
    pub fn of_return(self) -> Self {
        match self {
            Self::Cancelled | Self::Lost => self,
            status => status.on_return_leg(),
        }
    }

    pub fn order_status(self) -> OrderStatus {
        match self {
            Self::Delivered | Self::Completed => OrderStatus::Delivered,
            Self::Cancelled | Self::Lost | Self::Returned => OrderStatus::Cancelled,
            status if status >= Self::PickedUp => OrderStatus::Shipped,
            _ => OrderStatus::Processing,
        }
    }

    /// The key of the search by status. The usual statuses of a parcel share two keys, so that most
    /// changes do not write the search's index. `delivered` has none: most orders of an account end
    /// so, and the list of all orders finds them as well.
    pub fn search_key(self) -> Option<&'static str> {
        Some(match self {
            Self::Delivered => return None,
            Self::Pending
            | Self::Assigned
            | Self::Accepted
            | Self::InProgress
            | Self::PaymentRequested
            | Self::PaymentConfirmed
            | Self::ArrivalConfirmed
            | Self::Processing => "preparing",
            Self::PickedUp | Self::InTransit | Self::OutForDelivery => "moving",
            status => status.as_str(),
        })
    }

    /// True if other statuses have this [`Status::search_key`].
    pub fn shares_search_key(self) -> bool {
        self.search_key().is_some_and(|key| key != self.as_str())
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
