//! HTTP against the deployed API.

use reqwest::{Body, Client, Request, RequestBuilder, Url};
use serde_json::Value;

use super::openapi::{PollItem, check_answer};
use super::{Stack, stack};

/// An answer of the API.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub json: Value,
}

impl Answer {
    /// The error's code and the field it names.
    pub fn error(&self) -> (u16, &str, Option<&str>) {
        let error = &self.json["error"];
        (self.status, error["code"].as_str().unwrap_or_default(), error["field"].as_str())
    }
}

/// A client of its own for each call: tests run on runtimes of their own, and connections die with them. To read the
/// system's certificates would take longer than the call.
pub fn client() -> Client {
    Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

pub async fn send(request: RequestBuilder) -> Answer {
    exchange(request, |asked| asked).await
}

/// As [`send`], for a body that openapi.yaml need not describe. The answer is judged all the same.
pub async fn send_odd(request: RequestBuilder) -> Answer {
    exchange(request, |asked| PollItem { body: None, ..asked }).await
}

async fn exchange(request: RequestBuilder, judged: impl Fn(PollItem) -> PollItem) -> Answer {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let asked = judged(asked(&request));
    let answer = client.execute(request).await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.unwrap();
    check_answer(&asked, status, &headers, &text);
    Answer { status, headers, json: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}

fn asked(request: &Request) -> PollItem {
    let api = Url::parse(&stack().api_url).unwrap();
    let body = request.body().and_then(Body::as_bytes);
    PollItem {
        method: request.method().to_string(),
        path: request.url().path().strip_prefix(api.path()).unwrap().to_owned(),
        body: body.map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
    }
}

impl Stack {
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.api_url)
    }

    /// A call with a vendor's secret.
    pub async fn vendor(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let request = client().request(method.parse().unwrap(), self.url(path));
        let request = request.header("x-vendor-server-secret", &self.vendor_secret);
        send(with_json(request, body)).await
    }

    /// A call as a user of the settings.
    pub async fn user(&self, user: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let user = &self.users[user];
        let request = client().request(method.parse().unwrap(), self.url(path));
        send(with_json(request.basic_auth(&user.name, Some(&user.password)), body)).await
    }

    /// A webhook of Shiprocket.
    pub async fn webhook(&self, body: &Value) -> Answer {
        self.raw_webhook(&self.sources["shiprocket"]["api_key"], body.to_string().into_bytes())
            .await
    }

    pub async fn raw_webhook(&self, key: &str, body: Vec<u8>) -> Answer {
        let request = client().post(self.url("/webhooks/carrier")).header("x-api-key", key);
        send(request.header("content-type", "application/json").body(body)).await
    }

    pub async fn order(&self, order_id: &str) -> Value {
        let answer = self.vendor("GET", &format!("/api/external/orders/{order_id}"), None).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        answer.json
    }

    pub async fn create_order(&self, body: &Value) {
        let answer = self.vendor("POST", "/api/external/orders", Some(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
    }

    /// Waits until a timeline has so many entries.
    pub async fn order_with_entries(&self, order_id: &str, count: usize) -> Value {
        super::eventually(&format!("{count} entries of {order_id}"), async || {
            let order = stack().order(order_id).await;
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
