//! Wires the function to its environment.

use aws::client::{CallTimeouts, Clients, Edge};
use aws::env::variable;
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::inbound::InboundLog;
use aws::tables::orders::Orders;
use lambda_http::{Error, run, service_fn};
use orders::OrdersApi;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::start();
    let clients = Clients::from_environment(Edge::system(), CallTimeouts::Http).await;
    let dynamodb = clients.dynamodb();
    let orders = OrdersApi::new(
        Orders::new(dynamodb.clone(), variable("ORDERS_TABLE")?),
        InboundLog::new(dynamodb, variable("INBOUND_TABLE")?),
        Queue::new(clients.sqs(), variable("EVENTS_QUEUE_URL")?),
        Settings::from_environment(clients.ssm())?,
    );
    run(service_fn(|request| orders.handle(request))).await
}
