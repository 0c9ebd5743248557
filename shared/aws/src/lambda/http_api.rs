//! Requests and responses of the HTTP API: one error body, `X-Request-Id` on every response.

use std::net::IpAddr;
use std::time::Duration;

use domain::core::request_body::InvalidBody;
use domain::core::trace::TraceParent;
use domain::pagination::PageRequest;
use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Error, Request, RequestExt, Response};
use serde::Serialize;

use crate::error::IoError;

/// Serialized as `{"error": {"code", "message", "field"?}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    field: Option<String>,
    /// Seconds
    retry_after: Option<u64>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), field: None, retry_after: None }
    }

    /// 400
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", message)
    }

    /// 401, without the challenge of RFC 9110: a browser would ask for a password, keep it, and send
    /// it with what other sites make it post.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "missing or invalid credentials")
    }

    /// 403
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// 404
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// 409
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    /// 409: the data was erased.
    pub fn erased(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "erased", message)
    }

    /// 413
    pub fn too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format!("the body is larger than {limit} bytes"),
        )
    }

    /// 415. `expected` is the type that the route takes.
    fn unsupported_media_type(expected: &str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            format!("Content-Type must be {expected}"),
        )
    }

    /// 422
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        let error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message);
        Self { field: Some(field.into()), ..error }
    }

    /// 429. `wait` is rounded up to whole seconds.
    pub fn too_many_failures(wait: Duration) -> Self {
        let error = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_failures",
            "invalid credentials, and too many of them before",
        );
        Self { retry_after: Some(whole_seconds(wait)), ..error }
    }

    /// 429. `wait` is rounded up to whole seconds.
    pub fn too_many_requests(wait: Duration) -> Self {
        let message = "too many requests, try again later";
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message);
        Self { retry_after: Some(whole_seconds(wait)), ..error }
    }

    /// 503
    pub fn unavailable() -> Self {
        let error = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "temporarily unavailable, try again later",
        );
        Self { retry_after: Some(5), ..error }
    }

    #[must_use]
    pub fn with_field(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

impl From<InvalidBody> for ApiError {
    fn from(error: InvalidBody) -> Self {
        match error {
            InvalidBody::Malformed(message) => Self::malformed(message),
            InvalidBody::Invalid { field, message } => Self::invalid(field, message),
        }
    }
}

impl From<IoError> for ApiError {
    fn from(error: IoError) -> Self {
        match &error {
            IoError::Transient { .. } | IoError::UnusableSetting { .. } => {
                tracing::warn!(%error, "request.unavailable");
                Self::unavailable()
            }
            IoError::Bug { .. } => {
                tracing::error!(%error, "request.failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "internal error")
            }
        }
    }
}

pub fn json(status: u16, body: &impl Serialize) -> Response<Body> {
    let text = serde_json::to_string(body).unwrap_or_default();
    let mut response = Response::new(Body::from(text));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorDetail<'a>,
}

#[derive(Serialize)]
struct ErrorDetail<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
}

/// Turns the result of a handler into a response. The error type is the runtime's and never used.
pub fn respond(
    request_id: &str,
    result: Result<Response<Body>, ApiError>,
) -> Result<Response<Body>, Error> {
    let mut response = result.unwrap_or_else(|error| {
        let detail = ErrorDetail {
            code: error.code,
            message: &error.message,
            field: error.field.as_deref(),
        };
        let mut response = json(error.status.as_u16(), &ErrorBody { error: detail });
        if let Some(seconds) = error.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    });
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-request-id", id);
    }
    Ok(response)
}

/// The id that API Gateway assigned; its access log has it too.
pub fn request_id(request: &Request) -> String {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            context.request_id.clone().unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// The route that API Gateway matched, e.g. `GET /api/external/orders/{order_id}`.
pub fn route_key(request: &Request) -> &str {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            context.route_key.as_deref().unwrap_or_default()
        }
        _ => "",
    }
}

/// The peer address that API Gateway saw. `X-Forwarded-For` is ignored: senders can forge it.
pub fn source_ip(request: &Request) -> Option<IpAddr> {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            context.http.source_ip.as_deref()?.parse().ok()
        }
        _ => None,
    }
}

/// The header `traceparent`, if it is valid.
pub fn traceparent(request: &Request) -> Option<TraceParent> {
    let mut values = request.headers().get_all("traceparent").iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    TraceParent::parse(value.to_str().ok()?).ok()
}

/// Reads `Idempotency-Key`: 1 to 255 visible ASCII characters, else 400.
pub fn idempotency_key(request: &Request) -> Result<Option<&str>, ApiError> {
    let Some(value) = request.headers().get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| {
        (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    });
    let invalid =
        || ApiError::malformed("Idempotency-Key must be 1 to 255 visible ASCII characters");
    key.map(Some).ok_or_else(invalid)
}

/// Answers 413 above the limit.
pub fn body(request: &Request, limit: usize) -> Result<&[u8], ApiError> {
    let bytes: &[u8] = request.body().as_ref();
    if bytes.len() > limit { Err(ApiError::too_large(limit)) } else { Ok(bytes) }
}

