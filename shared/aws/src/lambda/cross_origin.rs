//! Requests that pages of other sites make (CORS). No answer allows credentials: a page sends what it
//! was given, the token of a link.

use lambda_http::http::{HeaderMap, HeaderValue, header};
use lambda_http::{Body, Request, Response};

/// The site of the page; `None` outside a browser, or with several.
pub fn origin(request: &Request) -> Option<&str> {
    let mut values = request.headers().get_all(header::ORIGIN).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    value.to_str().ok()
}

/// Lets a page of this site read the answer. Without a site, no page can.
pub fn allow(headers: &mut HeaderMap, site: Option<&str>) {
    // One header: of several with a name, API Gateway sends one.
    let known = headers.get(header::VARY).and_then(|value| value.to_str().ok());
    let vary = known.map_or_else(|| "origin".to_owned(), |known| format!("{known}, origin"));
    if let Ok(vary) = HeaderValue::from_str(&vary) {
        headers.insert(header::VARY, vary);
    }
    if let Some(site) = site.and_then(|site| HeaderValue::from_str(site).ok()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, site);
    }
}

/// Answers whether a page of this site may post JSON.
pub fn preflight(site: Option<&str>) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = lambda_http::http::StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    allow(headers, site);
    if site.is_some() {
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
            // Seconds. Chromium takes no more.
            (header::ACCESS_CONTROL_MAX_AGE, "7200"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_by(origins: &[&'static str]) -> Request {
        let mut request = Request::default();
        for origin in origins {
            request.headers_mut().append(header::ORIGIN, HeaderValue::from_static(origin));
        }
        request
    }

    #[test]
    fn a_request_has_one_site() {
        assert_eq!(origin(&asked_by(&["https://a.example"])), Some("https://a.example"));
        assert_eq!(origin(&asked_by(&[])), None);
        assert_eq!(origin(&asked_by(&["https://a.example", "https://b.example"])), None);
    }

    #[test]
    fn only_a_known_site_is_allowed_anything() {
        let refused = preflight(None);
        assert_eq!(refused.status(), 204);
        assert_eq!(refused.headers().len(), 1, "{:?}", refused.headers());
        let allowed = preflight(Some("https://a.example"));
        let header = |name: &str| allowed.headers().get(name).and_then(|it| it.to_str().ok());
        assert_eq!(header("access-control-allow-origin"), Some("https://a.example"));
        assert_eq!(header("access-control-allow-credentials"), None);
        assert_eq!(header("vary"), Some("origin"));
    }

    #[test]
    fn a_cache_is_told_of_all_that_an_answer_depends_on() {
        let mut headers = HeaderMap::new();
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        allow(&mut headers, None);
        assert_eq!(headers.get_all(header::VARY).iter().count(), 1);
        assert_eq!(headers[header::VARY], "accept-encoding, origin");
    }
}
