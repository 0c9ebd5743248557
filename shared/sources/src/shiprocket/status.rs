//! What Shiprocket's status ids and labels mean.
//!
//! Shiprocket has two tables, and the same number means different things in them: `shipment_status_id` is of the
//! SHIPMENT table, `current_status_id` of the ORDER table (20 is a pickup exception there, in transit here). Ids and
//! names: Shiprocket's API collection, "tracking" and "orders"; that the webhook uses both: live bodies.

use Status::{
    Cancelled, Delayed, Delivered, Exception, InTransit, Lost, OutForDelivery, PickedUp,
    Processing, ReturnInTransit, ReturnInitiated, ReturnOutForDelivery, Returned, Undelivered,
    Unknown,
};
use domain::tracking::status::Status;

use crate::text::normalise;

mod order;

/// The SHIPMENT table: id, normalised label, meaning. A cancellation that is only asked for says nothing yet.
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
    (13, "PICKUP ERROR", Exception),
    (14, "RTO ACKNOWLEDGED", ReturnInitiated),
    (15, "PICKUP RESCHEDULED", Processing),
    (16, "CANCELLATION REQUESTED", Unknown),
    (17, "OUT FOR DELIVERY", OutForDelivery),
    (18, "IN TRANSIT", InTransit),
    (19, "OUT FOR PICKUP", Processing),
    (20, "PICKUP EXCEPTION", Exception),
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
    (71, "HANDOVER EXCEPTION", Exception),
    (72, "PACKED EXCEPTION", Exception),
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

/// Labels that only the ORDER table or live bodies use.
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
];

/// Parts of longer labels, such as `UNDELIVERED-1ST ATTEMPT` or `IN TRANSIT-EN-ROUTE`, first hit first: whatever
/// says that a parcel is *not* delivered stands before `DELIVERED`.
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
    ("DESTINATION HUB", InTransit),
    ("DELAYED", Delayed),
    ("DELIVERED", Delivered),
];

/// What an id of the SHIPMENT table means; nothing for one that the table does not have.
pub(super) fn of_shipment(id: &str) -> Option<Status> {
    let id: u16 = id.parse().ok()?;
    SHIPMENT.iter().find(|(known, ..)| *known == id).map(|(.., status)| *status)
}

/// What an id of the ORDER table means; nothing for one that the table does not have.
pub(super) fn of_order(id: &str) -> Option<Status> {
    let id: u16 = id.parse().ok()?;
    order::LABELS.iter().find(|(known, _)| *known == id).map(|(_, label)| of_label(label))
}

/// What a label means, however it is spelt.
pub(super) fn of_label(label: &str) -> Status {
    let label = normalise(label);
    if let Some(status) = exactly(&label) {
        return status;
    }
    let way = |word: &&str| !matches!(*word, "RTO" | "RETURN" | "RETURNED");
    let rest = label.split(' ').filter(way).collect::<Vec<_>>().join(" ");
    let status = exactly(&rest).unwrap_or_else(|| partly(&rest));
    if rest == label { status } else { status.on_return_leg() }
}

fn exactly(label: &str) -> Option<Status> {
    let shipment = SHIPMENT.iter().map(|(_, known, status)| (*known, *status));
    shipment
        .chain(OTHER_LABELS.iter().copied())
        .find(|(known, _)| *known == label)
        .map(|(_, status)| status)
}

fn partly(label: &str) -> Status {
    PARTS.iter().find(|(part, _)| label.contains(part)).map_or(Unknown, |(_, status)| *status)
}

#[cfg(test)]
mod tests;
