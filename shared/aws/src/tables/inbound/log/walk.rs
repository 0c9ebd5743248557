//! The order in which a listing reads the log's indexes: newest first.

use std::collections::VecDeque;

use domain::core::id::EventId;
use domain::core::timestamp::Timestamp;

use crate::tables::inbound::row::day;
use crate::tables::inbound::{EventState, RETENTION_DAYS};

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// An event's position in the log: `{received_at}/{event id}`. No id contains a `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPosition {
    received_at: Timestamp,
    pub id: EventId,
}

impl LogPosition {
    /// Accepts only the canonical spelling.
    pub fn parse(text: &str) -> Option<Self> {
        let (received_at, id) = text.split_once('/')?;
        let position =
            Self { received_at: Timestamp::parse(received_at).ok()?, id: EventId::parse(id).ok()? };
        (position.to_string() == text).then_some(position)
    }
}

impl std::fmt::Display for LogPosition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.received_at, self.id)
    }
}

/// A partition of an index: the rows whose `attribute` has this value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Partition {
    pub(super) index: &'static str,
    pub(super) attribute: &'static str,
    pub(super) value: String,
}

/// The rest of a listing.
#[derive(Debug)]
pub(super) struct Walk {
    /// Newest first.
    pub(super) partitions: VecDeque<Partition>,
    /// The last position read.
    pub(super) after: Option<LogPosition>,
}

impl Walk {
    /// A notable state has a partition of the index `notable`. Otherwise the walk goes from today,
    /// or from the day of `after`, back to the oldest day that has rows.
    pub(super) fn new(
        status: Option<EventState>,
        after: Option<LogPosition>,
        now: Timestamp,
    ) -> Self {
        let notable = status.filter(|status| status.is_notable());
        let partitions = match notable {
            Some(state) => VecDeque::from([Partition {
                index: "notable",
                attribute: "notable",
                value: state.as_str().to_owned(),
            }]),
            None => days(after.as_ref(), now)
                .map(|value| Partition { index: "by_day", attribute: "day", value })
                .collect(),
        };
        Self { partitions, after }
    }
}

fn days(after: Option<&LogPosition>, now: Timestamp) -> impl Iterator<Item = String> {
    let first =
        after.map_or(now, |position| position.received_at.min(now)).millis().div_euclid(DAY_MILLIS);
    let today = now.millis().div_euclid(DAY_MILLIS);
    let oldest = today - i64::try_from(RETENTION_DAYS).unwrap_or(0);
    (oldest..=first)
        .rev()
        .filter_map(|number| Timestamp::from_millis(number * DAY_MILLIS).ok())
        .map(day)
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: &str = "2026-03-01T00:00:00.000Z";

    fn walk(status: Option<EventState>, after: Option<&str>) -> Vec<Partition> {
        let after = after.map(|text| LogPosition::parse(text).unwrap());
        Walk::new(status, after, Timestamp::parse(NOW).unwrap()).partitions.into()
    }

    fn days(after: Option<&str>) -> Vec<String> {
        let partitions = walk(None, after);
        assert!(
            partitions
                .iter()
                .all(|partition| (partition.index, partition.attribute) == ("by_day", "day"))
        );
        partitions.into_iter().map(|partition| partition.value).collect()
    }

    #[test]
    fn a_position_has_one_spelling() {
        let text = "2026-01-20T04:45:30.000Z/bz3j7sm75row3p77r2akuogigizang7x";
        assert_eq!(LogPosition::parse(text).unwrap().to_string(), text);
        for other in [
            "",
            "/",
            "2026-01-20T04:45:30.000Z",
            "2026-01-20T04:45:30.000Z/",
            "2026-01-20T04:45:30.000Z/a/b",
            "2026-01-20T04:45:30.000Z/ a",
            "2026-01-20T04:45:30Z/a",
            "2026-01-20T10:15:30.000+05:30/a",
            "1969-12-31T23:59:59.000Z/a",
            "yesterday/a",
        ] {
            assert_eq!(LogPosition::parse(other), None, "{other}");
        }
    }

    #[test]
    fn walks_all_days_back_to_the_oldest_row() {
        let all = days(None);
        assert_eq!(all[..3], ["2026-03-01", "2026-02-28", "2026-02-27"]);
        assert_eq!((all.len(), all.last().map(String::as_str)), (91, Some("2025-12-01")));
    }

    #[test]
    fn starts_on_the_day_of_the_position() {
        assert_eq!(days(Some("2025-12-02T23:59:59.999Z/a")), ["2025-12-02", "2025-12-01"]);
        assert_eq!(days(Some("2025-11-30T23:59:59.999Z/a")), [""; 0]);
        assert_eq!(days(Some("1970-01-01T00:00:00.000Z/a")), [""; 0]);
        assert_eq!(
            days(Some("9999-12-31T23:59:59.999Z/a")),
            days(None),
            "a forged position in the future"
        );
    }

    #[test]
    fn notable_states_use_their_own_index() {
        for &state in EventState::ALL {
            let partitions = walk(Some(state), None);
            match state {
                EventState::Failed | EventState::Unmatched | EventState::Quarantined => {
                    let value = state.as_str().to_owned();
                    assert_eq!(
                        partitions,
                        [Partition { index: "notable", attribute: "notable", value }]
                    );
                }
                _ => assert_eq!(partitions.len(), 91, "{state:?}"),
            }
        }
    }
}
