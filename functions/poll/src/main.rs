//! Wires the function to its environment.

use aws::client::{CallTimeouts, Clients, Edge};
use aws::env::variable;
use aws::lambda::sqs_batch::Worker;
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::orders::Orders;
use aws::tables::runs::Runs;
use aws_lambda_events::event::sqs::SqsEvent;
use domain::core::timestamp::Timestamp;
use egress::Http;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use poll::Poll;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::start();
    let clients = Clients::from_environment(Edge::system(), CallTimeouts::Queue).await;
    let (dynamodb, sqs) = (clients.dynamodb(), clients.sqs());
    let queue = |name| variable(name).map(|url| Queue::new(sqs.clone(), url));
    let batches = queue("BATCHES_QUEUE_URL")?.with_long_retry_waits();
    let worker = Worker { queue: batches, dead_letters: queue("BATCHES_DLQ_URL")? };
    let poll = Poll::new(
        Runs::new(dynamodb.clone(), variable("STATE_TABLE")?),
        Orders::new(dynamodb, variable("ORDERS_TABLE")?),
        queue("EVENTS_QUEUE_URL")?,
        Settings::from_environment(clients.ssm())?,
        Http::new()?,
    );
    let (poll, worker) = (&poll, &worker);
    run(service_fn(async |batch: LambdaEvent<SqsEvent>| {
        let deadline = Timestamp::from_system(batch.context.deadline());
        let handle = async |message: &str| poll.handle(message, deadline).await;
        let set_aside =
            async |message: &str, reason| poll.record_dead_letter(message, reason).await;
        Ok::<_, Error>(worker.run_with(batch.payload, handle, set_aside).await)
    }))
    .await
}
