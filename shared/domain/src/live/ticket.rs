//! Tickets: a secret that opens one socket, once.

use std::time::Duration;

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};

use super::scope::Scope;
use crate::core::hash::Fingerprint;

/// From its making until it opens a socket.
pub const TICKET_LIFE: Duration = Duration::from_secs(60);

const PREFIX: &str = "ticket-";
const SECRET_BYTES: usize = 20;
/// Of these bytes in base32.
const SECRET_CHARS: usize = 32;

/// It stands in the query of the socket's URL. `Debug` omits it.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket(String);

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ticket([REDACTED])")
    }
}

/// The permissions of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub scope: Scope,
    pub holder: Holder,
}

/// The kind of caller that asked for a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A user of the API.
    Caller,
    /// Whoever has the link of an order's tracking page: a browser, which names its `Origin`.
    Shopper,
}

impl Ticket {
    /// From random bytes of a secure generator.
    pub fn new(secret: [u8; SECRET_BYTES]) -> Self {
        Self(format!("{PREFIX}{}", BASE32_NOPAD.encode(&secret).to_ascii_lowercase()))
    }

    pub fn parse(text: &str) -> Option<Self> {
        let secret = text.strip_prefix(PREFIX)?;
        let is_secret = |byte: u8| byte.is_ascii_lowercase() || (b'2'..=b'7').contains(&byte);
        let has_form = secret.len() == SECRET_CHARS && secret.bytes().all(is_secret);
        has_form.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Stored in place of the ticket. The ticket is found by it, so no comparison takes a time that
    /// depends on the secret.
    pub fn hash(&self) -> String {
        Fingerprint::of("ticket").with(&self.0).finish()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_read_as_it_was_made() {
        let ticket = Ticket::new([7; 20]);
        assert_eq!(Ticket::parse(ticket.as_str()).unwrap(), ticket);
        assert_eq!(ticket.as_str().len(), PREFIX.len() + SECRET_CHARS);
        assert_ne!(ticket.hash(), Ticket::new([8; 20]).hash());
    }

    #[test]
    fn rejects_what_is_no_ticket() {
        let good = Ticket::new([7; 20]);
        let secret = good.as_str().strip_prefix(PREFIX).unwrap();
        for text in [
            "",
            "ticket-",
            secret,
            &format!("ticket-{}", secret.to_ascii_uppercase()),
            &format!("ticket-{secret}a"),
            &format!("ticket-{}1", &secret[1..]),
            &format!(" {}", good.as_str()),
        ] {
            assert_eq!(Ticket::parse(text), None, "{text}");
        }
    }

    #[test]
    fn debug_output_has_no_secrets() {
        assert_eq!(format!("{:?}", Ticket::new([7; 20])), "Ticket([REDACTED])");
    }
}
