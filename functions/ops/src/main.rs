//! Wires the function to its environment.

use aws::client::{CallTimeouts, Clients, Edge};
use aws::env::variable;
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::deliveries::Deliveries;
use aws::tables::inbound::InboundLog;
use aws::tables::orders::Orders;
use aws::tables::runs::Runs;
use lambda_http::{Error, run, service_fn};
use ops::{Ops, Queues, Tables};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::start();
    let clients = Clients::from_environment(Edge::system(), CallTimeouts::Http).await;
    let (dynamodb, sqs) = (clients.dynamodb(), clients.sqs());
    let tables = Tables {
        events: InboundLog::new(dynamodb.clone(), variable("INBOUND_TABLE")?),
        orders: Orders::new(dynamodb.clone(), variable("ORDERS_TABLE")?),
        deliveries: Deliveries::new(dynamodb.clone(), variable("DELIVERIES_TABLE")?),
        runs: Runs::new(dynamodb, variable("STATE_TABLE")?),
    };
    let queues = Queues {
        events: Queue::new(sqs.clone(), variable("EVENTS_QUEUE_URL")?),
        deliveries: Queue::new(sqs, variable("DELIVERIES_QUEUE_URL")?),
    };
    let ops = Ops::new(tables, queues, Settings::from_environment(clients.ssm())?);
    run(service_fn(|request| ops.handle(request))).await
}
