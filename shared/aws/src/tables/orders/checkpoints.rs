//! The newest scans of an order's parcels: in its state row while they are few, so that they cost no
//! write of their own, else in a row for each parcel.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::core::id::{Awb, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::order::Order;
use domain::orders::view::Checkpoints;
use domain::tracking::report::{ParcelScans, Scan};

use super::{Orders, sort_key};
use crate::error::IoError;
use crate::tables::attr::{Item, bytes, item, read_as, read_bytes, text};
use crate::tables::deflate::{compress, decompress};
use crate::tables::expression::attr;
use crate::tables::keys::order_pk;
use crate::tables::packed::{pack, unpack};
use crate::tables::write::Write;

const PREFIX: &str = "checkpoints:";
/// Of the state row.
pub(super) const SCANS: &str = "scans";
/// Of all parcels in the state row, packed.
const MAX_BYTES: usize = 600;

impl Orders {
    /// Gives an order the new scans of a parcel, to be written with its state, and packs its scans.
    /// The new ones are of its newest report. If they are too many they are written now, before the
    /// fact, unless a later report has written its own.
    pub(super) async fn take_scans(
        &self,
        order: &mut Order,
        new: &ParcelScans,
    ) -> Result<Option<AttributeValue>, IoError> {
        order.scans.retain(|it| it.awb != new.awb);
        order.scans.push(new.clone());
        let packed = pack_scans(&order.scans)?;
        let bytes = packed.as_ref().and_then(|it| it.as_b().ok()).map_or(0, |it| it.as_ref().len());
        if bytes <= MAX_BYTES {
            return Ok(packed);
        }
        order.scans.pop();
        self.put_checkpoints(&order.key, new).await?;
        pack_scans(&order.scans)
    }

    async fn put_checkpoints(&self, key: &OrderKey, new: &ParcelScans) -> Result<(), IoError> {
        let content = serde_json::to_vec(&new.scans)
            .map_err(|_| IoError::unreadable("serde_json", "checkpoints"))?;
        let at = text(new.at.to_string());
        let row = item([
            ("pk", text(order_pk(key))),
            ("sk", text(format!("{PREFIX}{}", new.awb.canonical()))),
            ("at", at.clone()),
            (SCANS, bytes(compress(&content))),
        ]);
        let is_newest = attr("at").absent().or(attr("at").at_most(at));
        Write::put(&self.table, row).only_if(is_newest).send(&self.client).await.map(drop)
    }
}

pub(super) fn pack_scans(scans: &[ParcelScans]) -> Result<Option<AttributeValue>, IoError> {
    if scans.is_empty() { Ok(None) } else { pack(&scans).map(Some) }
}

/// Those in a state row.
pub(super) fn of_state(row: &Item) -> Result<Vec<ParcelScans>, IoError> {
    if row.contains_key(SCANS) { unpack(row, SCANS) } else { Ok(Vec::new()) }
}

/// Those of an order and among its rows: of a parcel the newest ones.
pub(super) fn read(order: &Order, rows: &[Item]) -> Result<Checkpoints, IoError> {
    let parcels = rows.iter().filter_map(|row| Some((sort_key(row).strip_prefix(PREFIX)?, row)));
    let aside: Vec<ParcelScans> =
        parcels.map(|(awb, row)| read_row(awb, row)).collect::<Result<_, _>>()?;
    let mut newest: BTreeMap<Awb, (Timestamp, Vec<Scan>)> = BTreeMap::new();
    for ParcelScans { awb, at, scans } in aside.into_iter().chain(order.scans.iter().cloned()) {
        if newest.get(&awb).is_none_or(|(other, _)| *other <= at) {
            newest.insert(awb, (at, scans));
        }
    }
    Ok(newest.into_iter().map(|(awb, (_, scans))| (awb, scans)).collect())
}

fn read_row(awb: &str, row: &Item) -> Result<ParcelScans, IoError> {
    let unreadable = || IoError::unreadable("dynamodb", SCANS);
    let content = decompress(read_bytes(row, SCANS).ok_or_else(unreadable)?)?;
    let scans = serde_json::from_slice(&content).map_err(|_| unreadable())?;
    let at = read_as(row, "at", Timestamp::parse)?;
    Ok(ParcelScans { awb: Awb::parse(awb).map_err(|_| unreadable())?, at, scans })
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::client::fake::{FakeAws, clients};
    use crate::tables::orders::facts::tests::order;

    fn scans(awb: &str, second: i64, count: usize) -> ParcelScans {
        let at = Timestamp::from_millis(second * 1000).unwrap();
        let place = |n: usize| format!("{:x}", (n + 1) * 2_654_435_761 * 40_503);
        let scan = |n| Scan { at: Some(at), activity: Some(place(n)), location: None };
        let awb = Awb::parse(awb).unwrap();
        ParcelScans { awb, at, scans: (0..count).map(scan).collect() }
    }

    /// The scans in the state row after these, and the number of writes.
    async fn take(all: &[ParcelScans]) -> (Vec<ParcelScans>, usize) {
        let fake = FakeAws::sequence(&[(200, "{}"); 9]);
        let orders = Orders::new(clients(fake.edge()).dynamodb(), "t".to_owned());
        let mut order = order(0, 0);
        for new in all {
            orders.take_scans(&mut order, new).await.unwrap();
        }
        let writes = fake.requests().len();
        (order.scans, writes)
    }

    #[tokio::test]
    async fn only_many_scans_have_a_row_of_their_own() {
        let (first, second) = (scans("A1", 1, 2), scans("A2", 1, 3));
        let both = [first.clone(), second.clone()];
        assert_eq!(take(&both).await, (both.to_vec(), 0));
        let newer = scans("A1", 2, 1);
        let all = [first.clone(), second.clone(), newer.clone()];
        assert_eq!(take(&all).await, (vec![second.clone(), newer], 0));
        let all = [first, second.clone(), scans("A1", 2, 300)];
        assert_eq!(take(&all).await, (vec![second], 1));
    }

    #[test]
    fn the_newest_scans_of_a_parcel_are_read() {
        let row = |scans: &ParcelScans| {
            item([
                ("sk", text(format!("{PREFIX}{}", scans.awb))),
                ("at", text(scans.at.to_string())),
                (SCANS, bytes(compress(&serde_json::to_vec(&scans.scans).unwrap()))),
            ])
        };
        let [old, new, other] = [scans("A1", 1, 1), scans("A1", 2, 2), scans("A2", 1, 3)];
        for (aside, within) in [(&old, &new), (&new, &old)] {
            let order = Order { scans: vec![within.clone()], ..order(0, 0) };
            let read = read(&order, &[row(aside), row(&other)]).unwrap();
            let expected = [&new, &other].map(|it| (it.awb.clone(), it.scans.clone()));
            assert_eq!(read, Checkpoints::from(expected));
        }
    }
}
