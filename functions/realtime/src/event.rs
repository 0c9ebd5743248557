//! The events of the WebSocket API's routes, and the answers to them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SocketEvent {
    pub(crate) request_context: SocketContext,
    /// Of `$connect` only.
    multi_value_headers: Option<BTreeMap<String, Vec<String>>>,
    multi_value_query_string_parameters: Option<BTreeMap<String, Vec<String>>>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SocketContext {
    pub(crate) connection_id: String,
    pub(crate) event_type: EventType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum EventType {
    Connect,
    Message,
    Disconnect,
}

/// A header that a request has once, at most.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Single<'a> {
    None,
    One(&'a str),
    Several,
}

impl SocketEvent {
    /// The `Origin` of the handshake. Names of headers come as the client spells them.
    pub(crate) fn origin(&self) -> Single<'_> {
        let headers = self.multi_value_headers.iter().flatten();
        let values = headers.filter(|(name, _)| name.eq_ignore_ascii_case("origin"));
        single(values.flat_map(|(_, values)| values))
    }

    pub(crate) fn query(&self, parameter: &str) -> Single<'_> {
        let query = self.multi_value_query_string_parameters.iter().flatten();
        let values = query.filter(|(name, _)| *name == parameter);
        single(values.flat_map(|(_, values)| values))
    }

    /// `None` for a binary frame.
    pub(crate) fn frame(&self) -> Option<&str> {
        self.body.as_deref().filter(|_| !self.is_base64_encoded)
    }
}

fn single<'a>(mut values: impl Iterator<Item = &'a String>) -> Single<'a> {
    match (values.next(), values.next()) {
        (None, _) => Single::None,
        (Some(value), None) => Single::One(value),
        (Some(_), Some(_)) => Single::Several,
    }
}

/// The answer to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SocketAnswer {
    Done,
    /// Of `$connect`: the handshake fails.
    Refused,
    Unavailable,
}

impl From<SocketAnswer> for Value {
    fn from(answer: SocketAnswer) -> Self {
        match answer {
            SocketAnswer::Done => json!({ "statusCode": 200 }),
            SocketAnswer::Refused => json!({ "statusCode": 403 }),
            SocketAnswer::Unavailable => json!({ "statusCode": 503 }),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn event(rest: Value) -> SocketEvent {
        let mut event = json!({
            "requestContext": {"connectionId": "c=", "eventType": "CONNECT", "routeKey": "$connect"},
            "isBase64Encoded": false,
        });
        event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn reads_origin_and_ticket_of_a_handshake() {
        let handshake = event(json!({
            "multiValueHeaders": {"Host": ["h"], "ORIGIN": ["https://shop.example"]},
            "multiValueQueryStringParameters": {"ticket": ["t"], "Ticket": ["u"]},
        }));
        assert_eq!(handshake.origin(), Single::One("https://shop.example"));
        assert_eq!(handshake.query("ticket"), Single::One("t"));
        let twice = event(json!({
            "multiValueHeaders": {"Origin": ["a"], "origin": ["b"]},
            "multiValueQueryStringParameters": {"ticket": ["t", "t"]},
        }));
        assert_eq!((twice.origin(), twice.query("ticket")), (Single::Several, Single::Several));
        let bare = event(json!({"multiValueHeaders": null}));
        assert_eq!((bare.origin(), bare.query("ticket")), (Single::None, Single::None));
    }

    #[test]
    fn a_binary_frame_is_none() {
        assert_eq!(event(json!({"body": "{}"})).frame(), Some("{}"));
        assert_eq!(event(json!({"body": "e30=", "isBase64Encoded": true})).frame(), None);
        assert_eq!(event(json!({"body": null})).frame(), None);
    }
}
