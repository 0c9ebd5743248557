//! The function as Lambda invokes it.

use std::time::Duration;

use aws::client::Clients;
use aws::env::{BadEnvironment, Environment};
use aws::lambda::Invocation;
use aws::lambda::sqs_batch::Worker;
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::orders::Orders;
use aws::tables::runs::Runs;
use aws_lambda_events::event::sqs::SqsEvent;
use domain::core::timestamp::Timestamp;
use lambda_runtime::LambdaEvent;
use serde_json::Value;

use crate::Sync;

/// Time left for the current page when the function must not start another.
const RESERVE: Duration = Duration::from_secs(10);

pub struct Function {
    sync: Sync,
    worker: Worker,
}

impl Function {
    pub fn from_environment(
        clients: &Clients,
        environment: &Environment,
    ) -> Result<Self, BadEnvironment> {
        let (dynamodb, sqs) = (clients.dynamodb(), clients.sqs());
        let queue = |name| environment.variable(name).map(|url| Queue::new(sqs.clone(), url));
        let worker =
            Worker { queue: queue("SHARDS_QUEUE_URL")?, dead_letters: queue("SHARDS_DLQ_URL")? };
        let sync = Sync::new(
            Runs::new(dynamodb.clone(), environment.variable("STATE_TABLE")?),
            Orders::new(dynamodb, environment.variable("ORDERS_TABLE")?),
            worker.queue.clone(),
            queue("BATCHES_QUEUE_URL")?,
            Settings::from_environment(clients.ssm(), environment)?,
        );
        Ok(Self { sync, worker })
    }

    /// Messages of the shards queue are planners; any other event opens a run.
    pub fn invoke(&self, event: LambdaEvent<Value>) -> Invocation<'_, Value> {
        Box::pin(async move {
            if event.payload.get("Records").is_none() {
                // Boxed: otherwise the nested futures exceed the compiler's recursion limit.
                return Ok(Box::pin(self.sync.open_run(&event.payload)).await?);
            }
            let deadline = Timestamp::from_system(event.context.deadline() - RESERVE);
            let planners: SqsEvent = serde_json::from_value(event.payload)?;
            let plan = async |message: &str| self.sync.plan(message, deadline).await;
            let set_aside =
                async |message: &str, reason| self.sync.record_dead_letter(message, reason).await;
            let response = self.worker.run_with(planners, plan, set_aside).await;
            Ok(serde_json::to_value(response)?)
        })
    }
}
