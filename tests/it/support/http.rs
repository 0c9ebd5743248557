//! HTTP requests to the deployed API. Every response is checked against openapi.yaml.

use reqwest::{Body, Client, Request, RequestBuilder, Url};
use serde_json::{Value, json};

use super::openapi::{ApiCall, check_response};
use super::{Stack, eventually, stack};

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub json: Value,
}

impl Answer {
    /// HTTP status, error code and the field at fault.
    pub fn error(&self) -> (u16, &str, Option<&str>) {
        let error = &self.json["error"];
        (self.status, error["code"].as_str().unwrap_or_default(), error["field"].as_str())
    }

    /// The answer to a request with wrong credentials. All tests fail at one address, so it may be
    /// 429 instead of 401: then this is the answer to the first failure.
    #[must_use]
    pub fn of_first_failure(self) -> Self {
        if self.error() != (429, "too_many_failures", None) {
            return self;
        }
        let message = "missing or invalid credentials";
        let json = json!({"error": {"code": "unauthorized", "message": message}});
        Self { status: 401, json, ..self }
    }

    /// The event id of an accepted webhook.
    pub fn event_id(&self) -> String {
        self.json["event_id"].as_str().unwrap().to_owned()
    }
}

/// A new client for each call: every test has its own runtime, and connections end with it.
/// Reading the system's certificates would take longer than the call.
pub fn client() -> Client {
    Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

/// Sends a request that openapi.yaml describes.
pub async fn send(request: RequestBuilder) -> Answer {
    exchange(request, |call| call).await
}

/// Sends a request whose body openapi.yaml need not describe. The response is checked all the same.
pub async fn send_undocumented(request: RequestBuilder) -> Answer {
    exchange(request, |call| ApiCall { body: None, ..call }).await
}

async fn exchange(request: RequestBuilder, documented: impl Fn(ApiCall) -> ApiCall) -> Answer {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let call = documented(api_call(&request));
    let response = client.execute(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    check_response(&call, status, &headers, &text);
    Answer { status, headers, json: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}

fn api_call(request: &Request) -> ApiCall {
    let api = Url::parse(&stack().api_url).unwrap();
    let body = request.body().and_then(Body::as_bytes);
    ApiCall {
        method: request.method().to_string(),
        path: request.url().path().strip_prefix(api.path()).unwrap().to_owned(),
        body: Some(String::from_utf8_lossy(body.unwrap_or_default()).into_owned()),
    }
}

impl Stack {
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.api_url)
    }

    /// A request as the demo vendor.
    pub async fn vendor(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let request = client().request(method.parse().unwrap(), self.url(path));
        let request = request.header("x-vendor-server-secret", &self.vendor_secret);
        send(with_json(request, body)).await
    }

    /// A request as a user of the demo settings: `admin`, `viewer` or `partner`.
    pub async fn user(&self, user: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        send(with_json(self.signed(user, method, path), body)).await
    }

    pub fn signed(&self, user: &str, method: &str, path: &str) -> RequestBuilder {
        let user = &self.users[user];
        let request = client().request(method.parse().unwrap(), self.url(path));
        request.basic_auth(&user.name, Some(&user.password))
    }

    /// Sends a Shiprocket webhook.
    pub async fn webhook(&self, body: &Value) -> Answer {
        self.raw_webhook(self.shiprocket_token(), body.to_string().into_bytes()).await
    }

    pub async fn raw_webhook(&self, token: &str, body: Vec<u8>) -> Answer {
        let request = client().post(self.url("/webhooks/carrier")).header("x-api-key", token);
        send(request.header("content-type", "application/json").body(body)).await
    }

    pub fn shiprocket_token(&self) -> &str {
        &self.sources["shiprocket"]["api_key"]
    }

    pub async fn order(&self, order_id: &str) -> Value {
        let answer = self.vendor("GET", &format!("/api/external/orders/{order_id}"), None).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        answer.json
    }

    /// Creates an order of the demo account.
    pub async fn create_order(&self, body: &Value) {
        let answer = self.vendor("POST", "/api/external/orders", Some(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
    }

    pub async fn create_order_in(&self, account: &str, body: &Value) {
        let mut body = body.clone();
        body["accountCode"] = json!(account);
        let answer = self.user("admin", "POST", "/api/external/orders", Some(&body)).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
    }

    /// Waits until a timeline has at least `count` entries.
    pub async fn order_with_entries(&self, order_id: &str, count: usize) -> Value {
        eventually(&format!("{count} entries of {order_id}"), async || {
            let order = self.order(order_id).await;
            (order["timeline"].as_array().unwrap().len() >= count).then_some(order)
        })
        .await
    }
}

pub fn with_json(request: RequestBuilder, body: Option<&Value>) -> RequestBuilder {
    match body {
        Some(body) => request.header("content-type", "application/json").body(body.to_string()),
        None => request,
    }
}
