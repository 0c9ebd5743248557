//! See [`bench::cold`].

use std::process::ExitCode;

fn main() -> ExitCode {
    bench::exit(bench::cold::bench())
}
