//! Groups a channel event's updates by the write they need.

use std::collections::BTreeMap;

use aws::tables::inbound::InboundEvent;
use domain::core::id::AccountCode;
use domain::messaging::channel::{
    ChannelEvent, ChannelUpdate, Content, Echo, InboundMessage, OtherUpdate, StatusUpdate,
};
use domain::messaging::conversation::{Contact, ConversationMessage};
use domain::messaging::message_status::ProviderMessageKey;

use super::counts::UpdateCounts;

#[derive(Default)]
pub(super) struct GroupedUpdates<'a> {
    /// By message, so that each message's row is written once.
    pub(super) statuses: BTreeMap<ProviderMessageKey, Vec<&'a StatusUpdate>>,
    /// By the contact whose conversation they belong to.
    pub(super) messages: Vec<(AccountCode, Contact, ConversationMessage<'a>)>,
    pub(super) counts: UpdateCounts,
}

impl<'a> GroupedUpdates<'a> {
    pub(super) fn add(
        &mut self,
        account: AccountCode,
        update: &'a ChannelUpdate,
        event: &InboundEvent,
    ) {
        let number = update.number.as_deref();
        match &update.event {
            ChannelEvent::Status(status) => {
                let key = ProviderMessageKey { account, message: status.message.clone() };
                self.statuses.entry(key).or_default().push(status);
                self.counts.statuses += 1;
            }
            ChannelEvent::InboundMessage(message) => {
                self.add_inbound(account, message, number, event);
            }
            ChannelEvent::Echo(echo) => self.add_echo(account, echo, number, event),
            ChannelEvent::Other(other) => {
                tracing::info!(event_id = %event.id, number, kind = ?other, "update.other");
                match other {
                    OtherUpdate::Payment => self.counts.payments += 1,
                    OtherUpdate::GroupParticipant | OtherUpdate::Status => self.counts.other += 1,
                }
            }
            ChannelEvent::NumberError(error) => {
                // The error's text is not logged: it may quote personal data.
                tracing::warn!(event_id = %event.id, number, code = error.code, "number.error");
                self.counts.number_errors += 1;
            }
        }
    }

    fn add_inbound(
        &mut self,
        account: AccountCode,
        message: &'a InboundMessage,
        number: Option<&'a str>,
        event: &InboundEvent,
    ) {
        let Some(from) = Contact::parse(&message.from) else {
            self.counts.unreadable += 1;
            return;
        };
        // A reader of either id's conversation finds the other.
        if let Some(other) = other_id(message, &from) {
            let message = ConversationMessage::new(message, number, event.received_at);
            self.messages.push((account.clone(), other, message));
        }
        let message = ConversationMessage::new(message, number, event.received_at);
        self.messages.push((account, from, message));
        self.counts.inbound += 1;
    }

    fn add_echo(
        &mut self,
        account: AccountCode,
        echo: &'a Echo,
        number: Option<&'a str>,
        event: &InboundEvent,
    ) {
        let Some(to) = Contact::parse(&echo.to) else {
            self.counts.unreadable += 1;
            return;
        };
        let message = ConversationMessage::of_echo(echo, number, event.received_at);
        self.messages.push((account, to, message));
        self.counts.echoes += 1;
    }
}

/// The id that the sender's number or user id changed to.
fn other_id(message: &InboundMessage, from: &Contact) -> Option<Contact> {
    let Content::System { new_id: Some(new_id), .. } = &message.content else { return None };
    Contact::parse(new_id).filter(|contact| contact != from)
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use aws::tables::inbound::EventState;
    use domain::core::id::EventId;
    use domain::core::timestamp::Timestamp;
    use domain::tracking::report::SourceName;
    use sources::whatsapp::WhatsApp;
    use sources::{Reading, Request, Source};

    use super::*;

    fn event(body: &[u8]) -> InboundEvent {
        InboundEvent {
            id: EventId::parse("e").unwrap(),
            source: SourceName::new("whatsapp"),
            account: None,
            received_at: Timestamp::EPOCH,
            state: EventState::Received,
            reason: None,
            body: body.to_vec(),
        }
    }

    /// The contacts whose conversations a sample's messages are added to, and the counts.
    fn grouped(sample: &str) -> (Vec<String>, UpdateCounts) {
        let file = format!("{}/../../events/whatsapp/{sample}", env!("CARGO_MANIFEST_DIR"));
        let body = std::fs::read(file).unwrap();
        let parsed = WhatsApp.parse(&Request::stored(None, &body), Timestamp::EPOCH).unwrap();
        let Reading::Updates(updates) = parsed.reading else { unreachable!("{sample}") };
        let event = event(&body);
        let mut grouped = GroupedUpdates::default();
        for update in &updates.items {
            grouped.add(AccountCode::parse("A").unwrap(), update, &event);
        }
        let contacts = grouped.messages.iter().map(|(_, contact, _)| contact.as_str().to_owned());
        (contacts.collect(), grouped.counts)
    }

    #[test]
    fn adds_a_change_of_id_to_the_conversations_of_both_ids() {
        let (contacts, counts) = grouped("user_id_changed.json");
        assert_eq!(contacts, ["IN.13000000000000000002", "IN.13000000000000000001"]);
        assert_eq!((counts.inbound, counts.skipped()), (1, 0));
    }

    #[test]
    fn adds_an_echo_to_the_conversation_of_its_recipient() {
        let (contacts, counts) = grouped("echo.json");
        assert_eq!((contacts, counts.echoes), (vec!["16505551234".to_owned()], 1));
    }

    #[test]
    fn a_payment_is_no_status_of_its_message() {
        let (_, counts) = grouped("payment_failed.json");
        assert_eq!((counts.statuses, counts.payments), (0, 1));
    }
}
