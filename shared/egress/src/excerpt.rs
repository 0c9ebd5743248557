//! The stored start of a response body, safe to display.

use std::borrow::Cow;

use reqwest::header::{HeaderMap, HeaderValue};

const EXCERPT_BYTES: usize = 1024;

const MASK: &str = "[REDACTED]";

/// Masks secrets before the cut, so that half a secret never remains. Finds secrets that are echoed
/// verbatim, not re-encoded ones; by bytes, as a header's value need not be text.
pub(crate) fn of(body: &[u8], sent: &HeaderMap) -> String {
    let mut body = Cow::Borrowed(body);
    for secret in sent.values().filter(|value| value.is_sensitive()).map(HeaderValue::as_bytes) {
        body = Cow::Owned(without(&body, secret));
    }
    let mut text: String = String::from_utf8_lossy(&body).chars().map(printable).collect();
    text.truncate(text.floor_char_boundary(EXCERPT_BYTES));
    text
}

fn without(body: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut masked = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((first, others)) = rest.split_first() {
        if !secret.is_empty() && rest.starts_with(secret) {
            masked.extend_from_slice(MASK.as_bytes());
            rest = &rest[secret.len()..];
        } else {
            masked.push(*first);
            rest = others;
        }
    }
    masked
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
