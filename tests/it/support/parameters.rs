//! SSM parameters: settings, secrets and hooks.

use std::time::{Duration, Instant};

use aws_sdk_ssm::types::ParameterType;
use serde_json::Value;

use super::http::{client, send_undocumented};
use super::{Calls, Stack, eventually, stack, unique};

/// `ConfigTtlSeconds` of the local stack is 1; functions add up to 10 % jitter.
const SETTINGS_TTL: Duration = Duration::from_millis(1100);

/// Writes `/waypost/{name}` encrypted.
pub async fn put_secret(name: &str, value: &str) {
    put(name, value, ParameterType::SecureString).await;
}

/// Writes `/waypost/{name}` in plain text.
pub async fn put_setting(name: &str, value: &str) {
    put(name, value, ParameterType::String).await;
}

async fn put(name: &str, value: &str, kind: ParameterType) {
    let ssm = stack().ssm(&Calls::default());
    let put = ssm.put_parameter().name(format!("/waypost/{name}")).value(value);
    put.overwrite(true).r#type(kind).send().await.unwrap();
}

/// Deletes all parameters below a path.
pub async fn remove_parameters(path: &str) {
    let ssm = stack().ssm(&Calls::default());
    let mut pages = ssm.get_parameters_by_path().path(path).recursive(true).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        let parameters = page.parameters().iter();
        let names = parameters.filter_map(|parameter| parameter.name().map(str::to_owned));
        ssm.delete_parameters().set_names(Some(names.collect())).send().await.unwrap();
    }
}

/// Waits until no function has older settings in its cache.
pub async fn settings_to_expire() {
    tokio::time::sleep(SETTINGS_TTL + Duration::from_millis(400)).await;
}

impl Stack {
    /// Creates a hook, waits until `inbound` accepts it and returns its path. `headers` are the
    /// credentials that its source requires.
    pub async fn hook(&self, source: &str, setting: &Value, headers: &[(&str, &str)]) -> String {
        let id = hook_id();
        put_secret(&format!("local/sources/{source}/hooks/{id}"), &setting.to_string()).await;
        let path = format!("/webhooks/{}/{id}", sources::by_name(source).unwrap().path());
        let caches_expired = Instant::now() + SETTINGS_TTL;
        eventually(&format!("the {source} hook to be accepted"), async || {
            let request = client().post(self.url(&path)).body("{}");
            let request = headers
                .iter()
                .fold(request, |request, (name, value)| request.header(*name, *value));
            let answer = send_undocumented(request).await;
            (Instant::now() > caches_expired && answer.status != 401).then_some(())
        })
        .await;
        path
    }
}

/// Carriers object to `sr` and `kr` in URLs: only the letters a to j follow the prefix.
fn hook_id() -> String {
    let letter = |digit: u8| char::from(digit - b'0' + b'a');
    format!("inlet{}", unique("").bytes().map(letter).collect::<String>())
}
