//! When a report says that its status began.

use domain::core::timestamp::Timestamp;
use domain::tracking::report::Scan;

use crate::text::Fields;
use crate::times;

const FIELDS: [&str; 2] = ["current_timestamp", "timestamp"];

pub(super) struct ReportTime {
    /// Part of the report's id.
    pub(super) text: String,
    /// `None` if the text is not readable.
    pub(super) at: Option<Timestamp>,
}

impl ReportTime {
    /// The first readable time of the body, else of its newest scan. `None` for a body without a
    /// time, which may be sent again later with a new meaning.
    pub(super) fn of(body: &Fields, scans: &[Scan]) -> Option<Self> {
        let texts = || FIELDS.iter().filter_map(|name| body.text(name));
        let mut read = texts().filter_map(|text| times::parse(&text).map(|at| (text, at)));
        let newest_scan = || scans.iter().rev().find_map(|scan| scan.at);
        read.next()
            .or_else(|| newest_scan().map(|at| (at.to_string(), at)))
            .map(|(text, at)| Self { text, at: Some(at) })
            .or_else(|| {
                let text = texts().find(|text| times::is_date(text))?;
                Some(Self { text, at: None })
            })
    }

    /// For a body without a time: the minute of its receipt.
    pub(super) fn minute(at: Timestamp) -> Self {
        Self { text: format!("minute {}", at.seconds() / 60), at: None }
    }
}
