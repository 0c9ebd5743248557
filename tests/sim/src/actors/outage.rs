//! Customers' servers that are down for a while.

use super::Actors;

/// Outages begin within so many seconds.
const SPAN: u64 = 180;
/// Longer than all retries of an endpoint together.
const LONGEST_MS: u64 = 120_000;

impl Actors {
    /// Takes some servers down if servers fail in this run.
    pub(super) async fn fail(&self) {
        let fails = {
            let mut state = self.world.lock();
            let chance = state.faults.receiver;
            chance > 0.0 && state.random.u8(..3) == 0 && state.strikes("outage", 1.0)
        };
        if !fails {
            return;
        }
        for _ in 0..2 {
            self.wait_up_to(SPAN).await;
            let mut state = self.world.lock();
            let until = state.now() + state.random.u64(1000..LONGEST_MS);
            let all: Vec<_> = state.endpoints.all().map(|endpoint| endpoint.name).collect();
            let index = state.random.usize(..=all.len());
            let down = all.get(index).map_or(all.clone(), |name| vec![*name]);
            state.tell("internet", || format!("{down:?} are down"));
            state.down_until.extend(down.into_iter().map(|name| (name, until)));
        }
    }
}
