//! Wires the function to its environment.

use std::time::Duration;

use aws::client::{CallTimeouts, Clients, Edge};
use aws::env::variable;
use aws::lambda::sqs_batch::Worker;
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::orders::Orders;
use aws::tables::runs::Runs;
use aws_lambda_events::event::sqs::SqsEvent;
use domain::core::timestamp::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use sync::Sync;

/// Time left for the current page when the function must not start another.
const RESERVE: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::start();
    let clients = Clients::from_environment(Edge::system(), CallTimeouts::Queue).await;
    let (dynamodb, sqs) = (clients.dynamodb(), clients.sqs());
    let queue = |name| variable(name).map(|url| Queue::new(sqs.clone(), url));
    let worker =
        Worker { queue: queue("SHARDS_QUEUE_URL")?, dead_letters: queue("SHARDS_DLQ_URL")? };
    let sync = Sync::new(
        Runs::new(dynamodb.clone(), variable("STATE_TABLE")?),
        Orders::new(dynamodb, variable("ORDERS_TABLE")?),
        worker.queue.clone(),
        queue("BATCHES_QUEUE_URL")?,
        Settings::from_environment(clients.ssm())?,
    );
    let (sync, worker) = (&sync, &worker);
    run(service_fn(async |event: LambdaEvent<Value>| {
        if event.payload.get("Records").is_none() {
            // Boxed: otherwise the nested futures exceed the compiler's recursion limit.
            return Ok(Box::pin(sync.open_run(&event.payload)).await?);
        }
        let deadline = Timestamp::from_system(event.context.deadline() - RESERVE);
        let planners: SqsEvent = serde_json::from_value(event.payload)?;
        let plan = async |message: &str| sync.plan(message, deadline).await;
        let set_aside =
            async |message: &str, reason| sync.record_dead_letter(message, reason).await;
        let response = worker.run_with(planners, plan, set_aside).await;
        Ok::<_, Error>(serde_json::to_value(response)?)
    }))
    .await
}
