//! POSTs to customers' servers, and how their answers are taken.

use egress::SendError;
use egress::simulation::{Body, Request};
use lambda_http::http::HeaderValue;
use serde_json::Value;

use super::Bug;
use crate::internet::Reply;
use crate::internet::carrier::awbs;
use crate::internet::receiver::sign;
use crate::setup::messages::CLOUD_API;
use crate::world::State;

/// Shorter than that of `deliver`.
const TIMEOUT_MS: u64 = 25_000;

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

impl State {
    /// A request as the buggy function sends it.
    pub(crate) fn buggy_post(&mut self, mut request: Request) -> Request {
        let Some(bug) = self.bug else { return request };
        let host = request.url().host_str().unwrap_or_default().to_owned();
        let Some(endpoint) = host.strip_suffix(".hooks.example") else { return request };
        let (id, now) = (header(&request, ID), self.now());
        match bug {
            Bug::FreshWebhookId => {
                set(&mut request, ID, &format!("{id}x{now}"));
                sign_again(&mut request, endpoint);
            }
            Bug::FreshBody => {
                let body = String::from_utf8_lossy(&body(&request)).into_owned();
                let body = body.replacen('{', &format!("{{\"sent_at\":{now},"), 1);
                *request.body_mut() = Some(Body::from(body));
                sign_again(&mut request, endpoint);
            }
            Bug::SignsOtherBytes => {
                let body = String::from_utf8_lossy(&body(&request)).replace("\":", "\": ");
                *request.body_mut() = Some(Body::from(body));
            }
            Bug::OldTimestamp => {
                let attempt = (header(&request, TIMESTAMP), header(&request, SIGNATURE));
                let (timestamp, signature) =
                    self.bug_memory.first_attempts.entry(id).or_insert(attempt).clone();
                set(&mut request, TIMESTAMP, &timestamp);
                set(&mut request, SIGNATURE, &signature);
            }
            _ => {}
        }
        request
    }

    /// True if the buggy function sends this request again.
    pub(crate) fn repeats_post(&self, request: &Request, reply: &Reply) -> bool {
        self.bug == Some(Bug::MessageRepeatedWhenClosed)
            && request.url().host_str() == Some(CLOUD_API)
            && matches!(reply.result, Err(SendError::Closed))
    }

    /// An answer as the buggy function takes it.
    pub(crate) fn misread_reply(&self, request: &Request, mut reply: Reply) -> Reply {
        let is_to_api = request.url().host_str() == Some(CLOUD_API);
        if self.bug == Some(Bug::TimeoutIsRefusal) && is_to_api && !reply.is_in_time() {
            return Reply::after_ms(TIMEOUT_MS, Err(SendError::ConnectTimeout));
        }
        let Ok(answer) = &mut reply.result else { return reply };
        match self.bug {
            Some(Bug::AnswersByPosition) => {
                let items = serde_json::from_slice::<Vec<Value>>(&answer.body);
                if let (Ok(mut items), 200) = (items, answer.status) {
                    let objects = items.iter_mut().filter_map(Value::as_object_mut);
                    for (item, awb) in objects.zip(awbs(request)) {
                        item.insert("awb".to_owned(), awb.into());
                    }
                    answer.body = Value::from(items).to_string().into();
                }
            }
            Some(Bug::RedirectIsSuccess) if answer.status == 301 => answer.status = 200,
            Some(Bug::RetryAfterPanics)
                if answer
                    .headers
                    .iter()
                    .any(|it| ["1e300", "-1", "-5", "+3"].contains(&it.1.as_str())) =>
            {
                // Without the message of a panic.
                std::panic::resume_unwind(Box::new("Retry-After is out of range"));
            }
            _ => {}
        }
        reply
    }
}

fn header(request: &Request, name: &str) -> String {
    let value = request.headers().get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

fn set(request: &mut Request, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        request.headers_mut().insert(name, value);
    }
}

fn body(request: &Request) -> Vec<u8> {
    request.body().and_then(Body::as_bytes).unwrap_or_default().to_vec()
}

fn sign_again(request: &mut Request, endpoint: &str) {
    let (id, timestamp) = (header(request, ID), header(request, TIMESTAMP));
    let signature = sign(endpoint, &id, &timestamp, &body(request));
    set(request, SIGNATURE, &signature);
}
