//! The log shows bodies byte for byte.

use data_encoding::BASE64;
use domain::core::hash::Fingerprint;
use serde_json::json;

use crate::support::{
    Answer, body_event_id, detail, detail_in_status, eventually, http, revealed, stack, unique,
};

/// Sends a Shiprocket webhook and returns its event id.
async fn send(body: &[u8], status: u16) -> String {
    let request = http::client().post(stack().url("/webhooks/carrier"));
    let request = request.header("x-api-key", stack().shiprocket_token());
    // API Gateway passes JSON content types on as text, others in base64.
    let answer =
        http::send(request.header("content-type", "application/octet-stream").body(body.to_vec()))
            .await;
    assert_eq!(answer.status, status, "{}", answer.json);
    body_event_id("shiprocket", body).as_str().to_owned()
}

#[tokio::test]
async fn shows_a_body_byte_for_byte() {
    let awb = unique("19");
    // Digests do not compress: this body is stored in several rows.
    let noise: String =
        (0..25_000).map(|n: u32| Fingerprint::of("noise").with(n.to_be_bytes()).finish()).collect();
    // Without a time the minute would be part of the event id.
    let time = r#""timestamp":"2026-07-06 14:00:05""#;
    for (case, body, status) in [
        (
            "escapes",
            format!(
                "{{ \"awb\":\"{awb}\",{time},\r\n\t\"note\":\"canary-body \\\" \\\\ \
                 \\u00e4 \u{e4} \\/ <b> \u{1f600}\"}}"
            ),
            200,
        ),
        ("large", format!(r#"{{"awb":"{awb}",{time},"pod":"{noise}"}}"#), 200),
        ("not JSON", format!("canary-body {awb} \u{0} \u{202e}"), 400),
    ] {
        let row = revealed(&send(body.as_bytes(), status).await).await;
        assert!(row["body"] == body.as_str(), "{case}: {}", row["status"]);
        assert_eq!(
            (&row["body_encoding"], &row["size"]),
            (&"utf8".into(), &body.len().into()),
            "{case}"
        );
    }
}

#[tokio::test]
async fn shows_a_body_in_base64_when_it_is_not_utf_8() {
    let body = [br#"{"note":"canary-body "#.as_slice(), unique("").as_bytes(), b"\xff\xfe\x80\"}"]
        .concat();
    let row = revealed(&send(&body, 400).await).await;
    assert_eq!((&row["status"], &row["body_encoding"]), (&"failed".into(), &"base64".into()));
    assert_eq!(
        (BASE64.decode(row["body"].as_str().unwrap().as_bytes()).unwrap(), &row["size"]),
        (body.clone(), &body.len().into())
    );
}

async fn send_to_shipway(body: &str) -> Answer {
    let request = http::client().post(stack().url("/webhooks/shipway"));
    http::send(request.header("content-type", "application/json").body(body.to_owned())).await
}

/// Whoever reads the log must not be able to send its bodies.
#[tokio::test]
async fn shows_a_body_without_its_credential_and_retries_it() {
    let (hash, order) = (stack().sources["shipway"]["hash"].as_str(), unique("ORD-"));
    let body = format!(
        r#"{{ "hash" : "{hash}","weight":0.10, "status_feed":[{{"order_id":"{order}",
           "current_status":"INT","status_time":"2026-07-06 14:00:00"}}]}}"#
    );
    let id = send_to_shipway(&body).await.event_id();
    let row = detail_in_status(&id, "unmatched").await;
    let stored = body.replace(hash, "[REDACTED]");
    assert_eq!(revealed(&id).await["body"], stored);
    assert_eq!(send_to_shipway(&stored).await.status, 401);
    assert_eq!(send_to_shipway(&body).await.event_id(), id, "the same event");

    let retry = format!("/api/webhooks/retry/{id}");
    assert_eq!(stack().user("admin", "POST", &retry, None).await.status, 202);
    eventually("the retry", async || {
        let now = detail(&id).await;
        (now["status"] == "unmatched" && now["settled_at"] != row["settled_at"]).then_some(())
    })
    .await;
    stack().create_order(&json!({"orderId": order})).await;
    assert_eq!(stack().order_with_entries(&order, 1).await["status"], "in_transit");
}

#[tokio::test]
async fn the_audit_log_says_who_asked_for_a_body() {
    let id = send(unique("canary-body ").as_bytes(), 400).await;
    let redacted = detail(&id).await;
    assert_eq!((&redacted["redacted"], &redacted["body"]), (&json!(true), &json!(null)));
    assert!(redacted["size"].is_number(), "{redacted}");
    let asked = async || {
        let audit = stack().user("admin", "GET", "/api/audit?limit=100", None).await.json;
        let entries = audit["items"].as_array().unwrap().clone();
        entries.into_iter().filter(|entry| entry["target"] == *id).collect::<Vec<_>>()
    };
    assert!(asked().await.is_empty(), "its state alone is no secret");
    assert_eq!(revealed(&id).await["redacted"], json!(false));
    let entries = asked().await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["action"], "event.body");
    assert!(entries[0]["by"].as_str().unwrap().contains("viewer"), "{entries:?}");
    let path = format!("/api/webhooks/logs/{id}?reveal=yes");
    let wrong = stack().user("viewer", "GET", &path, None).await;
    assert_eq!(wrong.error(), (422, "invalid", Some("reveal")));
}
