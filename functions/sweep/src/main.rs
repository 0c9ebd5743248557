//! Wiring: environment, clients, run.

use aws::clock::now;
use aws::environment::{sdk_config, variable};
use aws::events::Events;
use aws::queue::Queue;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use sweep::Sweep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::start();
    let sdk = sdk_config().await;
    let sweep = Sweep::new(
        Events::new(aws_sdk_dynamodb::Client::new(&sdk), variable("INBOUND_TABLE")?),
        Queue::new(aws_sdk_sqs::Client::new(&sdk), variable("EVENTS_QUEUE_URL")?),
    );
    let sweep = &sweep;
    run(service_fn(async |_fire: LambdaEvent<serde_json::Value>| Ok::<_, Error>(sweep.run(now()).await?))).await
}
