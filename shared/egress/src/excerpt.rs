//! The part of an answer's body that is kept, made safe to store and to show.

use reqwest::header::{HeaderMap, HeaderValue};

/// Bytes of text kept.
const EXCERPT_BYTES: usize = 1024;

const MASK: &str = "[REDACTED]";

/// Masking happens before the cut, so that the cut never leaves half a secret. It finds secrets echoed as they were
/// sent, not re-encoded ones.
pub(super) fn of(body: &[u8], sent: &HeaderMap) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    for secret in sent.values().filter(|value| value.is_sensitive()).filter_map(visible) {
        text = text.replace(secret, MASK);
    }
    let mut text: String = text.chars().map(shown).collect();
    text.truncate(text.floor_char_boundary(EXCERPT_BYTES));
    text
}

fn visible(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok().filter(|text| !text.is_empty())
}

/// Terminals obey control characters, and bidi controls make a line read as another one.
fn shown(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' => ' ',
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            '\u{fffd}'
        }
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}
