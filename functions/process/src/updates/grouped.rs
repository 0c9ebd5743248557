//! Groups a channel event's updates by the write they need.

use std::collections::BTreeMap;

use aws::tables::inbound::InboundEvent;
use domain::core::id::AccountCode;
use domain::messaging::channel::{ChannelEvent, ChannelUpdate, InboundMessage, StatusUpdate};
use domain::messaging::conversation::{Contact, ConversationMessage};
use domain::messaging::message_status::ProviderMessageKey;

use super::counts::UpdateCounts;

#[derive(Default)]
pub(super) struct GroupedUpdates<'a> {
    /// By message, so that each message's row is written once.
    pub(super) statuses: BTreeMap<ProviderMessageKey, Vec<&'a StatusUpdate>>,
    pub(super) inbound: Vec<(AccountCode, Contact, ConversationMessage<'a>)>,
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
                self.add_inbound(account, message, number, event)
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
        let message = ConversationMessage::new(message, number, event.received_at);
        self.inbound.push((account, from, message));
        self.counts.inbound += 1;
    }
}
