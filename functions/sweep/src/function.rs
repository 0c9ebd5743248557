//! The function as Lambda invokes it.

use std::time::Duration;

use aws::client::Clients;
use aws::clock::now;
use aws::env::{BadEnvironment, Environment};
use aws::lambda::Invocation;
use aws::sqs::Queue;
use aws::tables::inbound::InboundLog;
use domain::core::timestamp::Timestamp;
use lambda_runtime::LambdaEvent;
use serde_json::Value;

use crate::Sweep;

/// Time left for the current batch when the function must not start another.
const RESERVE: Duration = Duration::from_secs(10);

pub struct Function(Sweep);

impl Function {
    pub fn from_environment(
        clients: &Clients,
        environment: &Environment,
    ) -> Result<Self, BadEnvironment> {
        let events = InboundLog::new(clients.dynamodb(), environment.variable("INBOUND_TABLE")?);
        let queue = Queue::new(clients.sqs(), environment.variable("EVENTS_QUEUE_URL")?);
        Ok(Self(Sweep::new(events, queue)))
    }

    pub fn invoke(&self, event: LambdaEvent<Value>) -> Invocation<'_, ()> {
        Box::pin(async move {
            let deadline = Timestamp::from_system(event.context.deadline() - RESERVE);
            let now = now();
            let (queued, checked) =
                (self.0.run(now, deadline).await, self.0.check_overdue(now, deadline).await);
            Ok(queued.and(checked)?)
        })
    }
}
