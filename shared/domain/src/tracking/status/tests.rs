use super::*;

#[test]
fn names_round_trip_and_titles_follow_them() {
    for status in Status::ALL.iter().copied() {
        assert_eq!(Status::parse(status.as_str()), Some(status));
        let title = status.title().to_lowercase().replace(' ', "_");
        assert_eq!(title, status.as_str());
    }
}

/// The expected ranks, independent of the code.
#[test]
fn ranks_follow_the_order_of_the_variants() {
    let ranks = "unknown pending assigned accepted in_progress payment_requested \
                 payment_confirmed arrival_confirmed processing pickup_failed failed picked_up \
                 in_transit delayed exception out_for_delivery undelivered completed lost \
                 cancelled delivered return_initiated return_in_transit return_out_for_delivery returned";
    let names: Vec<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
    assert_eq!(names, ranks.split_whitespace().collect::<Vec<_>>());
    assert!(Status::ALL.is_sorted());
}

#[test]
fn statuses_belong_to_legs_and_end_them() {
    let named = |matches: fn(&Status) -> bool| -> Vec<_> {
        Status::ALL.iter().copied().filter(matches).map(Status::as_str).collect()
    };
    assert_eq!(named(|s| s.ends_outbound()), ["completed", "lost", "cancelled", "delivered"]);
    assert_eq!(
        named(|s| s.is_final()),
        ["completed", "lost", "cancelled", "delivered", "returned"]
    );
    let returns = ["return_initiated", "return_in_transit", "return_out_for_delivery", "returned"];
    assert_eq!(named(|s| s.leg() == Some(Leg::Return)), returns);
    assert_eq!(named(|s| s.leg().is_none()), ["unknown"]);
}

#[test]
fn order_status_is_the_coarse_status() {
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
fn maps_statuses_on_the_return_leg() {
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

#[test]
fn a_cancelled_or_lost_return_keeps_its_status() {
    for status in Status::ALL.iter().copied() {
        let kept = matches!(status, Status::Cancelled | Status::Lost);
        let expected = if kept { status } else { status.on_return_leg() };
        assert_eq!(status.of_return(), expected, "{status}");
    }
    assert_eq!(Status::PickupFailed.of_return(), Status::ReturnInitiated);
}

/// Keys are stored: another key for a status would hide the orders that have it.
#[test]
fn statuses_of_the_usual_way_share_search_keys() {
    let with_key = |key: &str| -> Vec<&str> {
        let statuses = Status::ALL.iter().filter(|status| status.search_key() == Some(key));
        statuses.map(|status| status.as_str()).collect()
    };
    assert_eq!(with_key("moving"), ["picked_up", "in_transit", "out_for_delivery"]);
    let preparing = "pending assigned accepted in_progress payment_requested payment_confirmed \
                     arrival_confirmed processing";
    assert_eq!(with_key("preparing"), preparing.split_whitespace().collect::<Vec<_>>());
    let own = |status: &Status| !status.shares_search_key() && *status != Status::Delivered;
    for status in Status::ALL.iter().copied().filter(own) {
        assert_eq!(with_key(status.as_str()), [status.as_str()]);
    }
    assert_eq!(Status::ALL.iter().filter(|status| status.shares_search_key()).count(), 3 + 8);
    assert_eq!(Status::Delivered.search_key(), None);
    assert!(!Status::Delivered.shares_search_key());
}
