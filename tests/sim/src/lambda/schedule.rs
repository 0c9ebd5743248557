//! EventBridge Scheduler: at least once, now and then late or not at all.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use domain::core::timestamp::Timestamp;
use serde_json::{Value, json};
use tokio::task::spawn_local;
use tokio::time::sleep;

use super::Lambda;
use crate::clock;
use doubles::template::{Function as Spec, Schedule};

impl Lambda {
    /// Fires a schedule until the run ends.
    pub(crate) async fn fire(self: Rc<Self>, spec: Arc<Spec>) {
        let Some(schedule) = spec.schedules.first() else { return };
        loop {
            let next = schedule.timing.next_after(clock::now_ms());
            tokio::time::sleep_until(clock::at(next)).await;
            for delay in self.delays() {
                let (lambda, spec) = (Rc::clone(&self), Arc::clone(&spec));
                spawn_local(async move {
                    sleep(delay).await;
                    lambda.invoke_scheduled(&spec, next).await;
                });
            }
        }
    }

    /// When a fire arrives: once at its time, unless a fault strikes.
    fn delays(&self) -> Vec<Duration> {
        let mut state = self.world.lock();
        let chance = state.faults.schedule;
        if !state.strikes("schedule", chance) {
            return vec![Duration::ZERO];
        }
        let late = Duration::from_millis(state.random.u64(..90_000));
        match state.random.u8(..3) {
            0 => Vec::new(),
            1 => vec![late],
            _ => vec![Duration::ZERO, late],
        }
    }

    async fn invoke_scheduled(&self, spec: &Spec, at: u64) {
        let Some(schedule) = spec.schedules.first() else { return };
        for _ in 0..=schedule.max_retries {
            let chance = self.world.lock().faults.invoke;
            if !self.world.lock().strikes("invoke", chance) {
                // An asynchronous invocation: the scheduler's work is done. Lambda tries again.
                return self.invoke_async(spec, &event(schedule, at)).await;
            }
            sleep(Duration::from_secs(60)).await;
        }
    }

    /// Lambda tries an asynchronous invocation up to three times.
    pub(crate) async fn invoke_async(&self, spec: &Spec, event: &Value) {
        for wait in [60, 120, 0] {
            let result = self.invoke(spec, event.clone()).await;
            let error = match &result {
                Some(Ok(answer)) => return self.world.lock().record_run(event, answer),
                Some(Err(error)) => error.to_string(),
                None => "killed".to_owned(),
            };
            self.world.tell("lambda", || format!("{} fails: {error}", spec.name));
            sleep(Duration::from_secs(wait)).await;
        }
    }

    /// `make sync-now`.
    pub(crate) async fn sync_now(&self) {
        let topology = Arc::clone(&self.world.lock().topology);
        if let Some(spec) = topology.function("sync") {
            self.invoke_async(spec, &json!({})).await;
        }
    }
}

fn event(schedule: &Schedule, at: u64) -> Value {
    let at = i64::try_from(at).ok().and_then(|ms| Timestamp::from_millis(ms).ok());
    let input = schedule.input.as_deref().unwrap_or("{}");
    let text = input
        .replace("<aws.scheduler.scheduled-time>", &at.unwrap_or(Timestamp::EPOCH).to_string());
    serde_json::from_str(&text).unwrap_or_default()
}
