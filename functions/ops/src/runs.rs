//! `GET /api/sync/runs`: the results of the polling runs.

use std::collections::BTreeSet;

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
    /// A run covers every account, so only callers with access to all accounts can list runs.
    pub(crate) async fn list_runs(
        &self,
        request: &Request,
        caller: &Caller,
    ) -> Result<Response<Body>, ApiError> {
        if !caller.can_see(None) {
            let message = "only users with access to every account can list runs";
            return Err(ApiError::forbidden(message));
        }
        let page = page_request(request)?;
        let rows = self.tables.runs.list(&page).await?;
        let mut items = Vec::with_capacity(rows.items.len());
        for row in &rows.items {
            let totals = self.totals(row).await?;
            let failures = match totals.failed + totals.failed_planners {
                0 => BTreeSet::new(),
                _ => self.tables.runs.failures(&row.id).await?,
            };
            items.push(RunView::new(row, totals, failures));
        }
        Ok(json(200, &Page { items, next_page: rows.next.as_deref().map(cursor) }))
    }

    /// An open run has no stored totals; its planners are summed up.
    async fn totals(&self, row: &RunRow) -> Result<Totals, IoError> {
        match row.totals {
            Some(totals) => Ok(totals),
            None => self.tables.runs.totals(&row.id).await,
        }
    }
}

#[derive(Debug, Serialize)]
struct RunView<'a> {
    id: &'a str,
    kind: &'a str,
    state: &'static str,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    seconds: Option<u64>,
    planned: u64,
    without_credentials: u64,
    batches: u64,
    done: u64,
    failed: u64,
    /// Why batches failed.
    failures: BTreeSet<String>,
    asked: u64,
    changed: u64,
    unknown: u64,
    sources: [SourceView; 1],
}

#[derive(Debug, Serialize)]
struct SourceView {
    source: SourceName,
    gap_rate: Option<String>,
}

impl<'a> RunView<'a> {
    fn new(row: &'a RunRow, totals: Totals, failures: BTreeSet<String>) -> Self {
        let Totals { planned, without_credentials, batches, done, failed, counts, .. } = totals;
        let gap_rate = totals.gap_rate().map(|rate| format!("{rate:.4}"));
        Self {
            id: &row.id,
            kind: &row.kind,
            state: state(row, &totals),
            started_at: row.started_at,
            finished_at: row.closed_at,
            seconds: row.closed_at.map(|closed| closed.since(row.started_at).as_secs()),
            planned,
            without_credentials,
            batches,
            done,
            failed,
            failures,
            asked: counts.asked,
            changed: counts.changed,
            unknown: counts.unknown,
            sources: [SourceView { source: Shipway.name(), gap_rate }],
        }
    }
}

fn state(row: &RunRow, totals: &Totals) -> &'static str {
    match row.closed_at {
        None => "open",
        Some(_) if totals.failed_planners > 0 => "incomplete",
        Some(_) => "finished",
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
        }
    }

    #[test]
    fn shows_a_finished_run_with_its_totals() {
        let counts = PollCounts { asked: 490, changed: 6, unknown: 4 };
        let totals = Totals {
            planned: 500,
            without_credentials: 20,
            batches: 10,
            done: 9,
            failed: 1,
            failed_planners: 0,
            counts,
        };
        let shown = serde_json::to_value(RunView::new(
            &row(Some("2026-01-20T10:01:40.900Z")),
            totals,
            ["401".to_owned()].into(),
        ))
        .unwrap();
        let expected = json!({
            "id": "hourly-2026-01-20T10", "kind": "hourly", "state": "finished",
            "started_at": "2026-01-20T10:00:00.000Z", "finished_at": "2026-01-20T10:01:40.900Z",
            "seconds": 100, "planned": 500, "without_credentials": 20, "batches": 10, "done": 9,
            "failed": 1, "failures": ["401"], "asked": 490, "changed": 6, "unknown": 4,
            "sources": [{"source": "shipway", "gap_rate": "0.0122"}],
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_run_with_a_failed_planner_is_incomplete() {
        let totals = Totals { failed_planners: 1, ..Totals::default() };
        let state = |closed_at| state(&row(closed_at), &totals);
        assert_eq!([state(Some("2026-01-20T10:01:40Z")), state(None)], ["incomplete", "open"]);
    }

    #[test]
    fn shows_an_open_run_without_an_end() {
        let shown =
            serde_json::to_value(RunView::new(&row(None), Totals::default(), BTreeSet::new()))
                .unwrap();
        assert_eq!(
            [&shown["state"], &shown["finished_at"], &shown["seconds"]],
            [&json!("open"), &json!(null), &json!(null)]
        );
        assert_eq!(shown["sources"], json!([{"source": "shipway", "gap_rate": null}]));
    }
}
