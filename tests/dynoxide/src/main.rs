//! Runs random requests on dynoxide, which is verified against DynamoDB, and writes each with its
//! answer to the file that it is given. The model of DynamoDB in `tests/doubles` has to answer the
//! same. The requests depend on the seed only, the second argument.

mod database;
mod generate;

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use database::Database;
use generate::{Generator, large};

const SEED: u64 = 11;
const REQUESTS: usize = 6000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: record-dynamodb <file> [<seed>]")?;
    let seed = arguments.next().map_or(Ok(SEED), |seed| seed.parse())?;
    let (database, mut generator) = (Database::new()?, Generator::new(seed));
    let mut recording = GzEncoder::new(BufWriter::new(File::create(path)?), Compression::best());
    for _ in 0..REQUESTS {
        let (operation, request) = generator.request();
        let exchange = database.call(operation, request)?;
        generator.learn(&exchange);
        writeln!(recording, "{exchange}")?;
    }
    for (operation, request) in large::requests() {
        writeln!(recording, "{}", database.call(operation, request)?)?;
    }
    recording.finish()?.flush()?;
    Ok(())
}
