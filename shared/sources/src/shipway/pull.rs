//! Asking Shipway about parcels: the request for many at once, and what its answer says of each.
//!
//! The address and the answer's shape: code that calls it, and answers that implementers published. It is matched by
//! AWB, never by place: parcels that Shipway does not know are left out.

mod answer;
mod parcel;

use std::collections::{BTreeMap, BTreeSet};

use domain::core::id::{AccountCode, Awb, OrderId};
use domain::core::timestamp::Timestamp;
use domain::tracking::report::Report;

use crate::Received;
use parcel::Parcel;

pub use answer::{MAX_ANSWER, UnreadableAnswer};

/// The longest AWB that is asked for, in bytes. Carriers' numbers have thirty at most.
const LONGEST: usize = 64;

/// An order that Shipway is asked about.
#[derive(Debug, Clone, Copy)]
pub struct TrackingQuery<'a> {
    /// Whose it is.
    pub account: &'a AccountCode,
    /// The order.
    pub order_id: &'a OrderId,
    /// Its parcel, as the order spells it.
    pub awb: &'a Awb,
}

/// What Shipway says of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParcelAnswer {
    /// This claim about its parcel.
    Known(Box<Report>),
    /// Nothing: it does not know the parcel, or not yet.
    Unknown,
}

/// Whether Shipway can be asked for it: a list of AWBs in an address has no room for other characters.
pub fn can_be_asked(awb: &Awb) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    awb.as_str().len() <= LONGEST && awb.as_str().bytes().all(plain)
}

/// Where to ask for these, below the API's address; each once, without those that cannot be asked for. What is left
/// stands in an address as it is.
pub fn path_and_query(awbs: &[Awb]) -> String {
    let mut asked = BTreeSet::new();
    let awbs = awbs.iter().filter(|awb| can_be_asked(awb)).map(Awb::as_str);
    let list: Vec<&str> = awbs.filter(|awb| asked.insert(*awb)).collect();
    format!("/api/tracking?awb_numbers={}&tracking_history=1", list.join(","))
}

/// What the answer that came in `at` says of each order, in the order of `asked`.
///
/// # Errors
/// It is no answer to this question: nothing is known of any of them then. An odd item of a good answer is left out.
pub fn read(
    asked: &[TrackingQuery<'_>],
    body: &[u8],
    at: Timestamp,
) -> Result<Vec<ParcelAnswer>, UnreadableAnswer> {
    let items = answer::read(body)?;
    let parcels = Parcels::of(items.into_iter().filter_map(Parcel::of), asked);
    let found = asked.iter().map(|asked| {
        let received = Received { account: Some(asked.account), at, body };
        let report = parcels.find(asked.awb).map(|parcel| parcel.report(asked, &received));
        report.map_or(ParcelAnswer::Unknown, |report| ParcelAnswer::Known(Box::new(report)))
    });
    Ok(found.collect())
}

/// The parcels of an answer that were asked for, by what all spellings of a number have in common.
struct Parcels(BTreeMap<String, Vec<Parcel>>);

impl Parcels {
    fn of(parcels: impl Iterator<Item = Parcel>, asked: &[TrackingQuery<'_>]) -> Self {
        let mut known: BTreeMap<_, _> =
            asked.iter().map(|asked| (spelling(asked.awb), Vec::new())).collect();
        for parcel in parcels {
            if let Some(same) = known.get_mut(&spelling(&parcel.awb)) {
                same.push(parcel);
            }
        }
        Self(known)
    }

    /// The closest spelling counts, and of one spelling the newest news.
    fn find(&self, awb: &Awb) -> Option<&Parcel> {
        let same = self.0.get(&spelling(awb))?;
        same.iter().max_by_key(|parcel| {
            (parcel.awb == *awb, parcel.awb.is_same_parcel(awb), parcel.newest())
        })
    }
}

/// Upper case, and without the zeros that a number loses in JSON.
fn spelling(awb: &Awb) -> String {
    awb.spellings().last().as_ref().unwrap_or(awb).as_str().to_ascii_uppercase()
}

#[cfg(test)]
mod tests;
