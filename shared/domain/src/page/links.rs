//! Reads the setting `tracking`, and makes the links of tracking pages.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Deserialize;

use super::setting::{InvalidPageSetting, after_scheme, invalid, is_web_url, read};
use super::token::{TokenError, TokenKeys, day};
use crate::core::id::{AccountCode, OrderKey};
use crate::core::timestamp::Timestamp;
use crate::orders::order::Order;

const DEFAULT_DAYS: u32 = 90;
const DAYS: std::ops::RangeInclusive<u32> = 1..=3650;

/// The setting `tracking`. Without it there are no tracking pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackingLinks {
    keys: TokenKeys,
    /// A link's life after the order's last change.
    days: u32,
    /// Without a `/` at its end.
    public_url: String,
    origins: BTreeMap<AccountCode, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTracking {
    keys: Vec<String>,
    days: Option<u32>,
    public_url: String,
    #[serde(default)]
    origins: BTreeMap<AccountCode, Vec<String>>,
}

impl TrackingLinks {
    pub fn parse(text: &str) -> Result<Self, InvalidPageSetting> {
        let RawTracking { keys, days, public_url, origins } = read(text)?;
        let keys = TokenKeys::new(keys).or_else(|error| invalid("keys", error))?;
        let days = days.unwrap_or(DEFAULT_DAYS);
        if !DAYS.contains(&days) {
            return invalid("days", "must be 1 to 3650");
        }
        let public_url = public_url.strip_suffix('/').unwrap_or(&public_url);
        if !is_web_url(public_url) {
            return invalid("public_url", "must be an http or https URL, without `?` and `#`");
        }
        for (account, origins) in &origins {
            if !origins.iter().all(|origin| is_origin(origin)) {
                let message = "must be origins such as https://shop.example";
                return invalid(format!("origins.{account}"), message);
            }
        }
        Ok(Self { keys, days, public_url: public_url.to_owned(), origins })
    }

    /// The link to an order's page. It lives for `days` after the order's last change: so it follows
    /// from the order alone, and a repeated payload has the same link.
    pub fn of(&self, order: &Order) -> String {
        self.url(&order.key, order.state.updated_at)
    }

    fn url(&self, order: &OrderKey, changed_at: Timestamp) -> String {
        let token = self.keys.sign(order, day(changed_at) + i64::from(self.days));
        let (account, id) = (segment(order.account.as_str()), segment(order.order.as_str()));
        format!("{}/track/{account}/{id}?t={token}", self.public_url)
    }

    pub fn check(&self, order: &OrderKey, token: &str, now: Timestamp) -> Result<(), TokenError> {
        self.keys.check(order, token, now)
    }

    /// The sites that may show orders of the account.
    pub fn origins(&self, account: &AccountCode) -> &[String] {
        self.origins.get(account).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a site may show orders of the account: one of its own, or that of the tracking pages.
    pub fn allows_origin(&self, account: &AccountCode, origin: &str) -> bool {
        self.is_own(origin) || self.origins(account).iter().any(|known| known == origin)
    }

    /// Whether a site may show orders of any account: it may read answers that tell of none.
    pub fn knows_origin(&self, origin: &str) -> bool {
        self.is_own(origin) || self.origins.values().flatten().any(|known| known == origin)
    }

    fn is_own(&self, origin: &str) -> bool {
        origin.eq_ignore_ascii_case(origin_of(&self.public_url))
    }
}

/// The URL without its path.
fn origin_of(url: &str) -> &str {
    let rest = after_scheme(url).unwrap_or_default();
    let path = rest.find('/').map_or(0, |slash| rest.len() - slash);
    &url[..url.len() - path]
}

/// As browsers write it: lower case, no path.
fn is_origin(text: &str) -> bool {
    is_web_url(text)
        && after_scheme(text).is_some_and(|host| !host.contains(['/', '*']))
        && !text.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Escapes all but the unreserved characters of RFC 3986.
fn segment(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
