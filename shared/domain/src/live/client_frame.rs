//! The frames that a client sends.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::core::id::OrderId;
use crate::core::request_body::{InvalidBody, read_object};

/// Orders that a client can ask about at once.
pub const MAX_SINCE: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientFrame {
    /// Begins the updates. `since` has the versions that the client knows, by order.
    Register {
        since: BTreeMap<OrderId, u64>,
    },
    Ping,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    r#type: Kind,
    #[serde(default)]
    since: Option<BTreeMap<OrderId, u64>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Register,
    Ping,
}

impl ClientFrame {
    pub fn read(frame: &str) -> Result<Self, InvalidBody> {
        let Fields { r#type: kind, since } = read_object(frame.as_bytes())?;
        match (kind, since) {
            (Kind::Ping, None) => Ok(Self::Ping),
            (Kind::Ping, Some(_)) => Err(InvalidBody::field("since", "is of register only")),
            (Kind::Register, since) => {
                let since = since.unwrap_or_default();
                if since.len() > MAX_SINCE {
                    return Err(InvalidBody::field("since", "must not have over 100 orders"));
                }
                Ok(Self::Register { since })
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::order_id;

    #[test]
    fn reads_the_frames_of_a_client() {
        let register = |since: &[(&str, u64)]| ClientFrame::Register {
            since: since.iter().map(|(id, version)| (order_id(id), *version)).collect(),
        };
        for (frame, expected) in [
            (r#"{"type":"ping"}"#, ClientFrame::Ping),
            (r#"{"type":"register"}"#, register(&[])),
            (r#"{"type":"register","since":null}"#, register(&[])),
            (r#"{"type":"register","since":{"A":3,"B#1":0}}"#, register(&[("A", 3), ("B#1", 0)])),
        ] {
            assert_eq!(ClientFrame::read(frame).unwrap(), expected, "{frame}");
        }
    }

    #[test]
    fn rejects_anything_else() {
        let many: BTreeMap<String, u64> = (0..101).map(|it| (format!("O-{it}"), 1)).collect();
        let many = serde_json::json!({"type": "register", "since": many}).to_string();
        for frame in [
            "",
            "[]",
            "{",
            "{}",
            r#"{"type":"subscribe"}"#,
            r#"{"type":"register","account_code":"A"}"#,
            r#"{"type":"register","since":{"A":-1}}"#,
            r#"{"type":"register","since":{"A":"1"}}"#,
            r#"{"type":"register","since":{"":1}}"#,
            r#"{"type":"register","since":[]}"#,
            r#"{"type":"ping","since":{}}"#,
            r#"{"type":"ping","type":"ping"}"#,
            &many,
        ] {
            assert!(ClientFrame::read(frame).is_err(), "{frame}");
        }
    }
}
