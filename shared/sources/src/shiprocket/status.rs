//! Shiprocket's status ids and labels.
//!
//! The two tables give the same number different meanings: `shipment_status_id` is of the SHIPMENT
//! table, `current_status_id` of the ORDER table (20 is a pickup exception in SHIPMENT, in transit
//! in ORDER). Source of ids and names: Shiprocket's API collection, "tracking" and "orders". Live
//! bodies use both tables.

use Status::{
    Cancelled, Delayed, Delivered, Exception, InTransit, Lost, OutForDelivery, PickedUp,
    PickupFailed, Processing, ReturnInTransit, ReturnInitiated, ReturnOutForDelivery, Returned,
    Undelivered, Unknown,
};
use domain::tracking::status::{Leg, Status};

use crate::text::normalise;

mod order;

/// The SHIPMENT table: id, normalised label, status. A requested cancellation has no effect yet.
const SHIPMENT: &[(u16, &str, Status)] = &[
    (1, "AWB ASSIGNED", Processing),
    (2, "LABEL GENERATED", Processing),
    (3, "PICKUP SCHEDULED", Processing),
    (4, "PICKUP QUEUED", Processing),
    (5, "MANIFEST GENERATED", Processing),
    (6, "SHIPPED", InTransit),
    (7, "DELIVERED", Delivered),
    (8, "CANCELLED", Cancelled),
    (9, "RTO INITIATED", ReturnInitiated),
    (10, "RTO DELIVERED", Returned),
    (11, "PENDING", Processing),
    (12, "LOST", Lost),
    (13, "PICKUP ERROR", PickupFailed),
    (14, "RTO ACKNOWLEDGED", ReturnInitiated),
    (15, "PICKUP RESCHEDULED", Processing),
    (16, "CANCELLATION REQUESTED", Unknown),
    (17, "OUT FOR DELIVERY", OutForDelivery),
    (18, "IN TRANSIT", InTransit),
    (19, "OUT FOR PICKUP", Processing),
    (20, "PICKUP EXCEPTION", PickupFailed),
    (21, "UNDELIVERED", Undelivered),
    (22, "DELAYED", Delayed),
    (23, "PARTIAL DELIVERED", Exception),
    (24, "DESTROYED", Lost),
    (25, "DAMAGED", Exception),
    (26, "FULFILLED", Delivered),
    (27, "PICKUP BOOKED", Processing),
    (38, "REACHED AT DESTINATION HUB", InTransit),
    (39, "MISROUTED", Exception),
    (40, "RTO NDR", ReturnInitiated),
    (41, "RTO OFD", ReturnOutForDelivery),
    (42, "PICKED UP", PickedUp),
    (43, "SELF FULFILLED", Delivered),
    (44, "DISPOSED OFF", Lost),
    (45, "CANCELLED BEFORE DISPATCHED", Cancelled),
    (46, "RTO IN TRANSIT", ReturnInTransit),
    (47, "QC FAILED", Exception),
    (48, "REACHED WAREHOUSE", InTransit),
    (49, "CUSTOM CLEARED", InTransit),
    (50, "IN FLIGHT", InTransit),
    (51, "HANDOVER TO COURIER", PickedUp),
    (52, "SHIPMENT BOOKED", Processing),
    (54, "IN TRANSIT OVERSEAS", InTransit),
    (55, "CONNECTION ALIGNED", InTransit),
    (56, "REACHED OVERSEAS WAREHOUSE", InTransit),
    (57, "CUSTOM CLEARED OVERSEAS", InTransit),
    (59, "BOX PACKING", Processing),
    (60, "FC ALLOCATED", Processing),
    (61, "PICKLIST GENERATED", Processing),
    (62, "READY TO PACK", Processing),
    (63, "PACKED", Processing),
    (67, "FC MANIFEST GENERATED", Processing),
    (68, "PROCESSED AT WAREHOUSE", Processing),
    (71, "HANDOVER EXCEPTION", PickupFailed),
    (72, "PACKED EXCEPTION", PickupFailed),
    (75, "RTO LOCK", ReturnInitiated),
    (76, "UNTRACEABLE", Lost),
    (77, "ISSUE RELATED TO THE RECIPIENT", Undelivered),
    (78, "REACHED BACK AT SELLER CITY", ReturnInTransit),
    (79, "RIDER ASSIGNED", Processing),
    (80, "RIDER UNASSIGNED", Processing),
    (81, "RIDER ASSIGNED", Processing),
    (82, "RIDER REACHED AT DROP", OutForDelivery),
    (83, "SEARCHING FOR RIDER", Processing),
];

