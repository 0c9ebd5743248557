//! Builds the event of a request and its deduplicating id.

use aws::tables::inbound::{EventState, InboundEvent};
use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use domain::core::trace::TraceParent;
use domain::tracking::report::SourceName;
use sources::{Authenticator, DedupKey, QuarantineReason, Request, Source, Unreadable};

/// A parsed request.
pub(crate) struct Intake {
    pub(crate) event: InboundEvent,
    pub(crate) dedup_key: DedupKey,
    pub(crate) unreadable: Option<Unreadable>,
}

impl Intake {
    /// Parses an authenticated request. Without an account from the hook or the settings, the body
    /// decides the tenant.
    pub(crate) fn parse(
        source: &dyn Source,
        authenticator: &dyn Authenticator,
        request: &Request<'_>,
        at: Timestamp,
    ) -> Self {
        let (account, dedup_key, unreadable) = match source.parse(request, at) {
            Ok(parsed) => (authenticator.account_of(&parsed.tenant), parsed.dedup_key, None),
            // An unreadable body must not take the provider id of a later valid one.
            Err(error) => (None, DedupKey::Body, Some(error)),
        };
        let request = Request { account: request.account.or(account.as_ref()), ..*request };
        let event = event(source, &request, at, &dedup_key, unreadable.as_ref());
        Self { event, dedup_key, unreadable }
    }
}

fn event(
    source: &dyn Source,
    request: &Request<'_>,
    at: Timestamp,
    dedup_key: &DedupKey,
    unreadable: Option<&Unreadable>,
) -> InboundEvent {
    let (state, reason) = match (unreadable, dedup_key) {
        (Some(error), _) => (EventState::Failed, Some(error.to_string())),
        (None, DedupKey::Contradictory(reason)) => {
            (EventState::Quarantined, Some(reason.as_str().to_owned()))
        }
        (None, _) => (EventState::Received, None),
    };
    InboundEvent {
        id: event_id(source, request, at, dedup_key),
        source: source.name(),
        account: request.account.cloned(),
        received_at: at,
        state,
        reason,
        traceparent: traceparent(request),
        body: request.body.to_vec(),
    }
}

fn traceparent(request: &Request<'_>) -> Option<TraceParent> {
    let mut values = request.headers.iter().filter(|(name, _)| *name == "traceparent");
    let (_, value) = values.next().filter(|_| values.next().is_none())?;
    TraceParent::parse(value).ok()
}

fn event_id(
    source: &dyn Source,
    request: &Request<'_>,
    at: Timestamp,
    dedup_key: &DedupKey,
) -> EventId {
    let of = |kind| fingerprint(kind, &source.name(), request.account);
    match dedup_key {
        DedupKey::Body => of("event").with(request.body).into(),
        DedupKey::BodyAndMinute => {
            of("event").with(request.body).with((at.seconds() / 60).to_be_bytes()).into()
        }
        DedupKey::ProviderId(id) => of("named event").with(id).into(),
        DedupKey::Contradictory(_) => quarantine_id(&source.name(), request.account, request.body),
    }
}

fn quarantine_id(source: &SourceName, account: Option<&AccountCode>, body: &[u8]) -> EventId {
    fingerprint("quarantined event", source, account).with(body).into()
}

fn fingerprint(kind: &str, source: &SourceName, account: Option<&AccountCode>) -> Fingerprint {
    let account = account.map_or("", AccountCode::as_str);
    Fingerprint::of(kind).with(source.as_str()).with(account)
}

