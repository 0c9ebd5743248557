//! What was sent comes back to the byte.

use data_encoding::BASE64;
use domain::core::hash::Fingerprint;

use super::detail;
use crate::callers::OURS;
use crate::support::{http, stack, unique};

/// Sends a body as Shiprocket; its id in the log.
async fn sent(body: &[u8], status: u16) -> String {
    let key = &stack().sources["shiprocket"]["api_key"];
    // What says that it is JSON goes through API Gateway as text.
    let request = http::client().post(stack().url("/webhooks/carrier")).header("x-api-key", key);
    let answer =
        http::send(request.header("content-type", "application/octet-stream").body(body.to_vec()))
            .await;
    assert_eq!(answer.status, status, "{}", answer.json);
    Fingerprint::of("event").with("shiprocket").with(OURS).with(body).finish()
}

#[tokio::test]
async fn a_body_is_shown_as_it_was_sent() {
    let awb = unique("19");
    // Digests do not compress: this one is kept in parts.
    let noise: String =
        (0..25_000).map(|n: u32| Fingerprint::of("noise").with(n.to_be_bytes()).finish()).collect();
    for (what, body, status) in [
        (
            "escapes",
            format!(
                "{{ \"awb\":\"{awb}\",\r\n\t\"note\":\"canary-body \\\" \\\\ \\u00e4 \u{e4} \\/ <b> \u{1f600}\"}}"
            ),
            200,
        ),
        ("large", format!(r#"{{"awb":"{awb}","pod":"{noise}"}}"#), 200),
        ("no JSON", format!("canary-body {awb} \u{0} \u{202e}"), 400),
    ] {
        let row = detail(&sent(body.as_bytes(), status).await).await;
        assert!(row["body"] == body.as_str(), "{what}: {}", row["status"]);
        assert_eq!(
            (&row["body_encoding"], &row["size"]),
            (&"utf8".into(), &body.len().into()),
            "{what}"
        );
    }
}

#[tokio::test]
async fn what_is_no_utf_8_comes_in_base64() {
    let body = [br#"{"note":"canary-body "#.as_slice(), unique("").as_bytes(), b"\xff\xfe\x80\"}"]
        .concat();
    let row = detail(&sent(&body, 400).await).await;
    assert_eq!((&row["status"], &row["body_encoding"]), (&"failed".into(), &"base64".into()));
    assert_eq!(
        (BASE64.decode(row["body"].as_str().unwrap().as_bytes()).unwrap(), &row["size"]),
        (body.clone(), &body.len().into())
    );
}
