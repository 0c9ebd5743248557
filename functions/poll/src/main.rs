//! Connects the function to the Lambda runtime.

use aws::client::{CallTimeouts, Clients, Edge};
use aws::clock::system_time;
use aws::env::Environment;
use egress::Http;
use lambda_runtime::{Error, run, service_fn};
use poll::Function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::start();
    let http = Http::new(system_time)?;
    let clients = Clients::from_environment(Edge::system(), CallTimeouts::Queue)?;
    let function = Function::from_environment(&clients, &Environment::of_process(), http.clone())?;
    clients.open_connections().await;
    http.wait()?;
    run(service_fn(|event| function.invoke(event))).await
}
