//! See [`bench::bench`].

use std::process::ExitCode;

fn main() -> ExitCode {
    bench::exit(bench::bench())
}
