//! Counts denied webhooks for the operators. One write a denial, and a few a minute under a flood:
//! then a worker keeps the counts until the next write.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws::tables::inbound::{Denial, DeniedPath, InboundLog};
use tokio::time::timeout;

/// Writes of one worker for one path in a minute. Outsiders know two paths of a source: the plain
/// one, and hooks that do not exist.
const MAX_WRITES: u32 = 5;
/// Denials that a row shows.
const SHOWN: usize = 5;
/// A count must not delay the answer for long.
const WRITE_LIMIT: Duration = Duration::from_millis(500);

/// There are as many paths as the settings have, and one for all unknown hooks of a source.
#[derive(Default)]
pub(crate) struct Denials {
    paths: Mutex<BTreeMap<DeniedPath, Count>>,
}

#[derive(Default)]
struct Count {
    /// Since 1970.
    minute: i64,
    /// In this minute.
    writes: u32,
    /// Not written yet.
    unsent: u64,
    /// The oldest first.
    last: VecDeque<Denial>,
}

impl Denials {
    /// A failure is logged: the sender gets the same answer.
    pub(crate) async fn record(&self, log: &InboundLog, path: DeniedPath, denial: Denial) {
        let now = denial.at;
        let unsent = {
            let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
            paths.entry(path.clone()).or_default().add(denial)
        };
        let Some((unsent, last)) = unsent else { return };
        match timeout(WRITE_LIMIT, log.add_denials(&path, unsent, &last, now)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "denials.not_counted"),
            Err(_) => tracing::warn!(error = "timeout", "denials.not_counted"),
        }
    }
}

impl Count {
    /// Returns the count and the last denials, if they are to be written now.
    fn add(&mut self, denial: Denial) -> Option<(u64, Vec<Denial>)> {
        let minute = denial.at.seconds() / 60;
        if minute != self.minute {
            (self.minute, self.writes) = (minute, 0);
        }
        self.unsent += 1;
        self.last.push_back(denial);
        if self.last.len() > SHOWN {
            self.last.pop_front();
        }
        if self.writes == MAX_WRITES {
            return None;
        }
        self.writes += 1;
        Some((mem::take(&mut self.unsent), self.last.iter().cloned().collect()))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::timestamp::Timestamp;

    use super::*;

    fn denial(millis: i64) -> Denial {
        let at = Timestamp::from_millis(millis).unwrap();
        Denial { at, address: None, reason: "no such hook".to_owned() }
    }

    #[test]
    fn each_denial_is_written_until_there_are_too_many_in_a_minute() {
        let mut count = Count::default();
        let mut written = 0;
        for n in 0..1000 {
            let unsent = count.add(denial(n));
            assert_eq!(unsent.is_some(), n < i64::from(MAX_WRITES), "{n}");
            written += unsent.map_or(0, |(unsent, _)| unsent);
        }
        // What was not written is written in the next minute, with the newest denials.
        let (unsent, last) = count.add(denial(60_000)).unwrap();
        assert_eq!(written + unsent, 1001);
        let newest = [996, 997, 998, 999, 60_000].map(denial);
        assert_eq!(last, newest);
        assert_eq!(count.add(denial(60_001)).unwrap().0, 1);
    }
}
