//! The channels of an order and of an account.
//!
//! `private-order-{order}@{account}` and `private-shipments@{account}`, without `@{account}` for the
//! setting's own account. Other bytes than letters, digits, `-`, `_` and `.` are written as `=XX`,
//! so that two orders never share a channel, and each channel has one spelling.

use std::fmt::Write;

use super::setting::PusherSetting;
use crate::core::id::{AccountCode, OrderId};
use crate::live::Scope;

/// Limit of the protocol.
pub(super) const MAX_BYTES: usize = 200;

const ORDER: &str = "private-order-";
const PUBLIC_ORDER: &str = "order-";
const SHIPMENTS: &str = "private-shipments";

impl PusherSetting {
    /// The private channel of an order, or of an account. `None` if the name would be too long.
    pub(super) fn channel(&self, scope: &Scope) -> Option<String> {
        let account = self.suffix(&scope.account);
        within_limit(match &scope.order {
            Some(order) => format!("{ORDER}{}{account}", escape(order.as_str())),
            None => format!("{SHIPMENTS}{account}"),
        })
    }

    /// The public channel of an order, if the setting asks for these.
    pub(super) fn public_channel(&self, scope: &Scope) -> Option<String> {
        let order = scope.order.as_ref().filter(|_| self.public_channels)?;
        let account = self.suffix(&scope.account);
        within_limit(format!("{PUBLIC_ORDER}{}{account}", escape(order.as_str())))
    }

    /// The order or account whose private channel this is. `None` for any other text.
    pub fn scope(&self, channel: &str) -> Option<Scope> {
        let (name, account) = match channel.split_once('@') {
            Some((name, account)) => (name, AccountCode::parse(&unescape(account)?).ok()?),
            None => (channel, self.account.clone()?),
        };
        let order = match name.strip_prefix(ORDER) {
            Some(order) => Some(OrderId::parse(&unescape(order)?).ok()?),
            None => None,
        };
        let scope = Scope { account, order };
        // Also refuses other spellings, and other names.
        (self.channel(&scope).as_deref() == Some(channel)).then_some(scope)
    }

    fn suffix(&self, account: &AccountCode) -> String {
        if self.account.as_ref() == Some(account) {
            String::new()
        } else {
            format!("@{}", escape(account.as_str()))
        }
    }
}

fn within_limit(name: String) -> Option<String> {
    (name.len() <= MAX_BYTES).then_some(name)
}

fn escape(id: &str) -> String {
    let mut escaped = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "={byte:02X}");
        }
    }
    escaped
}

/// `None` for a `=` without two digits, or if the result is no text.
fn unescape(escaped: &str) -> Option<String> {
    let mut parts = escaped.split('=');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::setting::tests::setting;
    use super::*;

    fn scope(account: &str, order: Option<&str>) -> Scope {
        let order = order.map(|order| OrderId::parse(order).unwrap());
        Scope { account: AccountCode::parse(account).unwrap(), order }
    }

    #[test]
    fn a_channel_names_order_and_account() {
        let pusher = setting(json!({"account": "STORE001"}));
        for (account, order, expected) in [
            ("STORE001", Some("ORD1001"), "private-order-ORD1001"),
            ("STORE001", None, "private-shipments"),
            ("STORE002", Some("ORD1001"), "private-order-ORD1001@STORE002"),
            ("STORE002", None, "private-shipments@STORE002"),
            ("S 2", Some("#1 @é"), "private-order-=231=20=40=C3=A9@S=202"),
        ] {
            let scope = scope(account, order);
            assert_eq!(pusher.channel(&scope).as_deref(), Some(expected));
            assert_eq!(pusher.scope(expected), Some(scope), "{expected}");
        }
        let without = setting(json!({}));
        let order = scope("STORE001", Some("ORD1001"));
        assert_eq!(without.channel(&order).unwrap(), "private-order-ORD1001@STORE001");
        assert_eq!(without.scope("private-order-ORD1001"), None);
    }

    #[test]
    fn no_other_text_is_a_channel() {
        let pusher = setting(json!({"account": "A"}));
        for channel in [
            "",
            "private-",
            "private-order-",
            "private-order-@B",
            "private-order-O@",
            "private-order-O@A",
            "private-order-O@B@C",
            "private-order-O=4",
            "private-order-O=zz",
            "private-order-O=+1",
            "private-order-O=2a",
            "private-order-O=41",
            "private-order-O=ff",
            "private-order-O 1",
            "private-order-O:B",
            "private-shipments@A",
            "private-shipments-B",
            "private-shipments@B/",
            "order-O",
            "presence-order-O",
            "private-encrypted-order-O",
            "Private-order-O",
        ] {
            assert_eq!(pusher.scope(channel), None, "{channel}");
        }
    }

    #[test]
    fn an_order_whose_channel_would_be_too_long_has_none() {
        let pusher = setting(json!({}));
        let longest = scope("STORE001", Some(&"é".repeat(29)));
        assert_eq!(pusher.channel(&longest).unwrap().len(), 14 + 29 * 6 + 9);
        assert_eq!(pusher.channel(&scope("STORE001", Some(&"é".repeat(30)))), None);
    }

    #[test]
    fn there_are_public_channels_only_if_the_setting_asks_for_them() {
        let order = scope("B", Some("O"));
        assert_eq!(setting(json!({})).public_channel(&order), None);
        let public = setting(json!({"public_channels": true}));
        assert_eq!(public.public_channel(&order).as_deref(), Some("order-O@B"));
        assert_eq!(public.public_channel(&scope("B", None)), None);
        assert_eq!(public.scope("order-O@B"), None);
    }

    proptest! {
        #[test]
        fn a_channel_is_of_one_order(
            account in "[A-Za-z@=. -]{1,6}", order in "\\PC{1,20}", own in "[A-Za-z]{1,2}",
        ) {
            let pusher = setting(json!({"account": own}));
            let (Ok(account), Ok(order)) = (AccountCode::parse(&account), OrderId::parse(&order))
            else { return Ok(()) };
            let scope = Scope { account, order: Some(order) };
            if let Some(channel) = pusher.channel(&scope) {
                prop_assert_eq!(pusher.scope(&channel), Some(scope));
            }
        }

        #[test]
        fn any_text_is_read_without_a_panic(channel in "(private-order-)?[\\PC=@]{0,40}") {
            let _ = setting(json!({"account": "A"})).scope(&channel);
        }
    }
}
