//! What WhatsApp told, and at what time it was received.

use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::messaging::channel::{ChannelEvent, ChannelUpdate};
use sources::whatsapp::WhatsApp;
use sources::{Reading, Request, Source};

use crate::setup::messages::account_of;
use crate::world::State;

/// An update of an account's number.
pub(super) struct Told {
    pub(super) account: AccountCode,
    pub(super) number: Option<String>,
    pub(super) event: ChannelEvent,
    pub(super) received_at: Timestamp,
}

/// All updates of accepted webhooks, and what is wrong with their events.
pub(super) fn told(state: &State) -> (Vec<Told>, Vec<String>) {
    let (mut told, mut findings) = (Vec::new(), Vec::new());
    for webhook in &state.ledger.messages.webhooks {
        let id = &webhook.event_id;
        let key = serde_json::json!({ "pk": { "S": id }, "sk": { "S": "event" } });
        let row = state.dynamodb.row("InboundTable", &key);
        let text = |name: &str| row.and_then(|row| row.get(name)?["S"].as_str());
        let received_at = text("received_at").and_then(|at| Timestamp::parse(at).ok());
        let Some(received_at) = received_at else {
            findings.push(format!("the webhook {id} of WhatsApp is lost"));
            continue;
        };
        let updates = updates(webhook.body.as_bytes());
        let has_effect = updates.iter().any(|it| has_effect(&it.event) && account(it).is_some());
        let expected = if has_effect { "processed" } else { "ignored" };
        if text("state") != Some(expected) {
            findings.push(format!("the webhook {id} is {:?}, not {expected}", text("state")));
        }
        told.extend(updates.into_iter().filter_map(|update| {
            let account = account(&update)?;
            let ChannelUpdate { number, event, .. } = update;
            Some(Told { account, number, event, received_at })
        }));
    }
    (told, findings)
}

fn updates(body: &[u8]) -> Vec<ChannelUpdate> {
    let parsed = WhatsApp.parse(&Request::stored(None, body), Timestamp::EPOCH);
    match parsed.map(|parsed| parsed.reading) {
        Ok(Reading::Updates(updates)) => updates.items,
        _ => Vec::new(),
    }
}

fn account(update: &ChannelUpdate) -> Option<AccountCode> {
    AccountCode::parse(account_of(update.number.as_deref()?)?).ok()
}

fn has_effect(event: &ChannelEvent) -> bool {
    match event {
        ChannelEvent::Status(_)
        | ChannelEvent::InboundMessage(_)
        | ChannelEvent::Echo(_)
        | ChannelEvent::Call(_)
        | ChannelEvent::Preference(_)
        | ChannelEvent::Statement(_) => true,
        ChannelEvent::NumberError(_) | ChannelEvent::Other(_) | ChannelEvent::OtherField(_) => {
            false
        }
    }
}
