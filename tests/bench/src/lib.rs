//! Benchmarks: the programs of the functions, as Lambda runs them, against doubles of AWS in this
//! process.

mod bench;
mod calls;
mod cold;
mod compare;
mod cpu;
mod deliveries;
mod events;
mod http;
mod installation;
mod instructions;
mod pool;
mod queues;
mod report;
mod sandbox;
mod share;
pub mod sync;
mod tool;
mod warm;

pub use bench::bench;

use std::process::ExitCode;

pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Prints the violated requirements of a benchmark, or why it failed.
pub fn exit(result: Result<Vec<String>, Error>) -> ExitCode {
    let failures = result.unwrap_or_else(|error| vec![error.to_string()]);
    failures.iter().for_each(|failure| eprintln!("error: {failure}"));
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
