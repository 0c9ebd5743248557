//! The order as the aggregate of its parcels: it is where the least advanced one is that counts.

use crate::core::timestamp::Timestamp;
use crate::tracking::entry::Direction;
use crate::tracking::fold::Travelled;
use crate::tracking::journey::Journey;
use crate::tracking::state::{Cancellation, TrackingState};
use crate::tracking::status::{Leg, Status};

type ParcelRef<'t, 'p, 'a> = &'t Travelled<'p, 'a>;

/// A forward parcel's part in the order's status, or that of the return parcel that stands in for
/// it.
struct Part<'j> {
    status: Status,
    journey: &'j Journey,
}

/// `order` is the journey of the reports that name no parcel. It decides where no parcel counts.
pub(super) fn aggregate(parcels: &[Travelled<'_, '_>], order: &Journey) -> TrackingState {
    let forward = counting_forward(parcels);
    let returns: Vec<ParcelRef<'_, '_, '_>> = parcels.iter().filter(counts_as_return).collect();
    let pickup = forward.iter().filter_map(|it| it.journey.picked_up_at).min();
    let mut parts: Vec<Part<'_>> = Vec::new();
    for it in &forward {
        let stand_ins = returns.iter().filter(|back| stands_in(back, it, &forward));
        let stand_in = stand_ins.map(|back| &back.journey).min_by_key(|journey| journey.status);
        parts.push(match stand_in {
            Some(journey) => Part { status: journey.status, journey },
            None => own_part(it, pickup),
        });
    }
    if forward.is_empty() {
        let back = returns.iter().map(|it| &it.journey);
        parts.extend(back.map(|journey| Part { status: journey.status, journey }));
    }
    // The latest of equally advanced parcels gives words and times.
    let decisive = parts.iter().min_by(|one, other| {
        let rank = |part: &Part<'_>| (part.status, std::cmp::Reverse(part.journey.since));
        rank(one).cmp(&rank(other))
    });
    let mut tracking = decisive.map_or_else(|| of(order), |part| of_part(part, pickup));
    let journeys: Vec<&Journey> = forward.iter().map(|it| &it.journey).collect();
    add_milestones(&mut tracking, if journeys.is_empty() { vec![order] } else { journeys });
    let without_parcel = forward.is_empty().then_some(order);
    let journeys = parcels.iter().map(|it| &it.journey).chain(without_parcel);
    tracking.attempts = journeys.map(Journey::attempts).max().unwrap_or_default();
    tracking
}

/// Once a parcel of the order is picked up, those that wait for it do not hold the order back.
fn own_part<'t>(it: &'t Travelled<'_, '_>, pickup: Option<Timestamp>) -> Part<'t> {
    let is_held = pickup.is_some() && waits_for_pickup(it);
    let status = if is_held { Status::PickedUp } else { it.journey.status };
    Part { status, journey: &it.journey }
}

/// Forward parcels that were not replaced. Those cancelled or lost are left out while another one
/// is not, and so are learnt ones that only stand beside a parcel on its way or an exchange.
fn counting_forward<'t, 'p, 'a>(parcels: &'t [Travelled<'p, 'a>]) -> Vec<ParcelRef<'t, 'p, 'a>> {
    let mut counting: Vec<ParcelRef<'t, 'p, 'a>> = Vec::new();
    for it in parcels {
        let is_forward = it.parcel.direction == Direction::Forward;
        if is_forward && !it.replaced && !is_exchange(it, &counting) {
            counting.push(it);
        }
    }
    if counting.iter().any(|it| !it.has_failed()) {
        counting.retain(|it| !it.has_failed());
    }
    if counting.iter().any(|it| it.journey.picked_up_at.is_some()) {
        counting.retain(|it| !(it.parcel.learnt && waits_for_pickup(it)));
    }
    counting
}

/// A learnt parcel whose first report happened after all earlier ones were delivered.
fn is_exchange(it: &Travelled<'_, '_>, earlier: &[ParcelRef<'_, '_, '_>]) -> bool {
    let Some((first, _)) = it.parcel.own.first() else { return false };
    let is_delivered_before = |other: &ParcelRef<'_, '_, '_>| {
        other.journey.delivered_at.is_some_and(|at| at < first.occurred_at)
    };
    it.parcel.learnt && !earlier.is_empty() && earlier.iter().all(is_delivered_before)
}

fn waits_for_pickup(it: &Travelled<'_, '_>) -> bool {
    let journey = &it.journey;
    let has_moved = journey.picked_up_at.is_some() || journey.status.shows_pickup();
    !has_moved && journey.ended.is_none()
}

/// From its first own report until it is called off.
fn counts_as_return(it: &ParcelRef<'_, '_, '_>) -> bool {
    let has_begun = it.journey.is_returning() && began(it).is_some();
    it.parcel.direction == Direction::Return && !it.replaced && has_begun
}

fn began(it: &Travelled<'_, '_>) -> Option<Timestamp> {
    it.parcel.own.iter().find(|(_, report)| report.has_status()).map(|(entry, _)| entry.occurred_at)
}

/// A return parcel stands in for the forward parcel that announced it, else for those that were
/// delivered or on the return leg when it began, else for all.
fn stands_in(
    back: &Travelled<'_, '_>,
    it: &Travelled<'_, '_>,
    forward: &[ParcelRef<'_, '_, '_>],
) -> bool {
    let announced =
        |it: &Travelled<'_, '_>| back.parcel.announced_by.contains(&it.parcel.awb.canonical());
    let began = began(back);
    let was_before = |at: Option<Timestamp>| at.is_some_and(|at| Some(at) <= began);
    let had_arrived = |it: &Travelled<'_, '_>| {
        was_before(it.journey.delivered_at) || was_before(it.journey.return_since)
    };
    if forward.iter().any(|it| announced(it)) {
        announced(it)
    } else if forward.iter().any(|it| had_arrived(it)) {
        had_arrived(it)
    } else {
        true
    }
}

fn of_part(part: &Part<'_>, pickup: Option<Timestamp>) -> TrackingState {
    let own = of(part.journey);
    if part.status == own.status {
        return own;
    }
    TrackingState {
        status: part.status,
        since: pickup,
        label: part.status.title().to_owned(),
        ..own
    }
}

fn of(journey: &Journey) -> TrackingState {
    TrackingState {
        status: journey.status,
        since: journey.since,
        label: journey.label.clone(),
        location: journey.location.clone(),
        eta: journey.eta,
        attempts: 0,
        assigned_at: None,
        accepted_at: None,
        completed_at: None,
        cancellation: None,
    }
}

/// An order is complete, or cancelled, when the last of its parcels is.
fn add_milestones(tracking: &mut TrackingState, journeys: Vec<&Journey>) {
    tracking.assigned_at = journeys.iter().find_map(|it| it.assigned_at);
    tracking.accepted_at = journeys.iter().find_map(|it| it.accepted_at);
    let completed: Option<Vec<Timestamp>> = journeys.iter().map(|it| it.completed_at).collect();
    tracking.completed_at = completed.and_then(|all| all.into_iter().max());
    let cancelled: Option<Vec<&Cancellation>> =
        journeys.iter().map(|it| it.cancellation.as_ref()).collect();
    let last = cancelled.and_then(|all| all.into_iter().max_by_key(|it| it.at).cloned());
    let may_be_cancelled =
        tracking.status == Status::Cancelled || tracking.status.leg() == Some(Leg::Return);
    tracking.cancellation = last.filter(|_| may_be_cancelled);
}
