//! Nothing crosses accounts: every route that takes one × every kind of caller × every account they may name.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use aws::settings::Settings;
use data_encoding::BASE64;
use futures::future::join_all;
use inbound::Inbound;
use reqwest::{Client, RequestBuilder};
use serde_json::json;

use crate::callers::{Caller, OURS, Role, THEIRS, caller, callers, set};
use crate::main_way::Parcel;
use crate::support::{Answer, Calls, http, stack, unique};

const NOBODYS: &str = "STORE404";
/// What a request may name.
const ACCOUNTS: [Option<&str>; 4] = [Some(OURS), Some(THEIRS), Some(NOBODYS), None];

/// What a route does with an account.
struct Route {
    key: &'static str,
    /// Where a request names the account, and as what.
    names: Names,
    about: About,
    /// The status if all is well.
    good: u16,
    /// The status where an account has no such order, or nothing at all.
    unknown: u16,
}

#[derive(Clone, Copy)]
enum Names {
    Query(&'static str),
    /// Whoever has several need not.
    QueryIfAny(&'static str),
    Body(&'static str),
    /// It has to.
    BodyAlways(&'static str),
}

/// What a route is about decides who may use it.
#[derive(Clone, Copy)]
enum About {
    Orders,
    Messages,
    Log,
    /// What only admins do.
    Operations,
}

impl About {
    /// The answer's status for those who may not.
    fn refuses(self, role: Role) -> Option<u16> {
        match (role, self) {
            (Role::Nobody, _) => Some(401),
            (Role::Admin, _)
            | (Role::Viewer, Self::Log)
            | (Role::Partner, Self::Orders | Self::Messages)
            | (Role::Vendor, Self::Orders) => None,
            _ => Some(403),
        }
    }
}

const fn route(key: &'static str, names: Names, about: About, good: u16, unknown: u16) -> Route {
    Route { key, names, about, good, unknown }
}

const ROUTES: [Route; 13] = [
    route("POST /api/external/orders", Names::Body("accountCode"), About::Orders, 201, 201),
    route("GET /api/external/orders", Names::Query("accountCode"), About::Orders, 200, 200),
    route(
        "GET /api/external/orders/{order_id}",
        Names::Query("account_code"),
        About::Orders,
        200,
        404,
    ),
    route(
        "PATCH /api/external/orders/{order_id}",
        Names::Body("accountCode"),
        About::Orders,
        200,
        404,
    ),
    route(
        "PATCH /api/external/orders/{order_id}",
        Names::Query("accountCode"),
        About::Orders,
        200,
        404,
    ),
    route(
        "POST /api/external/orders/{order_id}/status",
        Names::Body("account_code"),
        About::Orders,
        202,
        404,
    ),
    route(
        "POST /api/external/orders/{order_id}/status",
        Names::Query("accountCode"),
        About::Orders,
        202,
        404,
    ),
    route(
        "POST /api/orders/message-tracking",
        Names::BodyAlways("account_code"),
        About::Messages,
        201,
        404,
    ),
    route(
        "GET /api/orders/{order_id}/messages",
        Names::Query("account_code"),
        About::Messages,
        200,
        404,
    ),
    route("GET /api/messages/whatsapp", Names::Query("account_code"), About::Messages, 200, 200),
    route("GET /api/webhooks/logs", Names::QueryIfAny("account_code"), About::Log, 200, 200),
    route("GET /api/orders/stale", Names::Query("accountCode"), About::Operations, 200, 200),
    route(
        "POST /api/orders/trigger-webhook",
        Names::Body("account_code"),
        About::Operations,
        200,
        404,
    ),
];

/// The account of a webhook is its hook's or its source's, and an event's stands in its row: never the caller's to
/// name. `log.rs` has who may see and retry which event. Runs are of no account; `runs.rs` has who may see them.
const WITHOUT_ACCOUNT: [&str; 11] = [
    "GET /webhooks/health",
    "POST /api/webhooks/shiprocket",
    "GET /college/whatsapp/webhook",
    "POST /college/whatsapp/webhook",
    "GET /webhooks/{source}",
    "POST /webhooks/{source}",
    "GET /webhooks/{source}/{hook_id}",
    "POST /webhooks/{source}/{hook_id}",
    "GET /api/webhooks/logs/{id}",
    "POST /api/webhooks/retry/{id}",
    "GET /api/sync/runs",
];

#[test]
fn every_route_of_the_template_is_in_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let script = root.join("tools/local/list_routes.py");
    let listed = Command::new(root.join(".venv/bin/python")).arg(script).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let known: BTreeSet<&str> =
        ROUTES.iter().map(|route| route.key).chain(WITHOUT_ACCOUNT).collect();
    assert_eq!(known, listed.lines().collect());
}

impl Route {
    /// The answer's status, and the account that alone it may show.
    fn expects(&self, caller: &Caller, named: Option<&'static str>) -> (u16, Option<&'static str>) {
        if let Some(status) = self.about.refuses(caller.role) {
            return (status, None);
        }
        let account = match (named, self.names) {
            (None, Names::BodyAlways(_)) => None,
            (None, Names::QueryIfAny(_)) => return (self.good, caller.only_account()),
            (None, _) => caller.only_account(),
            (Some(named), _) if caller.has(named) => Some(named),
            (Some(_), _) => return (403, None),
        };
        match account {
            None => (422, None),
            Some(NOBODYS) => (self.unknown, None),
            account => (self.good, account),
        }
    }
}

/// Two orders of one id, in two accounts. Whatever tells one from the other has the mark of its account in it.
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
            let body = json!({
                "orderId": twins.order_id, "accountCode": account, "awb": format!("{mark}-awb"), "customerId": mark,
                "customer": {"firstName": mark, "phone": mark}, "metadata": {"mark": mark},
            });
            let created = stack().user("admin", "POST", "/api/external/orders", Some(&body)).await;
            assert_eq!(created.status, 201, "{}", created.json);
            let body = json!({"order_id": twins.order_id, "account_code": account, "message_status": mark});
            let tracked =
                stack().user("admin", "POST", "/api/orders/message-tracking", Some(&body)).await;
            assert_eq!(tracked.status, 201, "{}", tracked.json);
        }
        twins
    }

