//! Messages of the events queue.

use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, EventId};
use domain::tracking::report::SourceName;
use serde::{Deserialize, Serialize};

use crate::sqs::Outgoing;

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

    /// The message of an event, in the group of its account.
    pub fn outgoing(id: &EventId, account: Option<&AccountCode>, source: &SourceName) -> Outgoing {
        Outgoing { body: Self::write(id), group: group(account, source) }
    }

    /// `None` if the body is malformed or of another version.
    pub fn read(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok().filter(|message: &Self| message.v == Self::VERSION)
    }
}

/// The message group in the events queue: the account, so that no account's flood holds up another's
/// events. Events whose updates name their accounts themselves share the group of their source.
pub fn group(account: Option<&AccountCode>, source: &SourceName) -> String {
    let name = account.map_or(source.as_str(), AccountCode::as_str);
    // No id is longer than 128 bytes, SQS's limit.
    if name.bytes().all(|byte| byte.is_ascii_graphic()) {
        name.to_owned()
    } else {
        Fingerprint::of("group").with(name).finish()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn group_of(account: Option<&str>) -> String {
        let account = account.map(|code| AccountCode::parse(code).unwrap());
        group(account.as_ref(), &SourceName::new("whatsapp"))
    }

    #[test]
    fn the_group_is_the_account_or_else_the_source() {
        assert_eq!(group_of(Some("STORE001")), "STORE001");
        assert_eq!(group_of(None), "whatsapp");
    }

    #[test]
    fn accounts_that_sqs_would_refuse_have_groups_of_their_own() {
        let long = "ä".repeat(64);
        let groups = ["Ladengeschäft", "Ladengeschaft 2", &long].map(|code| group_of(Some(code)));
        for (index, group) in groups.iter().enumerate() {
            assert!(group.len() <= 128 && group.bytes().all(|byte| byte.is_ascii_graphic()));
            assert!(!groups[..index].contains(group), "{group}");
        }
    }

    #[test]
    fn a_message_reads_back() {
        let id = EventId::parse("e1").unwrap();
        let message = EventMessage::outgoing(&id, None, &SourceName::API);
        assert_eq!(message.group, "api");
        assert_eq!(EventMessage::read(&message.body).unwrap().event_id, id);
    }
}