/// Labels found only in the ORDER table or in live bodies.
const OTHER_LABELS: &[(&str, Status)] = &[
    ("NEW", Processing),
    ("INVOICED", Processing),
    ("READY TO SHIP", Processing),
    ("PICKUP GENERATED", Processing),
    ("PICKUP QUEUE", Processing),
    ("BOOKED", Processing),
    ("DARKSTORE SCHEDULED", Processing),
    ("ALLOCATION IN PROGRESS", Processing),
    ("RTO", ReturnInitiated),
    ("RETURN INITIATED", ReturnInitiated),
    ("RETURN ACKNOWLEGED", ReturnInitiated),
    ("RETURN ACKNOWLEDGED", ReturnInitiated),
    ("RETURNED", Returned),
    ("RTO LOCKED", ReturnInitiated),
    ("RTO COMPLETE", Returned),
    ("RTO COMPLETED", Returned),
    ("SHIPMENT LOST", Lost),
    ("SELF FULFILED", Delivered),
];

/// Parts of longer labels, such as `UNDELIVERED-1ST ATTEMPT` or `IN TRANSIT-EN-ROUTE`. The first
/// match counts, so every form of *not* delivered precedes `DELIVERED`.
const PARTS: &[(&str, Status)] = &[
    ("CANCELLATION", Unknown),
    ("CANCELLED", Cancelled),
    ("CANCELED", Cancelled),
    ("UNDELIVERED", Undelivered),
    ("NOT DELIVERED", Undelivered),
    ("NOT BE DELIVERED", Undelivered),
    ("BE DELIVERED", Unknown),
    ("PARTIAL", Exception),
    ("OUT FOR DELIVERY", OutForDelivery),
    ("OUT FOR PICKUP", Processing),
    ("PICKED UP", PickedUp),
    ("IN TRANSIT", InTransit),
    ("INTRANSIT", InTransit),
    ("DESTINATION HUB", InTransit),
    ("DELAYED", Delayed),
    ("DELIVERED", Delivered),
];

pub(super) fn of_shipment(id: &str) -> Option<Status> {
    let id: u16 = id.parse().ok()?;
    SHIPMENT.iter().find(|(known, ..)| *known == id).map(|(.., status)| *status)
}

pub(super) fn of_order(id: &str) -> Option<(Status, Leg)> {
    let id: u16 = id.parse().ok()?;
    let (_, label) = order::LABELS.iter().find(|(known, _)| *known == id)?;
    Some(of_label(label).unwrap_or((Unknown, Leg::Outbound)))
}

/// Maps a label in any spelling. `None` if it is not known; known labels without a meaning for the
/// order are [`Unknown`]. The leg is `Return` for a cancelled or lost return; other statuses of a
/// return tell it themselves.
pub(super) fn of_label(label: &str) -> Option<(Status, Leg)> {
    let label = normalise(label).replace("RETURN TO ORIGIN", "RTO");
    if let Some(status) = by_full_label(&label) {
        return Some((status, Leg::Outbound));
    }
    let rest = without_return_markers(&label);
    let status = by_full_label(&rest).or_else(|| by_word(&rest)).or_else(|| by_part(&rest))?;
    if rest == label {
        return Some((status, Leg::Outbound));
    }
    let leg = if matches!(status, Cancelled | Lost) { Leg::Return } else { Leg::Outbound };
    Some((status.of_return(), leg))
}

/// True if a label names the return leg, whether or not it is known.
pub(super) fn names_return(label: &str) -> bool {
    let label = normalise(label);
    without_return_markers(&label) != label
}

fn without_return_markers(label: &str) -> String {
    let is_marker = |word: &str| matches!(word, "RTO" | "RETURN" | "RETURNED");
    label.split(' ').filter(|word| !is_marker(word)).collect::<Vec<_>>().join(" ")
}

fn by_full_label(label: &str) -> Option<Status> {
    let shipment = SHIPMENT.iter().map(|(_, known, status)| (*known, *status));
    shipment
        .chain(OTHER_LABELS.iter().copied())
        .find(|(known, _)| *known == label)
        .map(|(_, status)| status)
}

/// NDR, a non-delivery report: a failed attempt, whatever is done about it.
fn by_word(label: &str) -> Option<Status> {
    label.split(' ').any(|word| word == "NDR").then_some(Undelivered)
}

fn by_part(label: &str) -> Option<Status> {
    PARTS.iter().find(|(part, _)| label.contains(part)).map(|(_, status)| *status)
}

#[cfg(test)]
mod tests;