    /// No answer shows anything of an account that it is not about; the order itself is shown.
    fn only_of(&self, account: Option<&str>, route: &Route, answer: &Answer, context: &str) {
        let text = answer.json.to_string();
        for (owner, mark) in &self.marks {
            assert!(
                account == Some(owner) || !text.contains(mark),
                "{context} sees {owner}'s: {text}"
            );
            let shows = route.key.starts_with("GET")
                && route.key.contains("{order_id}")
                && account == Some(owner);
            assert!(!shows || text.contains(mark), "{context} does not see {owner}'s: {text}");
        }
        let items = answer.json["items"].as_array().into_iter().flatten();
        for item in items.filter(|_| account.is_some()) {
            let of = [&item["accountCode"], &item["account_code"]]
                .into_iter()
                .find_map(|code| code.as_str());
            assert!(of.is_none() || of == account, "{context} sees an item of {of:?}");
        }
    }
}

fn request(client: &Client, route: &Route, order_id: &str, named: Option<&str>) -> RequestBuilder {
    let (method, path) = route.key.split_once(' ').unwrap();
    let query = if path.ends_with("/whatsapp") { "?user_id=canary-phone" } else { "?" };
    let mut url = format!("{}{query}", stack().url(&path.replace("{order_id}", order_id)));
    let mut body = match method {
        "GET" => None,
        "PATCH" => Some(json!({"carrierName": unique("carrier ")})),
        _ if path.ends_with("/status") => Some(json!({"status": "assigned"})),
        _ if path.ends_with("/trigger-webhook") => Some(json!({"order_ids": [order_id]})),
        _ if path.ends_with("/message-tracking") => {
            Some(json!({"order_id": order_id, "message_status": "sent"}))
        }
        _ => Some(json!({"orderId": unique("ORD-")})),
    };
    if let Some(account) = named {
        match (route.names, &mut body) {
            (Names::Query(name) | Names::QueryIfAny(name), _) => {
                url = format!("{url}&{name}={account}")
            }
            (Names::Body(name) | Names::BodyAlways(name), Some(body)) => {
                body[name] = json!(account)
            }
            (Names::Body(_) | Names::BodyAlways(_), None) => {
                unreachable!("{} has no body", route.key)
            }
        }
    }
    http::with_json(client.request(method.parse().unwrap(), url), body.as_ref())
}

