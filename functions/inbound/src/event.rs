//! A request as an event: what it is known again by, and how it begins.

use aws::tables::inbound::{EventState, InboundEvent};
use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, EventId};
use sources::{DedupKey, Received, Source, Unreadable};

/// The event of an admitted request.
pub(crate) fn event(
    source: &dyn Source,
    received: &Received<'_>,
    dedup_key: &DedupKey,
    unreadable: Option<&Unreadable>,
) -> InboundEvent {
    let (state, reason) = match (unreadable, dedup_key) {
        (Some(error), _) => (EventState::Failed, Some(error.to_string())),
        (None, DedupKey::Contradictory(why)) => (EventState::Quarantined, Some((*why).to_owned())),
        (None, _) => (EventState::Received, None),
    };
    InboundEvent {
        id: event_id(source, received, dedup_key),
        source: source.name(),
        account: received.account.cloned(),
        received_at: received.at,
        state,
        reason,
        body: received.body.to_vec(),
    }
}

fn event_id(source: &dyn Source, received: &Received<'_>, dedup_key: &DedupKey) -> EventId {
    let account = received.account.map_or("", AccountCode::as_str);
    let of = |kind| Fingerprint::of(kind).with(source.name().as_str()).with(account);
    match dedup_key {
        DedupKey::Body => of("event").with(received.body).into(),
        DedupKey::BodyAndMinute => {
            of("event").with(received.body).with((received.at.seconds() / 60).to_be_bytes()).into()
        }
        DedupKey::ProviderId(id) => of("named event").with(id).into(),
        DedupKey::Contradictory(_) => of("quarantined event").with(received.body).into(),
    }
}

/// The event of an id that came before, with another body: kept beside it.
pub(crate) fn quarantined(event: &InboundEvent) -> InboundEvent {
    let account = event.account.as_ref().map_or("", AccountCode::as_str);
    let id = Fingerprint::of("quarantined event")
        .with(event.source.as_str())
        .with(account)
        .with(&event.body)
        .into();
    InboundEvent {
        id,
        state: EventState::Quarantined,
        reason: Some("id_reused".to_owned()),
        ..event.clone()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::timestamp::Timestamp;

    use super::*;

    fn id(account: Option<&str>, seconds: i64, body: &[u8], dedup_key: &DedupKey) -> EventId {
        let account = account.map(|code| AccountCode::parse(code).unwrap());
        let at = Timestamp::from_millis(seconds * 1000).unwrap();
        let received = Received { account: account.as_ref(), at, body };
        event(sources::by_path("carrier").unwrap(), &received, dedup_key, None).id
    }

    #[test]
    fn what_makes_an_event_the_same() {
        let named = DedupKey::ProviderId("webhook_1".to_owned());
        let contradictory = DedupKey::Contradictory("event_header");
        for (dedup_key, same_body, same_minute, same_hour) in [
            (&DedupKey::Body, false, true, true),
            (&DedupKey::BodyAndMinute, false, true, false),
            (&named, true, true, true),
            (&contradictory, false, true, true),
        ] {
            let first = id(Some("A"), 60, b"{}", dedup_key);
            assert_eq!(id(Some("A"), 60, b"{ }", dedup_key) == first, same_body, "{dedup_key:?}");
            assert_eq!(id(Some("A"), 119, b"{}", dedup_key) == first, same_minute, "{dedup_key:?}");
            assert_eq!(id(Some("A"), 600, b"{}", dedup_key) == first, same_hour, "{dedup_key:?}");
            assert_ne!(id(Some("B"), 60, b"{}", dedup_key), first, "{dedup_key:?}");
            assert_ne!(id(None, 60, b"{}", dedup_key), first, "{dedup_key:?}");
        }
    }

    #[test]
    fn what_contradicts_takes_nobodys_place() {
        let named = DedupKey::ProviderId("webhook_1".to_owned());
        let at = Timestamp::from_millis(0).unwrap();
        let received = Received { account: None, at, body: b"{}" };
        let good = event(sources::by_path("carrier").unwrap(), &received, &named, None);
        let other = quarantined(&good);
        assert_ne!(other.id, good.id);
        assert_eq!(other.state, EventState::Quarantined);
        assert_eq!(id(None, 0, b"{}", &DedupKey::Contradictory("event_header")), other.id);
    }
}
