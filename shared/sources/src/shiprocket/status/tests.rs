use super::*;

/// Independent of the code: status and ids of the SHIPMENT table.
const TABLE: &[(Status, &[u16])] = &[
    (Processing, &[1, 2, 3, 4, 5, 11, 15, 19, 27, 52, 59, 60, 61, 62, 63, 67, 68, 79, 80, 81, 83]),
    (PickedUp, &[42, 51]),
    (InTransit, &[6, 18, 38, 48, 49, 50, 54, 55, 56, 57]),
    (OutForDelivery, &[17, 82]),
    (Undelivered, &[21, 77]),
    (Delayed, &[22]),
    (PickupFailed, &[13, 20, 71, 72]),
    (Exception, &[23, 25, 39, 47]),
    (Lost, &[12, 24, 44, 76]),
    (Delivered, &[7, 26, 43]),
    (Cancelled, &[8, 45]),
    (ReturnInitiated, &[9, 14, 40, 75]),
    (ReturnInTransit, &[46, 78]),
    (ReturnOutForDelivery, &[41]),
    (Returned, &[10]),
    (Unknown, &[16]),
];

#[test]
fn shipment_ids_match_the_table() {
    for id in 0..=120 {
        let expected = TABLE.iter().find(|(_, ids)| ids.contains(&id)).map(|(status, _)| *status);
        assert_eq!(of_shipment(&id.to_string()), expected, "{id}");
    }
    for text in ["", " 7", "7.0", "-7", "65543", "NA", "seven"] {
        assert_eq!(of_shipment(text), None, "{text}");
    }
}

#[test]
fn shipment_labels_match_their_ids() {
    for (id, label, status) in SHIPMENT {
        assert_eq!(normalise(label), *label, "{id}");
        assert_eq!(of_label(label), Some((*status, Leg::Outbound)), "{label}");
    }
}

/// The ORDER table's own statuses.
const ORDER: &[(Status, &[u16])] = &[
    (Processing, &[1, 2, 3, 4, 12, 13, 34, 62, 69, 70, 71, 72, 73, 74, 75, 76, 80, 81]),
    (PickedUp, &[51, 61]),
    (InTransit, &[6, 20, 43, 58, 59, 60, 64, 65, 66, 67]),
    (OutForDelivery, &[19]),
    (Undelivered, &[36, 89]),
    (Delayed, &[37]),
    (PickupFailed, &[14, 35, 82, 83]),
    (Exception, &[38, 40, 44, 57]),
    (Lost, &[33, 39, 53, 88]),
    (Delivered, &[7, 41, 52]),
    (Cancelled, &[5, 27, 30, 54]),
    (ReturnInitiated, &[15, 17, 21, 22, 23, 24, 28, 31, 46, 47, 49, 68, 87]),
    (ReturnInTransit, &[25, 32, 50, 55, 90]),
    (ReturnOutForDelivery, &[45, 48]),
    (Returned, &[9, 16, 26]),
    (Unknown, &[8, 10, 11, 18, 29, 42]),
];

#[test]
fn order_ids_match_the_table() {
    for id in 0..=120 {
        let expected = ORDER.iter().find(|(_, ids)| ids.contains(&id)).map(|(status, _)| *status);
        let status = of_order(&id.to_string()).map(|(status, _)| status);
        assert_eq!(status, expected, "{id}");
    }
    for (id, label) in order::LABELS {
        assert_eq!(normalise(label), *label, "{id}");
    }
}

