//! Fuzz targets: no input may make a parser panic or exceed its limits, pass authentication without
//! credentials, or be quoted in an error.
//!
//! `make fuzz` runs each target; a panic is a finding. `shared/sources/tests/corpus.rs` runs each
//! target on its corpus.

mod invariants;
mod reading;
mod settings;
mod signature;

pub use reading::{esahayak, shiprocket, shipway, whatsapp};
pub use settings::settings;
pub use signature::signature;

/// Panics on a finding.
pub type Target = fn(&[u8]);

/// Targets by name, which is also the name of the corpus.
pub const TARGETS: [(&str, Target); 6] = [
    ("esahayak", esahayak),
    ("settings", settings),
    ("shiprocket", shiprocket),
    ("shipway", shipway),
    ("signature", signature),
    ("whatsapp", whatsapp),
];

/// Splits the input at the first empty line.
fn split(input: &[u8]) -> (&[u8], Option<&[u8]>) {
    let end = input.windows(2).position(|pair| pair == b"\n\n");
    end.map_or((input, None), |end| (&input[..end], Some(&input[end + 2..])))
}
