//! Authentication by tokens, signatures and addresses.

use std::net::IpAddr;
use std::sync::LazyLock;

use data_encoding::{HEXLOWER, HEXUPPER};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sources::{Authenticator, Handshake, Hook, Request, Setup};

use super::split;

const SECRET: &str = "correct-horse-battery-staple";
/// The previous secret during a rotation.
const PREVIOUS: &str = "Tr0ub4dor&3";
const VERIFY_TOKEN: &str = "may I come in";
/// MD5 of `merchant@example.invalid:LICENSEKEY`, as in the samples.
const HASH: &str = "ff9eee4e5674e80ff7a08ef685209267";

/// An authenticator and an independent implementation of its check.
struct Case {
    name: &'static str,
    authenticator: Box<dyn Authenticator>,
    is_authentic: fn(&Credentials<'_>) -> bool,
    /// False if the authenticator may also reject authentic requests.
    is_exact: bool,
}

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let credentials = r#"{"email":"merchant@example.invalid","license_key":"LICENSEKEY"}"#;
    let app =
        format!(r#"{{"app_secret":["{SECRET}","{PREVIOUS}"],"verify_token":"{VERIFY_TOKEN}"}}"#);
    let both = format!("{SECRET} {PREVIOUS}");
    let hook = Some(Hook { id: "a-hook", has_secret: true });
    vec![
        case("shiprocket", r#"{"mode":"token","account":"A"}"#, &both, None, |credentials| {
            credentials.token_of_shiprocket()
        }),
        case("shiprocket", r#"{"mode":"hmac","account":"A"}"#, &both, None, |credentials| {
            credentials.signature()
        }),
        case(
            "shiprocket",
            r#"{"mode":"token","account":"A","allowed_ips":["52.66.123.0/24","13.127.45.0/24"]}"#,
            &both,
            None,
            |credentials| credentials.address() && credentials.token_of_shiprocket(),
        ),
        case(
            "esahayak",
            r#"{"mode":"network","plain_path":true,"allowed_cidrs":["52.66.123.0/24","13.127.45.0/24"]}"#,
            SECRET,
            None,
            |credentials| credentials.address(),
        ),
        case("esahayak", r#"{"mode":"hmac"}"#, &both, None, |credentials| credentials.signature()),
        case("whatsapp", r#"{"phone_numbers":{}}"#, &app, None, |credentials| {
            credentials.app_signature()
        }),
        Case {
            is_exact: false,
            ..case("shipway", "{}", credentials, None, |credentials| credentials.hash(HASH))
        },
        Case {
            is_exact: false,
            ..case("shipway", "{}", &both, hook, |credentials| {
                credentials.token() || credentials.hash(SECRET) || credentials.hash(PREVIOUS)
            })
        },
    ]
});

