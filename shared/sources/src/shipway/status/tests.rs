use super::*;

/// Every code of the SDK's list.
const CODES: &[(Status, &str)] = &[
    (Status::Processing, "SCH OFP"),
    (Status::PickedUp, "PKP PUP"),
    (Status::InTransit, "INT RAD"),
    (Status::OutForDelivery, "OOD"),
    (Status::Undelivered, "UND CRTA CNA PNR 22 23 24 25"),
    (Status::Delayed, "ONH DNB SMD DRE FDR"),
    (Status::PickupFailed, "PKF"),
    (Status::Exception, "NWI ODA DEX"),
    (Status::Lost, "LOST"),
    (Status::Delivered, "DEL"),
    (Status::Cancelled, "CAN PCAN RCAN"),
    (Status::ReturnInitiated, "RTO RSCH ROOP ROFP RPSH RPF"),
    (Status::ReturnInTransit, "RPKP RINT RSMD RUND RPEX"),
    (Status::ReturnOutForDelivery, "ROOD"),
    (Status::Returned, "RTD RDEL"),
    (Status::Unknown, NEUTRAL),
    (Status::Unknown, "SHNDR1 SHNDR22 SHPFR0 SHPRF18 RTONDR1 21 26 D"),
];

/// Known, but without a status.
const NEUTRAL: &str = "NFI NFIDS OTH RCLO ROTH";

const REVERSE: &str = "RSCH ROOP ROFP RPKP RINT RDEL RCAN RCLO RPSH RSMD ROOD RUND RPEX ROTH RPF";

#[test]
fn maps_every_code() {
    for (expected, codes) in CODES {
        for code in codes.split(' ') {
            assert_eq!(of(code).0, *expected, "{code}");
            assert_eq!(of(&format!(" {} ", code.to_lowercase())).0, *expected, "{code}");
        }
    }
    assert_eq!(of(""), (Status::Unknown, Leg::Outbound));
}

#[test]
fn reverse_codes_are_of_the_return_leg() {
    let is_reverse = |code: &str| REVERSE.split(' ').any(|known| known == code);
    for code in CODES.iter().flat_map(|(_, codes)| codes.split(' ')) {
        assert_eq!(
            of(code).1,
            if is_reverse(code) { Leg::Return } else { Leg::Outbound },
            "{code}"
        );
    }
}

#[test]
fn maps_names_in_every_spelling() {
    for (name, expected) in [
        ("Delivered", Status::Delivered),
        ("DELIVERED", Status::Delivered),
        (" delivered ", Status::Delivered),
        ("In Transit", Status::InTransit),
        ("in_transit", Status::InTransit),
        ("In-Transit", Status::InTransit),
        ("Out  For Delivery", Status::OutForDelivery),
        ("Out of Delivery Area", Status::Exception),
        ("Pending-Undelivered", Status::Undelivered),
        ("Delivery Attempted", Status::Undelivered),
        ("Delivery Delayed", Status::Delayed),
        ("Shipment Booked", Status::Processing),
        ("Picked Up", Status::PickedUp),
        ("Canceled", Status::Cancelled),
        ("Lost", Status::Lost),
        ("RTO", Status::ReturnInitiated),
        ("RTO Initiated", Status::ReturnInitiated),
        ("RTO In Transit", Status::ReturnInTransit),
        ("RTO Delivered", Status::Returned),
        ("Return Delivered", Status::Returned),
    ] {
        assert_eq!(of(name).0, expected, "{name}");
    }
}

#[test]
fn maps_names_of_the_return_leg() {
    for (name, expected) in [
        ("RTO Out For Delivery", Status::ReturnOutForDelivery),
        ("RTO OOD", Status::ReturnOutForDelivery),
        ("RTO-Undelivered", Status::ReturnInTransit),
        ("rto_reached_destination", Status::ReturnInTransit),
        ("RTO Booked", Status::ReturnInitiated),
        ("Return Picked Up", Status::ReturnInTransit),
        ("Return Pickup Failed", Status::ReturnInitiated),
        ("RTO Cancelled", Status::Cancelled),
        ("Return Pickup Cancelled", Status::Cancelled),
        ("Return Lost", Status::Lost),
        ("RETURN Accepted", Status::Unknown),
        ("Return Request Cancelled", Status::Unknown),
        ("RTO RTO Delivered", Status::Returned),
    ] {
        assert_eq!(of(name), (expected, Leg::Return), "{name}");
    }
}

#[test]
fn only_known_words_without_a_status_are_neutral() {
    for code in CODES.iter().flat_map(|(_, codes)| codes.split(' ')) {
        assert_eq!(is_neutral(code), NEUTRAL.split(' ').any(|word| word == code), "{code}");
    }
    for name in ["rclo", "Others", "Pending/Not found", "RTO Others", "Return Closed"] {
        assert!(is_neutral(name), "{name}");
    }
    for name in [
        "",
        "Cancelled",
        "RCAN",
        "Return Cancelled",
        "Closed",
        "RETURN Accepted",
        "Return Lost",
        "RXYZ",
    ] {
        assert!(!is_neutral(name), "{name}");
    }
}

#[test]
fn code_maps_names_and_normalises_other_texts() {
    for (text, expected) in [
        ("DEL", "DEL"),
        (" del", "DEL"),
        ("Delivered", "DEL"),
        ("In-Transit", "INT"),
        ("Left  hub_1", "LEFT HUB 1"),
    ] {
        assert_eq!(code(text), expected, "{text}");
    }
}

#[test]
fn similar_names_are_unknown() {
    for name in [
        "Not Delivered",
        "Delivered to consignee",
        "To be delivered",
        "Returnable",
        "Status Pending",
        "Delivere",
        "डिलीवर",
        "\u{202e}DEL",
    ] {
        assert_eq!(of(name), (Status::Unknown, Leg::Outbound), "{name}");
    }
}

#[test]
fn names_are_normalised_and_map_to_known_codes() {
    for (name, code) in NAMES {
        assert_eq!(normalise(name), *name);
        assert!(status(code) != Status::Unknown || is_neutral(code), "{name}");
        assert_eq!(status(name), Status::Unknown, "{name} is a code already");
    }
}
