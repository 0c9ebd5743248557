//! Parsing of bodies.

use std::sync::LazyLock;

use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use sources::{Authenticator, DedupKey, Parsed, Reading, Request, Setup, Source};

use super::invariants;

/// Longest event id of a provider, in bytes.
const EVENT_ID: usize = 256;

static SHIPROCKET: LazyLock<Parser> = LazyLock::new(|| {
    Parser::new("shiprocket", r#"{"mode":"token","account":"STORE001"}"#, "token")
});

static SHIPWAY: LazyLock<Parser> = LazyLock::new(|| {
    Parser::new(
        "shipway",
        r#"{"account":"STORE001"}"#,
        r#"{"email":"merchant@example.invalid","license_key":"KEY"}"#,
    )
});

static ESAHAYAK: LazyLock<Parser> =
    LazyLock::new(|| Parser::new("esahayak", r#"{"mode":"hmac"}"#, "key"));

static WHATSAPP: LazyLock<Parser> = LazyLock::new(|| {
    let numbers = r#"{"phone_numbers":{"106540352242922":"STORE001","106540352242923":"STORE002"},
            "business_accounts":{"102290129340398":"STORE001"}}"#;
    Parser::new("whatsapp", numbers, r#"{"app_secret":"key","verify_token":"token"}"#)
});

pub fn shiprocket(body: &[u8]) {
    SHIPROCKET.parse(body);
}

pub fn shipway(body: &[u8]) {
    SHIPWAY.parse(body);
}

pub fn esahayak(body: &[u8]) {
    ESAHAYAK.parse(body);
}

pub fn whatsapp(body: &[u8]) {
    WHATSAPP.parse(body);
}

struct Parser {
    source: &'static dyn Source,
    authenticator: Box<dyn Authenticator>,
    account: AccountCode,
    at: Timestamp,
}

impl Parser {
    fn new(name: &str, settings: &str, secret: &str) -> Self {
        let source = sources::by_name(name).expect("the source exists");
        let authenticator = source.configure(&Setup { settings, secret: Some(secret), hook: None });
        Self {
            source,
            authenticator: authenticator.unwrap_or_else(|error| panic!("{name}: {error}")),
            account: AccountCode::parse("STORE001").expect("the account code is valid"),
            at: Timestamp::parse("2026-01-20T04:45:30Z").expect("the time is valid"),
        }
    }

    /// Parses without headers, and with the one of eSahayak's samples.
    fn parse(&self, body: &[u8]) {
        let event = [("x-esahayak-event", "stamp.uploaded")];
        let mut readings = Vec::new();
        for headers in [&[][..], &event] {
            let account = Some(&self.account);
            let request = Request { account, headers, body, ..Request::default() };
            let parsed = self.source.parse(&request, self.at);
            assert_eq!(
                parsed,
                self.source.parse(&request, self.at),
                "parsing is not deterministic"
            );
            if let Ok(parsed) = &parsed {
                self.check(parsed);
            }
            readings.push(parsed.map(|parsed| parsed.reading));
        }
        // `process` has no headers, and must get the same reading as `inbound`.
        assert_eq!(readings[0], readings[1], "the reading depends on headers");
    }

    fn check(&self, parsed: &Parsed) {
        match &parsed.reading {
            Reading::Reports(reports) => reports.items.iter().for_each(invariants::report),
            Reading::Updates(updates) => updates.items.iter().for_each(invariants::update),
            Reading::Ignored(_) => {}
        }
        if let DedupKey::ProviderId(id) = &parsed.dedup_key {
            assert!((1..=EVENT_ID).contains(&id.len()) && !id.contains(char::is_control), "{id:?}");
        }
        let tenant = &parsed.tenant;
        assert_eq!(self.authenticator.account_of(tenant), self.authenticator.account_of(tenant));
    }
}
