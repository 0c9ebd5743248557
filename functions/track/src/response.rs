//! Responses: only the shop's logo is loaded from elsewhere, pages are not cached, and the link, which
//! is a credential, is in no referrer.

use aws::lambda::gzip::encoded;
use data_encoding::BASE64;
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode, header};
use lambda_http::{Body, Request, Response};
use maud::Markup;
use sha2::{Digest, Sha256};

use crate::assets::find;
use crate::html::{Form, Frame};
use crate::style;

/// Of bodies that are compressed for each request; the highest level takes three times as long.
const LEVEL: u32 = 6;

pub(crate) fn html_response(
    request: &Request,
    status: u16,
    frame: &Frame<'_>,
    page: Markup,
    sockets: Option<&str>,
) -> Response<Body> {
    let mut response = text_response(request, "text/html; charset=utf-8", page.into_string());
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(frame.language.code));
    if let Ok(policy) = HeaderValue::from_str(&content_policy(frame, sockets)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if status == 503 {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
    }
    response
}

/// A script, or 404.
pub(crate) fn asset(request: &Request, name: &str) -> Response<Body> {
    let found = find(name);
    let (text, cached) = found.as_ref().map_or(("", "no-store"), |it| (it.text, it.cached));
    let mut response = text_response(request, "text/javascript; charset=utf-8", text.to_owned());
    if found.is_none() {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cached));
    // It has no data: any page may load it, also one that checks its hash or isolates itself.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let policy = HeaderValue::from_static("cross-origin");
    headers.insert("cross-origin-resource-policy", policy);
    response
}

fn text_response(request: &Request, content_type: &'static str, text: String) -> Response<Body> {
    let (body, is_compressed) = encoded(request, text, LEVEL);
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if is_compressed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    no_sniffing(headers);
    response
}

fn no_sniffing(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// `sockets` is where the page opens its socket.
fn content_policy(frame: &Frame<'_>, sockets: Option<&str>) -> String {
    if frame.form != Form::Page {
        return "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            .to_owned();
    }
    let style = BASE64.encode(&Sha256::digest(style::sheet(frame.shop)));
    let logo = frame.shop.logo_url.as_deref().and_then(origin).unwrap_or("'none'");
    let sockets = sockets.and_then(origin).map(|it| format!(" {it}")).unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'sha256-{style}'; img-src {logo}; \
         connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// `https://host:port` of a URL.
fn origin(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    Some(&url[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_origin_of_a_logo() {
        for (url, expected) in [
            ("https://shop.example/a/b.png?v=1", "https://shop.example"),
            ("https://shop.example:8443?v=1", "https://shop.example:8443"),
            ("https://shop.example", "https://shop.example"),
            ("wss://a.execute-api.example/live", "wss://a.execute-api.example"),
        ] {
            assert_eq!(origin(url), Some(expected));
        }
    }

    #[test]
    fn serves_scripts_to_every_page() {
        for (name, status) in [("order-tracker.js", 200), ("track.js", 404)] {
            let response = asset(&Request::default(), name);
            assert_eq!(response.status(), status, "{name}");
            assert_eq!(response.headers()["access-control-allow-origin"], "*");
        }
    }
}
