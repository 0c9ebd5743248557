//! Polled orders: the last run, without faults, brings everything that the carrier knows. What was
//! told before is judged with the other reports of an order.

use domain::tracking::entry::ReportFacts;

use super::rows::PolledRow;
use crate::judge::orders::{Orders, StoredOrder};
use crate::world::State;

pub(super) fn judge(state: &State, orders: &Orders) -> Vec<String> {
    let mut findings = Vec::new();
    let rows = state.polled_rows();
    for stored in orders.values() {
        findings.extend(foreign_scans(state, stored));
        let own = rows.iter().filter(|row| row.key == stored.key);
        let missing = own.filter_map(|row| missing(state, stored, row));
        findings.extend(missing.map(|missing| format!("{} {missing}", stored.name())));
    }
    findings
}

/// What the carrier knows and the timeline does not have.
fn missing(state: &State, stored: &StoredOrder, row: &PolledRow) -> Option<String> {
    let polling = state.carrier.polling?;
    polling.shop(&stored.key.account)?;
    let awb = &row.active.awb;
    if !sources::shipway::tracking_api::is_pollable(awb) {
        return None;
    }
    let truth = state.truth_about(&stored.key)?;
    if stored.entries.iter().any(|entry| entry.id == truth.id) {
        return None;
    }
    let last_run = state.last_run()?.started_at;
    // Not asked about before its wait is over: the carrier did not know it, or did not answer.
    let backs_off = row.active.unknown.as_ref().is_some_and(|unknown| {
        unknown.ask_after > last_run && state.ledger.polling.untold.contains(&stored.key)
    });
    (!backs_off).then(|| format!("lacks {} of {:?}", truth.id, truth.source_status))
}

/// The places of the carrier's scans tell which parcel they are of.
fn foreign_scans(state: &State, stored: &StoredOrder) -> Vec<String> {
    let Some(parcel) = state.carrier.parcel_of(&stored.key) else { return Vec::new() };
    let own = parcel.place_prefix();
    let reports = stored.entries.iter().filter_map(|entry| entry.report());
    let of_carrier = reports.filter(|report| report.source.as_str() == "shipway");
    let is_foreign = |report: &&ReportFacts| {
        report.location.as_ref().is_some_and(|place| !place.starts_with(&own))
    };
    let foreign = of_carrier.filter(is_foreign);
    foreign
        .map(|report| format!("{} has a scan of {:?}", stored.key.order, report.location))
        .collect()
}
