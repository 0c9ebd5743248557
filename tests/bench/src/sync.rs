//! Benchmark of the hourly sync at several sizes: the programs of the functions against doubles of
//! AWS and of the carrier, which run in this process and answer at once.
//!
//! Prints a table and writes `sync.json`. Fails if a run is incomplete or makes a call too many, or
//! if memory or cost per order grows with the number of orders.
//!
//! `bench-sync [orders…]`, smallest first; the programs `sync` and `poll` are in the same directory.

mod carrier;
mod checks;
mod cost;
mod dynamodb;
mod lambda;
pub(crate) mod orders;
mod rate_limited;
mod report;
mod run;
mod settings;
mod sqs;
pub(crate) mod tracking_answers;
pub(crate) mod usage;

use std::env;
use std::fs;
use std::path::Path;

use crate::Error;

const SIZES: [u64; 4] = [160, 10_000, 100_000, 1_000_000];

/// Returns the violated requirements.
pub fn bench() -> Result<Vec<String>, Error> {
    let program = env::current_exe()?;
    let programs = program.parent().ok_or("the program has no directory")?;
    let target = programs.parent().ok_or("no target directory")?.join("bench");
    let mut sizes: Vec<u64> =
        env::args().skip(1).map(|size| size.parse()).collect::<Result<_, _>>()?;
    if sizes.is_empty() {
        sizes = SIZES.to_vec();
    }
    let mut outcomes = Vec::new();
    for orders in sizes {
        eprintln!("{orders} orders…");
        outcomes.push(run::run(orders, programs, &target.join("logs"))?);
    }
    write(&target.join("sync.json"), &outcomes)?;
    println!("{}", report::table(&outcomes));
    Ok(checks::failures(&outcomes))
}

fn write(file: &Path, outcomes: &[run::Outcome]) -> Result<(), Error> {
    Ok(fs::write(file, format!("{:#}\n", report::to_json(outcomes)))?)
}
