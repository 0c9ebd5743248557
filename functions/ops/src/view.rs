//! An event of the log as it is shown.

use aws::tables::inbound::LogRow;
use data_encoding::BASE64;
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use serde::Serialize;

/// Lambda takes answers of 6 MB; beside the body there is little else in one.
const ROOM: usize = 5_800_000;

/// An event in a list.
#[derive(Debug, Serialize)]
pub(crate) struct Item<'a> {
    id: &'a EventId,
    source: &'a str,
    account_code: Option<&'a AccountCode>,
    received_at: Timestamp,
    status: &'static str,
    reason: Option<&'a str>,
    settled_at: Option<Timestamp>,
}

impl<'a> Item<'a> {
    pub(crate) fn of(row: &'a LogRow) -> Self {
        Self {
            id: &row.id,
            source: row.source.as_str(),
            account_code: row.account.as_ref(),
            received_at: row.received_at,
            status: row.state.as_str(),
            reason: row.reason.as_deref(),
            settled_at: row.settled_at,
        }
    }
}

/// An event with its body. Bodies hold names and phones: without `Debug`.
#[derive(Serialize)]
pub(crate) struct Detail<'a> {
    #[serde(flatten)]
    item: Item<'a>,
    size: usize,
    body: String,
    body_encoding: &'static str,
}

impl<'a> Detail<'a> {
    pub(crate) fn new(item: Item<'a>, body: &[u8]) -> Self {
        let (body_encoding, text) = encode(body, ROOM);
        Self { item, size: body.len(), body: text, body_encoding }
    }
}

/// The body as it was sent, where that is text and takes no more than so much room.
fn encode(body: &[u8], room: usize) -> (&'static str, String) {
    match std::str::from_utf8(body) {
        Ok(text) if answered_bytes(text) <= room => ("utf8", text.to_owned()),
        _ => ("base64", BASE64.encode(body)),
    }
}

/// What a text takes in the answer as Lambda hands it on: in JSON that stands in JSON.
fn answered_bytes(text: &str) -> usize {
    let escaped = |text: &str| serde_json::to_string(text).unwrap_or_default();
    escaped(&escaped(text)).len()
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use aws::tables::inbound::EventState;
    use domain::tracking::report::SourceName;

    use super::*;

    fn detail(body: &[u8]) -> serde_json::Value {
        let row = LogRow {
            id: EventId::parse("e").unwrap(),
            source: SourceName::new("whatsapp"),
            account: None,
            received_at: Timestamp::from_millis(0).unwrap(),
            state: EventState::Received,
            reason: None,
            settled_at: None,
        };
        serde_json::to_value(Detail::new(Item::of(&row), body)).unwrap()
    }

    #[test]
    fn what_is_absent_is_null() {
        let expected = serde_json::json!({
            "id": "e", "source": "whatsapp", "account_code": null, "received_at": "1970-01-01T00:00:00.000Z",
            "status": "received", "reason": null, "settled_at": null, "size": 2, "body": "{}", "body_encoding": "utf8",
        });
        assert_eq!(detail(b"{}"), expected);
    }

    #[test]
    fn a_body_is_shown_to_the_byte() {
        const ODD: &str = "{\"name\":\"\u{e4}\\n\u{1f600}\"}\r\n\0";
        for (body, room, encoding, text) in [
            (b"".as_slice(), 100, "utf8", ""),
            (ODD.as_bytes(), 100, "utf8", ODD),
            (b"\"\xff\xfe\"", 100, "base64", "Iv/+Ig=="),
            // In JSON that stands in JSON a quote takes four bytes, and the two pairs around the text six.
            (b"xxxx", 4 + 6, "utf8", "xxxx"),
            (b"xxxxx", 4 + 6, "base64", "eHh4eHg="),
            (b"\"", 4 + 6, "utf8", "\""),
            (b"\"x", 4 + 6, "base64", "Ing="),
            (b"\0", 4 + 6, "base64", "AA=="),
        ] {
            assert_eq!(encode(body, room), (encoding, text.to_owned()), "{body:?}");
        }
    }

    #[test]
    fn the_largest_body_fits_an_answer() {
        let largest = sources::SOURCES.iter().map(|source| source.body_limit()).max().unwrap();
        assert!(BASE64.encode_len(largest) < ROOM, "{largest}");
    }
}
