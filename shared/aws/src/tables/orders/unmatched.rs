//! Reports without an order yet. Each is parked under all of its references, alternatives included,
//! until an order with one of them is created.

use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use domain::tracking::report::{Ref, Report};
use serde::{Deserialize, Serialize};

use super::{Orders, partition};
use crate::error::IoError;
use crate::tables::attr::{item, json, read_json, text, ttl};
use crate::tables::expression::attr;
use crate::tables::inbound::RETENTION_DAYS;
use crate::tables::keys::{key, ref_pk};
use crate::tables::read::{first_page, get};
use crate::tables::transaction::transact;
use crate::tables::write::Write;

/// Reports read at once.
const PAGE: i32 = 200;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmatchedReport {
    pub report: Report,
    /// The event that contained it.
    pub event_id: EventId,
    /// When that event was received.
    pub received_at: Timestamp,
}

impl Orders {
    /// Parks a report under all of its references.
    pub async fn park(
        &self,
        account: &AccountCode,
        unmatched: &UnmatchedReport,
    ) -> Result<(), IoError> {
        let content = json(unmatched)?;
        let puts = references(&unmatched.report).map(|reference| {
            let row = item([
                ("pk", text(ref_pk(account, &reference))),
                ("sk", text(sort_key(unmatched))),
                ("json", content.clone()),
                // As long as the inbound log retains the report's event.
                ("ttl", ttl(unmatched.received_at, RETENTION_DAYS)),
            ]);
            Write::put(&self.table, row)
        });
        transact(&self.client, puts.collect()).await?.unless_conflict()
    }

    /// Reports parked under a reference, and whether more are.
    pub async fn unmatched_reports(
        &self,
        account: &AccountCode,
        reference: &Ref,
    ) -> Result<(Vec<UnmatchedReport>, bool), IoError> {
        let parked =
            partition(ref_pk(account, reference)).and(attr("sk").begins_with(text("wait:")));
        let page = first_page(self.query(parked).limit(PAGE)).await?;
        let reports = page.rows.iter().map(|row| read_json(row, "json"));
        Ok((reports.collect::<Result<_, _>>()?, page.next.is_some()))
    }

    pub async fn is_parked(
        &self,
        account: &AccountCode,
        unmatched: &UnmatchedReport,
    ) -> Result<bool, IoError> {
        let Some(reference) = references(&unmatched.report).next() else { return Ok(false) };
        let parked = key(ref_pk(account, &reference), sort_key(unmatched));
        Ok(get(&self.client, &self.table, parked, &["pk"]).await?.is_some())
    }

    /// Removes a parked report from all of its references.
    pub async fn unpark(
        &self,
        account: &AccountCode,
        unmatched: &UnmatchedReport,
    ) -> Result<(), IoError> {
        let deletes = references(&unmatched.report).map(|reference| {
            Write::delete(&self.table, key(ref_pk(account, &reference), sort_key(unmatched)))
        });
        transact(&self.client, deletes.collect()).await?.unless_conflict()
    }
}

fn references(report: &Report) -> impl Iterator<Item = Ref> {
    report.refs().into_iter().chain(report.alternative_refs())
}

/// Two events may contain the same report; each is parked separately.
fn sort_key(unmatched: &UnmatchedReport) -> String {
    format!("wait:{}:{}", unmatched.report.id, unmatched.event_id)
}
