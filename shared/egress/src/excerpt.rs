//! The stored start of a response body, safe to display.

use reqwest::header::{HeaderMap, HeaderValue};

const EXCERPT_BYTES: usize = 1024;

const MASK: &str = "[REDACTED]";

/// Masks secrets before the cut, so that half a secret never remains. Finds secrets that are echoed
/// verbatim, not re-encoded ones.
pub(crate) fn of(body: &[u8], sent: &HeaderMap) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    for secret in sent.values().filter(|value| value.is_sensitive()).filter_map(as_text) {
        text = text.replace(secret, MASK);
    }
    let mut text: String = text.chars().map(printable).collect();
    text.truncate(text.floor_char_boundary(EXCERPT_BYTES));
    text
}

fn as_text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok().filter(|text| !text.is_empty())
}

/// Control characters act on terminals, and bidi controls change how a line reads.
fn printable(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' => ' ',
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            '\u{fffd}'
        }
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}
