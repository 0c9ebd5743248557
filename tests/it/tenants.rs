//! Tenant isolation.

mod access;
mod isolation;
mod operations;
mod things;

use serde_json::json;

use crate::support::{OURS, THEIRS, stack, unique};

/// Refs are unique per account: two accounts may have the same AWB.
#[tokio::test]
async fn allows_one_awb_in_two_accounts() {
    let awb = unique("19");
    for account in [OURS, THEIRS] {
        stack().create_order_in(account, &json!({"orderId": unique("ORD-"), "awb": awb})).await;
    }
}

#[tokio::test]
async fn matches_account_codes_exactly() {
    let list = async |user: &str, account: &str| {
        let answer = stack()
            .user(user, "GET", &format!("/api/external/orders?account_code={account}"), None)
            .await;
        (answer.status, answer.json["items"].as_array().map(Vec::len))
    };
    for (account, status) in
        [("store001", 403), ("STORE001%20x", 403), ("STORE00", 403), ("%2A", 403), ("", 422)]
    {
        assert_eq!(list("partner", account).await, (status, None), "{account}");
    }
    for (account, status, items) in
        [("store001", 200, Some(0)), ("%2A", 200, Some(0)), ("%20", 422, None)]
    {
        assert_eq!(list("admin", account).await, (status, items), "{account}");
    }
}