/// As [`body`]. Answers 415 unless the `Content-Type` is JSON: a page of another site can make a
/// browser post any other type, or none, without asking first.
pub fn json_body(request: &Request, limit: usize) -> Result<&[u8], ApiError> {
    let is_json = |media_type: String| {
        media_type == "application/json"
            || (media_type.starts_with("application/") && media_type.ends_with("+json"))
    };
    if media_type(request).is_some_and(is_json) {
        body(request, limit)
    } else {
        Err(ApiError::unsupported_media_type("application/json"))
    }
}

/// As [`body`], of a form. Other sites can make a browser post one: the route must change nothing.
pub fn form_body(request: &Request, limit: usize) -> Result<&[u8], ApiError> {
    const FORM: &str = "application/x-www-form-urlencoded";
    if media_type(request).as_deref() == Some(FORM) {
        body(request, limit)
    } else {
        Err(ApiError::unsupported_media_type(FORM))
    }
}

/// In lower case, without parameters.
fn media_type(request: &Request) -> Option<String> {
    let value = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Answers 422 for a query parameter that the route does not have: a misspelt filter that is
/// ignored returns other rows than those asked for.
pub fn check_query(request: &Request, allowed: &[&str]) -> Result<(), ApiError> {
    let Some(query) = request.query_string_parameters_ref() else { return Ok(()) };
    let names = query.iter().map(|(name, _)| name);
    let Some(unknown) = names.filter(|name| !allowed.contains(name)).min() else { return Ok(()) };
    let message = match allowed {
        [] => "unknown query parameter, this route has none".to_owned(),
        allowed => format!("unknown query parameter, must be one of {}", allowed.join(", ")),
    };
    Err(ApiError::invalid(unknown, message))
}

/// Reads the query parameters `limit` and `page`. Answers 422 naming the invalid one.
pub fn page_request(request: &Request) -> Result<PageRequest, ApiError> {
    let query = request.query_string_parameters_ref();
    let parameter = |name: &str| query.and_then(|query| query.first(name));
    PageRequest::parse(parameter("limit"), parameter("page"))
        .map_err(|error| ApiError::invalid(error.field(), error.to_string()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_refusal_makes_no_browser_ask_for_a_password() {
        let response = respond("id", Err(ApiError::unauthorized())).unwrap();
        assert_eq!(response.status(), 401);
        assert!(!response.headers().contains_key("www-authenticate"));
    }

    #[test]
    fn a_json_body_requires_a_content_type_that_no_form_can_send() {
        for (content_type, is_accepted) in [
            (Some("application/json"), true),
            (Some("Application/JSON; charset=utf-8"), true),
            (Some("application/problem+json"), true),
            (None, false),
            (Some(""), false),
            (Some("text/plain"), false),
            (Some("text/plain; x=application/json"), false),
            (Some("text/plain+json"), false),
            (Some("application/x-www-form-urlencoded"), false),
            (Some("multipart/form-data; boundary=+json"), false),
        ] {
            let mut request = Request::new(Body::from("{}"));
            if let Some(content_type) = content_type {
                let value = HeaderValue::from_static(content_type);
                request.headers_mut().insert(header::CONTENT_TYPE, value);
            }
            let expected = if is_accepted {
                Ok(&b"{}"[..])
            } else {
                Err(ApiError::unsupported_media_type("application/json"))
            };
            assert_eq!(json_body(&request, 10), expected, "{content_type:?}");
        }
    }

    #[test]
    fn a_form_has_its_own_content_type() {
        for (content_type, is_accepted) in [
            ("application/x-www-form-urlencoded", true),
            ("application/x-www-form-urlencoded; charset=UTF-8", true),
            ("application/json", false),
            ("multipart/form-data", false),
        ] {
            let mut request = Request::new(Body::from("a=b"));
            let value = HeaderValue::from_static(content_type);
            request.headers_mut().insert(header::CONTENT_TYPE, value);
            assert_eq!(form_body(&request, 10).is_ok(), is_accepted, "{content_type}");
        }
        let expected = ApiError::unsupported_media_type("application/x-www-form-urlencoded");
        assert_eq!(form_body(&Request::default(), 10), Err(expected));
    }

    #[test]
    fn rejects_a_query_parameter_that_the_route_does_not_have() {
        let check = |names: &[&str], allowed: &[&str]| {
            let query: HashMap<String, String> =
                names.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
            check_query(&Request::default().with_query_string_parameters(query), allowed)
        };
        for names in [&[][..], &["status"], &["page", "status"]] {
            assert_eq!(check(names, &["status", "page"]), Ok(()), "{names:?}");
        }
        let error = check(&["zeta", "status", "stauts"], &["status", "page"]).unwrap_err();
        let message = "unknown query parameter, must be one of status, page";
        assert_eq!(error, ApiError::invalid("stauts", message));
        let error = check(&["Status"], &[]).unwrap_err();
        let message = "unknown query parameter, this route has none";
        assert_eq!(error, ApiError::invalid("Status", message));
    }
}
