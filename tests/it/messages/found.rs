//! Lists of messages: of an account, of an order, to a shopper.

use serde_json::{Value, json};

use crate::support::graph::{phone, rule};
use crate::support::messages::{CONVERSATION, post, tracking_body};
use crate::support::{Parcel, eventually, http, stack, unique};

async fn list(query: &str) -> Value {
    let path = format!("/api/messages?account_code=STORE001&{query}");
    let answer = stack().user("partner", "GET", &path, None).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.json);
    answer.json
}

/// The ids of all pages. A page may have no items.
async fn all(query: &str) -> Vec<String> {
    let (mut ids, mut page) = (Vec::new(), None::<String>);
    loop {
        let next = page.map_or_else(String::new, |page| format!("&page={page}"));
        let listed = list(&format!("{query}{next}")).await;
        let items = listed["items"].as_array().unwrap().iter();
        ids.extend(items.map(|it| it["id"].as_str().unwrap().to_owned()));
        page = listed["next_page"].as_str().map(str::to_owned);
        if page.is_none() {
            return ids;
        }
    }
}

async fn record(order: &str, template: &str, status: &str, sent_at: &str) -> String {
    let mut body = tracking_body(order, status);
    body["template"] = json!(template);
    body["sent_at"] = json!(sent_at);
    let answer = post(&body).await;
    assert_eq!(answer.status, 201, "{}", answer.json);
    answer.json["data"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn lists_the_messages_of_an_account_by_template_status_and_time() {
    let (parcel, template) = (Parcel::new(), unique("listed_"));
    stack().create_order(&parcel.order()).await;
    let mut ids = Vec::new();
    for (status, sent_at) in [
        ("sent", "2026-03-01T00:00:00.000Z"),
        ("failed", "2026-03-01T23:59:59.999Z"),
        ("sent", "2026-03-02T00:00:00.000Z"),
        ("sent", "2026-05-20T12:00:00.000Z"),
    ] {
        ids.push(record(&parcel.order_id, &template, status, sent_at).await);
    }
    ids.reverse();
    let period = "from=2026-03-01T00:00:00Z&to=2026-05-20T12:00:00.001Z";
    let of_template = format!("template={template}&{period}");
    for limit in [1, 2, 100] {
        assert_eq!(all(&format!("{of_template}&limit={limit}")).await, ids, "{limit}");
    }
    assert_eq!(all(&format!("{of_template}&status=failed")).await, [ids[2].as_str()]);
    let one_day = format!("template={template}&from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z");
    assert_eq!(all(&one_day).await, &ids[2..]);
    let without_the_last =
        format!("template={template}&from=2026-03-01T00:00:00.001Z&to=2026-05-20T12:00:00Z");
    assert_eq!(all(&without_the_last).await, &ids[1..3]);

    let of_order = format!("order_id={}", parcel.order_id);
    assert_eq!(all(&of_order).await, ids);
    assert_eq!(all(&format!("{of_order}&status=failed&limit=1")).await, [ids[2].as_str()]);
    assert_eq!(all(&format!("{of_order}&{one_day}&limit=1")).await, &ids[2..]);
    // The empty days to come are not read.
    record(&parcel.order_id, &template, "sent", &aws::clock::now().to_string()).await;
    let newest = list("to=9999-12-31T23:59:59Z&limit=1").await;
    assert_eq!(newest["items"].as_array().unwrap().len(), 1, "{newest}");
    let own = list(&format!("{of_order}&limit=1")).await["items"][0].clone();
    let path = format!("/api/orders/{}/messages?limit=1", parcel.order_id);
    let shown = stack().user("partner", "GET", &path, None).await.json["items"][0].clone();
    assert_eq!(own, shown, "as the order's own list shows it");
    assert_eq!(all(&format!("order_id={}", unique("unknown"))).await, [""; 0]);
}

#[tokio::test]
async fn lists_the_messages_to_a_shopper() {
    let to = phone();
    rule(&to, json!({"statuses": [{"status": "read", "after_ms": 0}]})).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let body = json!({
            "account_code": "STORE001", "to": format!("+{to}"),
            "template": {"name": "order_update", "language": "en", "components": [
                {"type": "body", "parameters": [{"type": "text", "text": "canary-name"},
                                                {"type": "text", "text": "none"},
                                                {"type": "text", "text": "canary-text"}]},
            ]},
        });
        let answer = stack().user("partner", "POST", CONVERSATION, Some(&body)).await;
        assert_eq!(answer.status, 202, "{}", answer.json);
        ids.push(answer.json["id"].as_str().unwrap().to_owned());
    }
    ids.reverse();
    let of_shopper = format!("phone={to}");
    assert_eq!(all(&format!("{of_shopper}&limit=2")).await, ids);
    eventually("all are read", async || {
        (all(&format!("{of_shopper}&status=read&template=order_update")).await == ids).then_some(())
    })
    .await;
    assert_eq!(all(&format!("{of_shopper}&status=failed")).await, [""; 0]);
    let listed = list(&format!("{of_shopper}&limit=1")).await;
    assert_eq!(
        (&listed["items"][0]["to"], &listed["items"][0]["order_id"]),
        (&json!(to), &Value::Null)
    );
    // The account's list has them too.
    let newest = list("template=order_update&status=read").await;
    assert!(newest["items"].as_array().unwrap().iter().any(|it| it["id"] == ids[0].as_str()));
}

#[tokio::test]
async fn refuses_lists_of_what_cannot_be_listed() {
    let cursor = data_encoding::BASE64URL_NOPAD.encode(b"12345678x");
    for (query, field) in [
        ("phone=919000000001&user_id=IN.1", "user_id"),
        ("phone=919000000001&order_id=O", "phone"),
        ("user_id=IN.1&order_id=O", "user_id"),
        ("phone=abc", "phone"),
        ("order_id=a/b", "order_id"),
        ("status=a%20b", "status"),
        ("template=", "template"),
        ("from=2026-01-20", "from"),
        ("from=2026-01-20T00:00:00Z&to=2026-01-20T00:00:00Z", "to"),
        ("limit=0", "limit"),
        (&format!("page={cursor}"), "page"),
        ("state=read", "state"),
    ] {
        let path = format!("/api/messages?account_code=STORE001&{query}");
        let partner = &stack().users["partner"];
        let call = http::client().get(stack().url(&path));
        let call = call.basic_auth(&partner.name, Some(&partner.password));
        let answer = http::send_undocumented(call).await;
        assert_eq!(answer.error(), (422, "invalid", Some(field)), "{query}");
    }
}
