//! Wiring: environment, clients, run.

use aws::env::{CallTimeouts, sdk_config, variable};
use aws::lambda::sqs_batch::Worker;
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::inbound::InboundLog;
use aws::tables::messages::Messages;
use aws::tables::orders::Orders;
use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use process::Process;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::start();
    let sdk = sdk_config(CallTimeouts::Queue).await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let queue = |name| variable(name).map(|url| Queue::new(sqs.clone(), url));
    let process = Process::new(
        InboundLog::new(dynamodb.clone(), variable("INBOUND_TABLE")?),
        Orders::new(dynamodb.clone(), variable("ORDERS_TABLE")?),
        Messages::new(dynamodb, variable("MESSAGES_TABLE")?),
        queue("DELIVERIES_QUEUE_URL")?,
        Settings::from_environment(aws_sdk_ssm::Client::new(&sdk))?,
    );
    let worker =
        Worker { queue: queue("EVENTS_QUEUE_URL")?, dead_letters: queue("EVENTS_DLQ_URL")? };
    let (process, worker) = (&process, &worker);
    run(service_fn(async |batch: LambdaEvent<SqsEvent>| {
        Ok::<_, Error>(
            worker.run(batch.payload, async |message| process.handle(message).await).await,
        )
    }))
    .await
}
