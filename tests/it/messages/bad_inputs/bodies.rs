//! Bodies that are no JSON object, too large or of another type.

use super::{LIMIT, Route, Untouched};

const JSON: Option<&str> = Some("application/json");
/// `gzip` of `{}`.
const GZIP: [u8; 22] =
    [31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 174, 5, 0, 67, 191, 166, 163, 2, 0, 0, 0];

const MALFORMED: (u16, &str) = (400, "malformed");
const OTHER_TYPE: (u16, &str) = (415, "unsupported_media_type");
const TOO_LARGE: (u16, &str) = (413, "too_large");
const INVALID: (u16, &str) = (422, "invalid");

/// Name, content type, body and expected error.
type Case = (&'static str, Option<&'static str>, Vec<u8>, (u16, &'static str));

fn cases(valid: &str) -> Vec<Case> {
    let open = &valid[..valid.len() - 1];
    let nested = |depth: usize| {
        let (left, right) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
        format!("{open},\"aside\":{left}{right}}}").into_bytes()
    };
    let utf_16 = "\u{feff}".encode_utf16().chain(valid.encode_utf16());
    let multipart =
        format!("--b\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n{valid}\r\n--b--\r\n");
    let elements = "0,".repeat(100_000);
    vec![
        ("empty", JSON, Vec::new(), MALFORMED),
        ("null", JSON, b"null".to_vec(), MALFORMED),
        ("[]", JSON, b"[]".to_vec(), MALFORMED),
        ("a list of a body", JSON, format!("[{valid}]").into_bytes(), MALFORMED),
        ("\"x\"", JSON, b"\"x\"".to_vec(), MALFORMED),
        ("{", JSON, open.as_bytes().to_vec(), MALFORMED),
        ("{}x", JSON, format!("{valid}x").into_bytes(), MALFORMED),
        ("BOM", JSON, format!("\u{feff}{valid}").into_bytes(), MALFORMED),
        ("ff fe", JSON, vec![0xff, 0xfe], MALFORMED),
        ("UTF-16", JSON, utf_16.flat_map(u16::to_le_bytes).collect(), MALFORMED),
        ("depth 33", JSON, nested(33), MALFORMED),
        ("depth 129", JSON, nested(129), MALFORMED),
        ("gzip", JSON, GZIP.to_vec(), MALFORMED),
        ("NaN", JSON, format!("{open},\"aside\":NaN}}").into_bytes(), MALFORMED),
        ("{}", JSON, b"{}".to_vec(), INVALID),
        ("100k elements", JSON, format!("{open},\"a\":[{elements}0]}}").into_bytes(), INVALID),
        ("64 KB key", JSON, format!("{open},\"{}\":0}}", "k".repeat(65_536)).into_bytes(), INVALID),
        ("over the limit", JSON, vec![b' '; LIMIT + 1], TOO_LARGE),
        (
            "1 MB string",
            JSON,
            format!("{open},\"a\":\"{}\"}}", "x".repeat(1_000_000)).into_bytes(),
            TOO_LARGE,
        ),
        ("text/plain", Some("text/plain"), valid.as_bytes().to_vec(), OTHER_TYPE),
        ("no type", None, valid.as_bytes().to_vec(), OTHER_TYPE),
        (
            "a form",
            Some("application/x-www-form-urlencoded"),
            valid.as_bytes().to_vec(),
            OTHER_TYPE,
        ),
        ("multipart", Some("multipart/form-data; boundary=b"), multipart.into_bytes(), OTHER_TYPE),
    ]
}

#[tokio::test]
async fn rejects_bodies_that_are_no_json_objects() {
    let order = Untouched::new().await;
    for route in Route::ALL {
        for (name, content_type, body, expected) in cases(&route.body(&order.0).to_string()) {
            let answer = route.post(content_type, body).await;
            let (status, code, _) = answer.error();
            assert_eq!((status, code), expected, "{name} at {route:?}");
            let answer = answer.json.to_string();
            assert!(!answer.contains("canary"), "{name} at {route:?} is quoted: {answer}");
        }
    }
    order.check().await;
}

#[tokio::test]
async fn takes_a_body_up_to_the_limit() {
    for route in Route::ALL {
        let order = Untouched::new().await;
        let mut body = route.body(&order.0).to_string().into_bytes();
        body.resize(LIMIT, b' ');
        assert_eq!(route.post_json(body).await.status, route.success(), "{route:?}");
    }
}
