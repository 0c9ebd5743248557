//! A request as an event: what it is known again by, and how it begins.

use aws::tables::inbound::{Event, EventState};
use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, EventId};
use sources::{Identity, Received, Source, Unreadable};

/// The event of an admitted request.
pub(crate) fn event(
    source: &dyn Source,
    received: &Received<'_>,
    identity: &Identity,
    unreadable: Option<&Unreadable>,
) -> Event {
    let (state, reason) = match (unreadable, identity) {
        (Some(error), _) => (EventState::Failed, Some(error.to_string())),
        (None, Identity::Contradictory(why)) => (EventState::Quarantined, Some((*why).to_owned())),
        (None, _) => (EventState::Received, None),
    };
    Event {
        id: event_id(source, received, identity),
        source: source.name(),
        account: received.account.cloned(),
        received_at: received.at,
        state,
        reason,
        body: received.body.to_vec(),
    }
}

fn event_id(source: &dyn Source, received: &Received<'_>, identity: &Identity) -> EventId {
    let account = received.account.map_or("", AccountCode::as_str);
    let of = |kind| Fingerprint::of(kind).with(source.name().as_str()).with(account);
    match identity {
        Identity::Bytes => of("event").with(received.body).into(),
        Identity::BytesAndMinute => {
            of("event").with(received.body).with((received.at.seconds() / 60).to_be_bytes()).into()
        }
        Identity::Named(id) => of("named event").with(id).into(),
        Identity::Contradictory(_) => of("quarantined event").with(received.body).into(),
    }
}

/// The event of an id that came before, with another body: kept beside it.
pub(crate) fn quarantined(event: &Event) -> Event {
    let account = event.account.as_ref().map_or("", AccountCode::as_str);
    let id = Fingerprint::of("quarantined event")
        .with(event.source.as_str())
        .with(account)
        .with(&event.body)
        .into();
    Event {
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

    fn id(account: Option<&str>, seconds: i64, body: &[u8], identity: &Identity) -> EventId {
        let account = account.map(|code| AccountCode::parse(code).unwrap());
        let at = Timestamp::from_millis(seconds * 1000).unwrap();
        let received = Received { account: account.as_ref(), at, body };
        event(sources::by_path("carrier").unwrap(), &received, identity, None).id
    }

    #[test]
    fn what_makes_an_event_the_same() {
        let named = Identity::Named("webhook_1".to_owned());
        let contradictory = Identity::Contradictory("event_header");
        for (identity, same_body, same_minute, same_hour) in [
            (&Identity::Bytes, false, true, true),
            (&Identity::BytesAndMinute, false, true, false),
            (&named, true, true, true),
            (&contradictory, false, true, true),
        ] {
            let first = id(Some("A"), 60, b"{}", identity);
            assert_eq!(id(Some("A"), 60, b"{ }", identity) == first, same_body, "{identity:?}");
            assert_eq!(id(Some("A"), 119, b"{}", identity) == first, same_minute, "{identity:?}");
            assert_eq!(id(Some("A"), 600, b"{}", identity) == first, same_hour, "{identity:?}");
            assert_ne!(id(Some("B"), 60, b"{}", identity), first, "{identity:?}");
            assert_ne!(id(None, 60, b"{}", identity), first, "{identity:?}");
        }
    }

    #[test]
    fn what_contradicts_takes_nobodys_place() {
        let named = Identity::Named("webhook_1".to_owned());
        let at = Timestamp::from_millis(0).unwrap();
        let received = Received { account: None, at, body: b"{}" };
        let good = event(sources::by_path("carrier").unwrap(), &received, &named, None);
        let other = quarantined(&good);
        assert_ne!(other.id, good.id);
        assert_eq!(other.state, EventState::Quarantined);
        assert_eq!(id(None, 0, b"{}", &Identity::Contradictory("event_header")), other.id);
    }
}
