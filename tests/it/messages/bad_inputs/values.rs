//! Fields with values that they cannot have, and odd values that they can.

use serde_json::json;

use super::{Route, Untouched};
use crate::support::messages::messages;
use crate::support::{Parcel, http, stack, unique};

/// Values that no text of the route may have.
fn never() -> Vec<(&'static str, String)> {
    vec![
        ("null", "null".to_owned()),
        ("a number", "7".to_owned()),
        ("1e400", "1e400".to_owned()),
        ("30 digits", "9".repeat(30)),
        ("a bool", "true".to_owned()),
        ("an object", r#"{"id":"canary"}"#.to_owned()),
        ("a lone surrogate", r#""\ud800canary""#.to_owned()),
        ("empty", r#""""#.to_owned()),
        ("a space", r#"" ""#.to_owned()),
        ("2049 bytes", format!("\"{}\"", "x".repeat(2049))),
        ("NUL", r#""canary\u0000""#.to_owned()),
        ("CRLF", r#""canary\r\nx-api-key: 1""#.to_owned()),
        ("ANSI ESC", r#""\u001b[2Jcanary""#.to_owned()),
        ("../", r#""../canary""#.to_owned()),
        ("<script>", r#""<script>canary</script>""#.to_owned()),
    ]
}

/// The texts of each route that are ids or keywords, by JSON pointer and name in errors.
const TEXTS: [(Route, &str, &str); 8] = [
    (Route::Track, "/order_id", "order_id"),
    (Route::Track, "/account_code", "account_code"),
    (Route::Track, "/message_status", "message_status"),
    (Route::Send, "/order_id", "order_id"),
    (Route::Send, "/account_code", "account_code"),
    (Route::Send, "/to", "to"),
    (Route::Send, "/template/language", "template.language"),
    (Route::Send, "/phone_number_id", "phone_number_id"),
];
/// Absent counts as null.
const OPTIONAL: [(Route, &str); 3] =
    [(Route::Send, "order_id"), (Route::Send, "account_code"), (Route::Send, "phone_number_id")];

#[tokio::test]
async fn rejects_values_that_a_field_cannot_have() {
    let order = Untouched::new().await;
    for (route, pointer, field) in TEXTS {
        for (name, text) in never() {
            if name == "null" && OPTIONAL.contains(&(route, field)) {
                continue;
            }
            let answer = route.post_json(route.body_with(&order.0, pointer, &text)).await;
            assert_eq!(
                answer.error(),
                (422, "invalid", Some(field)),
                "{name} as {pointer} at {route:?}"
            );
            assert!(!answer.json.to_string().contains("canary"), "{name} is quoted");
        }
    }
    order.check().await;
}

#[tokio::test]
async fn rejects_fields_that_are_given_twice() {
    let order = Untouched::new().await;
    for (route, field, other) in [
        (Route::Track, "order_id", "order_id"),
        (Route::Track, "order_id", "orderId"),
        (Route::Send, "to", "to"),
        (Route::Send, "account_code", "accountCode"),
    ] {
        let body = route.body(&order.0).to_string();
        let twice = format!("{},\"{other}\":\"canary\"}}", &body[..body.len() - 1]);
        let answer = route.post_json(twice.into_bytes()).await;
        assert_eq!(answer.error(), (422, "invalid", Some(field)), "{other} at {route:?}");
    }
    order.check().await;
}

/// Ids that are odd, but ids: of orders that are not there.
#[tokio::test]
async fn odd_ids_are_those_of_unknown_orders() {
    for route in Route::ALL {
        for id in ["O#state", "\u{202e}O", "\u{200b}O", "<b>", "\u{1f4de}", "O:1", "..", "O\\n"] {
            let id = format!("{id}{}", unique(""));
            let answer = route.post_json(route.body(&id).to_string().into_bytes()).await;
            assert_eq!(answer.error(), (404, "not_found", None), "{id:?} at {route:?}");
        }
    }
}

#[tokio::test]
async fn both_spellings_of_an_id_are_one_order() {
    let tag = unique("");
    let mut order = Parcel::new().order();
    order["orderId"] = json!(format!("\u{e9}{tag}"));
    stack().create_order(&order).await;
    for route in Route::ALL {
        let body = route.body(&format!("e\u{301}{tag}")).to_string();
        assert_eq!(route.post_json(body.into_bytes()).await.status, route.success(), "{route:?}");
    }
    let page = messages(&format!("e%CC%81{tag}"), "").await;
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn accounts_have_one_spelling_and_one_owner() {
    let order = Untouched::new().await;
    for route in Route::ALL {
        for account in ["store001", "STORE002", "STORE00\u{ff11}", "STORE404", "*"] {
            let mut body = route.body(&order.0);
            body["account_code"] = json!(account);
            let answer = route.post_json(body.to_string().into_bytes()).await;
            let expected = (403, "forbidden", Some("account_code"));
            assert_eq!(answer.error(), expected, "{account} at {route:?}");
        }
    }
    order.check().await;
}

#[tokio::test]
async fn a_message_is_never_newer_than_its_record() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let record = async |sent_at: &str| {
        let body = Route::Track.body_with(&parcel.order_id, "/sent_at", sent_at);
        Route::Track.post_json(body).await
    };
    let hour_ahead = aws::clock::now().after(std::time::Duration::from_secs(3600)).to_string();
    for future in [format!("\"{hour_ahead}\""), "\"9999-12-31T23:59:59Z\"".to_owned()] {
        let answer = record(&future).await;
        let shown = answer.json["data"]["sent_at"].as_str().unwrap();
        assert!(answer.status == 201 && shown < hour_ahead.as_str(), "{future}: {shown}");
    }
    let answer = record("\"1970-01-01T00:00:01+05:30\"").await;
    assert_eq!(answer.error(), (422, "invalid", Some("sent_at")), "before 1970");
    assert_eq!(record("\"1970-01-01T00:00:01Z\"").await.status, 201);
    for text in
        ["\"Invalid Date\"", "\"2026-01-20T10:15:30\"", "\"2026-01-20\"", "1768882530000", "-1"]
    {
        let answer = record(text).await;
        assert_eq!(answer.error(), (422, "invalid", Some("sent_at")), "{text}");
    }
}

/// What senders call a status is theirs; its form is not.
#[tokio::test]
async fn a_status_of_a_sender_is_a_word() {
    let order = Untouched::new().await;
    let record = async |status: &str| {
        let body = Route::Track.body_with(&order.0, "/message_status", &json!(status).to_string());
        Route::Track.post_json(body).await
    };
    for status in ["a b", "sent!", "s\u{e9}nt", &"x".repeat(65), &"x".repeat(5000)] {
        let expected = (422, "invalid", Some("message_status"));
        assert_eq!(record(status).await.error(), expected, "{status}");
    }
    order.check().await;
    assert_eq!(record("on_its_way.2").await.status, 201);
}

#[tokio::test]
async fn rejects_phone_numbers_that_are_none() {
    let order = Untouched::new().await;
    for to in ["\u{1f4de}919876543210", "+0919876543210", "++919876543210", "12345", "IN.", "in.1"]
    {
        let body = Route::Send.body_with(&order.0, "/to", &json!(to).to_string());
        let answer = Route::Send.post_json(body).await;
        assert_eq!(answer.error(), (422, "invalid", Some("to")), "{to}");
    }
    order.check().await;
}

#[tokio::test]
async fn rejects_queries_that_a_list_cannot_answer() {
    let order = Untouched::new().await;
    let of_order = format!("/api/orders/{}/messages", order.0);
    let lists = [of_order.as_str(), "/api/messages"];
    let foreign = data_encoding::BASE64URL_NOPAD.encode("2026-01-20T00:00:00.000Z/x".as_bytes());
    let queries = [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=1000000000", "limit"),
        ("limit=1e2", "limit"),
        ("limit=", "limit"),
        ("page=", "page"),
        ("page=%00", "page"),
        ("page=..%2F", "page"),
        ("account_code=STORE001&accountCode=STORE001", "accountCode"),
    ];
    for path in lists {
        for (query, field) in queries {
            let answer = get(path, query).await;
            assert_eq!(answer.error(), (422, "invalid", Some(field)), "{path}?{query}");
        }
        // A page that another list could have is one of this list's account at most.
        let answer = get(path, &format!("page={foreign}")).await;
        assert!(matches!(answer.status, 200 | 422), "{}", answer.json);
    }
    for path in [of_order.as_str(), "/api/messages", "/api/messages/stats"] {
        for account in ["", "%20", "a%2Fb", "%00", &"x".repeat(129)] {
            let answer = get(path, &format!("account_code={account}")).await;
            assert_eq!(answer.error(), (422, "invalid", Some("account_code")), "{path} {account}");
        }
        for account in ["store001", "STORE002", "STORE404"] {
            let answer = get(path, &format!("account_code={account}")).await;
            assert_eq!(answer.error(), (403, "forbidden", Some("account_code")), "{account}");
        }
        let answer = get(path, "colour=red").await;
        assert_eq!(answer.error(), (422, "invalid", Some("colour")), "{path}");
    }
    for id in ["nowhere", "%E2%80%AEO", "O%23state", "%20", "a%0Ab", &"x".repeat(129)] {
        let answer = get(&format!("/api/orders/{id}/messages"), "").await;
        assert_eq!(answer.error(), (404, "not_found", None), "{id}");
    }
}

async fn get(path: &str, query: &str) -> crate::support::Answer {
    let partner = &stack().users["partner"];
    let request = http::client().get(stack().url(&format!("{path}?{query}")));
    http::send_undocumented(request.basic_auth(&partner.name, Some(&partner.password))).await
}
