//! What no bytes may do: make a reader panic or keep too much, pass a check, or come back in an error.
//!
//! Each function is a target of `make fuzz`, and a panic in it is a finding. `shared/sources/tests/corpus.rs` holds
//! each to its corpus.

mod reading;
mod settings;
mod signature;
mod sound;

pub use reading::{esahayak, shiprocket, shipway, whatsapp};
pub use settings::settings;
pub use signature::signature;

/// What is done with an input. It panics where it finds something.
pub type Target = fn(&[u8]);

/// Every target by its name, which is its corpus's too.
pub const TARGETS: [(&str, Target); 6] = [
    ("esahayak", esahayak),
    ("settings", settings),
    ("shiprocket", shiprocket),
    ("shipway", shipway),
    ("signature", signature),
    ("whatsapp", whatsapp),
];

/// What stands before the first empty line, and what stands after it.
fn split(input: &[u8]) -> (&[u8], Option<&[u8]>) {
    let end = input.windows(2).position(|pair| pair == b"\n\n");
    end.map_or((input, None), |end| (&input[..end], Some(&input[end + 2..])))
}
