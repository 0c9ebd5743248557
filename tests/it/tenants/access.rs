//! Every route with an account × every caller × every account that they may name: the status, and
//! whose data the answer shows.

use futures::future::join_all;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::operations::{Kind, Named, Operation, operations};
use crate::support::{Answer, Caller, OURS, Role, THEIRS, callers, http, messages, stack, unique};

const UNKNOWN_ACCOUNT: &str = "STORE404";
const ACCOUNTS: [Option<&str>; 4] = [Some(OURS), Some(THEIRS), Some(UNKNOWN_ACCOUNT), None];

/// Without an account these are about all of the caller's.
const OF_ALL_ACCOUNTS: [&str; 4] =
    ["listEvents", "listDeliveries", "redriveDeliveries", "redriveEvents"];

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
            let shows = route.shows_order() && account == Some(owner);
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

/// An operation and its parameter for the account.
struct Route<'a> {
    operation: &'a Operation,
    account: Named,
}

impl<'a> Route<'a> {
    fn all(operations: &'a [Operation]) -> Vec<Self> {
        let of = |operation: &'a Operation| {
            let accounts =
                operation.named().into_iter().filter(|named| named.kind == Kind::Account);
            accounts.map(move |account| Self { operation, account })
        };
        operations.iter().flat_map(of).collect()
    }

    fn shows_order(&self) -> bool {
        matches!(self.operation.id.as_str(), "getOrder" | "listMessages")
    }

    /// True if a request has to name one of these.
    fn names(&self, kinds: &[Kind]) -> bool {
        let named = self.operation.named();
        named.iter().any(|named| named.required && kinds.contains(&named.kind))
    }

    fn request(&self, order_id: &str, account: Option<&str>) -> RequestBuilder {
        let required = self
            .operation
            .named()
            .into_iter()
            .filter(|named| named.required && named.kind != Kind::Account);
        let mut values: Vec<(Named, Value)> = required
            .map(|named| {
                let value = match named.kind {
                    Kind::Order => json!(order_id),
                    Kind::Orders => json!([order_id]),
                    Kind::Report => json!("a".repeat(32)),
                    _ => json!(unique("9")),
                };
                (named, value)
            })
            .collect();
        values.extend(account.map(|code| (self.account.clone(), json!(code))));
        self.operation.request(&http::client(), &values)
    }

    /// The expected statuses, and the only account whose data the response may show.
    fn expects(
        &self,
        caller: &Caller,
        named: Option<&'static str>,
    ) -> (Vec<u16>, Option<&'static str>) {
        if !self.operation.allows(caller.role) {
            let status = if caller.role == Role::Unauthenticated { 401 } else { 403 };
            return (vec![status], None);
        }
        let account = match named {
            Some(named) if caller.has(named) => Some(named),
            Some(_) => return (vec![403], None),
            None if self.account.required => None,
            None => caller.only_account(),
        };
        let successes = self.operation.successes.clone();
        match account {
            None if OF_ALL_ACCOUNTS.contains(&self.operation.id.as_str()) => (successes, None),
            None => (vec![422], None),
            // No request names a report that exists.
            account if self.names(&[Kind::Report]) => (vec![404], account),
            Some(UNKNOWN_ACCOUNT) if self.names(&[Kind::Order, Kind::Orders]) => (vec![404], None),
            // It has no phone number.
            Some(UNKNOWN_ACCOUNT) if self.operation.id == "sendMessage" => (vec![422], None),
            account => (successes, account.filter(|account| *account != UNKNOWN_ACCOUNT)),
        }
    }
}

/// Headers that claim a local client address.
fn with_spoofed_address(request: RequestBuilder) -> RequestBuilder {
    let request =
        request.header("x-forwarded-for", "127.0.0.1, 10.0.0.1").header("x-real-ip", "127.0.0.1");
    request.header("forwarded", "for=127.0.0.1;host=localhost;proto=https")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shows_and_changes_only_the_accounts_of_the_caller() {
    let (callers, operations) = (callers().await, operations());
    join_all(Route::all(&operations).iter().map(async |route| {
        let twins = Twins::new().await;
        for (caller, named) in
            callers.iter().flat_map(|caller| ACCOUNTS.map(|named| (caller, named)))
        {
            let id = &route.operation.id;
            let context = format!("{id} as {} in {named:?}", caller.name);
            let (statuses, account) = route.expects(caller, named);
            let ask = || caller.sign(route.request(&twins.order_id, named));
            let answer = http::send(ask()).await.of_first_failure();
            assert!(statuses.contains(&answer.status), "{context}: {}", answer.json);
            twins.check_only(account, route, &answer, &context);
            if answer.status >= 400 {
                let again = http::send(with_spoofed_address(ask())).await.of_first_failure();
                let expected = (answer.status, answer.json);
                assert_eq!((again.status, again.json), expected, "{context}, with an address");
            }
        }
    }))
    .await;
}
