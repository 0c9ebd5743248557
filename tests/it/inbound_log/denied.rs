//! Denied webhooks are counted and shown, without what they proved themselves with.

use serde_json::{Value, json};

use crate::support::{Caller, Parcel, THEIRS, caller, eventually, http, stack, unique};

const DENIED: &str = "/api/webhooks/denied";

/// The rows of an account that a caller sees.
async fn rows(caller: &Caller, account: &str) -> Vec<Value> {
    let (mut rows, mut page) = (Vec::new(), String::new());
    loop {
        let request = http::client().get(stack().url(&format!("{DENIED}?limit=100{page}")));
        let answer = http::send(caller.sign(request)).await.of_first_failure();
        assert_eq!(answer.status, 200, "{}", answer.json);
        let items = answer.json["items"].as_array().unwrap().iter();
        rows.extend(items.filter(|row| row["account_code"] == account).cloned());
        match answer.json["next_page"].as_str() {
            Some(next) => page = format!("&page={next}"),
            None => return rows,
        }
    }
}

#[tokio::test]
async fn counts_denied_webhooks_of_a_hook_without_their_credentials() {
    let (account, secret) = (unique("ACC-"), unique("canary-secret-"));
    let setting = json!({"account": account, "secret": secret});
    let path = stack().hook("shiprocket", &setting, &[("x-api-key", &secret)]).await;
    let before = rows(caller("viewer").await, &account).await;
    let counted = |rows: &[Value]| rows.iter().filter_map(|row| row["count"].as_u64()).sum::<u64>();
    for _ in 0..3 {
        let request = http::client().post(stack().url(&path)).header("x-api-key", "canary-wrong");
        let request = request.header("content-type", "application/json");
        let body = Parcel::new().in_transit().to_string();
        assert_eq!(http::send(request.body(body)).await.status, 401);
    }
    let rows_now = eventually("the denials to be counted", async || {
        let now = rows(caller("viewer").await, &account).await;
        (counted(&now) > counted(&before)).then_some(now)
    })
    .await;
    let row = &rows_now[0];
    assert_eq!((&row["source"], &row["hook"]), (&json!("shiprocket"), &json!("inle…")));
    let last = row["last"].as_array().unwrap();
    assert!((1..=5).contains(&last.len()), "{row}");
    for denial in last {
        assert_eq!(denial["reason"], "the credentials are missing or wrong");
        assert!(denial["at"].is_string() && denial["address"].is_string(), "{denial}");
    }
    let text = json!(rows_now).to_string();
    assert!(!text.contains("canary") && !text.contains(path.rsplit('/').next().unwrap()), "{text}");
    assert_eq!(rows(caller("their viewer").await, &account).await, [Value::Null; 0]);
    assert_eq!(
        rows(caller("their viewer").await, THEIRS).await,
        rows(caller("viewer").await, THEIRS).await
    );
}

#[tokio::test]
async fn shows_denials_to_viewers_and_admins_only() {
    for (name, status) in [
        ("admin", 200),
        ("viewer", 200),
        ("their viewer", 200),
        ("our partner", 403),
        ("our vendor", 403),
        ("no credentials", 401),
    ] {
        let request = http::client().get(stack().url(DENIED));
        assert_eq!(http::send(caller(name).await.sign(request)).await.status, status, "{name}");
    }
    for query in ["?limit=0", "?page=!", "?page=AAAA"] {
        let answer = stack().user("viewer", "GET", &format!("{DENIED}{query}"), None).await;
        assert_eq!(answer.status, 422, "{query}");
    }
}
