//! The statuses of sent messages, as WhatsApp reports them: in any order, twice, late or never.

use super::CloudApi;
use crate::actors::messages::updates::Update;
use crate::world::State;

/// What may become of a message, in its order.
const STORIES: [&[&str]; 5] = [
    &["sent", "delivered", "read"],
    &["sent", "delivered"],
    &["sent", "failed"],
    &["failed"],
    &["sent", "delivered", "read", "deleted"],
];
/// Statuses come within so many milliseconds, and some far later.
const SOON_MS: u64 = 20_000;
const LATE_MS: u64 = 240_000;

impl CloudApi {
    /// Statuses that WhatsApp still has to report, and requests that are on their way.
    pub(crate) fn unreported(&self) -> usize {
        self.due.len() + self.under_way
    }

    /// Takes the statuses that are to be reported by now.
    pub(crate) fn take_due(&mut self, now: u64) -> Vec<Update> {
        let (due, later) =
            std::mem::take(&mut self.due).into_iter().partition(|(at, _)| *at <= now);
        self.due = later;
        let due: Vec<(u64, Update)> = due;
        due.into_iter().map(|(_, update)| update).collect()
    }
}

impl State {
    /// Each status is reported at a time of its own: never, once or twice.
    pub(super) fn plan_reports(&mut self, number: &str, id: &str, message: &str) {
        if self.random.u8(..8) == 0 {
            return;
        }
        // WhatsApp returns the id in every status; one that does not is found by its own id.
        let has_data = self.random.u8(..8) > 0;
        let (story, now) = (STORIES[self.random.usize(..STORIES.len())], self.now());
        for (status, second) in story.iter().zip(0..) {
            let times = [0, 1, 1, 1, 1, 1, 2, 2][self.random.usize(..8)];
            let (data, at) = (has_data.then_some(id), now / 1000 + second);
            let update = Update::of_send(number, message, data, status, at);
            for _ in 0..times {
                let longest = if self.random.u8(..8) == 0 { LATE_MS } else { SOON_MS };
                let due = now + self.random.u64(..longest);
                self.cloud_api.due.push((due, update.clone()));
            }
        }
    }
}
