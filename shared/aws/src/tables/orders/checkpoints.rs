//! The newest scans of a parcel, in a row of their own: entries stay small, and a status change does
//! not rewrite them.

use domain::core::hash::Fingerprint;
use domain::core::id::{Awb, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::view::Checkpoints;
use domain::tracking::report::Scan;

use super::{Orders, sort_key};
use crate::error::IoError;
use crate::tables::attr::{Item, bytes, compress, decompress, item, read_bytes, text};
use crate::tables::expression::attr;
use crate::tables::keys::order_pk;
use crate::tables::write::Write;

const PREFIX: &str = "checkpoints:";

/// The scans that came with a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCheckpoints<'a> {
    pub awb: &'a Awb,
    /// When the report happened.
    pub at: Timestamp,
    /// Oldest first.
    pub scans: &'a [Scan],
}

impl NewCheckpoints<'_> {
    /// Identifies the scans, so that the same ones are written once.
    pub fn hash(&self) -> String {
        let mut hash = Fingerprint::of("checkpoints");
        for Scan { at, activity, location } in self.scans {
            let at = at.map(|at| at.millis().to_be_bytes());
            hash = hash.with_option(at.as_ref()).with_option(activity.as_ref());
            hash = hash.with_option(location.as_ref());
        }
        hash.finish().chars().take(8).collect()
    }
}

impl Orders {
    /// Stores the scans of a parcel, unless a later report has stored its own.
    pub async fn put_checkpoints(
        &self,
        key: &OrderKey,
        new: &NewCheckpoints<'_>,
    ) -> Result<(), IoError> {
        let content = serde_json::to_vec(new.scans)
            .map_err(|_| IoError::unreadable("serde_json", "checkpoints"))?;
        let at = text(new.at.to_string());
        let row = item([
            ("pk", text(order_pk(key))),
            ("sk", text(format!("{PREFIX}{}", new.awb.canonical()))),
            ("at", at.clone()),
            ("scans", bytes(compress(&content))),
        ]);
        let is_newest = attr("at").absent().or(attr("at").at_most(at));
        Write::put(&self.table, row).only_if(is_newest).send(&self.client).await.map(drop)
    }
}

/// Those among the rows of an order.
pub(super) fn read(rows: &[Item]) -> Result<Checkpoints, IoError> {
    let parcels = rows.iter().filter_map(|row| Some((sort_key(row).strip_prefix(PREFIX)?, row)));
    parcels.map(|(awb, row)| read_row(awb, row)).collect()
}

fn read_row(awb: &str, row: &Item) -> Result<(Awb, Vec<Scan>), IoError> {
    let unreadable = || IoError::unreadable("dynamodb", "scans");
    let content = decompress(read_bytes(row, "scans").ok_or_else(unreadable)?)?;
    let scans = serde_json::from_slice(&content).map_err(|_| unreadable())?;
    Ok((Awb::parse(awb).map_err(|_| unreadable())?, scans))
}
