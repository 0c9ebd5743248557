//! Connects the function to the Lambda runtime.

use aws::client::{CallTimeouts, Clients, Edge};
use aws::env::Environment;
use lambda_http::{Error, run, service_fn};
use messages::MessagesApi;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::start();
    let clients = Clients::from_environment(Edge::system(), CallTimeouts::Http)?;
    let function = MessagesApi::from_environment(&clients, &Environment::of_process())?;
    clients.open_connections().await;
    run(service_fn(|request| function.handle(request))).await
}
