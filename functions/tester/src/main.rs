//! Connects the function to the Lambda runtime.

use aws::client::{CallTimeouts, Clients, Edge};
use aws::clock::system_time;
use aws::env::Environment;
use egress::Http;
use lambda_http::{Error, run, service_fn};
use tester::Tester;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::start();
    let http = Http::new(system_time)?;
    let clients = Clients::from_environment(Edge::system(), CallTimeouts::Http)?;
    let function = Tester::from_environment(&clients, &Environment::of_process(), http.clone())?;
    clients.open_connections().await;
    http.wait()?;
    run(service_fn(|request| function.handle(request))).await
}
