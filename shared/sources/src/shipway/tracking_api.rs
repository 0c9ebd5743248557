//! Shipway's tracking API: one request for many parcels, and its response.
//!
//! Source of address and response: client code and responses that implementers published. Items are
//! matched by AWB, not by position, because Shipway leaves unknown parcels out.

mod answer;
mod parcel;

use std::collections::{BTreeMap, BTreeSet};

use domain::core::id::{AccountCode, Awb, OrderId};
use domain::tracking::report::Report;

use parcel::Parcel;

pub use answer::{MAX_ANSWER, UnreadableAnswer};

/// Longest AWB that is queried, in bytes. Carriers use up to thirty.
const MAX_AWB: usize = 64;

/// An order to poll.
#[derive(Debug, Clone, Copy)]
pub struct TrackingQuery<'a> {
    pub account: &'a AccountCode,
    pub order_id: &'a OrderId,
    /// As the order spells it.
    pub awb: &'a Awb,
}

/// The result for one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParcelAnswer {
    Known(Box<Report>),
    /// Shipway does not know the parcel, or not yet.
    Unknown,
}

/// True if the AWB needs no escaping in the query string.
pub fn is_pollable(awb: &Awb) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    awb.as_str().len() <= MAX_AWB && awb.as_str().bytes().all(plain)
}

/// The path and query for these parcels below the API's address: each once, without those that
/// [`is_pollable`] rejects.
pub fn path_and_query(awbs: &[Awb]) -> String {
    let mut seen = BTreeSet::new();
    let awbs = awbs.iter().filter(|awb| is_pollable(awb)).map(Awb::as_str);
    let list: Vec<&str> = awbs.filter(|awb| seen.insert(*awb)).collect();
    format!("/api/tracking?awb_numbers={}&tracking_history=1", list.join(","))
}

/// Reads a response and returns one result per query, in the order of the queries. Invalid items of
/// a valid response are left out.
pub fn read(
    queries: &[TrackingQuery<'_>],
    body: &[u8],
) -> Result<Vec<ParcelAnswer>, UnreadableAnswer> {
    let items = answer::read(body)?;
    let parcels = Parcels::of(items.into_iter().filter_map(Parcel::of), queries);
    let answers = queries.iter().map(|query| {
        let report = parcels.find(query.awb).map(|parcel| parcel.report(query));
        report.map_or(ParcelAnswer::Unknown, |report| ParcelAnswer::Known(Box::new(report)))
    });
    Ok(answers.collect())
}

/// The queried parcels of a response, by normalised AWB.
struct Parcels(BTreeMap<String, Vec<Parcel>>);

impl Parcels {
    fn of(parcels: impl Iterator<Item = Parcel>, queries: &[TrackingQuery<'_>]) -> Self {
        let mut by_awb: BTreeMap<_, _> =
            queries.iter().map(|query| (spelling(query.awb), Vec::new())).collect();
        for parcel in parcels {
            if let Some(same) = by_awb.get_mut(&spelling(&parcel.awb)) {
                same.push(parcel);
            }
        }
        Self(by_awb)
    }

    /// Prefers the closest spelling, then the newest scan.
    fn find(&self, awb: &Awb) -> Option<&Parcel> {
        let same = self.0.get(&spelling(awb))?;
        same.iter().max_by_key(|parcel| {
            (parcel.awb == *awb, parcel.awb.is_same_parcel(awb), parcel.newest())
        })
    }
}

/// Upper case, without the leading zeros that a JSON number loses.
fn spelling(awb: &Awb) -> String {
    awb.canonical().as_str().to_ascii_uppercase()
}

#[cfg(test)]
mod tests;
