//! Wiring: environment, clients, run.

use aws::env::{CallTimeouts, sdk_config, variable};
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::inbound::InboundLog;
use aws::tables::orders::Orders;
use lambda_http::{Error, run, service_fn};
use orders::OrdersApi;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::start();
    let sdk = sdk_config(CallTimeouts::Http).await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let orders = OrdersApi::new(
        Orders::new(dynamodb.clone(), variable("ORDERS_TABLE")?),
        InboundLog::new(dynamodb, variable("INBOUND_TABLE")?),
        Queue::new(aws_sdk_sqs::Client::new(&sdk), variable("EVENTS_QUEUE_URL")?),
        Settings::from_environment(aws_sdk_ssm::Client::new(&sdk))?,
    );
    run(service_fn(|request| orders.handle(request))).await
}
