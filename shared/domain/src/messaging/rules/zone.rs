//! Time zones: the local time of shoppers. Their rules are part of the program (the IANA database
//! of the crate `jiff`), so that they are the same on every machine.

use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::core::timestamp::Timestamp;

/// A zone of the IANA database.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone(TimeZone);

/// A day of a zone, e.g. `2026-11-27`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalDay(String);

impl LocalDay {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for LocalDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Zone {
    /// E.g. `Asia/Kolkata`.
    pub fn parse(name: &str) -> Option<Self> {
        let zone = TimeZoneDatabase::bundled().get(name).ok()?;
        (!zone.is_unknown()).then_some(Self(zone))
    }

    /// India, whose carriers Waypost reads.
    pub(super) fn india() -> Self {
        Self::parse("Asia/Kolkata").unwrap_or(Self(TimeZone::UTC))
    }

    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// E.g. `Asia/Kolkata`.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    pub fn day(&self, at: Timestamp) -> LocalDay {
        LocalDay(self.local(at).date().to_string())
    }

    /// E.g. `27 Nov 2026`.
    pub(super) fn date_text(&self, at: Timestamp) -> String {
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let date: Date = self.local(at).date();
        let month = usize::from(date.month().unsigned_abs());
        let month = MONTHS.get(month.saturating_sub(1)).copied().unwrap_or_default();
        format!("{} {month} {}", date.day(), date.year())
    }

    pub(crate) fn local(&self, at: Timestamp) -> DateTime {
        // The last two hours of the year 9999 are beyond its range.
        let at = jiff::Timestamp::from_millisecond(at.millis());
        self.0.to_datetime(at.unwrap_or(jiff::Timestamp::MAX))
    }

    /// The first time after `after` at which clocks show this. A time that clocks skip is as much
    /// later as they skip.
    pub(super) fn instant(&self, local: DateTime, after: Timestamp) -> Option<Timestamp> {
        let ambiguous = self.0.to_ambiguous_timestamp(local);
        let instants = [ambiguous.compatible().ok()?, ambiguous.later().ok()?];
        let instants = instants.map(|at| Timestamp::from_millis(at.as_millisecond()).ok());
        instants.into_iter().flatten().find(|at| *at > after)
    }
}
