//! Quiet hours: messages wait until they end.

use jiff::civil::{DateTime, Time};

use super::zone::Zone;
use crate::core::timestamp::Timestamp;

/// The end must not fall into time that clocks skip and, with it, into the next quiet hours. Summer
/// time skips up to two hours (Antarctica/Troll).
const MIN_OPEN_MINUTES: i32 = 3 * 60;
const DAY_MINUTES: i32 = 24 * 60;

/// By the clocks of the shopper; may include midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QuietHours {
    from: Time,
    /// Not part of them.
    to: Time,
}

impl QuietHours {
    /// `None` if they leave less than three hours of a day. Equal times are no quiet hours.
    pub(super) fn new(from: Time, to: Time) -> Option<Self> {
        let minutes = |time: Time| i32::from(time.hour()) * 60 + i32::from(time.minute());
        let quiet = (minutes(to) - minutes(from)).rem_euclid(DAY_MINUTES);
        (DAY_MINUTES - quiet >= MIN_OPEN_MINUTES).then_some(Self { from, to })
    }

    /// `HH:MM`.
    pub(super) fn parse_time(text: &str) -> Option<Time> {
        let (hour, minute) = text.split_once(':')?;
        let number = |digits: &str| {
            let is_number = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            if is_number { digits.parse().ok() } else { None }
        };
        Time::new(number(hour)?, number(minute)?, 0, 0).ok()
    }

    pub(super) fn include(&self, time: Time) -> bool {
        if self.from <= self.to {
            self.from <= time && time < self.to
        } else {
            self.from <= time || time < self.to
        }
    }

    /// When a message may go that is ready now.
    pub(super) fn not_before(&self, now: Timestamp, zone: &Zone) -> Timestamp {
        let local = zone.local(now);
        if !self.include(local.time()) {
            return now;
        }
        self.end(local).and_then(|end| zone.instant(end, now)).unwrap_or(now)
    }

    fn end(&self, local: DateTime) -> Option<DateTime> {
        let ends_today = local.time() < self.to;
        let date = if ends_today { local.date() } else { local.date().tomorrow().ok()? };
        Some(date.to_datetime(self.to))
    }
}

#[cfg(test)]
mod tests;
