//! Wires the function to its environment.

use std::time::Duration;

use aws::client::{CallTimeouts, Clients, Edge};
use aws::env::variable;
use aws::lambda::sqs_batch::Worker;
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::inbound::InboundLog;
use aws::tables::messages::Messages;
use aws::tables::orders::Orders;
use aws_lambda_events::event::sqs::SqsEvent;
use domain::core::timestamp::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use process::Process;

/// Time left to return what was stopped to the queue.
const RETURNING: Duration = Duration::from_secs(10);
/// Time left for the report in work, the fan-out and the mark.
const FINISHING: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::start();
    let clients = Clients::from_environment(Edge::system(), CallTimeouts::Queue).await;
    let dynamodb = clients.dynamodb();
    let sqs = clients.sqs();
    let queue = |name| variable(name).map(|url| Queue::new(sqs.clone(), url));
    let process = Process::new(
        InboundLog::new(dynamodb.clone(), variable("INBOUND_TABLE")?),
        Orders::new(dynamodb.clone(), variable("ORDERS_TABLE")?),
        Messages::new(dynamodb, variable("MESSAGES_TABLE")?),
        queue("DELIVERIES_QUEUE_URL")?,
        Settings::from_environment(clients.ssm())?,
    );
    let worker =
        Worker { queue: queue("EVENTS_QUEUE_URL")?, dead_letters: queue("EVENTS_DLQ_URL")? };
    let (process, worker) = (&process, &worker);
    run(service_fn(async |batch: LambdaEvent<SqsEvent>| {
        let end = batch.context.deadline() - RETURNING;
        let last_start = Timestamp::from_system(end - FINISHING);
        let handle = async |message: &str| process.handle(message, last_start).await;
        let set_aside =
            async |message: &str, reason| process.record_dead_letter(message, reason).await;
        let end = Timestamp::from_system(end);
        Ok::<_, Error>(worker.run_isolated(batch.payload, end, handle, set_aside).await)
    }))
    .await
}