fn case(
    name: &'static str,
    settings: &str,
    secret: &str,
    hook: Option<Hook<'_>>,
    is_authentic: fn(&Credentials<'_>) -> bool,
) -> Case {
    let source = sources::by_name(name).expect("the source exists");
    let authenticator = source.configure(&Setup { settings, secret: Some(secret), hook });
    Case {
        name,
        authenticator: authenticator.unwrap_or_else(|error| panic!("{name}: {error}")),
        is_authentic,
        is_exact: true,
    }
}

/// Sends the input to every authenticator: headers, an empty line, a body. The header `from` is the
/// peer address. In header values, `{hmac}` stands for the body's signature, `{HMAC}` for the same
/// in upper case and `{previous}` for the signature with the previous secret, because fuzzing
/// cannot guess one.
pub fn signature(input: &[u8]) {
    let (head, body) = split(input);
    let body = body.unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let lines: Vec<(&str, String)> = head.lines().filter_map(|line| header(line, body)).collect();
    let headers: Vec<(&str, &str)> =
        lines.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let from = headers
        .iter()
        .find(|(name, _)| *name == "from")
        .and_then(|(_, address)| address.parse().ok());
    let credentials = Credentials { headers: &headers, from, body };
    for case in CASES.iter() {
        let authentic = (case.is_authentic)(&credentials);
        let accepted = case
            .authenticator
            .authenticate(&Request {
                headers: &headers,
                source_ip: from,
                body,
                ..Request::default()
            })
            .is_ok();
        assert!(authentic || !accepted, "{} accepts a forged request", case.name);
        assert!(accepted || !authentic || !case.is_exact, "{} rejects its provider", case.name);
        assert!(
            is_valid_handshake(&credentials, &case.authenticator.handshake(&headers)),
            "{} answers a forged handshake",
            case.name
        );
    }
}

/// `name: value`.
fn header<'a>(line: &'a str, body: &[u8]) -> Option<(&'a str, String)> {
    let (name, value) = line.split_once(": ")?;
    let mut value = value.to_owned();
    if value.contains('{') {
        let (current, previous) = (sign(SECRET, body), sign(PREVIOUS, body));
        value = value
            .replace("{hmac}", &HEXLOWER.encode(&current))
            .replace("{HMAC}", &HEXUPPER.encode(&current));
        value = value.replace("{previous}", &HEXLOWER.encode(&previous));
    }
    Some((name, value))
}

fn sign(key: &str, body: &[u8]) -> Vec<u8> {
    let mac =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.chain_update(body).finalize().into_bytes().to_vec()
}

/// An echo requires the verify token and equals the challenge.
fn is_valid_handshake(credentials: &Credentials<'_>, answer: &Handshake) -> bool {
    let Handshake::Echo(echo) = answer else { return true };
    let has = |name: &str, value: &str| {
        credentials.headers.iter().filter(|pair| **pair == (name, value)).count() == 1
    };
    has("hub.mode", "subscribe")
        && has("hub.verify_token", VERIFY_TOKEN)
        && has("hub.challenge", echo)
}

/// The credentials in a request.
struct Credentials<'a> {
    headers: &'a [(&'a str, &'a str)],
    from: Option<IpAddr>,
    body: &'a [u8],
}

impl Credentials<'_> {
    fn only(&self, name: &str) -> Option<&str> {
        let values: Vec<&str> = self
            .headers
            .iter()
            .filter(|(key, _)| key.to_ascii_lowercase() == name)
            .map(|(_, value)| *value)
            .collect();
        if let [value] = values[..] { Some(value) } else { None }
    }

    fn token(&self) -> bool {
        self.is_token("x-api-key")
    }

    fn token_of_shiprocket(&self) -> bool {
        self.token() || self.is_token("anx-api-key")
    }

    fn is_token(&self, name: &str) -> bool {
        self.only(name).is_some_and(|token| [SECRET, PREVIOUS].contains(&token))
    }

    fn signature(&self) -> bool {
        self.is_signed("x-webhook-signature")
    }

    fn app_signature(&self) -> bool {
        self.is_signed("x-hub-signature-256")
    }

    /// The prefix is compared as it is, the digits in either case.
    fn is_signed(&self, name: &str) -> bool {
        let Some(("sha256", digits)) = self.only(name).and_then(|value| value.split_once('='))
        else {
            return false;
        };
        let is_of = |key| HEXLOWER.encode(&sign(key, self.body)) == digits.to_ascii_lowercase();
        is_of(SECRET) || is_of(PREVIOUS)
    }

    fn address(&self) -> bool {
        let address = self.from.map(|address| match address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(address) => address.to_ipv4_mapped(),
        });
        address
            .flatten()
            .is_some_and(|address| matches!(address.octets(), [52, 66, 123, _] | [13, 127, 45, _]))
    }

    fn hash(&self, expected: &str) -> bool {
        let body: Result<serde_json::Value, _> = serde_json::from_slice(self.body);
        body.is_ok_and(|body| body["hash"] == expected)
    }
}
