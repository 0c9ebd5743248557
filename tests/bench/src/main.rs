//! The hourly sync at several sizes: the functions' own programs, against doubles of AWS and of the carrier that answer
//! at once, in one process on this machine. Prints a table, writes it as `sync.json` too, and fails where a run was not
//! complete, made a call too many, took more memory for more orders, or cost more an order.
//!
//! `bench-sync [orders…]`, smallest first; the programs `sync` and `poll` lie beside it.

mod bill;
mod carrier;
mod checks;
mod dynamodb;
mod http;
mod lambda;
mod orders;
mod paced;
mod parcel;
mod report;
mod run;
mod settings;
mod sqs;
mod usage;

use std::env;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];

/// What can go wrong with all of it, to be read by people.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match bench() {
        Ok(failures) if failures.is_empty() => ExitCode::SUCCESS,
        Ok(failures) => {
            failures.iter().for_each(|failure| eprintln!("error: {failure}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What does not hold.
fn bench() -> Result<Vec<String>, Error> {
    let program = env::current_exe()?;
    let programs = program.parent().ok_or("no folder")?;
    let target = programs.parent().ok_or("no target folder")?.join("bench");
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
