//! The rules for the headers that an endpoint's settings add.

use std::collections::BTreeMap;

use super::error::EndpointSettingError;

/// Reserved since these settings were first taken: stored ones have no effect.
const IGNORED: [&str; 3] = ["content-encoding", "proxy-authorization", "traceparent"];

/// The headers that are sent.
pub(super) fn effective(mut headers: BTreeMap<String, String>) -> BTreeMap<String, String> {
    headers.retain(|name, _| !IGNORED.iter().any(|ignored| name.eq_ignore_ascii_case(ignored)));
    headers
}

/// Names must be RFC 9110 tokens, values visible ASCII. Headers that HTTP or Waypost sets are
/// reserved.
pub(super) fn check_headers(
    headers: &BTreeMap<String, String>,
) -> Result<(), EndpointSettingError> {
    const RESERVED: [&str; 14] = [
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-vendor-server-secret",
    ];
    let is_token = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
    for (name, value) in headers {
        let lower = name.to_ascii_lowercase();
        let is_reserved = RESERVED.contains(&lower.as_str())
            || lower.starts_with("webhook-")
            || lower.starts_with("x-webhook-");
        if name.is_empty() || !name.bytes().all(is_token) || is_reserved {
            return Err(EndpointSettingError::new(
                format!("headers.{name}"),
                "must be a valid header name that is not reserved",
            ));
        }
        if !value.bytes().all(|c| c == b' ' || c.is_ascii_graphic()) {
            return Err(EndpointSettingError::new(
                format!("headers.{name}"),
                "must be visible ASCII",
            ));
        }
    }
    Ok(())
}
