//! The order in which a listing reads the log's indexes: newest first.

use std::collections::{BTreeSet, HashSet, VecDeque};

use domain::core::id::EventId;
use domain::core::timestamp::Timestamp;

use crate::tables::buckets::{MAX_PARTITIONS, Merge};
use crate::tables::inbound::row::{buckets, day};
use crate::tables::inbound::{LogFilter, LogRow, RETENTION_DAYS};

/// The index of all events, and its partition key.
pub(super) const BY_DAY: &str = "by_day";
pub(super) const DAY: &str = "day";
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// An event's position in the log: `{received_at}/{event id}`. No id contains a `/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
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

    pub(super) fn of(row: &LogRow) -> Self {
        Self { received_at: row.received_at, id: row.id.clone() }
    }

    /// Before all events of this time: ids are hashes in base32, which has no `0`.
    fn before(time: Timestamp) -> Option<Self> {
        EventId::parse("0").ok().map(|id| Self { received_at: time, id })
    }

    /// No event of its day is left.
    fn is_at_start_of_day(&self) -> bool {
        self.id.as_str() == "0" && self.received_at.millis().rem_euclid(DAY_MILLIS) == 0
    }
}

impl std::fmt::Display for LogPosition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.received_at, self.id)
    }
}

/// Partitions of an index that are read as one: the rows whose `attribute` has one of these values.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Partitions {
    pub(super) index: &'static str,
    pub(super) attribute: &'static str,
    values: BTreeSet<String>,
    /// Before all of their rows.
    end: Option<LogPosition>,
}

/// The rest of a listing.
#[derive(Debug)]
pub(super) struct Walk {
    /// Newest first.
    partitions: VecDeque<Partitions>,
    from: Option<Timestamp>,
    /// What is left of the first.
    merge: Option<Merge<LogPosition>>,
    /// The last position read, or the end of the last partitions.
    after: Option<LogPosition>,
    /// How many partitions it has read.
    pub(super) opened: usize,
    /// It knows whether the log has few events.
    has_looked: bool,
}

impl Walk {
    /// A notable state has a partition of the index `notable`. Otherwise the walk goes from today,
    /// or from the day of `after`, back to the oldest day that has rows. Both read only partitions
    /// and times that the filter asks for.
    pub(super) fn new(filter: &LogFilter, after: Option<LogPosition>, now: Timestamp) -> Self {
        let end = filter.to.and_then(LogPosition::before);
        // The smaller one, which is further along.
        let after = after.into_iter().chain(end).min();
        let accounts = filter.accounts();
        let notable = filter.status.filter(|status| status.is_notable());
        let partitions = match notable {
            Some(state) => VecDeque::from([Partitions {
                index: "notable",
                attribute: "notable",
                values: [state.as_str().to_owned()].into(),
                end: None,
            }]),
            None => days(after.as_ref(), filter.from, now)
                .map(|start| Partitions {
                    index: BY_DAY,
                    attribute: DAY,
                    values: buckets(&day(start), accounts.as_ref()),
                    end: LogPosition::before(start),
                })
                .collect(),
        };
        Self { partitions, from: filter.from, merge: None, after, opened: 0, has_looked: false }
    }

    /// Goes on behind these positions, of which there are fewer than asked for at the end of a day.
    pub(super) fn advance(&mut self, positions: &[LogPosition], is_whole_day: bool) {
        self.after = positions.last().or(self.after.as_ref()).cloned();
        let is_too_old = |last: &LogPosition| self.from.is_some_and(|from| last.received_at < from);
        if positions.last().is_some_and(is_too_old) {
            self.partitions.clear();
        } else if is_whole_day {
            self.close();
        }
    }

    /// The partitions to read next, and what is left of them; none at the end.
    pub(super) fn open(&mut self) -> Option<(&Partitions, &mut Merge<LogPosition>)> {
        let partitions = self.partitions.front()?;
        let merge = self.merge.get_or_insert_with(|| {
            self.opened += partitions.values.len();
            Merge::descending(partitions.values.clone(), self.after.as_ref())
        });
        Some((partitions, merge))
    }

    fn close(&mut self) {
        let closed = self.partitions.pop_front();
        self.after = closed.and_then(|it| it.end).or_else(|| self.after.take());
        self.merge = None;
    }

    /// True once a day is read to its end and more partitions are left than one page reads.
    pub(super) fn is_worth_a_look(&self) -> bool {
        let left = || self.partitions.iter().map(|it| it.values.len()).sum::<usize>();
        !self.has_looked && self.merge.is_none() && left() > MAX_PARTITIONS
    }

    /// Leaves out the partitions without events, if those with events are known.
    pub(super) fn look(&mut self, with_events: Option<&HashSet<String>>) {
        self.has_looked = true;
        let Some(with_events) = with_events else { return };
        for partitions in &mut self.partitions {
            partitions.values.retain(|value| with_events.contains(value));
        }
        self.partitions.retain(|partitions| !partitions.values.is_empty());
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.partitions.is_empty()
    }

