//! How an event is spelled as a row.

use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use domain::tracking::report::SourceName;

use super::{DAYS, EventState, InboundEvent};
use crate::error::IoError;
use crate::tables::attr::{Item, bytes, number, read_text, text, ttl};

/// What a header has of the body.
pub(super) enum Body {
    Whole(Vec<u8>),
    Parts(usize),
}

/// By which a body is known again without reading it.
pub(super) fn fingerprint(body: &[u8]) -> String {
    Fingerprint::of("body").with(body).finish()
}

pub(super) fn header(event: &InboundEvent, body: Body) -> Item {
    let received = event.received_at.to_string();
    let mut item = Item::from([
        ("pk".to_owned(), text(event.id.as_str())),
        ("sk".to_owned(), text("event")),
        ("source".to_owned(), text(event.source.as_str())),
        ("day".to_owned(), text(day(event.received_at))),
        ("at".to_owned(), text(format!("{received}/{}", event.id))),
        ("received_at".to_owned(), text(received)),
        ("state".to_owned(), text(event.state.as_str())),
        ("fingerprint".to_owned(), text(fingerprint(&event.body))),
        ("ttl".to_owned(), ttl(event.received_at, DAYS)),
    ]);
    let account = event.account.as_ref().map(|account| ("account", account.as_str()));
    let reason = event.reason.as_ref().map(|reason| ("reason", reason.as_str()));
    let notable = event.state.is_notable().then(|| ("notable", event.state.as_str()));
    for (name, value) in account.into_iter().chain(reason).chain(notable) {
        item.insert(name.to_owned(), text(value));
    }
    let (name, value) = match body {
        Body::Whole(packed) => ("body", bytes(packed)),
        Body::Parts(count) => ("parts", number(count)),
    };
    item.insert(name.to_owned(), value);
    item
}

/// The day of a time, e.g. `2026-01-20`: the partition of the index of all events.
pub(super) fn day(time: Timestamp) -> String {
    time.to_string().chars().take(10).collect()
}

pub(super) fn read_state(item: &Item) -> Result<EventState, IoError> {
    let text = read_text(item, "state")?;
    let state = EventState::ALL.into_iter().find(|state| state.as_str() == text);
    state.ok_or_else(|| IoError::unreadable("dynamodb", "state"))
}

pub(super) fn read_event(
    id: &EventId,
    item: &Item,
    body: Vec<u8>,
) -> Result<InboundEvent, IoError> {
    let account = read_text(item, "account").ok().map(AccountCode::parse).transpose();
    Ok(InboundEvent {
        id: id.clone(),
        source: SourceName::from(read_text(item, "source")?),
        account: account.map_err(|_| IoError::unreadable("dynamodb", "account"))?,
        received_at: Timestamp::parse(read_text(item, "received_at")?)
            .map_err(|_| IoError::unreadable("dynamodb", "received_at"))?,
        state: read_state(item)?,
        reason: read_text(item, "reason").ok().map(str::to_owned),
        body,
    })
}

/// Whether no report of the event waits any longer.
pub(super) fn all_reconciled(item: &Item) -> bool {
    let set = |name: &str| {
        item.get(name).and_then(|value| value.as_ss().ok()).map(Vec::as_slice).unwrap_or_default()
    };
    set("waiting").iter().all(|report| set("adopted").contains(report))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;

    fn row(waiting: &[&str], adopted: &[&str]) -> Item {
        let set = |reports: &[&str]| {
            AttributeValue::Ss(reports.iter().map(|&report| report.to_owned()).collect())
        };
        let sets = [("waiting", waiting), ("adopted", adopted)]
            .into_iter()
            .filter(|(_, reports)| !reports.is_empty());
        sets.map(|(name, reports)| (name.to_owned(), set(reports))).collect()
    }

    #[test]
    fn an_event_is_done_with_its_last_waiting_report() {
        assert!(all_reconciled(&row(&[], &[])));
        assert!(all_reconciled(&row(&["a"], &["a"])));
        assert!(all_reconciled(&row(&["a", "b"], &["b", "a", "c"])));
        assert!(!all_reconciled(&row(&["a", "b"], &["a"])));
        assert!(!all_reconciled(&row(&["a"], &[])));
    }
}
