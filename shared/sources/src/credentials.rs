//! Credentials in bodies, which are cut out before a body is stored: whoever reads the inbound log
//! could send them.

use std::borrow::Cow;

/// What stands in place of a credential.
const PLACEHOLDER: &[u8] = br#""[REDACTED]""#;

/// Replaces each text or number of a member with one of these names, at any depth, by
/// `"[REDACTED]"`. Every other byte stays. The body may also be no JSON, as such bodies are stored
/// too.
pub(crate) fn without_credentials<'a>(body: &'a [u8], names: &[&str]) -> Cow<'a, [u8]> {
    let mut cut = Vec::new();
    let (mut copied, mut at) = (0, 0);
    while !names.is_empty()
        && let Some(start) = find(body, at, |byte| byte == b'"')
    {
        at = end_of_string(body, start);
        let value = names
            .iter()
            .any(|name| is_name(&body[start..at], name))
            .then(|| value_after(body, at))
            .flatten();
        if let Some((start, end)) = value {
            cut.extend_from_slice(&body[copied..start]);
            cut.extend_from_slice(PLACEHOLDER);
            (copied, at) = (end, end);
        }
    }
    if copied == 0 {
        return Cow::Borrowed(body);
    }
    cut.extend_from_slice(&body[copied..]);
    Cow::Owned(cut)
}

/// True for a JSON string with this content, in any spelling. A letter may be an escape of six.
fn is_name(token: &[u8], name: &str) -> bool {
    token.len() <= 6 * name.len() + 2
        && serde_json::from_slice(token).is_ok_and(|text: Cow<'_, str>| text == name)
}

/// Where the text or number after the name's colon begins and ends.
fn value_after(body: &[u8], end_of_name: usize) -> Option<(usize, usize)> {
    let is_visible = |byte: u8| !byte.is_ascii_whitespace();
    let colon = find(body, end_of_name, is_visible).filter(|colon| body[*colon] == b':')?;
    let start = find(body, colon + 1, is_visible)?;
    let ends = |byte: u8| byte.is_ascii_whitespace() || b",]}".contains(&byte);
    match body[start] {
        b'"' => Some((start, end_of_string(body, start))),
        b'-' | b'0'..=b'9' => Some((start, find(body, start, ends).unwrap_or(body.len()))),
        _ => None,
    }
}

/// The position after the closing quote, or the end of the body.
fn end_of_string(body: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    loop {
        match body.get(at) {
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
            None => return body.len(),
        }
    }
}

fn find(body: &[u8], from: usize, matches: impl Fn(u8) -> bool) -> Option<usize> {
    let rest = body.get(from..)?;
    rest.iter().position(|byte| matches(*byte)).map(|position| from + position)
}

#[cfg(test)]
mod tests;
