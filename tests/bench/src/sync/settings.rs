//! SSM parameters that the sync reads, and the credentials for the carrier.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::http::Response;
use crate::sync::orders::{SEPARATE_ACCOUNT, shared_accounts};
use crate::sync::usage::Meter;

pub(crate) const PREFIX: &str = "/waypost/bench";
/// Never reached: the benchmark measures the workers' own time.
const CALLS_PER_SECOND: u32 = 10_000;
const SHARED: (&str, &str) = ("merchant@example.invalid", "KEY");
const SEPARATE: (&str, &str) = ("own@example.invalid", "OWN");

pub(crate) struct Settings {
    values: BTreeMap<String, String>,
    meter: Arc<Meter>,
}

impl Settings {
    pub(crate) fn new(carrier: SocketAddr, meter: Arc<Meter>) -> Self {
        let secret = |(email, key)| json!({ "email": email, "license_key": key });
        let base_url = format!("http://{carrier}");
        let source = json!({
            "base_url": base_url, "calls_per_second": CALLS_PER_SECOND,
            "shared_with": shared_accounts(),
        });
        let values = [
            ("sources/shipway/settings".to_owned(), source),
            ("sources/shipway/secret".to_owned(), secret(SHARED)),
            (format!("accounts/{SEPARATE_ACCOUNT}/shipway"), secret(SEPARATE)),
        ];
        let values = values.map(|(name, value)| (format!("{PREFIX}/{name}"), value.to_string()));
        Self { values: values.into(), meter }
    }

    pub(crate) fn answer(&self, operation: &str, body: &[u8]) -> Response {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        self.meter.count().call("SSM", operation);
        let matches: Box<dyn Fn(&str) -> bool> =
            match (operation, &request["Names"], request["Path"].as_str()) {
                ("GetParameters", Value::Array(names), None) => {
                    Box::new(move |name| names.iter().any(|requested| requested == name))
                }
                ("GetParametersByPath", Value::Null, Some(path)) => {
                    Box::new(move |name| name.starts_with(&format!("{path}/")))
                }
                _ => {
                    self.meter.fault(format!("the SSM double does not support {operation}"));
                    return Response::new(400, r#"{"__type":"ValidationException"}"#);
                }
            };
        let parameters = self.values.iter().filter(|(name, _)| matches(name));
        let parameters: Vec<Value> =
            parameters.map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
        Response::new(200, json!({ "Parameters": parameters, "InvalidParameters": [] }).to_string())
    }
}

/// The `authorization` header for orders of this account.
pub(crate) fn authorization(account: &str) -> String {
    let (email, key) = if account == SEPARATE_ACCOUNT { SEPARATE } else { SHARED };
    format!("Basic {}", BASE64.encode(format!("{email}:{key}").as_bytes()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn names(settings: &Settings, operation: &str, request: &Value) -> Vec<String> {
        let answer = settings.answer(operation, request.to_string().as_bytes());
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        let parameters = answer["Parameters"].as_array().cloned().unwrap_or_default();
        parameters.iter().map(|parameter| parameter["Name"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn returns_parameters_by_name_and_by_path() {
        let settings = Settings::new(([127, 0, 0, 1], 1).into(), Arc::default());
        let separate = format!("{PREFIX}/accounts/STORE010/shipway");
        assert_eq!(
            names(&settings, "GetParameters", &json!({"Names": [separate, "/other"]})),
            std::slice::from_ref(&separate)
        );
        assert_eq!(
            names(&settings, "GetParametersByPath", &json!({"Path": format!("{PREFIX}/accounts")})),
            [separate]
        );
        assert_eq!(names(&settings, "PutParameter", &json!({})), [""; 0]);
        assert_eq!(settings.meter.count().faults.len(), 1);
    }
}
