//! Conversations with shoppers.

use serde_json::json;

use crate::support::messages::CONVERSATION;
use crate::support::{http, stack};

#[tokio::test]
async fn shows_an_unknown_conversation_as_an_empty_page() {
    for query in ["?phone=15550199999", "?phone=%2B1%20555-0199-999", "?user_id=US.1&limit=1"] {
        let answer = stack().user("partner", "GET", &format!("{CONVERSATION}{query}"), None).await;
        assert_eq!((answer.status, &answer.json), (200, &json!({"items": []})), "{query}");
    }
}

#[tokio::test]
async fn rejects_invalid_and_forbidden_conversation_queries() {
    for (query, field) in [
        ("", "phone"),
        ("?phone=", "phone"),
        ("?phone=1234", "phone"),
        ("?phone=canary-phone", "phone"),
        ("?phone=123456789012345678901", "phone"),
        ("?user_id=", "user_id"),
        ("?user_id=a%20b", "user_id"),
        ("?phone=15550199999&user_id=US.1", "user_id"),
        ("?phone=15550199999&limit=0", "limit"),
        ("?phone=15550199999&limit=101", "limit"),
        ("?phone=15550199999&page=!", "page"),
        ("?phone=15550199999&account_code=%20", "account_code"),
    ] {
        let answer = stack().user("partner", "GET", &format!("{CONVERSATION}{query}"), None).await;
        assert_eq!(answer.error(), (422, "invalid", Some(field)), "{query}");
    }
    let path = format!("{CONVERSATION}?phone=15550199999&account_code=STORE002");
    assert_eq!(
        stack().user("partner", "GET", &path, None).await.error(),
        (403, "forbidden", Some("account_code"))
    );
    assert_eq!(stack().vendor("GET", &path, None).await.error(), (403, "forbidden", None));
    assert_eq!(stack().user("viewer", "GET", &path, None).await.error(), (403, "forbidden", None));
    assert_eq!(stack().user("admin", "GET", &path, None).await.json, json!({"items": []}));
    let without_account =
        stack().user("admin", "GET", &format!("{CONVERSATION}?phone=15550199999"), None).await;
    assert_eq!(without_account.error(), (422, "invalid", Some("account_code")));
    let unauthenticated = http::send(http::client().get(stack().url(&path))).await;
    assert_eq!(unauthenticated.error(), (401, "unauthorized", None));
}
