//! What Shipway's codes mean.
//!
//! The codes and their names: the list of Shipway's PHP SDK for its orders API; which of them stand for the way back:
//! the same list's "reverse" group. Reasons for a failed attempt (`SHNDR…`, `SHPFR…`, `RTONDR…`) are no statuses.

use domain::tracking::status::{Leg, Status};

use crate::text::normalise;

/// Names that come in place of codes. One that the list has for both ways, such as `Picked Up`, is of the way out:
/// taken for a return, it would end an order's way out too early.
const NAMES: &[(&str, &str)] = &[
    ("BOOKED", "SCH"),
    ("SHIPMENT BOOKED", "SCH"),
    ("PICKUP SCHEDULED", "SCH"),
    ("OUT FOR PICKUP", "OFP"),
    ("PICKED UP", "PKP"),
    ("SHIPMENT PICKED UP", "PKP"),
    ("IN TRANSIT", "INT"),
    ("REACHED DESTINATION", "RAD"),
    ("OUT FOR DELIVERY", "OOD"),
    ("UNDELIVERED", "UND"),
    ("CUSTOMER REFUSED", "CRTA"),
    ("CONSIGNEE UNAVAILABLE", "CNA"),
    ("COD NOT READY", "PNR"),
    ("ADDRESS INCORRECT", "22"),
    ("DELIVERY ATTEMPTED", "23"),
    ("PENDING UNDELIVERED", "24"),
    ("PREMISES CLOSED", "25"),
    ("ON HOLD", "ONH"),
    ("DELIVERY NEXT DAY", "DNB"),
    ("DELIVERY DELAYED", "SMD"),
    ("RESCHEDULED", "DRE"),
    ("DELIVERY RESCHEDULED", "DRE"),
    ("FUTURE DELIVERY", "FDR"),
    ("NETWORK ISSUE", "NWI"),
    ("OUT OF DELIVERY AREA", "ODA"),
    ("DELIVERY EXCEPTION", "DEX"),
    ("PICKUP FAILED", "PKF"),
    ("DELIVERED", "DEL"),
    ("CANCELLED", "CAN"),
    ("CANCELED", "CAN"),
    ("PICKUP CANCELLED", "PCAN"),
    ("PICKUP CANCELED", "PCAN"),
    ("RTO INITIATED", "RTO"),
    ("RTO IN TRANSIT", "RINT"),
    ("RTO DELIVERED", "RTD"),
    ("RETURN IN TRANSIT", "RINT"),
    ("RETURN DELIVERED", "RDEL"),
];

/// What a code or a name means, and the leg that it speaks of.
pub(super) fn of(word: &str) -> (Status, Leg) {
    let code = code(word);
    match (status(&code), way_back(&code)) {
        (Status::Unknown, Some(rest)) => (status(&self::code(rest)).on_return_leg(), Leg::Return),
        (status, _) => (status, leg(&code)),
    }
}

/// The code that a name stands for; a word that is none of the names in its one spelling.
pub(super) fn code(word: &str) -> String {
    let word = normalise(word);
    NAMES.iter().find(|(name, _)| *name == word).map_or(word, |(_, code)| (*code).to_owned())
}

/// What a longer name, such as `RTO UNDELIVERED`, says of a parcel on its way back.
fn way_back(name: &str) -> Option<&str> {
    ["RTO ", "RETURN "].into_iter().find_map(|way| name.strip_prefix(way))
}

fn status(code: &str) -> Status {
    match code {
        "SCH" | "OFP" => Status::Processing,
        "PKP" | "PUP" => Status::PickedUp,
        "INT" | "RAD" => Status::InTransit,
        "OOD" => Status::OutForDelivery,
        "UND" | "CRTA" | "CNA" | "PNR" | "22" | "23" | "24" | "25" => Status::Undelivered,
        "ONH" | "DNB" | "SMD" | "DRE" | "FDR" => Status::Delayed,
        "NWI" | "ODA" | "DEX" | "PKF" => Status::Exception,
        "LOST" => Status::Lost,
        "DEL" => Status::Delivered,
        "CAN" | "PCAN" => Status::Cancelled,
        "RTO" | "RSCH" | "ROOP" | "ROFP" => Status::ReturnInitiated,
        "RPKP" | "RINT" => Status::ReturnInTransit,
        "ROOD" => Status::ReturnOutForDelivery,
        "RTD" | "RDEL" => Status::Returned,
        _ => Status::Unknown,
    }
}

/// The reverse codes are of a parcel that the shopper sends back, while `RTO` and `RTD` are of the one that was on its
/// way out.
fn leg(code: &str) -> Leg {
    match code {
        "RSCH" | "ROOP" | "ROFP" | "RPKP" | "RINT" | "RDEL" | "RCAN" | "RCLO" | "RPSH" | "RSMD"
        | "ROOD" | "RUND" | "RPEX" | "ROTH" | "RPF" => Leg::Return,
        _ => Leg::Outbound,
    }
}

#[cfg(test)]
mod tests;
