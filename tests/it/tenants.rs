//! Tenant isolation: every route with an account × every caller × every account they may name.

mod routes;

use futures::future::join_all;
use reqwest::{Client, RequestBuilder};
use serde_json::json;

use crate::support::{Answer, OURS, THEIRS, callers, http, messages, stack, unique};
use routes::{ACCOUNTS, AccountParameter, ROUTES, Route};

/// Two orders with one id, in two accounts. Every field that differs contains its account's mark.
struct Twins {
    order_id: String,
    marks: [(&'static str, String); 2],
}

impl Twins {
    async fn new() -> Self {
        let twins = Self {
            order_id: unique("TWIN-"),
            marks: [OURS, THEIRS].map(|account| (account, unique("mark-"))),
        };
        for (account, mark) in &twins.marks {
            let order = json!({
                "orderId": twins.order_id, "awb": format!("{mark}-awb"), "customerId": mark,
                "customer": {"firstName": mark, "phone": mark}, "metadata": {"mark": mark},
            });
            stack().create_order_in(account, &order).await;
            let mut body = messages::tracking_body(&twins.order_id, mark);
            body["account_code"] = json!(account);
            let tracked = stack().user("admin", "POST", messages::TRACK, Some(&body)).await;
            assert_eq!(tracked.status, 201, "{}", tracked.json);
        }
        twins
    }

    /// A response shows only the data of its account; a GET of the order shows the order.
    fn check_only(&self, account: Option<&str>, route: &Route, answer: &Answer, context: &str) {
        let text = answer.json.to_string();
        for (owner, mark) in &self.marks {
            assert!(
                account == Some(owner) || !text.contains(mark),
                "{context} sees data of {owner}: {text}"
            );
            let shows = route.key.starts_with("GET")
                && route.key.contains("{order_id}")
                && account == Some(owner);
            assert!(
                !shows || text.contains(mark),
                "{context} does not see the order of {owner}: {text}"
            );
        }
        let items = answer.json["items"].as_array().into_iter().flatten();
        for item in items.filter(|_| account.is_some()) {
            let shown = [&item["accountCode"], &item["account_code"]]
                .into_iter()
                .find_map(|code| code.as_str());
            assert!(shown.is_none() || shown == account, "{context} sees an item of {shown:?}");
        }
    }
}

fn request(client: &Client, route: &Route, order_id: &str, named: Option<&str>) -> RequestBuilder {
    let (method, path) = route.key.split_once(' ').unwrap();
    let query = if path.ends_with("/whatsapp") { "?user_id=canary-phone" } else { "?" };
    let path = path.replace("{order_id}", order_id).replace("{report_id}", "none");
    let mut url = format!("{}{query}", stack().url(&path));
    let mut body = match method {
        "GET" | "DELETE" => None,
        "PATCH" => Some(json!({"carrierName": unique("carrier ")})),
        _ if path.ends_with("/status") => Some(json!({"status": "assigned"})),
        _ if path.ends_with("/shipments") => Some(json!({"awb": unique("19")})),
        _ if path.ends_with("/trigger-webhook") => Some(json!({"order_ids": [order_id]})),
        _ if path.ends_with("/message-tracking") => {
            Some(json!({"order_id": order_id, "message_status": "sent"}))
        }
        _ => Some(json!({"orderId": unique("ORD-")})),
    };
    if let Some(account) = named {
        match (route.account, &mut body) {
            (AccountParameter::Query(name) | AccountParameter::OptionalQuery(name), _) => {
                url = format!("{url}&{name}={account}")
            }
            (AccountParameter::Body(name) | AccountParameter::RequiredBody(name), Some(body)) => {
                body[name] = json!(account)
            }
            (AccountParameter::Body(_) | AccountParameter::RequiredBody(_), None) => {
                unreachable!("{} has no body", route.key)
            }
        }
    }
    http::with_json(client.request(method.parse().unwrap(), url), body.as_ref())
}

/// Headers that claim a local client address.
fn with_spoofed_address(request: RequestBuilder) -> RequestBuilder {
    let request =
        request.header("x-forwarded-for", "127.0.0.1, 10.0.0.1").header("x-real-ip", "127.0.0.1");
    request.header("forwarded", "for=127.0.0.1;host=localhost;proto=https")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shows_and_changes_only_the_accounts_of_the_caller() {
    let (callers, client) = (callers().await, http::client());
    join_all(ROUTES.iter().map(async |route| {
        let twins = Twins::new().await;
        for (caller, named) in
            callers.iter().flat_map(|caller| ACCOUNTS.map(|named| (caller, named)))
        {
            let context = format!("{} as {} in {named:?}", route.key, caller.name);
            let (status, account) = route.expects(caller, named);
            let ask = || caller.sign(request(&client, route, &twins.order_id, named));
            let answer = if route.is_documented() {
                http::send(ask()).await
            } else {
                http::send_undocumented(ask()).await
            };
            assert_eq!(answer.status, status, "{context}: {}", answer.json);
            twins.check_only(account, route, &answer, &context);
            if status >= 400 {
                let again = http::send(with_spoofed_address(ask())).await;
                assert_eq!(
                    (again.status, again.json),
                    (status, answer.json),
                    "{context}, with a spoofed address"
                );
            }
        }
    }))
    .await;
}

/// The response must not reveal that an order exists in another account.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_alike_for_a_foreign_and_a_missing_order() {
    let (callers, client) = (callers().await, http::client());
    let (their_order, no_order) = (unique("THEIRS-"), unique("MISSING-"));
    let order = json!({"orderId": their_order, "awb": unique("19")});
    stack().create_order_in(THEIRS, &order).await;
    join_all(ROUTES.iter().filter(|route| route.unknown == 404).map(async |route| {
        for (caller, named) in
            callers.iter().flat_map(|caller| ACCOUNTS.map(|named| (caller, named)))
        {
            if route.expects(caller, named).1 == Some(THEIRS) {
                continue;
            }
            let ask = |order: &str| http::send(caller.sign(request(&client, route, order, named)));
            let (foreign, missing) = (ask(&their_order).await, ask(&no_order).await);
            let context = format!("{} as {} in {named:?}", route.key, caller.name);
            assert!((401..=422).contains(&foreign.status), "{context}: {}", foreign.json);
            assert_eq!((foreign.status, foreign.json), (missing.status, missing.json), "{context}");
        }
    }))
    .await;
}

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
