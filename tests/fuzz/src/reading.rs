//! Bodies.

use std::sync::LazyLock;

use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use sources::{Authenticator, DedupKey, Reading, Received, Request, Setup, Source};

use super::sound;

/// The longest id that a provider may give an event, in bytes.
const EVENT_ID: usize = 256;

static SHIPROCKET: LazyLock<Reader> = LazyLock::new(|| {
    Reader::new("shiprocket", r#"{"mode":"token","account":"STORE001"}"#, "token")
});

static SHIPWAY: LazyLock<Reader> = LazyLock::new(|| {
    Reader::new(
        "shipway",
        r#"{"account":"STORE001"}"#,
        r#"{"email":"merchant@example.invalid","license_key":"KEY"}"#,
    )
});

static ESAHAYAK: LazyLock<Reader> =
    LazyLock::new(|| Reader::new("esahayak", r#"{"mode":"hmac"}"#, "key"));

static WHATSAPP: LazyLock<Reader> = LazyLock::new(|| {
    let numbers =
        r#"{"phone_numbers":{"106540352242922":"STORE001","106540352242923":"STORE002"}}"#;
    Reader::new("whatsapp", numbers, r#"{"app_secret":"key","verify_token":"token"}"#)
});

/// Reads the input as a body of Shiprocket.
///
/// # Panics
/// The reader did what none may do.
pub fn shiprocket(body: &[u8]) {
    SHIPROCKET.read(body);
}

/// Reads the input as a body of Shipway.
///
/// # Panics
/// The reader did what none may do.
pub fn shipway(body: &[u8]) {
    SHIPWAY.read(body);
}

/// Reads the input as a body of eSahayak.
///
/// # Panics
/// The reader did what none may do.
pub fn esahayak(body: &[u8]) {
    ESAHAYAK.read(body);
}

/// Reads the input as a body of WhatsApp.
///
/// # Panics
/// The reader did what none may do.
pub fn whatsapp(body: &[u8]) {
    WHATSAPP.read(body);
}

struct Reader {
    source: &'static dyn Source,
    authenticator: Box<dyn Authenticator>,
    account: AccountCode,
    at: Timestamp,
}

impl Reader {
    fn new(name: &str, settings: &str, secret: &str) -> Self {
        let source = sources::by_name(name).expect("the source exists");
        let authenticator = source.configure(&Setup { settings, secret: Some(secret), hook: None });
        Self {
            source,
            authenticator: authenticator.unwrap_or_else(|error| panic!("{name}: {error}")),
            account: AccountCode::parse("STORE001").expect("it is an account"),
            at: Timestamp::parse("2026-01-20T04:45:30Z").expect("it is a time"),
        }
    }

    fn read(&self, body: &[u8]) {
        let received = Received { account: Some(&self.account), at: self.at, body };
        let reading = self.source.read(&received);
        assert_eq!(reading, self.source.read(&received), "the same body reads differently");
        match &reading {
            Ok(Reading::Reports(reports)) => reports.items.iter().for_each(sound::report),
            Ok(Reading::Updates(updates)) => updates.items.iter().for_each(sound::update),
            Ok(Reading::Ignored(_)) | Err(_) => {}
        }
        self.dedup_key(body);
        assert_eq!(self.authenticator.owner(body), self.authenticator.owner(body));
    }

    /// With no header, and with the one that eSahayak's samples come with.
    fn dedup_key(&self, body: &[u8]) {
        let event = [("x-esahayak-event", "stamp.uploaded")];
        for headers in [&[][..], &event] {
            let request = Request { headers, source_ip: None, body };
            let dedup_key = self.source.dedup_key(&request);
            assert_eq!(dedup_key, self.source.dedup_key(&request), "the same request is two");
            if let DedupKey::ProviderId(id) = dedup_key {
                assert!(
                    (1..=EVENT_ID).contains(&id.len()) && !id.contains(char::is_control),
                    "{id:?}"
                );
            }
        }
    }
}
