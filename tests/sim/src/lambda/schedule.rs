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
use crate::world::State;
use doubles::names::{queue_arn, queue_url};
use doubles::sqs::Chances;
use doubles::template::{Function as Spec, Schedule};

const MINUTE: Duration = Duration::from_secs(60);

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

    /// The scheduler tries until Lambda has accepted the event.
    async fn invoke_scheduled(&self, spec: &Spec, at: u64) {
        let Some(schedule) = spec.schedules.first() else { return };
        let event = event(schedule, at);
        for _ in 0..=schedule.max_retries {
            let chance = self.world.lock().faults.invoke;
            if !self.world.lock().strikes("invoke", chance) {
                return self.invoke_async(spec, &event).await;
            }
            sleep(MINUTE).await;
        }
        if let Some(queue) = &schedule.dead_letters {
            self.world.lock().keep_failed(queue, &event);
        }
    }

    /// An asynchronous invocation, with Lambda's retries after one minute, then two.
    pub(crate) async fn invoke_async(&self, spec: &Spec, event: &Value) {
        let limits = &spec.async_invoke;
        let began = clock::now_ms();
        for retry in 1.. {
            let result = self.invoke(spec, event.clone()).await;
            let error = match &result {
                Some(Ok(answer)) => return self.world.lock().record_run(event, answer),
                Some(Err(error)) => error.to_string(),
                None => "killed".to_owned(),
            };
            self.world.tell("lambda", || format!("{} fails: {error}", spec.name));
            let wait = MINUTE * retry;
            let age = u128::from(clock::now_ms() - began) + wait.as_millis();
            if retry > limits.max_retries || age > u128::from(limits.max_event_age) {
                break;
            }
            sleep(wait).await;
        }
        self.world.lock().keep_failure_of(spec, event);
    }

    /// `make sync-now`.
    pub(crate) async fn sync_now(&self) {
        let topology = Arc::clone(&self.world.lock().topology);
        if let Some(spec) = topology.function("sync") {
            self.invoke_async(spec, &json!({})).await;
        }
    }
}

impl State {
    /// Lambda writes the event to the destination of failures, with the function's role.
    fn keep_failure_of(&mut self, spec: &Spec, event: &Value) {
        match &spec.async_invoke.failures {
            Some(queue) if spec.policy.allows("sqs:SendMessage", &queue_arn(queue)) => {
                let kept = json!({ "version": "1.0", "requestPayload": event });
                self.keep_failed(queue, &kept);
            }
            _ => self.ledger.violation(format!("nothing keeps what {} failed", spec.name)),
        }
    }

    fn keep_failed(&mut self, queue: &str, content: &Value) {
        let request = json!({ "QueueUrl": queue_url(queue), "MessageBody": content.to_string() });
        let (now, chances) = (self.now(), Chances::default());
        let sent = self.sqs.call("SendMessage", &request, now, &chances, &mut self.random);
        if let Err(failure) = sent {
            self.ledger.violation(format!("{queue} takes no failed invocation: {failure:?}"));
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

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use tokio::runtime::Builder;
    use tokio::task::LocalSet;

    use super::*;
    use crate::Topology;
    use crate::call::Service;
    use crate::run::{Plan, world};

    const DEPLOYED: &str = include_str!("../../../../template.yaml");

    /// What becomes of an invocation while DynamoDB is away: the bodies in the queue of failures,
    /// the minutes until then, and the violations.
    fn fail(function: &str, template: &str) -> (Vec<Value>, u64, Vec<String>) {
        let topology = Arc::new(Topology::read(template).unwrap());
        let mut runtime = Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(LocalSet::new().run_until(async {
            clock::begin();
            let world = world(Plan::of(1), Arc::clone(&topology));
            world.lock().end_faults();
            world.lock().away = Some(Service::DynamoDb);
            world.lock().put_setting(
                "sources/shipway/settings",
                doubles::ssm::Kind::String,
                r#"{"account":"STORE001","base_url":"https://carrier.invalid"}"#,
            );
            let lambda = Lambda::new(world.clone());
            let spec = topology.function(function).unwrap();
            lambda.invoke_async(spec, &json!({ "kind": "hourly" })).await;
            let state = world.lock();
            let kept = state.sqs.messages("FailedInvocationsDlq");
            let kept = kept.map(|message| serde_json::from_str(&message.body).unwrap()).collect();
            (kept, clock::elapsed().as_secs() / 60, state.ledger.violations().to_vec())
        }))
    }

    #[test]
    fn keeps_a_scheduled_invocation_after_its_last_failure() {
        for (function, minutes) in [("sweep", 0..=1), ("sync", 3..=6)] {
            let (kept, took, violations) = fail(function, DEPLOYED);
            assert_eq!(kept.len(), 1, "{function}");
            assert_eq!(kept[0]["requestPayload"], json!({ "kind": "hourly" }), "{function}");
            assert!(minutes.contains(&took), "{function}: {took}");
            assert_eq!(violations, [""; 0], "{function}");
        }
    }

    #[test]
    fn notices_a_failed_invocation_that_nothing_keeps() {
        let allowed = "Sid: KeepFailedInvocations\n                Effect: Allow";
        let denied = DEPLOYED.replace(allowed, &allowed.replace("Allow", "Deny"));
        let nowhere = DEPLOYED.replace("DestinationConfig: *failedInvocations", "");
        for template in [denied, nowhere] {
            assert_ne!(template, DEPLOYED);
            let (kept, _, violations) = fail("sweep", &template);
            assert_eq!((kept.len(), violations.len()), (0, 1), "{violations:?}");
        }
    }
}
