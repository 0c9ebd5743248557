//! JSON views of inbound log events.

use aws::tables::inbound::LogRow;
use data_encoding::BASE64;
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use serde::Serialize;

/// In bytes. Lambda limits a response to 6 MB; the rest is for the other fields.
const MAX_BODY: usize = 5_800_000;

#[derive(Debug, Serialize)]
pub(crate) struct EventSummary<'a> {
    id: &'a EventId,
    source: &'a str,
    account_code: Option<&'a AccountCode>,
    received_at: Timestamp,
    status: &'static str,
    reason: Option<&'a str>,
    settled_at: Option<Timestamp>,
    erased_at: Option<Timestamp>,
}

impl<'a> EventSummary<'a> {
    pub(crate) fn of(row: &'a LogRow) -> Self {
        Self {
            id: &row.id,
            source: row.source.as_str(),
            account_code: row.account.as_ref(),
            received_at: row.received_at,
            status: row.state.as_str(),
            reason: row.reason.as_deref(),
            settled_at: row.settled_at,
            erased_at: row.erased_at,
        }
    }
}

/// Has no `Debug`: bodies contain personal data.
#[derive(Serialize)]
pub(crate) struct EventDetail<'a> {
    #[serde(flatten)]
    summary: EventSummary<'a>,
    /// Null if the body was erased, and of the request for an erasure.
    size: Option<usize>,
    /// There is a body, and it was not asked for.
    redacted: bool,
    body: Option<String>,
    body_encoding: Option<&'static str>,
}

impl<'a> EventDetail<'a> {
    pub(crate) fn new(summary: EventSummary<'a>, body: Option<&[u8]>, reveals: bool) -> Self {
        let size = body.map(<[u8]>::len);
        let shown = body.filter(|_| reveals).map(|body| encode(body, MAX_BODY));
        let (body_encoding, body) = shown.unzip();
        Self { summary, size, redacted: size.is_some() && !reveals, body, body_encoding }
    }
}

/// UTF-8 text if the body is text and fits into `max_bytes` once escaped, else base64.
fn encode(body: &[u8], max_bytes: usize) -> (&'static str, String) {
    match std::str::from_utf8(body) {
        Ok(text) if escaped_bytes(text) <= max_bytes => ("utf8", text.to_owned()),
        _ => ("base64", BASE64.encode(body)),
    }
}

/// The size in Lambda's response, where the text is escaped twice: JSON inside JSON.
fn escaped_bytes(text: &str) -> usize {
    let escaped = |text: &str| serde_json::to_string(text).unwrap_or_default();
    escaped(&escaped(text)).len()
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use aws::tables::inbound::EventState;
    use domain::tracking::report::SourceName;

    use super::*;

    fn detail(body: Option<&[u8]>, reveals: bool) -> serde_json::Value {
        let row = LogRow {
            id: EventId::parse("e").unwrap(),
            source: SourceName::new("whatsapp"),
            account: None,
            received_at: Timestamp::from_millis(0).unwrap(),
            state: EventState::Received,
            reason: None,
            settled_at: None,
            erased_at: None,
        };
        serde_json::to_value(EventDetail::new(EventSummary::of(&row), body, reveals)).unwrap()
    }

    #[test]
    fn serializes_absent_fields_as_null() {
        let expected = serde_json::json!({
            "id": "e", "source": "whatsapp", "account_code": null,
            "received_at": "1970-01-01T00:00:00.000Z", "status": "received", "reason": null,
            "settled_at": null, "erased_at": null, "size": 2, "redacted": false, "body": "{}",
            "body_encoding": "utf8",
        });
        assert_eq!(detail(Some(b"{}"), true), expected);
    }

    #[test]
    fn redacts_a_body_until_it_is_asked_for() {
        for (body, reveals, size, redacted) in [
            (Some(b"{}".as_slice()), false, Some(2), true),
            (None, false, None, false),
            (None, true, None, false),
        ] {
            let shown = detail(body, reveals);
            let fields = ["size", "redacted", "body", "body_encoding"].map(|name| &shown[name]);
            let null = serde_json::Value::Null;
            assert_eq!(fields, [&serde_json::json!(size), &redacted.into(), &null, &null]);
        }
    }

    #[test]
    fn encodes_bodies_without_loss() {
        const TEXT: &str = "{\"name\":\"\u{e4}\\n\u{1f600}\"}\r\n\0";
        for (body, max_bytes, encoding, text) in [
            (b"".as_slice(), 100, "utf8", ""),
            (TEXT.as_bytes(), 100, "utf8", TEXT),
            (b"\"\xff\xfe\"", 100, "base64", "Iv/+Ig=="),
            // Escaped twice, a quote takes four bytes, and the quotes around the text take six.
            (b"xxxx", 4 + 6, "utf8", "xxxx"),
            (b"xxxxx", 4 + 6, "base64", "eHh4eHg="),
            (b"\"", 4 + 6, "utf8", "\""),
            (b"\"x", 4 + 6, "base64", "Ing="),
            (b"\0", 4 + 6, "base64", "AA=="),
        ] {
            assert_eq!(encode(body, max_bytes), (encoding, text.to_owned()), "{body:?}");
        }
    }

    #[test]
    fn the_largest_source_body_fits_a_response() {
        let largest = sources::SOURCES.iter().map(|source| source.body_limit()).max().unwrap();
        assert!(BASE64.encode_len(largest) < MAX_BODY, "{largest}");
    }
}
