//! Groups a channel event's updates by the write they need.

use std::collections::{BTreeMap, BTreeSet};

use aws::tables::inbound::InboundEvent;
use aws::tables::messages::{ContactLink, LinkKind, StateKey};
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::messaging::channel::{
    Call, ChannelEvent, ChannelUpdate, Content, Echo, InboundMessage, OtherUpdate, Preference,
    StatusUpdate,
};
use domain::messaging::conversation::{Contact, ConversationMessage};
use domain::messaging::message_status::ProviderMessageKey;
use domain::messaging::provider_state::Statement;
use domain::messaging::send::SendId;
use domain::tracking::timeline::plausible_time;

use super::answers::Reply;
use super::counts::UpdateCounts;

/// Personal data: never logged.
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    pub(super) at: Timestamp,
}

#[derive(Default)]
pub(super) struct GroupedUpdates<'a> {
    /// By message, so that each message's row is written once.
    pub(super) statuses: BTreeMap<ProviderMessageKey, Vec<&'a StatusUpdate>>,
    /// By the contact whose conversation they belong to.
    pub(super) messages: Vec<(AccountCode, Contact, ConversationMessage<'a>)>,
    /// Those of them that answer another one.
    pub(super) replies: Vec<Reply<'a>>,
    /// Two ids of one contact.
    pub(super) links: BTreeSet<ContactLink>,
    pub(super) preferences: Vec<(AccountCode, Contact, &'a Preference)>,
    /// What shoppers wrote: a word may stop messages.
    pub(super) texts: Vec<(AccountCode, Contact, Text<'a>)>,
    /// By what they are about, so that each row is written once.
    pub(super) statements: BTreeMap<StateKey, Vec<&'a Statement>>,
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
                if let Some((phone, user)) = &status.recipient {
                    self.links.extend(ContactLink::new(&account, phone, user, LinkKind::Same));
                }
                let ours = status.callback_data.as_deref().and_then(SendId::parse);
                let key = match ours {
                    Some(send) => send.tracking_key(&account),
                    None => ProviderMessageKey { account, message: status.message.clone() },
                };
                self.statuses.entry(key).or_default().push(status);
                self.counts.statuses += 1;
            }
            ChannelEvent::InboundMessage(message) => {
                self.add_inbound(account, message, number, event);
            }
            ChannelEvent::Echo(echo) => self.add_echo(account, echo, number, event),
            ChannelEvent::Call(call) => self.add_call(account, call, number, event),
            ChannelEvent::Preference(preference) => self.add_preference(account, preference),
            ChannelEvent::Statement(statement) => {
                let key = StateKey { account, about: statement.about.clone() };
                self.statements.entry(key).or_default().push(statement);
                self.counts.statements += 1;
            }
            ChannelEvent::OtherField(name) => {
                tracing::info!(event_id = %event.id, field = name, "update.other_field");
                *self.counts.other_fields.entry(name.clone()).or_default() += 1;
            }
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
        self.links.extend(links(&account, &from, message));
        self.replies.extend(Reply::of(&account, number, message));
        if let Some(text) = message.content.words() {
            let at = plausible_time(message.at, event.received_at);
            self.texts.push((account.clone(), from.clone(), Text { text, at }));
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
        self.link(&account, &to, echo.other_id.as_deref());
        let message = ConversationMessage::of_echo(echo, number, event.received_at);
        self.messages.push((account, to, message));
        self.counts.echoes += 1;
    }

    fn add_call(
        &mut self,
        account: AccountCode,
        call: &'a Call,
        number: Option<&'a str>,
        event: &InboundEvent,
    ) {
        let Some(with) = Contact::parse(&call.with) else {
            self.counts.unreadable += 1;
            return;
        };
        self.link(&account, &with, call.other_id.as_deref());
        let message = ConversationMessage::of_call(call, number, event.received_at);
        self.messages.push((account, with, message));
        self.counts.calls += 1;
    }

    fn add_preference(&mut self, account: AccountCode, preference: &'a Preference) {
        let Some(user) = Contact::parse(&preference.user) else {
            self.counts.unreadable += 1;
            return;
        };
        self.link(&account, &user, preference.other_id.as_deref());
        self.preferences.push((account, user, preference));
        self.counts.preferences += 1;
    }

    fn link(&mut self, account: &AccountCode, one: &Contact, other: Option<&str>) {
        let other = other.and_then(Contact::parse);
        let link = other.and_then(|it| ContactLink::new(account, one, &it, LinkKind::Same));
        self.links.extend(link);
    }
}

/// Links of a sender's ids: the conversation is one, whichever of them a message names. All of them
/// are linked to the newest, so that no former one is needed between two that are in use.
fn links(account: &AccountCode, from: &Contact, message: &InboundMessage) -> Vec<ContactLink> {
    let parse = |id: &Option<String>| id.as_deref().and_then(Contact::parse);
    let (previous, new) = match &message.content {
        Content::System { previous_id, new_id, .. } => (parse(previous_id), parse(new_id)),
        _ => (None, None),
    };
    let newest = new.as_ref().unwrap_or(from);
    let ids = [Some(from.clone()), parse(&message.other_id), previous.clone()];
    let link = |id: &Contact| {
        let kind = if Some(id) == previous.as_ref() { LinkKind::Before } else { LinkKind::Same };
        ContactLink::new(account, newest, id, kind)
    };
    ids.iter().flatten().filter_map(link).collect()
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
        use LinkKind::{Before, Same};
        for (sample, from, other, kind) in [
            ("user_id_changed.json", "IN.13000000000000000001", "IN.13000000000000000002", Before),
            ("number_changed.json", "16505551234", "16505554321", Before),
            ("both_ids.json", "16505551234", "US.13000000000000000001", Same),
            ("echo_both_ids.json", "16505551234", "US.13000000000000000001", Same),
            ("contact_request.json", "US.13000000000000000001", "16505551234", Same),
            ("preference_stop.json", "16505551234", "US.13491208655302741918", Same),
            ("delivered.json", "16505551234", "US.13000000000000000001", Same),
        ] {
            let links = grouped(sample, |grouped| grouped.links.clone());
            assert_eq!(links, BTreeSet::from([link(from, other, kind)]), "{sample}");
        }
        for sample in ["text.json", "contacts.json", "echo.json"] {
            assert!(grouped(sample, |grouped| grouped.links.is_empty()), "{sample}");
        }
    }

    fn link(one: &str, other: &str, kind: LinkKind) -> ContactLink {
        let [one, other] = [one, other].map(|id| Contact::parse(id).unwrap());
        ContactLink::new(&AccountCode::parse("A").unwrap(), &one, &other, kind).unwrap()
    }

    /// A former id is linked to the new one only.
    #[test]
    fn links_ids_in_use_without_a_former_one() {
        use LinkKind::{Before, Same};
        let message = |from: &str, other: &str, previous: Option<&str>, new: &str| InboundMessage {
            message: domain::messaging::channel::ProviderMessageId::parse("wamid.A").unwrap(),
            from: from.to_owned(),
            other_id: Some(other.to_owned()),
            name: None,
            group: None,
            at: None,
            in_reply_to: None,
            content: Content::System {
                kind: "changed".to_owned(),
                text: None,
                previous_id: previous.map(str::to_owned),
                new_id: Some(new.to_owned()),
            },
        };
        for (message, expected) in [
            (message("1", "U", Some("1"), "2"), [link("1", "2", Before), link("2", "U", Same)]),
            (message("1", "U", Some("U"), "V"), [link("1", "V", Same), link("U", "V", Before)]),
            (message("1", "U", None, "V"), [link("1", "V", Same), link("U", "V", Same)]),
        ] {
            let account = AccountCode::parse("A").unwrap();
            let from = Contact::parse(&message.from).unwrap();
            let links = links(&account, &from, &message).into_iter().collect::<BTreeSet<_>>();
            assert_eq!(links, BTreeSet::from(expected));
        }
    }

    #[test]
    fn adds_an_echo_to_the_conversation_of_its_recipient() {
        let (contacts, echoes) = grouped("echo.json", |all| (contacts(all), all.counts.echoes));
        assert_eq!((contacts, echoes), (vec!["16505551234".to_owned()], 1));
    }

    #[test]
    fn calls_are_in_the_conversation_with_the_shopper() {
        for (sample, events) in [("call_incoming.json", 1), ("call_outgoing.json", 3)] {
            let (contacts, calls) = grouped(sample, |all| (contacts(all), all.counts.calls));
            assert_eq!((contacts, calls), (vec!["16505551234".to_owned(); events], events));
        }
    }

    #[test]
    fn statements_about_one_template_are_one_write() {
        let (keys, statements) = grouped("template_paused.json", |all| {
            (all.statements.keys().cloned().collect::<Vec<_>>(), all.counts.statements)
        });
        assert_eq!((keys.len(), statements), (1, 2));
    }

    #[test]
    fn a_payment_is_no_status_of_its_message() {
        let counts = grouped("payment_failed.json", |grouped| grouped.counts.clone());
        assert_eq!((counts.statuses, counts.payments), (0, 1));
    }
}
