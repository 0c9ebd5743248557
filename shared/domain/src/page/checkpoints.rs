//! Where a parcel has been: reports and scans as one list, newest first.

use super::progress::Headline;
use super::words::plain;
use crate::core::timestamp::Timestamp;
use crate::tracking::entry::TimelineEntry;
use crate::tracking::fold::{Disposition, Judgement};
use crate::tracking::report::{Scan, SourceName};
use crate::tracking::status::Status;

const MAX_CHECKPOINTS: usize = 100;
const MILLIS_PER_MINUTE: i64 = 60_000;

/// One thing that happened to a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub at: Timestamp,
    /// `None` for a scan that changed no status.
    pub headline: Option<Headline>,
    /// The carrier's words, if they say more than the headline.
    pub words: Option<String>,
    pub place: Option<String>,
}

impl Checkpoint {
    /// `None` for a report that shoppers need not see.
    pub(super) fn of_report(entry: &TimelineEntry, judgement: &Judgement) -> Option<Self> {
        let report = entry.report()?;
        let is_shown = matches!(
            judgement.disposition,
            Disposition::Applied | Disposition::Same | Disposition::Unknown
        );
        let headline = Headline::of(judgement.status);
        // The words of the shop's own systems are not meant for shoppers.
        let is_carrier = report.source != SourceName::API;
        let words = report.source_status.as_deref().filter(|_| is_carrier);
        let words = words.and_then(plain).filter(|words| !says_the_same(words, judgement.status));
        let place = report.location.as_deref().and_then(plain);
        let says_something = headline.is_some() || words.is_some() || place.is_some();
        let checkpoint = Self { at: entry.occurred_at, headline, words, place };
        (is_shown && says_something).then_some(checkpoint)
    }

    /// `None` for a scan without a time or content.
    pub(super) fn of_scan(scan: &Scan) -> Option<Self> {
        let words = scan.activity.as_deref().and_then(plain);
        let place = scan.location.as_deref().and_then(plain);
        let says_something = words.is_some() || place.is_some();
        says_something.then_some(Self { at: scan.at?, headline: None, words, place })
    }

    fn minute(&self) -> i64 {
        self.at.millis().div_euclid(MILLIS_PER_MINUTE)
    }

    /// A report and the scan that it came with are one checkpoint.
    fn takes(&mut self, scan: &Self) -> bool {
        let is_its_scan = self.headline.is_some()
            && scan.headline.is_none()
            && self.minute() == scan.minute()
            && (self.place.is_none() || scan.place.is_none() || self.place == scan.place);
        if is_its_scan {
            self.words = scan.words.clone().or(self.words.take());
            self.place = self.place.take().or_else(|| scan.place.clone());
        }
        is_its_scan
    }

    fn repeats(&self, other: &Self) -> bool {
        (self.headline, &self.words, &self.place) == (other.headline, &other.words, &other.place)
    }
}

/// Newest first, scans joined with their reports, and of repeats the first time only.
pub(super) fn list(
    reports: impl IntoIterator<Item = Checkpoint>,
    scans: impl IntoIterator<Item = Checkpoint>,
) -> Vec<Checkpoint> {
    let mut list: Vec<Checkpoint> = reports.into_iter().collect();
    for scan in scans {
        if !list.iter_mut().any(|report| report.takes(&scan)) {
            list.push(scan);
        }
    }
    // Of two at the same time, the later status is above.
    list.sort_by_key(|checkpoint| std::cmp::Reverse((checkpoint.at, checkpoint.headline)));
    // The earlier of two repeats stays: since then it has been so.
    list.reverse();
    list.dedup_by(|later, earlier| later.repeats(earlier));
    list.reverse();
    list.truncate(MAX_CHECKPOINTS);
    list
}

fn says_the_same(words: &str, status: Status) -> bool {
    let letters = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    letters(words) == letters(status.title())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::minute;

    fn checkpoint(at: i64, headline: Option<Headline>, words: &str, place: &str) -> Checkpoint {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Checkpoint { at: minute(at), headline, words: text(words), place: text(place) }
    }

    #[test]
    fn a_report_and_its_scan_are_one_checkpoint() {
        let report = checkpoint(5, Some(Headline::OnTheWay), "IT", "Pune");
        let scan = checkpoint(5, None, "Bag received", "Pune");
        let other = checkpoint(5, None, "Bag received", "Mumbai");
        let earlier = checkpoint(1, None, "Manifested", "");
        let list = list([report], [earlier.clone(), other.clone(), scan]);
        let joined = checkpoint(5, Some(Headline::OnTheWay), "Bag received", "Pune");
        assert_eq!(list, [joined, other, earlier]);
    }

    #[test]
    fn folds_repeats_and_keeps_the_first() {
        let at = |minute| checkpoint(minute, Some(Headline::OnTheWay), "", "Pune");
        let between = checkpoint(4, None, "Bag opened", "Pune");
        let list = list([at(1), at(2), at(3), at(5), at(6)], [between.clone()]);
        assert_eq!(list, [at(5), between, at(1)]);
    }

    #[test]
    fn words_that_repeat_the_status_say_nothing() {
        for (words, status, same) in [
            ("OUT FOR DELIVERY", Status::OutForDelivery, true),
            ("out-for-delivery", Status::OutForDelivery, true),
            ("Reached hub", Status::InTransit, false),
        ] {
            assert_eq!(says_the_same(words, status), same, "{words}");
        }
    }
}