    /// Where the next page begins; none at the end.
    pub(super) fn place(self) -> Option<LogPosition> {
        self.after.filter(|_| !self.partitions.is_empty())
    }
}

/// The starts of the days, newest first.
fn days(
    after: Option<&LogPosition>,
    from: Option<Timestamp>,
    now: Timestamp,
) -> impl Iterator<Item = Timestamp> {
    let number = |time: Timestamp| time.millis().div_euclid(DAY_MILLIS);
    let first = match after.filter(|position| position.received_at <= now) {
        Some(position) => number(position.received_at) - i64::from(position.is_at_start_of_day()),
        None => number(now),
    };
    let oldest = number(now) - i64::try_from(RETENTION_DAYS).unwrap_or(0);
    let oldest = oldest.max(from.map_or(0, number));
    (oldest..=first).rev().filter_map(|number| Timestamp::from_millis(number * DAY_MILLIS).ok())
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::auth::{Accounts, Caller};
    use domain::core::id::AccountCode;

    use super::*;
    use crate::tables::inbound::EventState;

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn all() -> LogFilter {
        LogFilter::parse(Caller::job(Accounts::All), None, None, |_| true).unwrap()
    }

    fn walk(filter: LogFilter, after: Option<&str>) -> Vec<Partitions> {
        let account = Some(AccountCode::parse("STORE001").unwrap());
        let after = after.map(|text| LogPosition::parse(text).unwrap());
        let walk = Walk::new(&LogFilter { account, ..filter }, after, time("2026-03-01T00:00:00Z"));
        walk.partitions.into()
    }

    /// Of one account: its bucket, and the whole day.
    fn days(after: Option<&str>) -> Vec<String> {
        days_of(all(), after)
    }

    fn days_of(filter: LogFilter, after: Option<&str>) -> Vec<String> {
        let day = |partitions: Partitions| {
            assert_eq!((partitions.index, partitions.attribute), ("by_day", "day"));
            let mut values = partitions.values.into_iter();
            let day = values.next().unwrap();
            assert_eq!((values.next(), values.next()), (Some(format!("{day}/04")), None));
            day
        };
        walk(filter, after).into_iter().map(day).collect()
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
    fn all_accounts_have_all_buckets_of_a_day() {
        let mut walk = Walk::new(&all(), None, time("2026-03-01T00:00:00Z"));
        assert!(walk.open().is_some());
        assert_eq!((walk.opened, walk.partitions[0].values.len()), (17, 17));
        walk.close();
        let end = walk.after.clone().unwrap();
        assert_eq!(end.to_string(), "2026-03-01T00:00:00.000Z/0");
        assert!(end < LogPosition::parse("2026-03-01T00:00:00.000Z/2a").unwrap());
        assert!(end > LogPosition::parse("2026-02-28T23:59:59.999Z/z").unwrap());
        assert_eq!(LogPosition::parse(&end.to_string()), Some(end), "it is a cursor");
    }

    #[test]
    fn reads_only_the_days_of_the_filter() {
        let (from, to) = (time("2026-02-26T12:00:00Z"), time("2026-02-28T00:00:00Z"));
        let filter = LogFilter { from: Some(from), to: Some(to), ..all() };
        let expected = ["2026-02-27", "2026-02-26"];
        for after in [None, Some("2026-02-27T09:00:00.000Z/a"), Some("2026-03-01T09:00:00.000Z/a")]
        {
            assert_eq!(days_of(filter.clone(), after), expected, "{after:?}");
        }
        let first = Some("2026-02-27T00:00:00.000Z/a");
        assert_eq!(days_of(filter.clone(), first), expected, "an id may be before it");
        let end = Some("2026-02-27T00:00:00.000Z/0");
        assert_eq!(days_of(filter.clone(), end), expected[1..]);

        let failed = LogFilter { status: Some(EventState::Failed), ..filter };
        let mut walk = Walk::new(&failed, None, time("2026-03-01T00:00:00Z"));
        assert_eq!(walk.after, LogPosition::parse("2026-02-28T00:00:00.000Z/0"));
        walk.advance(&[LogPosition::parse("2026-02-26T12:00:00.000Z/a").unwrap()], false);
        assert!(!walk.is_at_end());
        walk.advance(&[LogPosition::parse("2026-02-26T11:59:59.999Z/a").unwrap()], false);
        assert!(walk.is_at_end(), "the index has the state of all days");
    }

    #[test]
    fn notable_states_use_their_own_index() {
        for &state in EventState::ALL {
            let partitions = walk(LogFilter { status: Some(state), ..all() }, None);
            match state {
                EventState::Failed | EventState::Unmatched | EventState::Quarantined => {
                    let values = [state.as_str().to_owned()].into();
                    let (index, attribute) = ("notable", "notable");
                    assert_eq!(partitions, [Partitions { index, attribute, values, end: None }]);
                }
                _ => assert_eq!(partitions.len(), 91, "{state:?}"),
            }
        }
    }
}
