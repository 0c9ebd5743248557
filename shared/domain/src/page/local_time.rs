//! Times as clocks of a zone show them.

use jiff::civil::Date;

use crate::core::timestamp::Timestamp;
use crate::messaging::rules::Zone;

/// A calendar day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    pub year: i16,
    /// 1 to 12.
    pub month: u8,
    pub day: u8,
}

impl Day {
    /// The day after; the last day of the calendar has none.
    pub fn next(self) -> Option<Self> {
        let signed = |number: u8| i8::try_from(number).ok();
        let date = Date::new(self.year, signed(self.month)?, signed(self.day)?).ok()?;
        date.tomorrow().ok().map(Self::from)
    }
}

impl From<Date> for Day {
    fn from(date: Date) -> Self {
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        Self { year: date.year(), month, day }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalTime {
    pub day: Day,
    pub hour: u8,
    pub minute: u8,
}

impl LocalTime {
    pub fn of(at: Timestamp, zone: &Zone) -> Self {
        let local = zone.local(at);
        Self {
            day: local.date().into(),
            hour: local.hour().unsigned_abs(),
            minute: local.minute().unsigned_abs(),
        }
    }

    /// A date without a time is read as the end of its day, or its beginning.
    pub fn is_date_only(self) -> bool {
        matches!((self.hour, self.minute), (0, 0) | (23, 59))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_time_of_the_zone() {
        let at = Timestamp::parse("2026-12-31T18:29:59Z").unwrap();
        let india = LocalTime::of(at, &Zone::parse("Asia/Kolkata").unwrap());
        let day = Day { year: 2026, month: 12, day: 31 };
        assert_eq!(india, LocalTime { day, hour: 23, minute: 59 });
        let utc = LocalTime::of(at, &Zone::utc());
        assert_eq!(utc, LocalTime { day, hour: 18, minute: 29 });
        assert!(india.is_date_only() && !utc.is_date_only());
        assert_eq!(day.next(), Some(Day { year: 2027, month: 1, day: 1 }));
    }
}