/// The address that a caller claims to have.
fn spoofed(request: RequestBuilder) -> RequestBuilder {
    let request =
        request.header("x-forwarded-for", "127.0.0.1, 10.0.0.1").header("x-real-ip", "127.0.0.1");
    request.header("forwarded", "for=127.0.0.1;host=localhost;proto=https")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_do_what_in_which_account() {
    let (callers, client) = (callers().await, http::client());
    join_all(ROUTES.iter().map(async |route| {
        let twins = Twins::new().await;
        for (caller, named) in
            callers.iter().flat_map(|caller| ACCOUNTS.map(|named| (caller, named)))
        {
            let context = format!("{} as {} in {named:?}", route.key, caller.who);
            let (status, account) = route.expects(caller, named);
            let ask = || caller.sign(request(&client, route, &twins.order_id, named));
            let answer = http::send(ask()).await;
            assert_eq!(answer.status, status, "{context}: {}", answer.json);
            twins.only_of(account, route, &answer, &context);
            if status >= 400 {
                let again = http::send(spoofed(ask())).await;
                assert_eq!(
                    (again.status, again.json),
                    (status, answer.json),
                    "{context}, with another address"
                );
            }
        }
    }))
    .await;
}

/// To whoever may not see it, an order of another account is as unknown as one that is not there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_order_cannot_be_told_from_none() {
    let (callers, client) = (callers().await, http::client());
    let (their_order, missing) = (unique("THEIRS-"), unique("MISSING-"));
    let body = json!({"orderId": their_order, "accountCode": THEIRS, "awb": unique("19")});
    assert_eq!(
        stack().user("admin", "POST", "/api/external/orders", Some(&body)).await.status,
        201
    );
    join_all(ROUTES.iter().filter(|route| route.unknown == 404).map(async |route| {
        for (caller, named) in
            callers.iter().flat_map(|caller| ACCOUNTS.map(|named| (caller, named)))
        {
            if route.expects(caller, named).1 == Some(THEIRS) {
                continue;
            }
            let ask = |order: &str| http::send(caller.sign(request(&client, route, order, named)));
            let (foreign, none) = (ask(&their_order).await, ask(&missing).await);
            let context = format!("{} as {} in {named:?}", route.key, caller.who);
            assert!((401..=422).contains(&foreign.status), "{context}: {}", foreign.json);
            assert_eq!((foreign.status, foreign.json), (none.status, none.json), "{context}");
        }
    }))
    .await;
}

/// A ref means one order within one account: the same AWB in another account is another parcel.
#[tokio::test]
async fn an_awb_of_another_account_is_free() {
    let awb = unique("19");
    for account in [OURS, THEIRS] {
        let body = json!({"orderId": unique("ORD-"), "accountCode": account, "awb": awb});
        let created = stack().user("admin", "POST", "/api/external/orders", Some(&body)).await;
        assert_eq!(created.status, 201, "{}", created.json);
    }
}

