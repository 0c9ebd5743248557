//! Messages of the events queue.

use domain::core::id::EventId;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct EventMessage {
    v: u8,
    pub event_id: EventId,
}

impl EventMessage {
    const VERSION: u8 = 1;

    pub fn write(id: &EventId) -> String {
        serde_json::json!({"v": Self::VERSION, "event_id": id}).to_string()
    }

    /// `None` if the body is malformed or of another version.
    pub fn read(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok().filter(|message: &Self| message.v == Self::VERSION)
    }
}
