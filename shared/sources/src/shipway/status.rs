//! Shipway's status codes.
//!
//! Source of codes and names: the list in Shipway's PHP SDK for its orders API. Its "reverse" group
//! gives the codes of the return leg. Reasons for a failed attempt (`SHNDR…`, `SHPFR…`, `RTONDR…`)
//! are not statuses.

use domain::tracking::status::{Leg, Status};

use crate::text::normalise;

/// Names sent in place of codes. A name that the list has for both legs, such as `Picked Up`,
/// counts as outbound: as a return it would end the outbound leg too early.
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
    ("OTHERS", "OTH"),
    ("OTHER", "OTH"),
    ("NOT FOUND", "NFI"),
    ("PENDING/NOT FOUND", "NFI"),
];

/// Maps a code or name to a status and a leg.
pub(super) fn of(text: &str) -> (Status, Leg) {
    let code = code(text);
    match (status(&code), return_name(&code)) {
        (Status::Unknown, Some(rest)) => (status(&self::code(rest)).of_return(), Leg::Return),
        (status, _) => (status, leg(&code)),
    }
}

/// True for codes and names with a meaning.
pub(super) fn is_known(text: &str) -> bool {
    of(text).0 != Status::Unknown || is_neutral(text)
}

/// True for codes and names that say nothing about the status: closed, other, not found. They never
/// apply, and they are no reason for an alarm.
pub(super) fn is_neutral(text: &str) -> bool {
    let code = code(text);
    let rest = return_name(&code).map(self::code);
    matches!(code.as_str(), "RCLO" | "ROTH" | "OTH" | "NFI" | "NFIDS")
        || rest.is_some_and(|rest| matches!(rest.as_str(), "OTH" | "CLOSED"))
}

/// Maps a name to its code. Other texts are only normalised.
pub(super) fn code(text: &str) -> String {
    let text = normalise(text);
    NAMES.iter().find(|(name, _)| *name == text).map_or(text, |(_, code)| (*code).to_owned())
}

/// The status in a name of the return leg, e.g. `RTO UNDELIVERED`.
fn return_name(name: &str) -> Option<&str> {
    ["RTO ", "RETURN "].into_iter().find_map(|prefix| name.strip_prefix(prefix))
}

fn status(code: &str) -> Status {
    match code {
        "SCH" | "OFP" => Status::Processing,
        "PKF" => Status::PickupFailed,
        "PKP" | "PUP" => Status::PickedUp,
        "INT" | "RAD" => Status::InTransit,
        "OOD" => Status::OutForDelivery,
        "UND" | "CRTA" | "CNA" | "PNR" | "22" | "23" | "24" | "25" => Status::Undelivered,
        "ONH" | "DNB" | "SMD" | "DRE" | "FDR" => Status::Delayed,
        "NWI" | "ODA" | "DEX" => Status::Exception,
        "LOST" => Status::Lost,
        "DEL" => Status::Delivered,
        "CAN" | "PCAN" | "RCAN" => Status::Cancelled,
        "RTO" | "RSCH" | "ROOP" | "ROFP" | "RPSH" | "RPF" => Status::ReturnInitiated,
        "RPKP" | "RINT" | "RSMD" | "RUND" | "RPEX" => Status::ReturnInTransit,
        "ROOD" => Status::ReturnOutForDelivery,
        "RTD" | "RDEL" => Status::Returned,
        _ => Status::Unknown,
    }
}

/// Reverse codes are about a parcel that the shopper sends back. `RTO` and `RTD` are about the
/// outbound parcel.
fn leg(code: &str) -> Leg {
    match code {
        "RSCH" | "ROOP" | "ROFP" | "RPKP" | "RINT" | "RDEL" | "RCAN" | "RCLO" | "RPSH" | "RSMD"
        | "ROOD" | "RUND" | "RPEX" | "ROTH" | "RPF" => Leg::Return,
        _ => Leg::Outbound,
    }
}

#[cfg(test)]
mod tests;