#[tokio::test]
async fn an_account_is_named_exactly() {
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

/// In this process, with settings of its own: the deployed source has no list.
#[tokio::test]
async fn an_address_in_a_header_is_on_no_list() {
    const LISTED: &str = "203.0.113.7";
    let (tag, calls) = (unique("it"), Calls::default());
    let settings = json!({"mode": "token", "account": OURS, "allowed_ips": [LISTED]});
    set(&format!("{tag}/sources/shiprocket/settings"), &settings.to_string()).await;
    set(&format!("{tag}/sources/shiprocket/secret"), "canary-secret").await;
    let settings =
        Settings::new(stack().ssm(&calls), format!("/waypost/{tag}"), Duration::from_secs(60));
    let inbound = Inbound::new(stack().events(&calls), stack().queue("events", &calls), settings);
    for (source_ip, status) in [(LISTED, 200), ("203.0.113.8", 403), ("127.0.0.1", 403), ("", 403)]
    {
        let event = json!({
            "version": "2.0", "routeKey": "POST /webhooks/{source}", "rawPath": "/webhooks/carrier",
            "rawQueryString": "", "isBase64Encoded": false,
            "headers": {"x-api-key": "canary-secret", "x-forwarded-for": LISTED, "x-real-ip": LISTED,
                        "forwarded": format!("for={LISTED}"), "content-type": "application/json"},
            "requestContext": {"requestId": tag, "http": {"method": "POST", "path": "/webhooks/carrier",
                               "protocol": "HTTP/1.1", "sourceIp": source_ip, "userAgent": "test"}},
            "body": Parcel::new().report(18, "IN TRANSIT", "09:00:00").to_string(),
        });
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        assert_eq!(inbound.handle(request).await.unwrap().status(), status, "{source_ip}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_and_what_is_no_basic_credential() {
    let partner = &stack().users["partner"];
    let basic = |text: &[u8]| format!("Basic {}", BASE64.encode(text)).into_bytes();
    let good = basic(format!("{}:{}", partner.name, partner.password).as_bytes());
    let lower = [b"basic ", &good[6..]].concat();
    let twice = [&good[..], b",", &good].concat();
    let ask = async |headers: &[&[u8]]| {
        let mut request = http::client().get(stack().url("/api/external/orders?limit=1"));
        for header in headers {
            request = request.header("authorization", *header);
        }
        http::send(request).await
    };
    for (what, header) in [("good", &good), ("lower case", &lower)] {
        assert_eq!(ask(&[header]).await.status, 200, "{what}");
    }
    let with_colons = caller("their partner").await;
    let answer = http::send(
        with_colons.sign(http::client().get(stack().url("/api/external/orders?limit=1"))),
    )
    .await;
    assert_eq!(answer.status, 200, "a password may have colons");

    let none: [(&str, Vec<u8>); 15] = [
        ("empty", Vec::new()),
        ("no credential", b"Basic".to_vec()),
        ("an empty one", b"Basic ".to_vec()),
        ("no base64", b"Basic !!!".to_vec()),
        ("no colon", basic(partner.name.as_bytes())),
        ("no user", basic(format!(":{}", partner.password).as_bytes())),
        ("no password", basic(format!("{}:", partner.name).as_bytes())),
        ("only a colon", basic(b":")),
        ("a longer password", basic(format!("{}:{}:", partner.name, partner.password).as_bytes())),
        ("another spelling", basic(format!("PARTNER:{}", partner.password).as_bytes())),
        ("a path", basic(format!("../users/partner:{}", partner.password).as_bytes())),
        ("no UTF-8 inside", basic(b"partn\xff\xfe:canary-password")),
        ("no UTF-8 outside", b"Basic \xff\xfe".to_vec()),
        ("8 KB", basic(format!("partner:canary-password-{}", "x".repeat(6000)).as_bytes())),
        ("Bearer", [b"Bearer ", &good[6..]].concat()),
    ];
    for (what, header) in &none {
        let answer = ask(&[header]).await;
        assert_eq!(answer.error(), (401, "unauthorized", None), "{what}");
        assert!(answer.headers.contains_key("www-authenticate"), "{what}");
    }
    for (what, headers) in [
        ("two", vec![&good[..], &good]),
        ("one good", vec![b"Basic eDp5", &good]),
        ("a list", vec![&twice]),
    ] {
        assert_eq!(ask(&headers).await.status, 401, "{what}");
    }
}
