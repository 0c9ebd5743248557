//! Functions called directly: API Gateway rejects or cannot send some requests under test.

use std::time::{Duration, SystemTime};

use ::aws::settings::Settings;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use data_encoding::BASE64;
use inbound::Inbound;
use lambda_http::http::Request;
use serde_json::{Map, Value, json};

use super::http::client;
use super::{Calls, Stack, put_secret, unique};

impl Stack {
    /// Invokes a deployed function and returns its result.
    pub async fn invoke(&self, function: &str, event: &Value) -> Value {
        let url = format!(
            "{}/2015-03-31/functions/{}/invocations",
            self.endpoint_url, self.functions[function]
        );
        let mut request = Request::post(url).body(event.to_string()).unwrap();
        self.sign(&mut request);
        let answer = client().execute(request.try_into().unwrap()).await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// Calls `ops` directly as the admin, with these calls to its queues. Returns the status.
    pub async fn ask_ops(&self, queues: &Calls, route: &str, path: &str) -> u16 {
        let admin = &self.users["admin"];
        let credentials = BASE64.encode(format!("{}:{}", admin.name, admin.password).as_bytes());
        let authorization = format!("Basic {credentials}");
        let headers = [("authorization", authorization.as_str())];
        let request = api_request(route, path, &headers, "127.0.0.1", None);
        self.ops(queues).handle(request).await.unwrap().status().as_u16()
    }

    fn sign(&self, request: &mut Request<String>) {
        let identity = self.aws.credentials().into();
        let parameters =
            SigningParams::builder().identity(&identity).region(&self.region).name("lambda");
        let parameters = parameters
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let url = request.uri().to_string();
        let signable = SignableRequest::new(
            "POST",
            &url,
            std::iter::empty(),
            SignableBody::Bytes(request.body().as_bytes()),
        );
        let (signature, _) = sign(signable.unwrap(), &parameters).unwrap().into_parts();
        signature.apply_to_request_http1x(request);
    }

    /// The function `inbound` with its own settings prefix: these parameters and no others.
    pub async fn installation(&self, parameters: &[(&str, &str)]) -> Inbound {
        let (calls, prefix) = (Calls::default(), unique("it"));
        for (name, value) in parameters {
            put_secret(&format!("{prefix}/{name}"), value).await;
        }
        // The cache outlives every test: parameters do not change.
        let (prefix, ttl) = (format!("/waypost/{prefix}"), Duration::from_secs(600));
        let settings = Settings::new(self.ssm(&calls), prefix, ttl);
        Inbound::new(self.events(&calls), self.queue("events", &calls), settings)
    }
}

/// A request as API Gateway hands it to a function (payload 2.0).
pub fn api_request(
    route: &str,
    path: &str,
    headers: &[(&str, &str)],
    source_ip: &str,
    body: Option<&str>,
) -> lambda_http::Request {
    let method = route.split(' ').next().unwrap();
    let headers: Map<String, Value> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let place = route.split('/').position(|segment| segment == "{id}");
    let id = place.and_then(|place| path.split('/').nth(place));
    let parameters: Map<String, Value> =
        id.into_iter().map(|id| ("id".to_owned(), json!(id))).collect();
    let event = json!({
        "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": "",
        "pathParameters": parameters, "headers": headers, "body": body,
        "isBase64Encoded": false,
        "requestContext": {
            "requestId": unique("it"), "routeKey": route,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1",
                     "sourceIp": source_ip, "userAgent": "test"},
        },
    });
    lambda_http::request::from_str(&event.to_string()).unwrap()
}
