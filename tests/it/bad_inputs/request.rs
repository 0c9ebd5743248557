//! A webhook request, and its transports.

use data_encoding::BASE64;
use inbound::Inbound;
use serde_json::{Map, Value, json};

use crate::support::{Answer, http, stack};

/// A POST request; its path may have a query.
#[derive(Debug, Clone, Default)]
pub struct WebhookRequest {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl WebhookRequest {
    /// A request with the content type of JSON.
    pub fn json(path: &str, body: impl Into<Vec<u8>>) -> Self {
        let request = Self { path: path.to_owned(), body: body.into(), ..Self::default() };
        request.with_header("content-type", "application/json")
    }

    /// Replaces every header of this name.
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.and_header(name, value)
    }

    /// Adds a header, possibly a repeated one.
    pub fn and_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The event that API Gateway would make of the request (payload 2.0).
    pub fn api_gateway_event(&self, source_ip: Option<&str>) -> Value {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let mut headers = Map::new();
        for (name, value) in &self.headers {
            let joined =
                headers.get(name).map(|first| format!("{},{value}", first.as_str().unwrap()));
            headers.insert(name.clone(), joined.unwrap_or_else(|| value.clone()).into());
        }
        let mut http =
            json!({"method": "POST", "path": path, "protocol": "HTTP/1.1", "userAgent": "test"});
        if let Some(source_ip) = source_ip {
            http["sourceIp"] = source_ip.into();
        }
        json!({
            "version": "2.0", "routeKey": "POST /webhooks/{source}",
            "rawPath": path, "rawQueryString": query,
            "headers": headers, "body": BASE64.encode(&self.body), "isBase64Encoded": true,
            "requestContext": {"requestId": "bad-inputs", "stage": "$default", "timeEpoch": 0,
                               "http": http},
        })
    }
}

#[derive(Clone, Copy)]
pub enum Transport<'a> {
    /// HTTP through API Gateway.
    Http,
    /// The function in this process, called from an optional source address: for requests that
    /// API Gateway or an HTTP client would not send.
    Function(&'a Inbound, Option<&'a str>),
}

impl Transport<'_> {
    pub async fn send(self, request: &WebhookRequest) -> Answer {
        match self {
            Self::Http => {
                let post = http::client().post(stack().url(&request.path));
                let post = request
                    .headers
                    .iter()
                    .fold(post, |post, (name, value)| post.header(name, value));
                http::send_undocumented(post.body(request.body.clone())).await
            }
            Self::Function(inbound, source_ip) => {
                let event = request.api_gateway_event(source_ip).to_string();
                let event = lambda_http::request::from_str(&event).unwrap();
                let response = inbound.handle(event).await.unwrap();
                Answer {
                    status: response.status().as_u16(),
                    headers: response.headers().clone(),
                    json: serde_json::from_slice(response.body()).unwrap(),
                }
            }
        }
    }
}
