//! Runs as operators see them.

use domain::core::timestamp::Timestamp;
use domain::pagination::PageRequest;
use domain::polling::Totals;

use super::closing::read_totals;
use super::{RUNS, Runs};
use crate::error::IoError;
use crate::tables::attr::{Item, read_text, text};

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Its id.
    pub id: String,
    /// `hourly` or `manual`.
    pub kind: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When its last batch ended; nothing while it is open.
    pub closed_at: Option<Timestamp>,
    /// What came of it; nothing while it is open, but see [`Runs::totals`].
    pub totals: Option<Totals>,
    /// Its place in the list, from which a next page begins.
    pub sort_key: String,
}

impl Runs {
    /// The runs after `page.after`, newest first, at most `page.limit`.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn list(&self, page: &PageRequest) -> Result<Vec<RunRow>, IoError> {
        let query = match &page.after {
            Some(after) => self
                .query(RUNS.to_owned(), "pk = :pk AND sk < :after")
                .expression_attribute_values(":after", text(after)),
            None => self.query(RUNS.to_owned(), "pk = :pk"),
        };
        let query =
            query.scan_index_forward(false).limit(i32::try_from(page.limit).unwrap_or(i32::MAX));
        let answer = query.send().await.map_err(|error| IoError::of("dynamodb:Query", &error))?;
        answer.items().iter().map(read_run).collect()
    }
}

fn read_run(row: &Item) -> Result<RunRow, IoError> {
    let time = |name: &str| {
        let time = Timestamp::parse(read_text(row, name)?);
        time.map_err(|_| IoError::unreadable("dynamodb", name))
    };
    let closed_at = row.contains_key("closed_at").then(|| time("closed_at")).transpose()?;
    Ok(RunRow {
        id: read_text(row, "id")?.to_owned(),
        kind: read_text(row, "kind")?.to_owned(),
        started_at: time("started_at")?,
        closed_at,
        totals: closed_at.map(|_| read_totals(row)),
        sort_key: read_text(row, "sk")?.to_owned(),
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
        let mut row = run_row(&run, 5.0);
        let open = read_run(&row).unwrap();
        assert_eq!((open.id.as_str(), open.kind.as_str()), ("hourly-1970-01-01T00", "hourly"));
        assert_eq!(open.sort_key, "1970-01-01T00:00:00.000Z/hourly-1970-01-01T00");
        assert_eq!((open.closed_at, open.totals), (None, None));

        row.insert("closed_at".to_owned(), text("1970-01-01T00:10:00.000Z"));
        let numbers = [
            ("planned", 9),
            ("batches", 2),
            ("done", 1),
            ("failed", 1),
            ("asked", 8),
            ("changed", 3),
        ];
        row.extend(numbers.map(|(name, value)| (name.to_owned(), number(value))));
        let counts = PollCounts { asked: 8, changed: 3, unknown: 0 };
        let totals = Totals { planned: 9, batches: 2, done: 1, failed: 1, counts };
        assert_eq!(read_run(&row).unwrap().totals, Some(totals));
    }
}