/// The event of a body whose provider id was used before with another body. Stored beside the
/// first.
pub(crate) fn quarantined(event: &InboundEvent) -> InboundEvent {
    InboundEvent {
        id: quarantine_id(&event.source, event.account.as_ref(), &event.body),
        state: EventState::Quarantined,
        reason: Some(QuarantineReason::IdReused.as_str().to_owned()),
        ..event.clone()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use sources::{
        AuthError, IgnoreReason, InvalidSetting, Parsed, Reading, Setup, Tenant, TenantHint,
    };

    use super::*;

    const CONTRADICTORY: DedupKey = DedupKey::Contradictory(QuarantineReason::EventHeader);

    fn id(account: Option<&str>, seconds: i64, body: &[u8], dedup_key: &DedupKey) -> EventId {
        let account = account.map(|code| AccountCode::parse(code).unwrap());
        let at = Timestamp::from_millis(seconds * 1000).unwrap();
        let request = Request::stored(account.as_ref(), body);
        event(sources::by_path("carrier").unwrap(), &request, at, dedup_key, None).id
    }

    #[test]
    fn event_id_follows_the_dedup_key() {
        let named = DedupKey::ProviderId("webhook_1".to_owned());
        for (dedup_key, same_body, same_minute, same_hour) in [
            (&DedupKey::Body, false, true, true),
            (&DedupKey::BodyAndMinute, false, true, false),
            (&named, true, true, true),
            (&CONTRADICTORY, false, true, true),
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
    fn quarantined_event_has_its_own_id() {
        let named = DedupKey::ProviderId("webhook_1".to_owned());
        let at = Timestamp::from_millis(0).unwrap();
        let request = Request::stored(None, b"{}");
        let good = event(sources::by_path("carrier").unwrap(), &request, at, &named, None);
        let other = quarantined(&good);
        assert_ne!(other.id, good.id);
        assert_eq!(other.state, EventState::Quarantined);
        assert_eq!(id(None, 0, b"{}", &CONTRADICTORY), other.id);
    }

    /// A source whose bodies name account `B`, and which counts how often they are parsed.
    #[derive(Default)]
    struct Counting(AtomicUsize);

    impl Source for Counting {
        fn name(&self) -> SourceName {
            SourceName::new("counting")
        }

        fn path(&self) -> &'static str {
            "counting"
        }

        fn configure(&self, _: &Setup<'_>) -> Result<Box<dyn Authenticator>, InvalidSetting> {
            Ok(Box::new(AccountB))
        }

        fn parse(&self, request: &Request<'_>, _at: Timestamp) -> Result<Parsed, Unreadable> {
            self.0.fetch_add(1, Ordering::Relaxed);
            match request.body {
                b"{}" => Ok(Reading::Ignored(IgnoreReason::TestPing).into()),
                _ => Err(Unreadable::Missing("id")),
            }
        }
    }

    struct AccountB;

    impl Authenticator for AccountB {
        fn authenticate(&self, _: &Request<'_>) -> Result<(), AuthError> {
            Ok(())
        }

        fn tenant(&self) -> Tenant {
            Tenant::PerUpdate
        }

        fn account_of(&self, _: &TenantHint) -> Option<AccountCode> {
            AccountCode::parse("B").ok()
        }
    }

    #[test]
    fn parses_each_request_once() {
        let account = AccountCode::parse("A").unwrap();
        for (account, body, expected) in [
            (Some(&account), &b"{}"[..], Some("A")),
            (None, b"{}", Some("B")),
            (Some(&account), b"", Some("A")),
            (None, b"", None),
        ] {
            let source = Counting::default();
            let request = Request::stored(account, body);
            let intake = Intake::parse(&source, &AccountB, &request, Timestamp::EPOCH);
            assert_eq!(source.0.load(Ordering::Relaxed), 1, "{account:?} {body:?}");
            let account = intake.event.account.as_ref().map(AccountCode::as_str);
            assert_eq!(account, expected, "{body:?}");
            assert_eq!(intake.unreadable.is_some(), body.is_empty());
            assert_eq!(intake.event.state == EventState::Failed, body.is_empty());
            assert_eq!(intake.dedup_key, DedupKey::Body);
            let id = Fingerprint::of("event").with("counting").with(expected.unwrap_or_default());
            assert_eq!(intake.event.id, id.with(body).into(), "{body:?}");
        }
    }

    #[test]
    fn unreadable_body_does_not_take_the_provider_id() {
        let account = AccountCode::parse("A").unwrap();
        let headers = [("x-esahayak-event", "stamp.uploaded")];
        let parse = |body| {
            let account = Some(&account);
            let request = Request { account, headers: &headers, body, ..Request::default() };
            let source = sources::by_path("esahayak").unwrap();
            Intake::parse(source, &AccountB, &request, Timestamp::EPOCH)
        };
        let unreadable = parse(br#"{"id":"x"}"#);
        let valid = parse(
            br#"{"id":"x","type":"stamp.uploaded","created_at":"2025-01-01T00:00:00Z","data":{}}"#,
        );
        assert_eq!(unreadable.dedup_key, DedupKey::Body);
        assert_eq!(valid.dedup_key, DedupKey::ProviderId("x".to_owned()));
        assert_ne!(unreadable.event.id, valid.event.id);
        let states = [unreadable.event.state, valid.event.state];
        assert_eq!(states, [EventState::Failed, EventState::Received]);
    }
}
