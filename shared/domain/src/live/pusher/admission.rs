//! A client's request to join a private channel, as `pusher-js` sends it: a form.

use super::channel::MAX_BYTES;
use super::setting::PusherSetting;
use crate::core::request_body::InvalidBody;
use crate::live::Scope;

const MAX_SOCKET_ID: usize = 64;

#[derive(Clone, PartialEq, Eq)]
pub struct Admission {
    socket_id: String,
    channel: String,
    /// Of an order's tracking page; a secret.
    pub token: Option<String>,
}

impl std::fmt::Debug for Admission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admission").field("socket_id", &self.socket_id).finish_non_exhaustive()
    }
}

impl Admission {
    pub fn read(form: &[u8]) -> Result<Self, InvalidBody> {
        let (mut socket_id, mut channel, mut token) = (None, None, None);
        for (name, value) in form_urlencoded::parse(form) {
            let field = match &*name {
                "socket_id" => &mut socket_id,
                "channel_name" => &mut channel,
                "token" => &mut token,
                _ => return Err(InvalidBody::field(name, "is not a field of this form")),
            };
            if field.replace(value.into_owned()).is_some() {
                return Err(InvalidBody::field(name, "is given twice"));
            }
        }
        let socket_id = socket_id.filter(|id| is_socket_id(id));
        let channel = channel.filter(|channel| is_channel(channel));
        let invalid = |field, message| InvalidBody::field(field, message);
        Ok(Self {
            socket_id: socket_id
                .ok_or_else(|| invalid("socket_id", "must be two numbers with a dot between"))?,
            channel: channel
                .ok_or_else(|| invalid("channel_name", "must be the name of a channel"))?,
            token,
        })
    }

    /// The order or account whose channel this is. `None` for a channel that nobody may join.
    pub fn scope(&self, setting: &PusherSetting) -> Option<Scope> {
        setting.scope(&self.channel)
    }

    /// What admits the client. The caller knows that it may see the [scope](Self::scope).
    pub fn sign(&self, setting: &PusherSetting) -> String {
        setting.channel_auth(&self.socket_id, &self.channel)
    }
}

fn is_socket_id(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = text.split_once('.').filter(|_| text.len() <= MAX_SOCKET_ID);
    parts.is_some_and(|(first, second)| is_number(first) && is_number(second))
}

fn is_channel(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-=@,.;".contains(&byte);
    (1..=MAX_BYTES).contains(&text.len()) && text.bytes().all(is_allowed)
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::super::setting::tests::setting;
    use super::*;

    #[test]
    fn reads_the_form_of_pusher_js_and_signs_it() {
        let form = b"socket_id=1234.1234&channel_name=private-order-%3D231%40B&token=a%2Bb";
        let admission = Admission::read(form).unwrap();
        assert_eq!(admission.token.as_deref(), Some("a+b"));
        let pusher = setting(json!({}));
        let scope = admission.scope(&pusher).unwrap();
        assert_eq!(scope, serde_json::from_value(json!({"account": "B", "order": "#1"})).unwrap());
        let expected = pusher.channel_auth("1234.1234", "private-order-=231@B");
        assert_eq!(admission.sign(&pusher), expected);
    }

    #[test]
    fn rejects_what_would_sign_another_pair() {
        let long = format!("channel_name=private-order-{}&socket_id=1.2", "a".repeat(187));
        for (form, expected) in [
            ("", "socket_id"),
            ("{}", "{}"),
            ("channel_name=private-shipments", "socket_id"),
            ("socket_id=1.2", "channel_name"),
            ("socket_id=1&channel_name=private-shipments", "socket_id"),
            ("socket_id=1.&channel_name=private-shipments", "socket_id"),
            ("socket_id=.2&channel_name=private-shipments", "socket_id"),
            ("socket_id=1.2.3&channel_name=private-shipments", "socket_id"),
            ("socket_id=1.2%0A&channel_name=private-shipments", "socket_id"),
            ("socket_id=1.2:private-order-O&channel_name=x", "socket_id"),
            ("socket_id=%D9%A1.2&channel_name=private-shipments", "socket_id"),
            ("socket_id=1.2&channel_name=", "channel_name"),
            ("socket_id=1.2&channel_name=private-a:private-b", "channel_name"),
            ("socket_id=1.2&channel_name=private-%23", "channel_name"),
            ("socket_id=1.2&channel_name=private-%FF", "channel_name"),
            (&long, "channel_name"),
            ("socket_id=1.2&socket_id=1.3&channel_name=private-a", "socket_id"),
            ("socket_id=1.2&channel_name=private-a&user=x", "user"),
        ] {
            let error = Admission::read(form.as_bytes()).unwrap_err();
            let is_about = |field: &str| field == expected;
            assert!(
                matches!(&error, InvalidBody::Invalid { field, .. } if is_about(field)),
                "{form}: {error:?}"
            );
        }
    }

    #[test]
    fn debug_output_has_no_secrets() {
        let form = b"socket_id=1.2&channel_name=private-shipments&token=canary";
        assert!(!format!("{:?}", Admission::read(form).unwrap()).contains("canary"));
    }
}
