//! Authentication: Basic auth, vendor secrets and the address allow list.

use aws::tracking_links::OrderLinks;
use data_encoding::BASE64;
use orders::OrdersApi;
use serde_json::json;

use crate::support::{Answer, Calls, OURS, Parcel, api_request, caller, http, stack, unique};

const ORDERS: &str = "/api/external/orders";

#[tokio::test]
async fn rejects_missing_and_wrong_credentials() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let path = format!("{ORDERS}/{}", parcel.order_id);
    let get = || http::client().get(stack().url(&path));
    let partner = &stack().users["partner"];
    for request in [
        get(),
        get().basic_auth(&partner.name, Some("canary-password")),
        get().basic_auth("nobody", Some(&partner.password)),
        get().basic_auth("../vendors/demo", Some("x")),
        get().header("authorization", "Basic !!!"),
        get().header("authorization", "Bearer x"),
        get().header("x-vendor-server-secret", ""),
        // A correct password does not make up for a wrong secret.
        get()
            .header("x-vendor-server-secret", "canary-secret")
            .basic_auth(&partner.name, Some(&partner.password)),
    ] {
        let answer = http::send(request).await.of_first_failure();
        assert_eq!(answer.error(), (401, "unauthorized", None));
        assert!(!answer.headers.contains_key("www-authenticate"), "browsers would ask");
    }
}

#[tokio::test]
async fn a_session_stands_for_its_user() {
    let open = |request: reqwest::RequestBuilder| http::send(request);
    let post = || http::client().post(stack().url("/api/session"));
    let viewer = &stack().users["viewer"];
    let opened = open(post().basic_auth(&viewer.name, Some(&viewer.password))).await;
    assert_eq!((opened.status, &opened.json["role"]), (200, &json!("viewer")), "{}", opened.json);
    let token = opened.json["token"].as_str().unwrap();

    let get = |path: &str| http::client().get(stack().url(path)).bearer_auth(token);
    assert_eq!(http::send(get("/api/deliveries")).await.status, 200);
    assert_eq!(http::send(get("/api/queues")).await.status, 403, "a viewer may not see queues");
    assert_eq!(http::send(get(ORDERS)).await.status, 403, "nor orders");
    let renewed = open(post().bearer_auth(token)).await;
    assert_eq!((renewed.status, &renewed.json["user"]), (200, &json!(viewer.name)));

    let forged = token.replacen(&format!("v1.{}.", viewer.name), "v1.admin.", 1);
    let forged = http::client().get(stack().url("/api/queues")).bearer_auth(forged);
    assert_eq!(http::send(forged).await.of_first_failure().status, 401);
    let vendor = post().header("x-vendor-server-secret", stack().vendor_secret.as_str());
    assert_eq!(open(vendor).await.status, 403);
}

/// Called directly, with its own settings: the deployed source has no allow list.
#[tokio::test]
async fn ignores_forwarding_headers_in_the_allow_list_check() {
    const LISTED: &str = "203.0.113.7";
    let settings = json!({"mode": "token", "account": OURS, "allowed_ips": [LISTED]});
    let parameters = [
        ("sources/shiprocket/settings", settings.to_string()),
        ("sources/shiprocket/secret", "canary-secret".to_owned()),
    ];
    let parameters = parameters.each_ref().map(|(name, value)| (*name, value.as_str()));
    let inbound = stack().installation(&parameters).await;
    let forwarded = format!("for={LISTED}");
    let headers = [
        ("x-api-key", "canary-secret"),
        ("x-forwarded-for", LISTED),
        ("x-real-ip", LISTED),
        ("forwarded", &forwarded),
        ("content-type", "application/json"),
    ];
    for (source_ip, status) in [(LISTED, 200), ("203.0.113.8", 403), ("127.0.0.1", 403), ("", 403)]
    {
        let body = Parcel::new().in_transit().to_string();
        let (route, path) = ("POST /webhooks/{source}", "/webhooks/carrier");
        let request = api_request(route, path, &headers, source_ip, Some(&body));
        assert_eq!(inbound.handle(request).await.unwrap().status(), status, "{source_ip}");
    }
}

