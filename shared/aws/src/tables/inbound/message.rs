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
    /// Processed even if it is settled: it could not have all its effects before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

impl EventMessage {
    const VERSION: u8 = 1;

    pub fn write(id: &EventId) -> String {
        Self { v: Self::VERSION, event_id: id.clone(), again: false }.to_message()
    }

    /// As [`Self::write`], for an event that may be settled.
    pub fn write_again(id: &EventId) -> String {
        Self { v: Self::VERSION, event_id: id.clone(), again: true }.to_message()
    }

    fn to_message(&self) -> String {
        // String keys and no floats: serialization cannot fail.
        serde_json::to_string(self).unwrap_or_default()
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

/// Another message of the events queue, in the group of its account.
pub fn in_group_of(account: &AccountCode, body: String) -> Outgoing {
    Outgoing { body, group: group(Some(account), &SourceName::API) }
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
        let account = AccountCode::parse("Ladengeschäft").unwrap();
        assert_eq!(in_group_of(&account, String::new()).group, groups[0]);
    }

    #[test]
    fn a_message_reads_back() {
        let id = EventId::parse("e1").unwrap();
        let message = EventMessage::outgoing(&id, None, &SourceName::API);
        assert_eq!(message.group, "api");
        assert_eq!(message.body, r#"{"v":1,"event_id":"e1"}"#);
        let read = |body: &str| EventMessage::read(body).map(|it| (it.event_id, it.again));
        assert_eq!(read(&message.body), Some((id.clone(), false)));
        assert_eq!(read(&EventMessage::write_again(&id)), Some((id, true)));
    }
}
