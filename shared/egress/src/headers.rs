//! Builds the headers of a request.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// Headers of (name, value, is secret). One replaces an earlier one of the same name. One with a
/// value that HTTP does not allow, such as some order ids, is left out. Secret values are masked in
/// the excerpt if the response echoes them.
pub fn header_map<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str, bool)>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value, is_secret) in fields {
        let name = HeaderName::try_from(name);
        if let (Ok(name), Ok(mut value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            value.set_sensitive(is_secret);
            headers.insert(name, value);
        }
    }
    headers
}