async fn list_orders(authorization: &[&[u8]]) -> Answer {
    let request = http::client().get(stack().url("/api/external/orders?limit=1"));
    let headers = authorization.iter();
    let request = headers.fold(request, |request, value| request.header("authorization", *value));
    http::send(request).await.of_first_failure()
}

fn basic(credentials: &[u8]) -> Vec<u8> {
    format!("Basic {}", BASE64.encode(credentials)).into_bytes()
}

fn partner_credentials() -> Vec<u8> {
    let partner = &stack().users["partner"];
    basic(format!("{}:{}", partner.name, partner.password).as_bytes())
}

#[tokio::test]
async fn accepts_well_formed_basic_credentials() {
    let good = partner_credentials();
    let lower_case = [b"basic ", &good[6..]].concat();
    for (case, header) in [("good", &good), ("lower case", &lower_case)] {
        assert_eq!(list_orders(&[header]).await.status, 200, "{case}");
    }
    let with_colons = caller("their partner").await;
    let list = http::client().get(stack().url("/api/external/orders?limit=1"));
    let answer = http::send(with_colons.sign(list)).await;
    assert_eq!(answer.status, 200, "a password may have colons");
}

#[tokio::test]
async fn rejects_malformed_and_repeated_basic_credentials() {
    let partner = &stack().users["partner"];
    let good = partner_credentials();
    let invalid: [(&str, Vec<u8>); 16] = [
        ("empty", Vec::new()),
        ("no credential", b"Basic".to_vec()),
        ("empty credential", b"Basic ".to_vec()),
        ("not base64", b"Basic !!!".to_vec()),
        ("no colon", basic(partner.name.as_bytes())),
        ("no user", basic(format!(":{}", partner.password).as_bytes())),
        ("no password", basic(format!("{}:", partner.name).as_bytes())),
        ("only a colon", basic(b":")),
        (
            "a short password",
            basic(format!("{}:{}", partner.name, &partner.password[..19]).as_bytes()),
        ),
        ("a longer password", basic(format!("{}:{}:", partner.name, partner.password).as_bytes())),
        ("wrong case", basic(format!("PARTNER:{}", partner.password).as_bytes())),
        ("a path", basic(format!("../users/partner:{}", partner.password).as_bytes())),
        ("not UTF-8 inside", basic(b"partn\xff\xfe:canary-password")),
        ("not UTF-8 outside", b"Basic \xff\xfe".to_vec()),
        ("8 KB", basic(format!("partner:canary-password-{}", "x".repeat(6000)).as_bytes())),
        ("Bearer", [b"Bearer ", &good[6..]].concat()),
    ];
    for (case, header) in &invalid {
        let answer = list_orders(&[header]).await;
        assert_eq!(answer.error(), (401, "unauthorized", None), "{case}");
        assert!(!answer.headers.contains_key("www-authenticate"), "{case}");
    }
    let comma_separated = [&good[..], b",", &good].concat();
    for (case, headers) in [
        ("two headers", vec![&good[..], &good]),
        ("second good", vec![b"Basic eDp5", &good]),
        ("a list", vec![&comma_separated]),
    ] {
        assert_eq!(list_orders(&headers).await.status, 401, "{case}");
    }
}

/// The function `orders`, called directly: on the stack all requests come from one address.
struct DirectOrders {
    function: OrdersApi,
    calls: Calls,
}

impl DirectOrders {
    fn new() -> Self {
        let (own, calls) = (Calls::default(), Calls::default());
        let queue = stack().queue("events", &own);
        let callers = stack().callers(&calls);
        let (orders, events) = (stack().orders(&own), stack().events(&own));
        let links = OrderLinks::new(stack().settings(&own));
        let function = OrdersApi::new(orders, events, queue, callers, stack().audit(), links);
        Self { function, calls }
    }

