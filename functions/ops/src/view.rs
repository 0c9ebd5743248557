//! An event of the log as it is shown.

use aws::events::LogRow;
use data_encoding::BASE64;
use domain::id::{AccountCode, EventId};
use domain::timestamp::Timestamp;
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
        let (body_encoding, text) = match std::str::from_utf8(body) {
            Ok(text) if answered_bytes(text) <= ROOM => ("utf8", text.to_owned()),
            _ => ("base64", BASE64.encode(body)),
        };
        Self { item, size: body.len(), body: text, body_encoding }
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
    use aws::events::EventState;
    use domain::report::SourceName;

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

    /// The largest body that comes in has 3.5 MiB.
    #[test]
    fn a_body_is_shown_to_the_byte_in_an_answer_that_lambda_takes() {
        let large = 3_670_016;
        for (what, body, encoding) in [
            ("empty", Vec::new(), "utf8"),
            ("text", "{\"name\":\"\u{e4}\\n\u{1f600}\"}\r\n\0".into(), "utf8"),
            ("no UTF-8", b"{\"name\":\"\xff\xfe\"}".to_vec(), "base64"),
            ("large", vec![b'x'; large], "utf8"),
            ("large JSON", br#"{"id":"wamid.HBgLOTE5"},"#.repeat(large / 24), "utf8"),
            ("large and quotes", vec![b'"'; large], "base64"),
            ("large and binary", vec![0; large], "base64"),
            ("half as large and quotes", vec![b'"'; large / 2], "base64"),
            ("a third and quotes", vec![b'"'; large / 3], "utf8"),
        ] {
            let shown = detail(&body);
            let text = shown["body"].as_str().unwrap();
            assert_eq!((&shown["body_encoding"], &shown["size"]), (&encoding.into(), &body.len().into()), "{what}");
            let again =
                if encoding == "utf8" { text.as_bytes().to_vec() } else { BASE64.decode(text.as_bytes()).unwrap() };
            assert!(again == body, "{what}");
            let answer = serde_json::json!({"statusCode": 200, "body": shown.to_string()}).to_string();
            assert!(answer.len() < 6_000_000, "{what}: {}", answer.len());
        }
    }
}
