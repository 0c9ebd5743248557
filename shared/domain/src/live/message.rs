//! The queue message with updates for sockets and Pusher.

use serde::{Deserialize, Serialize};

use super::scope::Scope;
use super::server_frame::ServerFrame;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveMessage {
    v: u8,
    pub updates: Vec<LiveUpdate>,
}

/// A frame for the sockets of these scopes, and for the channels of Pusher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveUpdate {
    pub scopes: Vec<Scope>,
    pub frame: String,
    /// The order, or for a message without one the account, whose channels are told. None in a stage
    /// without Pusher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Scope>,
}

impl LiveUpdate {
    pub fn new(scopes: Vec<Scope>, frame: &ServerFrame<'_>) -> Self {
        Self { scopes, frame: frame.to_text(), about: None }
    }

    /// To be published as well.
    #[must_use]
    pub fn about(self, about: Scope) -> Self {
        Self { about: Some(about), ..self }
    }
}

impl LiveMessage {
    /// The message version that this release writes.
    pub const VERSION: u8 = 1;

    pub fn new(updates: Vec<LiveUpdate>) -> Self {
        Self { v: Self::VERSION, updates }
    }

    pub fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// `None` for an unreadable message or another version.
    pub fn read(body: &str) -> Option<Self> {
        let message: Self = serde_json::from_str(body).ok()?;
        (message.v == Self::VERSION).then_some(message)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::core::id::AccountCode;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let scope = Scope::account(&AccountCode::parse("A").unwrap());
        let update = LiveUpdate::new(vec![scope.clone()], &ServerFrame::Pong);
        let updates = vec![update.clone(), update.about(scope)];
        let message = LiveMessage::new(updates);
        assert_eq!(LiveMessage::read(&message.write()), Some(message.clone()));
        let newer = message.write().replace("\"v\":1", "\"v\":2");
        assert_eq!(LiveMessage::read(&newer), None);
        assert_eq!(LiveMessage::read("{}"), None);
    }
}
