//! Compressed answers: API Gateway's HTTP APIs do not compress.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use lambda_http::http::header;
use lambda_http::{Body, Request};

/// `level` is 1 to 9.
pub fn gzip(text: &str, level: u32) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

pub fn accepts_gzip(request: &Request) -> bool {
    let values = request.headers().get_all(header::ACCEPT_ENCODING).iter();
    let mut codings = values.filter_map(|value| value.to_str().ok()).flat_map(|it| it.split(','));
    codings.any(|coding| match coding.split_once(';') {
        Some((name, weight)) => name.trim().eq_ignore_ascii_case("gzip") && !is_zero(weight.trim()),
        None => coding.trim().eq_ignore_ascii_case("gzip"),
    })
}

/// `q=0` and `q=0.000` refuse a coding (RFC 9110).
fn is_zero(weight: &str) -> bool {
    weight.strip_prefix("q=").is_some_and(|value| value.trim_end_matches(['0', '.']).is_empty())
}

/// The body, compressed if the client accepts that; and whether it is.
pub fn encoded(request: &Request, text: String, level: u32) -> (Body, bool) {
    let compressed = if accepts_gzip(request) { gzip(&text, level).ok() } else { None };
    match compressed {
        Some(bytes) => (Body::Binary(bytes), true),
        None => (Body::Text(text), false),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use lambda_http::http::HeaderValue;

    use super::*;

    #[test]
    fn compresses_for_those_who_accept_it() {
        for (accepted, expected) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0.0", false),
            ("gzip; q=0", false),
            ("br", false),
            ("", false),
        ] {
            let mut request = Request::default();
            let accepted_value = HeaderValue::from_static(accepted);
            request.headers_mut().insert(header::ACCEPT_ENCODING, accepted_value);
            let (body, is_compressed) = encoded(&request, "text".to_owned(), 6);
            assert_eq!(is_compressed, expected, "{accepted}");
            let mut text = String::new();
            match body {
                Body::Binary(bytes) => {
                    GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap()
                }
                body => std::str::from_utf8(&body).map(|it| text.push_str(it)).map(|()| 0).unwrap(),
            };
            assert_eq!(text, "text");
        }
    }
}
