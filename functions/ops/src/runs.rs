//! `GET /api/sync/runs`: what came of asking the carrier every hour.

use aws::error::IoError;
use aws::lambda::http_api::{ApiError, json, page_request};
use aws::tables::runs::RunRow;
use domain::auth::Caller;
use domain::core::timestamp::Timestamp;
use domain::pagination::{Page, cursor};
use domain::polling::Totals;
use domain::tracking::report::SourceName;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use sources::Source;
use sources::shipway::Shipway;

use crate::Ops;

impl Ops {
    /// Runs are of no account.
    pub(crate) async fn runs(
        &self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Response<Body>, ApiError> {
        if !caller.sees(None) {
            return Err(ApiError::forbidden("runs are for who may see every account"));
        }
        let page = page_request(request)?;
        let rows = self.tables.runs.list(&page).await?;
        let next_page =
            rows.last().filter(|_| rows.len() == page.limit).map(|row| cursor(&row.sort_key));
        let mut items = Vec::with_capacity(rows.len());
        for row in &rows {
            items.push(Item::new(row, self.totals(row).await?));
        }
        Ok(json(200, &Page { items, next_page }))
    }

    /// Of an open run, what came of it so far.
    async fn totals(&self, row: &RunRow) -> Result<Totals, IoError> {
        match row.totals {
            Some(totals) => Ok(totals),
            None => self.tables.runs.totals(&row.id).await,
        }
    }
}

/// A run in the list.
#[derive(Debug, Serialize)]
struct Item<'a> {
    id: &'a str,
    kind: &'a str,
    state: &'static str,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    seconds: Option<u64>,
    planned: u64,
    batches: u64,
    done: u64,
    failed: u64,
    asked: u64,
    changed: u64,
    unknown: u64,
    sources: [OfSource; 1],
}

/// What of a run is of one source.
#[derive(Debug, Serialize)]
struct OfSource {
    source: SourceName,
    gap_rate: Option<String>,
}

impl<'a> Item<'a> {
    fn new(row: &'a RunRow, totals: Totals) -> Self {
        let Totals { planned, batches, done, failed, counts } = totals;
        let gap_rate = totals.gap_rate().map(|rate| format!("{rate:.4}"));
        Self {
            id: &row.id,
            kind: &row.kind,
            state: if row.closed_at.is_some() { "finished" } else { "open" },
            started_at: row.started_at,
            finished_at: row.closed_at,
            seconds: row.closed_at.map(|closed| closed.since(row.started_at).as_secs()),
            planned,
            batches,
            done,
            failed,
            asked: counts.asked,
            changed: counts.changed,
            unknown: counts.unknown,
            sources: [OfSource { source: Shipway.name(), gap_rate }],
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::polling::PollCounts;
    use serde_json::json;

    use super::*;

    fn row(closed_at: Option<&str>) -> RunRow {
        RunRow {
            id: "hourly-2026-01-20T10".to_owned(),
            kind: "hourly".to_owned(),
            started_at: Timestamp::parse("2026-01-20T10:00:00Z").unwrap(),
            closed_at: closed_at.map(|time| Timestamp::parse(time).unwrap()),
            totals: None,
            sort_key: String::new(),
        }
    }

    #[test]
    fn a_run_is_shown_with_all_that_came_of_it() {
        let counts = PollCounts { asked: 490, changed: 6, unknown: 4 };
        let totals = Totals { planned: 500, batches: 10, done: 9, failed: 1, counts };
        let shown = serde_json::to_value(Item::new(&row(Some("2026-01-20T10:01:40.900Z")), totals))
            .unwrap();
        let expected = json!({
            "id": "hourly-2026-01-20T10", "kind": "hourly", "state": "finished",
            "started_at": "2026-01-20T10:00:00.000Z", "finished_at": "2026-01-20T10:01:40.900Z", "seconds": 100,
            "planned": 500, "batches": 10, "done": 9, "failed": 1, "asked": 490, "changed": 6, "unknown": 4,
            "sources": [{"source": "shipway", "gap_rate": "0.0122"}],
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn an_open_run_has_no_end_yet() {
        let shown = serde_json::to_value(Item::new(&row(None), Totals::default())).unwrap();
        assert_eq!(
            [&shown["state"], &shown["finished_at"], &shown["seconds"]],
            [&json!("open"), &json!(null), &json!(null)]
        );
        assert_eq!(shown["sources"], json!([{"source": "shipway", "gap_rate": null}]));
    }
}