#[test]
fn maps_labels_in_every_spelling() {
    for (label, expected) in [
        ("Delivered ", Delivered),
        ("DELIVERED", Delivered),
        ("SHIPMENT DELIVERED", Delivered),
        ("delivered-to-neighbour", Delivered),
        ("UNDELIVERED-1ST ATTEMPT", Undelivered),
        ("UNDELIVERED-2ND ATTEMPT", Undelivered),
        ("Undelivered_3rd_Attempt", Undelivered),
        ("NOT DELIVERED", Undelivered),
        ("COULD NOT BE DELIVERED", Undelivered),
        ("TO BE DELIVERED", Unknown),
        ("PARTIALLY DELIVERED", Exception),
        ("Partial_Delivered", Exception),
        ("IN TRANSIT-EN-ROUTE", InTransit),
        ("IN TRANSIT-AT DESTINATION HUB", InTransit),
        ("REAACHED_AT_DESTINATION_HUB", InTransit),
        ("in   transit", InTransit),
        ("IN-TRANSIT", InTransit),
        ("In_Transit", InTransit),
        ("CANCELED", Cancelled),
        ("CANCELLED", Cancelled),
        ("Cancelled_Before_Dispatched", Cancelled),
        ("Canceled before Dispatched", Cancelled),
        ("Cancellation Requested", Unknown),
        ("RTO DELIVERED", Returned),
        ("RTO_DELIVERED", Returned),
        ("DELIVERED-RTO", Returned),
        ("RETURN DELIVERED", Returned),
        ("RETURN-UNDELIVERED", ReturnInTransit),
        ("RTO UNDELIVERED-1ST ATTEMPT", ReturnInTransit),
        ("RTO IN-TRANSIT", ReturnInTransit),
        ("RTO_OFD", ReturnOutForDelivery),
        ("RETURN OUT FOR DELIVERY", ReturnOutForDelivery),
        ("RTO", ReturnInitiated),
        ("RETURN PENDING", ReturnInitiated),
        ("RETURN CANCELLATION REQUESTED", Unknown),
        ("PICKUP EXCEPTION", PickupFailed),
        ("Pickup_Error", PickupFailed),
        ("RETURN PICKUP ERROR", ReturnInitiated),
        ("RETURN PICKUP EXCEPTION", ReturnInitiated),
    ] {
        assert_eq!(of_label(label), Some((expected, Leg::Outbound)), "{label}");
    }
}

#[test]
fn a_cancelled_or_lost_return_is_told_by_its_leg() {
    for (label, expected) in [
        ("RETURN CANCELLED", Cancelled),
        ("RETURN PICKUP CANCELLED", Cancelled),
        ("RTO_CANCELED", Cancelled),
        ("RETURN LOST", Lost),
        ("RTO SHIPMENT LOST", Lost),
    ] {
        assert_eq!(of_label(label), Some((expected, Leg::Return)), "{label}");
    }
    for id in ["27", "30"] {
        assert_eq!(of_order(id), Some((Cancelled, Leg::Return)), "{id}");
    }
}

/// Labels of live bodies that no table has.
#[test]
fn maps_labels_of_live_bodies() {
    for (label, expected) in [
        ("NDR PENDING", Undelivered),
        ("NDR", Undelivered),
        ("NDR_RAISED", Undelivered),
        ("NDR-2ND ATTEMPT", Undelivered),
        ("Ndr Delivery Reattempt", Undelivered),
        ("NDR DELIVERED", Undelivered),
        ("RTO NDR", ReturnInitiated),
        ("RTO NDR PENDING", ReturnInTransit),
        ("RTO IN INTRANSIT", ReturnInTransit),
        ("RTO INTRANSIT", ReturnInTransit),
        ("INTRANSIT", InTransit),
        ("RETURN TO ORIGIN", ReturnInitiated),
        ("Return-To-Origin", ReturnInitiated),
        ("RETURN TO ORIGIN INITIATED", ReturnInitiated),
        ("RETURN TO ORIGIN IN TRANSIT", ReturnInTransit),
        ("RETURN TO ORIGIN DELIVERED", Returned),
        ("RTO LOCKED", ReturnInitiated),
        ("RTO COMPLETE", Returned),
        ("RTO COMPLETED", Returned),
        ("SHIPMENT LOST", Lost),
        ("SELF FULFILED", Delivered),
        ("Self_Fulfiled", Delivered),
    ] {
        assert_eq!(of_label(label), Some((expected, Leg::Outbound)), "{label}");
    }
}

#[test]
fn does_not_guess_at_unknown_labels() {
    for label in [
        "NEW ORDER",
        "DELIVERY ACKNOWLEDGED",
        "PENDING PICKUP",
        "PICKUP COMPLETED",
        "DELIVERY FAILED",
        "SUNDRY",
        "RTO SOMETHING NEW",
        "RETURN TO ORIGINATOR",
        "FOO",
        "7",
        "",
        "- _",
    ] {
        assert_eq!(of_label(label), None, "{label}");
    }
}

#[test]
fn knows_labels_of_the_return_leg() {
    for label in ["RTO", "RTO SOMETHING NEW", "rto_foo", "RETURN TO ORIGIN", "Foo-Returned"] {
        assert!(names_return(label), "{label}");
    }
    for label in ["", "FOO", "DELIVERED", "RETURNING", "RTOX"] {
        assert!(!names_return(label), "{label}");
    }
}
