//! Wires the function to its environment.

use std::time::Duration;

use aws::client::{CallTimeouts, Clients, Edge};
use aws::clock::now;
use aws::env::variable;
use aws::sqs::Queue;
use aws::tables::inbound::InboundLog;
use domain::core::timestamp::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use sweep::Sweep;

/// Time left for the current batch when the function must not start another.
const RESERVE: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::start();
    let clients = Clients::from_environment(Edge::system(), CallTimeouts::Queue).await;
    let sweep = Sweep::new(
        InboundLog::new(clients.dynamodb(), variable("INBOUND_TABLE")?),
        Queue::new(clients.sqs(), variable("EVENTS_QUEUE_URL")?),
    );
    let sweep = &sweep;
    run(service_fn(async |fire: LambdaEvent<serde_json::Value>| {
        let deadline = Timestamp::from_system(fire.context.deadline() - RESERVE);
        let now = now();
        let (queued, checked) =
            (sweep.run(now, deadline).await, sweep.check_overdue(now, deadline).await);
        Ok::<_, Error>(queued.and(checked)?)
    }))
    .await
}
