//! Wires the function to its environment.

use aws::client::{CallTimeouts, Clients, Edge};
use aws::env::variable;
use aws::settings::Settings;
use aws::tables::messages::Messages;
use aws::tables::orders::Orders;
use lambda_http::{Error, run, service_fn};
use messages::MessagesApi;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::start();
    let clients = Clients::from_environment(Edge::system(), CallTimeouts::Http).await;
    let dynamodb = clients.dynamodb();
    let messages = MessagesApi::new(
        Messages::new(dynamodb.clone(), variable("MESSAGES_TABLE")?),
        Orders::new(dynamodb, variable("ORDERS_TABLE")?),
        Settings::from_environment(clients.ssm())?,
    );
    run(service_fn(|request| messages.handle(request))).await
}
