//! Connects the function to the Lambda runtime.

use aws::client::{CallTimeouts, Clients, Edge};
use aws::env::Environment;
use lambda_runtime::{Error, run, service_fn};
use process::Function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::start();
    let clients = Clients::from_environment(Edge::system(), CallTimeouts::Queue)?;
    let function = Function::from_environment(&clients, &Environment::of_process())?;
    clients.open_connections().await;
    function.load_settings().await;
    run(service_fn(|event| function.invoke(event))).await
}
