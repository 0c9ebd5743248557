//! Hooks: paths of an account's own.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::http::{client, send_odd};
use super::{Calls, Stack, eventually, unique};

/// How long a function may go on with what it knew before: `ConfigTtlSeconds` and its jitter.
const UNTIL_KNOWN: Duration = Duration::from_millis(1100);

impl Stack {
    /// Makes a hook, waits until `inbound` knows it, and tells its path. `headers` are what its source needs to admit.
    pub async fn hook(&self, source: &str, setting: &Value, headers: &[(&str, &str)]) -> String {
        let id = hook_id();
        let put = self.ssm(&Calls::default()).put_parameter();
        let put = put
            .name(format!("/waypost/local/sources/{source}/hooks/{id}"))
            .value(setting.to_string());
        put.r#type("SecureString".into()).send().await.unwrap();
        let path =
            format!("/webhooks/{}/{id}", if source == "shiprocket" { "carrier" } else { source });
        let everywhere = Instant::now() + UNTIL_KNOWN;
        eventually(&format!("the hook of {source} to be known"), async || {
            let ask = client().post(self.url(&path)).body("{}");
            let ask = headers.iter().fold(ask, |ask, (name, value)| ask.header(*name, *value));
            (Instant::now() > everywhere && send_odd(ask).await.status != 401).then_some(())
        })
        .await;
        path
    }
}

/// Letters that no carrier objects to: of `s`, `k` and `r` there is none.
fn hook_id() -> String {
    let letter = |digit: u8| char::from(digit - b'0' + b'a');
    format!("inlet{}", unique("").bytes().map(letter).collect::<String>())
}
