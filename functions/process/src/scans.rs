//! Which scans a report stores.

use domain::core::hash::Fingerprint;
use domain::tracking::report::{ParcelScans, Scan};
use domain::tracking::timeline::Commit;

/// The scans to store with a report: of the newest one of a parcel, unless they are the same as
/// before. A report of the whole order has those of its only parcel.
pub(crate) fn new_scans(commit: &mut Commit, scans: &[Scan]) -> Option<ParcelScans> {
    let only = match commit.state.parcels.as_slice() {
        [parcel] => Some(parcel.awb.clone()),
        _ => None,
    };
    let awb = commit.entry.awb().cloned().or(only)?;
    if scans.is_empty() || commit.entry.late {
        return None;
    }
    let hash = hash_of(scans);
    let mut parcels = commit.state.parcels.iter_mut();
    let parcel = parcels.find(|parcel| parcel.awb.is_same_parcel(&awb))?;
    if parcel.checkpoints.as_ref() == Some(&hash) {
        return None;
    }
    parcel.checkpoints = Some(hash);
    let (awb, at) = (awb.canonical(), commit.entry.occurred_at);
    Some(ParcelScans { awb, at, scans: scans.to_vec() })
}

/// Identifies scans, so that the same ones are written once.
fn hash_of(scans: &[Scan]) -> String {
    let mut hash = Fingerprint::of("checkpoints");
    for Scan { at, activity, location } in scans {
        let at = at.map(|at| at.millis().to_be_bytes());
        hash = hash.with_option(at.as_ref()).with_option(activity.as_ref());
        hash = hash.with_option(location.as_ref());
    }
    hash.finish().chars().take(8).collect()
}
