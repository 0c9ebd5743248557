//! Signatures of requests and of private channels.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;

use super::setting::PusherSetting;
use crate::core::timestamp::Timestamp;

impl PusherSetting {
    /// The URL of a POST with this body, signed at this time. Servers accept it for ten minutes.
    pub fn signed_url(&self, resource: &str, body: &[u8], now: Timestamp) -> String {
        let path = format!("/apps/{}/{resource}", self.app_id);
        let query = format!(
            "auth_key={}&auth_timestamp={}&auth_version=1.0&body_md5={}",
            self.key,
            now.millis().div_euclid(1000),
            HEXLOWER.encode(&Md5::digest(body)),
        );
        let signature = self.hmac(&format!("POST\n{path}\n{query}"));
        format!("{}{path}?{query}&auth_signature={signature}", self.base_url())
    }

    /// What admits this socket to this channel. Both must be valid: a `:` in one of them would sign
    /// another pair.
    pub(super) fn channel_auth(&self, socket_id: &str, channel: &str) -> String {
        format!("{}:{}", self.key, self.hmac(&format!("{socket_id}:{channel}")))
    }

    fn hmac(&self, text: &str) -> String {
        // HMAC takes keys of any length: this cannot fail.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()) else {
            return String::new();
        };
        mac.update(text.as_bytes());
        HEXLOWER.encode(&mac.finalize().into_bytes())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::super::setting::tests::setting;
    use super::*;

    /// The example of Pusher's REST reference.
    #[test]
    fn signs_requests_as_pusher_does() {
        let body =
            br#"{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}"#.as_slice();
        let now = Timestamp::from_millis(1_353_088_179_000).unwrap();
        let expected = "https://api-ap2.pusher.com:443/apps/3/events?\
            auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0&\
            body_md5=ec365a775a4cd0599faeb73354201b6f&\
            auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c";
        assert_eq!(setting(json!({})).signed_url("events", body, now), expected);
    }

    /// The example of Pusher's reference, and one of its Python library's tests.
    #[test]
    fn signs_channels_as_pusher_does() {
        let of_reference = setting(json!({})).channel_auth("1234.1234", "private-foobar");
        let expected = "278d425bdf160c739803:\
            58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4";
        assert_eq!(of_reference, expected);
        let pusher = setting(json!({"key": "foo", "secret": "bar"}));
        let expected = "foo:89955e77e1b40e33df6d515a5ecbba86a01dc816a5b720da18a06fd26f7d92ff";
        assert_eq!(pusher.channel_auth("345.23", "private-channel"), expected);
    }
}
