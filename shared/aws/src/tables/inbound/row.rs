//! The header row of an event.

use std::collections::BTreeSet;

use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use domain::core::trace::TraceParent;
use domain::tracking::report::SourceName;

use super::body::Body;
use super::{EventState, InboundEvent, RETENTION_DAYS};
use crate::error::IoError;
use crate::tables::attr::{
    Item, bytes, item, number, read_as, read_optional, read_text, read_texts, text, ttl,
};
use crate::tables::buckets::{partition_of, partitions_of};

/// Identifies a body without reading it.
pub(super) fn fingerprint(body: &[u8]) -> String {
    Fingerprint::of("body").with(body).finish()
}

pub(super) fn header(event: &InboundEvent, body: Body) -> Item {
    let received = event.received_at.to_string();
    let mut row = item([
        ("pk", text(event.id.as_str())),
        ("sk", text("event")),
        ("source", text(event.source.as_str())),
        ("day", text(bucket(event))),
        ("at", text(format!("{received}/{}", event.id))),
        ("received_at", text(received)),
        ("state", text(event.state.as_str())),
        ("fingerprint", text(fingerprint(&event.body))),
        ("size", number(event.body.len())),
        ("ttl", ttl(event.received_at, RETENTION_DAYS)),
    ]);
    let account = event.account.as_ref().map(|account| ("account", account.as_str()));
    let reason = event.reason.as_ref().map(|reason| ("reason", reason.as_str()));
    let notable = event.state.is_notable().then(|| ("notable", event.state.as_str()));
    if let Some(trace) = &event.traceparent {
        row.insert("traceparent".to_owned(), text(trace.to_string()));
    }
    for (name, value) in account.into_iter().chain(reason).chain(notable) {
        row.insert(name.to_owned(), text(value));
    }
    let (name, value) = match body {
        Body::Whole(packed) => ("body", bytes(packed)),
        Body::Parts(count) => ("parts", number(count)),
    };
    row.insert(name.to_owned(), value);
    row
}

/// The day of a time, e.g. `2026-01-20`.
pub(super) fn day(time: Timestamp) -> String {
    time.to_string().chars().take(10).collect()
}

/// The partition of the index of all events. Events without an account are spread.
fn bucket(event: &InboundEvent) -> String {
    let owner = event.account.as_ref().map_or(event.id.as_str(), AccountCode::as_str);
    partition_of(&day(event.received_at), owner)
}

/// The partitions of a day that have the events of these accounts, or all events.
pub(super) fn buckets(day: &str, accounts: Option<&BTreeSet<AccountCode>>) -> BTreeSet<String> {
    let of_day: BTreeSet<String> = match accounts {
        Some(accounts) => accounts.iter().map(|it| partition_of(day, it.as_str())).collect(),
        None => partitions_of(day).collect(),
    };
    // Events that an earlier release has stored.
    of_day.into_iter().chain([day.to_owned()]).collect()
}

pub(super) fn read_state(row: &Item) -> Result<EventState, IoError> {
    read_as(row, "state", |text| EventState::parse(text).ok_or(()))
}

pub(super) fn read_event(id: &EventId, row: &Item, body: Vec<u8>) -> Result<InboundEvent, IoError> {
    Ok(InboundEvent {
        id: id.clone(),
        source: SourceName::from(read_text(row, "source")?),
        account: read_optional(row, "account", AccountCode::parse)?,
        received_at: read_as(row, "received_at", Timestamp::parse)?,
        state: read_state(row)?,
        reason: read_text(row, "reason").ok().map(str::to_owned),
        traceparent: read_text(row, "traceparent").ok().and_then(|it| TraceParent::parse(it).ok()),
        body,
    })
}

/// True if all unmatched reports of the event have been reconciled.
pub(super) fn all_reconciled(row: &Item) -> bool {
    read_texts(row, "waiting").iter().all(|report| read_texts(row, "adopted").contains(report))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::attr::texts;

    fn row(waiting: &[&str], adopted: &[&str]) -> Item {
        let sets = [("waiting", waiting), ("adopted", adopted)]
            .into_iter()
            .filter(|(_, reports)| !reports.is_empty());
        sets.map(|(name, reports)| (name.to_owned(), texts(reports.iter().copied()))).collect()
    }

    #[test]
    fn an_event_is_reconciled_with_its_last_waiting_report() {
        assert!(all_reconciled(&row(&[], &[])));
        assert!(all_reconciled(&row(&["a"], &["a"])));
        assert!(all_reconciled(&row(&["a", "b"], &["b", "a", "c"])));
        assert!(!all_reconciled(&row(&["a", "b"], &["a"])));
        assert!(!all_reconciled(&row(&["a"], &[])));
    }
}
