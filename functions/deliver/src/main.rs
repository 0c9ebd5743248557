//! Wires the function to its environment.

use aws::client::{CallTimeouts, Clients, Edge};
use aws::env::variable;
use aws::lambda::sqs_batch::Worker;
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::deliveries::Deliveries;
use aws_lambda_events::event::sqs::SqsEvent;
use deliver::Deliver;
use domain::core::timestamp::Timestamp;
use egress::Http;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::start();
    let clients = Clients::from_environment(Edge::system(), CallTimeouts::Queue).await;
    let sqs = clients.sqs();
    let queue = |name| variable(name).map(|url| Queue::new(sqs.clone(), url));
    let worker = Worker {
        queue: queue("DELIVERIES_QUEUE_URL")?,
        dead_letters: queue("DELIVERIES_DLQ_URL")?,
    };
    let deliver = Deliver::new(
        Deliveries::new(clients.dynamodb(), variable("DELIVERIES_TABLE")?),
        worker.dead_letters.clone(),
        Settings::from_environment(clients.ssm())?,
        Http::new()?,
    );
    let (deliver, worker) = (&deliver, &worker);
    run(service_fn(async |batch: LambdaEvent<SqsEvent>| {
        let deadline = Timestamp::from_system(batch.context.deadline());
        Ok::<_, Error>(
            worker
                .run(batch.payload, async |message| deliver.handle(message, deadline).await)
                .await,
        )
    }))
    .await
}
