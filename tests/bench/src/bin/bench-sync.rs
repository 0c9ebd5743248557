//! See [`bench::sync`].

use std::process::ExitCode;

fn main() -> ExitCode {
    bench::exit(bench::sync::bench())
}
