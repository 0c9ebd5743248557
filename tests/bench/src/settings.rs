//! SSM's parameters, as far as the sync reads them, and who may ask the carrier.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::http::Response;
use crate::orders::OWNER;
use crate::usage::Meter;

/// Where the parameters stand.
pub(crate) const PREFIX: &str = "/waypost/bench";
/// Far more than the workers can do: what is measured is their own time.
const CALLS_PER_SECOND: u32 = 10_000;
const SHARED: (&str, &str) = ("merchant@example.invalid", "KEY");
const OWN: (&str, &str) = ("own@example.invalid", "OWN");

/// The parameters.
pub(crate) struct Settings {
    values: BTreeMap<String, String>,
    meter: Arc<Meter>,
}

impl Settings {
    /// With the carrier at this address.
    pub(crate) fn new(carrier: SocketAddr, meter: Arc<Meter>) -> Self {
        let secret = |(email, key)| json!({ "email": email, "license_key": key });
        let service = json!({ "base_url": format!("http://{carrier}"), "calls_per_second": CALLS_PER_SECOND });
        let values = [
            ("sources/shipway/settings".to_owned(), service),
            ("sources/shipway/secret".to_owned(), secret(SHARED)),
            (format!("accounts/{OWNER}/shipway"), secret(OWN)),
        ];
        let values = values.map(|(name, value)| (format!("{PREFIX}/{name}"), value.to_string()));
        Self { values: values.into(), meter }
    }

    /// Answers a call.
    pub(crate) fn answer(&self, operation: &str, body: &[u8]) -> Response {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        self.meter.count().call("SSM", operation);
        let wanted: Box<dyn Fn(&str) -> bool> =
            match (operation, &request["Names"], request["Path"].as_str()) {
                ("GetParameters", Value::Array(names), None) => {
                    Box::new(move |name| names.iter().any(|known| known == name))
                }
                ("GetParametersByPath", Value::Null, Some(path)) => {
                    Box::new(move |name| name.starts_with(&format!("{path}/")))
                }
                _ => {
                    self.meter.fault(format!("SSM does not know {operation}"));
                    return Response::new(400, r#"{"__type":"ValidationException"}"#);
                }
            };
        let found = self.values.iter().filter(|(name, _)| wanted(name));
        let found: Vec<Value> =
            found.map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
        Response::new(200, json!({ "Parameters": found, "InvalidParameters": [] }).to_string())
    }
}

/// What a request has to show that asks about this account's orders.
pub(crate) fn authorization(account: &str) -> String {
    let (email, key) = if account == OWNER { OWN } else { SHARED };
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
    fn parameters_are_had_by_name_and_by_folder() {
        let settings = Settings::new(([127, 0, 0, 1], 1).into(), Arc::default());
        let own = format!("{PREFIX}/accounts/STORE010/shipway");
        assert_eq!(
            names(&settings, "GetParameters", &json!({"Names": [own, "/other"]})),
            std::slice::from_ref(&own)
        );
        assert_eq!(
            names(&settings, "GetParametersByPath", &json!({"Path": format!("{PREFIX}/accounts")})),
            [own]
        );
        assert_eq!(names(&settings, "PutParameter", &json!({})), [""; 0]);
        assert_eq!(settings.meter.count().faults.len(), 1);
    }
}
