//! Runs as operators see them.

use domain::core::timestamp::Timestamp;
use domain::pagination::PageRequest;
use domain::polling::Totals;

use super::close::read_totals;
use super::{Runs, runs};
use crate::error::IoError;
use crate::tables::attr::{Item, read_as, read_optional, read_text, text};
use crate::tables::expression::attr;
use crate::tables::read::{Rows, first_page, limit};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    pub id: String,
    /// `hourly` or `manual`.
    pub kind: String,
    pub started_at: Timestamp,
    /// When the last batch ended; `None` while the run is open.
    pub closed_at: Option<Timestamp>,
    /// `None` while the run is open: see [`Runs::totals`].
    pub totals: Option<Totals>,
}

impl Runs {
    /// A page of the runs, newest first.
    pub async fn list(&self, page: &PageRequest) -> Result<Rows<RunRow>, IoError> {
        let mut listed = runs();
        if let Some(after) = &page.after {
            listed = listed.and(attr("sk").below(text(after)));
        }
        let query = self.query(listed).scan_index_forward(false).limit(limit(page.limit));
        Ok(Rows::of(&first_page(query).await?.rows, page.limit, read_run))
    }
}

fn read_run(row: &Item) -> Result<RunRow, IoError> {
    let closed_at = read_optional(row, "closed_at", Timestamp::parse)?;
    Ok(RunRow {
        id: read_text(row, "id")?.to_owned(),
        kind: read_text(row, "kind")?.to_owned(),
        started_at: read_as(row, "started_at", Timestamp::parse)?,
        closed_at,
        totals: closed_at.map(|_| read_totals(row)),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::polling::{PollCounts, Run};

    use super::*;
    use crate::tables::attr::number;
    use crate::tables::runs::run_row;

    #[test]
    fn an_open_run_has_no_totals_yet() {
        let run = Run::hourly(Timestamp::EPOCH);
        let mut row = run_row(&run, 5.0, 1);
        let open = read_run(&row).unwrap();
        assert_eq!((open.id.as_str(), open.kind.as_str()), ("hourly-1970-01-01T00", "hourly"));
        assert_eq!((open.closed_at, open.totals), (None, None));

        row.insert("closed_at".to_owned(), text("1970-01-01T00:10:00.000Z"));
        let numbers = [
            ("planned", 9),
            ("without_credentials", 4),
            ("batches", 2),
            ("done", 1),
            ("failed", 1),
            ("failed_planners", 1),
            ("asked", 8),
            ("changed", 3),
        ];
        row.extend(numbers.map(|(name, value)| (name.to_owned(), number(value))));
        let counts = PollCounts { asked: 8, changed: 3, unknown: 0 };
        let totals = Totals {
            planned: 9,
            without_credentials: 4,
            batches: 2,
            done: 1,
            failed: 1,
            failed_planners: 1,
            counts,
        };
        assert_eq!(read_run(&row).unwrap().totals, Some(totals));
    }
}