    /// Status, `Retry-After`, and the writes that the request made.
    async fn list(&self, credentials: (&str, &str), address: &str) -> (u16, Option<u64>, usize) {
        let (name, value) = credentials;
        let before = self.writes();
        let request =
            api_request("GET /api/external/orders", ORDERS, &[(name, value)], address, None);
        let answer = self.function.handle(request).await.unwrap();
        let wait =
            answer.headers().get("retry-after").map(|it| it.to_str().unwrap().parse().unwrap());
        (answer.status().as_u16(), wait, self.writes() - before)
    }

    fn writes(&self) -> usize {
        self.calls.names().iter().filter(|name| *name == "dynamodb:UpdateItem").count()
    }

    /// Fails until the answer is 429; how often it was 401 before.
    async fn fail(
        &self,
        credentials: impl Fn(usize) -> (&'static str, String),
        address: &str,
    ) -> usize {
        for failures in 0..=2 * 100 {
            let (name, value) = credentials(failures);
            let (status, wait, writes) = self.list((name, &value), address).await;
            assert_eq!(writes, 1);
            if status == 429 {
                assert!((1..=900).contains(&wait.unwrap()), "{wait:?}");
                return failures;
            }
            assert_eq!((status, wait), (401, None));
        }
        panic!("{address} may fail without end");
    }
}

/// An address of this run's own.
fn address() -> String {
    let number: u64 = unique("").parse().unwrap();
    format!("2001:db8:{:x}:{:x}::1", number % 0x1_0000, number / 0x1_0000 % 0x1_0000)
}

fn wrong(user: &str) -> String {
    String::from_utf8(basic(format!("{user}:canary-password-of-20-bytes").as_bytes())).unwrap()
}

#[tokio::test]
async fn refuses_repeated_failures_of_a_user_at_an_address() {
    let (orders, address) = (DirectOrders::new(), address());
    let user = unique("it-guessed-");
    let failures = orders.fail(|_| ("authorization", wrong(&user)), &address).await;
    assert!((10..=20).contains(&failures), "{failures}, one window or two");
    // The owner of the network has its other addresses too.
    let neighbour = address.replace("::1", "::2:2");
    let guess = wrong(&user);
    assert_eq!(orders.list(("authorization", &guess), &neighbour).await.0, 429);
    // Neither another user nor another address is affected, nor the right password.
    let other = wrong(&unique("it-other-"));
    assert_eq!(orders.list(("authorization", &other), &address).await.0, 401);
    assert_eq!(orders.list(("authorization", &guess), &self::address()).await.0, 401);
    let secret = [("x-vendor-server-secret", "canary-secret")];
    assert_eq!(orders.list(secret[0], &address).await.0, 401);
    let good = String::from_utf8(partner_credentials()).unwrap();
    assert_eq!(orders.list(("authorization", &good), &address).await, (200, None, 0));
    assert_eq!(orders.list(("x-no", "credentials"), &address).await, (401, None, 0));
}

#[tokio::test]
async fn refuses_repeated_failures_of_an_address() {
    let (orders, address) = (DirectOrders::new(), address());
    let users = unique("it-sprayed-");
    let guess = |failures| ("authorization", wrong(&format!("{users}{failures}")));
    let failures = orders.fail(guess, &address).await;
    assert!((100..=200).contains(&failures), "{failures}, one window or two");
    assert_eq!(orders.list(("authorization", "Bearer x"), &address).await.0, 429);
    assert_eq!(orders.list(("x-vendor-server-secret", "canary-secret"), &address).await.0, 429);
    let secret = stack().vendor_secret.as_str();
    assert_eq!(orders.list(("x-vendor-server-secret", secret), &address).await, (200, None, 0));
}

#[tokio::test]
async fn refuses_repeated_failures_of_a_secret() {
    let (orders, address) = (DirectOrders::new(), address());
    let guess = |failures| ("x-vendor-server-secret", format!("canary-secret-{failures}"));
    let failures = orders.fail(guess, &address).await;
    assert!((10..=20).contains(&failures), "{failures}, one window or two");
}
