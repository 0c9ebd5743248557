//! Wiring: environment, clients, run.

use aws::env::{CallTimeouts, sdk_config, variable};
use aws::settings::Settings;
use aws::tables::messages::Messages;
use aws::tables::orders::Orders;
use lambda_http::{Error, run, service_fn};
use messages::MessagesApi;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::start();
    let sdk = sdk_config(CallTimeouts::Http).await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let messages = MessagesApi::new(
        Messages::new(dynamodb.clone(), variable("MESSAGES_TABLE")?),
        Orders::new(dynamodb, variable("ORDERS_TABLE")?),
        Settings::from_environment(aws_sdk_ssm::Client::new(&sdk))?,
    );
    run(service_fn(|request| messages.handle(request))).await
}
