//! How far a parcel is, in the few stages that shoppers know.

use crate::tracking::status::Status;

/// The headline of a parcel or an order. The page has words for each in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Headline {
    Received,
    PaymentDue,
    Preparing,
    AwaitingPickup,
    Shipped,
    OnTheWay,
    Delayed,
    Problem,
    OutForDelivery,
    AttemptFailed,
    Completed,
    Delivered,
    Lost,
    Cancelled,
    ReturnStarted,
    Returning,
    ReturnArriving,
    Returned,
    /// Another parcel took its place.
    Replaced,
}

impl Headline {
    pub const ALL: [Self; 19] = [
        Self::Received,
        Self::PaymentDue,
        Self::Preparing,
        Self::AwaitingPickup,
        Self::Shipped,
        Self::OnTheWay,
        Self::Delayed,
        Self::Problem,
        Self::OutForDelivery,
        Self::AttemptFailed,
        Self::Completed,
        Self::Delivered,
        Self::Lost,
        Self::Cancelled,
        Self::ReturnStarted,
        Self::Returning,
        Self::ReturnArriving,
        Self::Returned,
        Self::Replaced,
    ];

    /// `None` for `unknown`.
    pub fn of(status: Status) -> Option<Self> {
        Some(match status {
            Status::Unknown => return None,
            Status::PaymentRequested => Self::PaymentDue,
            Status::Pending | Status::Assigned | Status::Accepted | Status::PaymentConfirmed => {
                Self::Received
            }
            Status::InProgress | Status::ArrivalConfirmed => Self::Preparing,
            Status::Processing | Status::PickupFailed => Self::AwaitingPickup,
            Status::Failed | Status::Exception => Self::Problem,
            Status::PickedUp => Self::Shipped,
            Status::InTransit => Self::OnTheWay,
            Status::Delayed => Self::Delayed,
            Status::OutForDelivery => Self::OutForDelivery,
            Status::Undelivered => Self::AttemptFailed,
            Status::Completed => Self::Completed,
            Status::Lost => Self::Lost,
            Status::Cancelled => Self::Cancelled,
            Status::Delivered => Self::Delivered,
            Status::ReturnInitiated => Self::ReturnStarted,
            Status::ReturnInTransit => Self::Returning,
            Status::ReturnOutForDelivery => Self::ReturnArriving,
            Status::Returned => Self::Returned,
        })
    }

    /// Good news.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Completed | Self::Delivered)
    }
}

/// The stages of a parcel's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Ordered, shipped, on its way, out for delivery, delivered.
    Outbound,
    /// Return started, on its way back, arriving at the shop, returned.
    Back,
}

impl Way {
    pub fn stages(self) -> usize {
        match self {
            Self::Outbound => 5,
            Self::Back => 4,
        }
    }
}

/// A progress line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub way: Way,
    /// The stage that was reached, from 0.
    pub reached: usize,
    /// Something is wrong at this stage.
    pub is_in_trouble: bool,
}

impl Progress {
    /// A status without a stage of its own, e.g. `delayed`, stands at the furthest stage of the
    /// statuses before it.
    pub fn of(status: Status, before: impl IntoIterator<Item = Status>) -> Self {
        let furthest = || before.into_iter().filter_map(outbound_stage).max().unwrap_or_default();
        let outbound = |reached, is_in_trouble| Self { way: Way::Outbound, reached, is_in_trouble };
        let back = |reached| Self { way: Way::Back, reached, is_in_trouble: false };
        match status {
            Status::ReturnInitiated => back(0),
            Status::ReturnInTransit => back(1),
            Status::ReturnOutForDelivery => back(2),
            Status::Returned => back(3),
            Status::PickupFailed | Status::Failed => outbound(0, true),
            Status::Undelivered => outbound(3, true),
            Status::Delayed | Status::Exception | Status::Lost | Status::Cancelled => {
                // A parcel that did not arrive has not been delivered before.
                outbound(furthest().min(3), true)
            }
            status => outbound(outbound_stage(status).unwrap_or_default(), false),
        }
    }
}

fn outbound_stage(status: Status) -> Option<usize> {
    match status {
        Status::PickedUp => Some(1),
        Status::InTransit => Some(2),
        Status::OutForDelivery | Status::Undelivered => Some(3),
        Status::Delivered | Status::Completed => Some(4),
        _ => None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_headline_and_a_stage() {
        for status in Status::ALL.iter().copied().filter(|status| *status != Status::Unknown) {
            assert!(Headline::ALL.contains(&Headline::of(status).unwrap()), "{status}");
            let progress = Progress::of(status, []);
            assert!(progress.reached < progress.way.stages(), "{status}");
        }
        assert_eq!(Headline::of(Status::Unknown), None);
    }

    #[test]
    fn trouble_is_shown_where_it_happened() {
        use Status::{Cancelled, Delayed, Delivered, InTransit, OutForDelivery, PickedUp};
        for (status, before, reached) in [
            (Delayed, &[][..], 0),
            (Delayed, &[InTransit, PickedUp], 2),
            (Status::Lost, &[PickedUp, InTransit, OutForDelivery], 3),
            (Cancelled, &[PickedUp], 1),
            (Cancelled, &[Delivered], 3),
        ] {
            let progress = Progress::of(status, before.iter().copied());
            assert_eq!((progress.reached, progress.is_in_trouble), (reached, true), "{status}");
        }
    }
}
