//! Sessions of the console: a token that a user carries in place of the password, for a short time.
//!
//! A token is signed with the hash of the user's password. Nothing is stored, and a new password, or
//! the user's removal, ends all sessions.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Caller, User, is_user_name};
use crate::core::timestamp::Timestamp;

/// Without a renewal, a session ends after this time.
pub const IDLE: Duration = Duration::from_secs(30 * 60);
/// No renewal makes a session last longer.
pub const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);

const VERSION: &str = "v1";

/// `v1.{name}.{begin}.{end}.{signature}`: times in seconds since 1970, the signature in base64url.
/// Names may contain dots.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken {
    pub name: String,
    /// Of the session: a renewal keeps it.
    began_at: Timestamp,
    ends_at: Timestamp,
    signature: Vec<u8>,
}

impl std::fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionToken([REDACTED])")
    }
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It was valid. Nobody has guessed.
    Ended,
    Wrong,
}

impl SessionToken {
    /// A new session, or the renewal of one.
    pub fn issue(name: &str, user: &User, renewed: Option<&Self>, now: Timestamp) -> Self {
        let now = whole_seconds(now);
        let began_at = renewed.map_or(now, |token| token.began_at);
        let ends_at = now.after(IDLE).min(began_at.after(LONGEST));
        let mac = mac(name, user, began_at, ends_at);
        let signature = mac.map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default();
        Self { name: name.to_owned(), began_at, ends_at, signature }
    }

    /// Parses the header `Authorization: Bearer` (RFC 6750).
    pub fn parse(header: &str) -> Option<Self> {
        let (scheme, token) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let token = token.trim().strip_prefix(VERSION)?.strip_prefix('.')?;
        let mut parts = token.rsplitn(4, '.');
        let signature = BASE64URL_NOPAD.decode(parts.next()?.as_bytes()).ok()?;
        let ends_at = read_seconds(parts.next()?)?;
        let began_at = read_seconds(parts.next()?)?;
        let name = parts.next().filter(|name| is_user_name(name))?.to_owned();
        Some(Self { name, began_at, ends_at, signature })
    }

    /// `user` has the token's name.
    pub fn check(&self, user: &User, now: Timestamp) -> Result<Caller, Refusal> {
        let Self { name, began_at, ends_at, signature } = self;
        let mac = mac(name, user, *began_at, *ends_at).ok_or(Refusal::Wrong)?;
        // In constant time.
        mac.verify_slice(signature).map_err(|_| Refusal::Wrong)?;
        if now >= *ends_at {
            return Err(Refusal::Ended);
        }
        Ok(user.caller(name))
    }

    pub fn ends_at(&self) -> Timestamp {
        self.ends_at
    }

    pub fn to_text(&self) -> String {
        let Self { name, began_at, ends_at, signature } = self;
        let signature = BASE64URL_NOPAD.encode(signature);
        format!("{VERSION}.{name}.{}.{}.{signature}", began_at.seconds(), ends_at.seconds())
    }
}

/// The parts cannot run into each other: a name has no line break. HMAC takes keys of any length:
/// `None` cannot be.
fn mac(name: &str, user: &User, began_at: Timestamp, ends_at: Timestamp) -> Option<Hmac<Sha256>> {
    let mac = Hmac::<Sha256>::new_from_slice(user.password_sha256.as_bytes()).ok()?;
    let (began_at, ends_at) = (began_at.seconds(), ends_at.seconds());
    Some(mac.chain_update(format!("session\n{name}\n{began_at}\n{ends_at}")))
}

fn whole_seconds(at: Timestamp) -> Timestamp {
    from_seconds(at.seconds()).unwrap_or(at)
}

fn read_seconds(text: &str) -> Option<Timestamp> {
    from_seconds(text.parse().ok()?)
}

fn from_seconds(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_millis(seconds.checked_mul(1000)?).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::auth::{Principal, Role};

    fn user(hash: &str) -> User {
        let json = format!(r#"{{"password_sha256":"{hash}","role":"viewer","accounts":["A"]}}"#);
        serde_json::from_str(&json).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis((1_800_000_000 + seconds) * 1000).unwrap()
    }

    fn read(token: &SessionToken) -> SessionToken {
        SessionToken::parse(&format!("Bearer {}", token.to_text())).unwrap()
    }

    #[test]
    fn a_token_is_its_user_until_it_ends() {
        let user = user("ab12");
        let token = read(&SessionToken::issue("jo.doe", &user, None, at(0)));
        let caller = token.check(&user, at(1799)).unwrap();
        assert_eq!(caller.principal, Principal::User(Role::Viewer));
        assert_eq!(caller.name.as_deref(), Some("jo.doe"));
        assert!(!caller.can_see(None));
        assert_eq!(token.check(&user, at(1800)), Err(Refusal::Ended));
        assert_eq!(token.ends_at(), at(1800));
    }

    #[test]
    fn another_password_or_any_change_is_wrong() {
        let user = user("ab12");
        let token = SessionToken::issue("jo", &user, None, at(0));
        assert_eq!(token.check(&self::user("ab13"), at(1)), Err(Refusal::Wrong));
        let changes: [fn(&mut SessionToken); 5] = [
            |it| it.name = "jan".to_owned(),
            |it| it.began_at = at(1),
            |it| it.ends_at = at(1801),
            |it| it.signature[0] ^= 1,
            |it| it.signature.truncate(31),
        ];
        for change in changes {
            let mut changed = token.clone();
            change(&mut changed);
            assert_eq!(changed.check(&user, at(1)), Err(Refusal::Wrong));
            assert_eq!(changed.check(&user, at(9999)), Err(Refusal::Wrong), "told before the end");
        }
    }

    #[test]
    fn renewals_end_after_twelve_hours() {
        let user = user("ab12");
        let mut token = SessionToken::issue("jo", &user, None, at(0));
        for minute in (0..).step_by(20).map(|minute: i64| minute * 60) {
            if token.check(&user, at(minute)).is_err() {
                assert_eq!(minute, 12 * 60 * 60);
                return;
            }
            token = SessionToken::issue("jo", &user, Some(&read(&token)), at(minute));
        }
    }

    #[test]
    fn other_texts_are_no_tokens() {
        let token = SessionToken::issue("jo", &user("ab12"), None, at(0)).to_text();
        for header in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer v1",
            "Bearer v1.jo.1.2",
            "Bearer v1..1.2.YQ",
            "Bearer v1.j/o.1.2.YQ",
            "Bearer v1.jo.x.2.YQ",
            "Bearer v1.jo.1.9999999999999999.YQ",
            "Bearer v1.jo.1.2.Y",
            &format!("Bearer v2{}", &token[2..]),
            &format!("Basic {token}"),
            &token,
        ] {
            assert_eq!(SessionToken::parse(header), None, "{header}");
        }
    }
}
