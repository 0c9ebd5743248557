//! Groups a channel event's updates by the write they need.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Two ids of one contact.
    pub(super) links: BTreeSet<(AccountCode, Contact, Contact)>,
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
        for other in other_ids(message).filter(|other| *other != from) {
            self.links.insert((account.clone(), from.clone(), other));
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
        let other = echo.other_id.as_deref().and_then(Contact::parse).filter(|other| *other != to);
        self.links.extend(other.map(|other| (account.clone(), to.clone(), other)));
        let message = ConversationMessage::of_echo(echo, number, event.received_at);
        self.messages.push((account, to, message));
        self.counts.echoes += 1;
    }
}

/// Further ids of the sender: the conversation is one, whichever of them a message names.
fn other_ids(message: &InboundMessage) -> impl Iterator<Item = Contact> {
    let (previous, new) = match &message.content {
        Content::System { previous_id, new_id, .. } => (previous_id.as_deref(), new_id.as_deref()),
        _ => (None, None),
    };
    [message.other_id.as_deref(), previous, new].into_iter().flatten().filter_map(Contact::parse)
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
            traceparent: None,
            body: body.to_vec(),
        }
    }

    fn grouped<T>(sample: &str, read: impl Fn(&GroupedUpdates<'_>) -> T) -> T {
        let file = format!("{}/../../events/whatsapp/{sample}", env!("CARGO_MANIFEST_DIR"));
        let body = std::fs::read(file).unwrap();
        let parsed = WhatsApp.parse(&Request::stored(None, &body), Timestamp::EPOCH).unwrap();
        let Reading::Updates(updates) = parsed.reading else { unreachable!("{sample}") };
        let event = event(&body);
        let mut grouped = GroupedUpdates::default();
        for update in &updates.items {
            grouped.add(AccountCode::parse("A").unwrap(), update, &event);
        }
        read(&grouped)
    }

    fn contacts(grouped: &GroupedUpdates<'_>) -> Vec<String> {
        grouped.messages.iter().map(|(_, contact, _)| contact.as_str().to_owned()).collect()
    }

    #[test]
    fn links_the_ids_of_one_contact() {
        for (sample, from, other) in [
            ("user_id_changed.json", "IN.13000000000000000001", "IN.13000000000000000002"),
            ("number_changed.json", "16505551234", "16505554321"),
            ("both_ids.json", "16505551234", "US.13000000000000000001"),
            ("echo_both_ids.json", "16505551234", "US.13000000000000000001"),
            ("contact_request.json", "US.13000000000000000001", "16505551234"),
        ] {
            let links = grouped(sample, |grouped| grouped.links.clone());
            let [from, other] = [from, other].map(|id| Contact::parse(id).unwrap());
            let link = (AccountCode::parse("A").unwrap(), from, other);
            assert_eq!(links, BTreeSet::from([link]), "{sample}");
        }
        for sample in ["text.json", "contacts.json", "echo.json"] {
            assert!(grouped(sample, |grouped| grouped.links.is_empty()), "{sample}");
        }
    }

    #[test]
    fn adds_an_echo_to_the_conversation_of_its_recipient() {
        let (contacts, counts) = grouped("echo.json", |all| (contacts(all), all.counts));
        assert_eq!((contacts, counts.echoes), (vec!["16505551234".to_owned()], 1));
    }

    #[test]
    fn a_payment_is_no_status_of_its_message() {
        let counts = grouped("payment_failed.json", |grouped| grouped.counts);
        assert_eq!((counts.statuses, counts.payments), (0, 1));
    }
}
