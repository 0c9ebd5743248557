#![expect(clippy::unwrap_used)]

mod receives;
mod requests;

use super::*;
use crate::names::{queue_arn, queue_url};

const NOW: u64 = 1_000_000_000;
const SECOND: u64 = 1000;
const DAY: u64 = 24 * 60 * 60 * SECOND;

/// Queue `q` hides a message for a minute and moves it to `dlq` after three receives.
struct Fixture {
    sqs: Sqs,
    chances: Chances,
    rng: fastrand::Rng,
}

impl Fixture {
    fn new() -> Self {
        Self::with_chances(Chances::default())
    }

    fn with_chances(chances: Chances) -> Self {
        let redrive = Redrive { dead_letters: "dlq".to_owned(), max_receives: 3 };
        let sqs = Sqs::new(vec![settings("q", Some(redrive)), settings("dlq", None)]);
        Self { sqs, chances, rng: fastrand::Rng::with_seed(1) }
    }

    fn call(&mut self, operation: &str, mut request: Value, now: u64) -> Result<Value, Failure> {
        if request["QueueUrl"].is_null() {
            request["QueueUrl"] = queue_url("q").into();
        }
        self.sqs.call(operation, &request, now, &self.chances, &mut self.rng)
    }

    fn send(&mut self, body: &str, now: u64) {
        self.call("SendMessage", json!({"MessageBody": body}), now).unwrap();
    }

    fn receive_from(&mut self, queue: &str, now: u64) -> Vec<Received> {
        self.sqs.receive(queue, 10, now, &self.chances, &mut self.rng)
    }

    fn receive(&mut self, now: u64) -> Vec<Received> {
        self.receive_from("q", now)
    }

    fn receive_one(&mut self, now: u64) -> Received {
        let mut received = self.receive(now);
        assert_eq!(received.len(), 1);
        received.remove(0)
    }

    fn hide(&mut self, received: &Received, seconds: u64, now: u64) -> Result<Value, Failure> {
        let request = json!({"ReceiptHandle": received.receipt, "VisibilityTimeout": seconds});
        self.call("ChangeMessageVisibility", request, now)
    }

    fn count(&self, queue: &str) -> usize {
        self.sqs.messages(queue).count()
    }
}

fn settings(name: &str, redrive: Option<Redrive>) -> QueueSettings {
    let name = name.to_owned();
    QueueSettings { name, visibility: 60 * SECOND, retention: 4 * DAY, delay: 0, redrive }
}

fn bodies(received: &[Received]) -> Vec<&str> {
    received.iter().map(|received| received.body.as_str()).collect()
}

fn code(answer: Result<Value, Failure>) -> String {
    answer.unwrap_err().code().to_owned()
}
