//! Points in time, in milliseconds. The domain has no clock: time is an argument.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// Milliseconds since 1970-01-01T00:00:00Z, between the years 1970 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an RFC 3339 time between 1970 and 9999")]
pub struct InvalidTime;

impl Timestamp {
    /// 1970-01-01T00:00:00.000Z.
    pub const EPOCH: Self = Self(0);

    /// 9999-12-31T23:59:59.999Z.
    const MAX_MILLIS: i64 = 253_402_300_799_999;

    /// From milliseconds since 1970.
    pub fn from_millis(millis: i64) -> Result<Self, InvalidTime> {
        (0..=Self::MAX_MILLIS).contains(&millis).then_some(Self(millis)).ok_or(InvalidTime)
    }

    /// Cuts off fractions of a millisecond.
    pub fn from_date(date: OffsetDateTime) -> Result<Self, InvalidTime> {
        let millis = date.unix_timestamp_nanos().div_euclid(1_000_000);
        Self::from_millis(i64::try_from(millis).map_err(|_| InvalidTime)?)
    }

    /// From RFC 3339 with any offset.
    pub fn parse(text: &str) -> Result<Self, InvalidTime> {
        Self::from_date(OffsetDateTime::parse(text, &Rfc3339).map_err(|_| InvalidTime)?)
    }

    /// A time before 1970 counts as 1970.
    pub fn from_system(time: SystemTime) -> Self {
        Self(0).after(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
    }

    /// Milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Saturates at the end of 9999.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(wait).min(Self::MAX_MILLIS))
    }

    /// Saturates at 1970.
    #[must_use]
    pub fn before(self, time: Duration) -> Self {
        let time = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(time).max(0))
    }

    /// Zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }
}

/// RFC 3339 in UTC with milliseconds and `Z`.
impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let date = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
            .to_offset(UtcOffset::UTC);
        let (h, m, s, ms) = date.to_hms_milli();
        let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
        write!(f, "{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{ms:03}Z")
    }
}

impl TryFrom<String> for Timestamp {
    type Error = InvalidTime;
    fn try_from(text: String) -> Result<Self, InvalidTime> {
        Self::parse(&text)
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn all_offsets_are_written_in_utc() {
        let time = Timestamp::parse("2026-01-20T10:15:30.000+05:30").unwrap();
        assert_eq!(time.to_string(), "2026-01-20T04:45:30.000Z");
        assert_eq!(Timestamp::parse("2026-01-20T04:45:30.0009Z").unwrap(), time);
    }

    #[test]
    fn rejects_other_forms_and_times_out_of_range() {
        for text in
            ["1969-12-31T23:59:59Z", "Invalid Date", "", "2026-01-20", "2026-01-20T10:15:30"]
        {
            assert_eq!(Timestamp::parse(text), Err(InvalidTime), "{text}");
        }
        assert_eq!(Timestamp::from_millis(i64::MAX), Err(InvalidTime));
        assert_eq!(Timestamp(0).after(Duration::MAX).to_string(), "9999-12-31T23:59:59.999Z");
    }
}
