//! `GET /console` and its files. They hold no data, so they need no credentials.

use std::sync::LazyLock;

use aws::lambda::gzip::{accepts_gzip, gzip};
use aws::lambda::http_api::{ApiError, check_query};
use domain::core::hash::Fingerprint;
use lambda_http::http::{HeaderName, HeaderValue, header};
use lambda_http::{Body, Request, RequestExt, Response};

pub(crate) const PAGE: &str = "GET /console";
pub(crate) const ASSET: &str = "GET /console/assets/{version}/{file}";

const ASSETS: [(&str, &str, &str); 2] = [
    ("console.css", "text/css; charset=utf-8", include_str!("../assets/console.css")),
    ("console.js", "text/javascript; charset=utf-8", include_str!("../assets/console.js")),
];
const HTML: &str = include_str!("../web/console.html");

const HEADERS: [(HeaderName, &str); 4] = [
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::VARY, "accept-encoding"),
];

/// The header `Content-Security-Policy`. `sockets` is where browsers open them, if anywhere.
pub(crate) fn policy(sockets: Option<&str>) -> HeaderValue {
    let origin = sockets.and_then(|url| {
        let (scheme, rest) = url.split_once("://")?;
        Some(format!(" {scheme}://{}", rest.split('/').next()?))
    });
    let allowing = |origin: &str| {
        format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
             connect-src 'self'{origin}; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'"
        )
    };
    let value = HeaderValue::try_from(allowing(&origin.unwrap_or_default()));
    value.unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
}

static CONSOLE: LazyLock<Console> = LazyLock::new(Console::new);

struct Console {
    /// Of the assets' bytes.
    version: String,
    page: File,
    assets: Vec<(&'static str, File)>,
}

struct File {
    content_type: &'static str,
    text: String,
    gzipped: Vec<u8>,
}

impl Console {
    fn new() -> Self {
        let version = ASSETS
            .iter()
            .fold(Fingerprint::of("console"), |hash, (name, _, text)| hash.with(name).with(text))
            .finish();
        let page = File::new("text/html; charset=utf-8", HTML.replace("{version}", &version));
        let assets = ASSETS
            .iter()
            .map(|(name, content_type, text)| (*name, File::new(content_type, (*text).to_owned())))
            .collect();
        Self { version, page, assets }
    }
}

impl File {
    fn new(content_type: &'static str, text: String) -> Self {
        let gzipped = gzip(&text, 9).unwrap_or_default();
        Self { content_type, text, gzipped }
    }

    fn answer(
        &self,
        request: &Request,
        policy: &HeaderValue,
        cache: &'static str,
    ) -> Response<Body> {
        let is_gzipped = accepts_gzip(request) && !self.gzipped.is_empty();
        let body = if is_gzipped {
            Body::Binary(self.gzipped.clone())
        } else {
            Body::Text(self.text.clone())
        };
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        for (name, value) in HEADERS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        if is_gzipped {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

/// Answers a request for the console; `None` for any other route.
pub(crate) fn answer(
    request: &Request,
    route: &str,
    policy: &HeaderValue,
) -> Option<Result<Response<Body>, ApiError>> {
    let page = |()| CONSOLE.page.answer(request, policy, "no-store");
    match route {
        PAGE => Some(check_query(request, &[]).map(page)),
        ASSET => Some(check_query(request, &[]).and_then(|()| asset(request, policy))),
        _ => None,
    }
}

fn asset(request: &Request, policy: &HeaderValue) -> Result<Response<Body>, ApiError> {
    let parameters = request.path_parameters_ref();
    let parameter = |name| parameters.and_then(|all| all.first(name)).unwrap_or_default();
    let file = CONSOLE.assets.iter().find(|(name, _)| *name == parameter("file"));
    let (_, file) = file.ok_or_else(|| ApiError::not_found("no such file"))?;
    // During a deploy a page may ask the other release for its files.
    let is_current = parameter("version") == CONSOLE.version;
    let cache = if is_current { "public, max-age=31536000, immutable" } else { "no-store" };
    Ok(file.answer(request, policy, cache))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use std::collections::HashMap;
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn get(route: &str, parameters: &[(&str, &str)], encoding: &'static str) -> Response<Body> {
        let parameters: HashMap<String, String> =
            parameters.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let mut request = Request::default().with_path_parameters(parameters);
        let encoding = HeaderValue::from_static(encoding);
        request.headers_mut().insert(header::ACCEPT_ENCODING, encoding);
        answer(&request, route, &policy(None)).unwrap().unwrap()
    }

    fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
        response.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    #[test]
    fn the_page_is_never_cached_and_names_the_assets_by_their_version() {
        let page = get(PAGE, &[], "");
        assert_eq!(header(&page, "cache-control"), "no-store");
        let Body::Text(html) = page.body() else { unreachable!() };
        for (name, ..) in ASSETS {
            assert!(html.contains(&format!("console/assets/{}/{name}", CONSOLE.version)), "{html}");
        }
        assert!(!html.contains('{'), "{html}");
    }

    #[test]
    fn an_asset_is_cached_for_ever_only_under_its_own_version() {
        for (version, expected) in [
            (CONSOLE.version.as_str(), "public, max-age=31536000, immutable"),
            ("2222", "no-store"),
        ] {
            let asset = get(ASSET, &[("version", version), ("file", "console.js")], "");
            assert_eq!(header(&asset, "cache-control"), expected, "{version}");
            assert_eq!(header(&asset, "content-type"), "text/javascript; charset=utf-8");
        }
    }

    #[test]
    fn rejects_a_file_that_is_not_there() {
        let request = Request::default()
            .with_path_parameters(HashMap::from([("file".to_owned(), "../src/lib.rs".to_owned())]));
        let error = answer(&request, ASSET, &policy(None)).unwrap().unwrap_err();
        assert_eq!(error, ApiError::not_found("no such file"));
        assert!(answer(&request, "GET /metrics", &policy(None)).is_none());
    }

    #[test]
    fn compresses_for_those_who_accept_it() {
        for (encoding, expected) in [("gzip", "gzip"), ("br", "")] {
            let page = get(PAGE, &[], encoding);
            assert_eq!(header(&page, "content-encoding"), expected, "{encoding}");
        }
        let page = get(PAGE, &[], "gzip");
        let Body::Binary(bytes) = page.body() else { unreachable!() };
        let mut html = String::new();
        GzDecoder::new(&bytes[..]).read_to_string(&mut html).unwrap();
        assert_eq!(html, CONSOLE.page.text);
    }

    #[test]
    fn every_answer_forbids_what_the_console_does_not_need() {
        for response in [get(PAGE, &[], ""), get(ASSET, &[("file", "console.css")], "")] {
            for (name, value) in HEADERS {
                assert_eq!(header(&response, name.as_str()), value);
            }
            let policy = header(&response, "content-security-policy");
            assert!(policy.contains("default-src 'none'; script-src 'self'; "), "{policy}");
            assert!(policy.contains("connect-src 'self'; "), "{policy}");
        }
    }

    #[test]
    fn the_page_may_open_sockets_where_they_are() {
        for (url, expected) in [
            (Some("wss://a.example/live"), "connect-src 'self' wss://a.example; "),
            (Some("wss://a.example"), "connect-src 'self' wss://a.example; "),
            (Some(""), "connect-src 'self'; "),
            (None, "connect-src 'self'; "),
        ] {
            let policy = policy(url);
            assert!(policy.to_str().unwrap().contains(expected), "{policy:?}");
        }
    }
}
