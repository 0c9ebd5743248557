//! Responses of the page: only the shop's logo is loaded from elsewhere, the page is not cached, and
//! the link, which is a credential, is in no referrer.

use data_encoding::BASE64;
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use maud::Markup;
use sha2::{Digest, Sha256};

use crate::assets::{SCRIPT, SCRIPT_NAME};
use crate::html::Frame;
use crate::style;

pub(crate) fn html_response(status: u16, frame: &Frame<'_>, page: Markup) -> Response<Body> {
    let mut response = Response::new(Body::from(page.into_string()));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(frame.language.code));
    if let Ok(policy) = HeaderValue::from_str(&content_policy(frame)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if status == 503 {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
    }
    no_sniffing(headers);
    response
}

/// A file of [`crate::assets`], or 404.
pub(crate) fn asset(name: &str) -> Response<Body> {
    let is_known = name == SCRIPT_NAME;
    let mut response = Response::new(Body::from(if is_known { SCRIPT } else { "" }));
    let cached = if is_known { "public, max-age=31536000, immutable" } else { "no-store" };
    if !is_known {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    let headers = response.headers_mut();
    headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cached));
    no_sniffing(headers);
    response
}

fn no_sniffing(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

fn content_policy(frame: &Frame<'_>) -> String {
    let style = BASE64.encode(&Sha256::digest(style::sheet(frame.shop)));
    let logo = frame.shop.logo_url.as_deref().and_then(origin).unwrap_or("'none'");
    format!(
        "default-src 'none'; script-src 'self'; style-src 'sha256-{style}'; img-src {logo}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
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
        ] {
            assert_eq!(origin(url), Some(expected));
        }
    }

    #[test]
    fn serves_the_script_by_its_name_only() {
        assert_eq!(asset(SCRIPT_NAME).status(), 200);
        for name in ["", "track.js", "../track.css"] {
            assert_eq!(asset(name).status(), 404, "{name}");
        }
    }
}
