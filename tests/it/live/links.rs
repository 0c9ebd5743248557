//! Tickets by the link of an order's tracking page, and the sites that may open sockets.

use domain::page::TrackingLinks;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::new_order;
use crate::support::http::{client, send, with_json};
use crate::support::sockets::Ticket;
use crate::support::{
    Answer, Calls, OURS, Parcel, Stack, THEIRS, put_secret, settings_to_expire, stack, unique,
};

const PAGES: &str = "https://track.example";
const SHOP: &str = "https://shop.example";
const PARAMETER: &str = "local/tracking";

/// The setting of the stack, with the site of a shop.
async fn links() -> &'static TrackingLinks {
    static LINKS: OnceCell<TrackingLinks> = OnceCell::const_new();
    LINKS
        .get_or_init(async || {
            let ssm = stack().ssm(&Calls::default());
            let get = ssm.get_parameter().name(format!("/waypost/{PARAMETER}"));
            let known = get.with_decryption(true).send().await;
            let known = known.ok().and_then(|found| found.parameter?.value);
            let mut setting = match known {
                Some(text) => serde_json::from_str::<Value>(&text).unwrap(),
                None => json!({"keys": ["canary-key-".repeat(4)], "public_url": PAGES}),
            };
            setting["origins"][OURS] = json!([SHOP]);
            put_secret(PARAMETER, &setting.to_string()).await;
            settings_to_expire().await;
            TrackingLinks::parse(&setting.to_string()).unwrap()
        })
        .await
}

pub(super) async fn token_of(parcel: &Parcel) -> String {
    link_of(OURS, parcel).await.split_once("?t=").unwrap().1.to_owned()
}

/// Without credentials.
async fn ask(account: &str, order: &str, token: &str) -> Answer {
    ask_from(None, account, order, token).await
}

async fn ask_from(site: Option<&str>, account: &str, order: &str, token: &str) -> Answer {
    let body = json!({"account_code": account, "order_id": order, "token": token});
    let request = with_json(client().post(stack().url(Stack::TICKET)), Some(&body));
    send(site.into_iter().fold(request, |request, site| request.header("origin", site))).await
}

/// The site whose page may read the answer.
fn reader(answer: &Answer) -> Option<&str> {
    let vary = answer.headers["vary"].to_str().unwrap();
    assert!(vary.split(", ").any(|name| name == "origin"), "{vary}");
    assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    answer.headers.get("access-control-allow-origin").map(|site| site.to_str().unwrap())
}

async fn ticket(parcel: &Parcel) -> Ticket {
    let answer = ask(OURS, &parcel.order_id, &token_of(parcel).await).await;
    assert_eq!(answer.status, 201, "{}", answer.json);
    Ticket::read(&answer.json)
}

#[tokio::test]
async fn a_link_shows_its_order_to_a_page_of_the_shop() {
    let (parcel, other) = (new_order().await, new_order().await);
    let mut socket = ticket(&parcel).await.try_open(Some(SHOP)).await.unwrap();
    let since = json!({&parcel.order_id: 0, &other.order_id: 0});
    let missed = socket.register(Some(since)).await;
    assert_eq!(missed.len(), 1, "{missed:?}");
    stack().webhook(&other.in_transit()).await;
    stack().webhook(&parcel.in_transit()).await;
    let update = socket.next().await;
    assert_eq!((&update["orderId"], &update["version"]), (&json!(parcel.order_id), &json!(2)));
}

#[tokio::test]
async fn refuses_a_site_that_may_not_show_the_order() {
    let parcel = new_order().await;
    links().await;
    for origin in [Some("https://evil.example"), Some("null"), Some("http://shop.example"), None] {
        let opened = ticket(&parcel).await.try_open(origin).await;
        assert_eq!(opened.err(), Some(403), "{origin:?}");
    }
    let scope = json!({"order_id": parcel.order_id});
    for (origin, expected) in [
        (None, None),
        (Some(SHOP), None),
        (Some("https://evil.example"), Some(403)),
        (Some("null"), Some(403)),
    ] {
        let opened = Ticket::of_user("partner", scope.clone()).await.try_open(origin).await;
        assert_eq!(opened.err(), expected, "of a user, {origin:?}");
    }
    let scope = json!({"account_code": THEIRS});
    let opened = Ticket::of_user("admin", scope).await.try_open(Some(SHOP)).await;
    assert_eq!(opened.err(), Some(403), "the site of another account's shop");
}

#[tokio::test]
async fn a_wrong_or_foreign_token_gets_no_ticket() {
    let (parcel, other) = (new_order().await, new_order().await);
    let token = token_of(&parcel).await;
    let nobody = unique("ORD-of-nobody-");
    for (account, order, token) in [
        (OURS, &*other.order_id, &*token),
        (THEIRS, &parcel.order_id, &token),
        (OURS, &nobody, &token),
        (OURS, &parcel.order_id, "canary"),
        (OURS, &parcel.order_id, ""),
        (OURS, &parcel.order_id, &format!("{token}A")),
    ] {
        let answer = ask(account, order, token).await;
        assert_eq!(answer.error(), (401, "unauthorized", None), "{order} {token}");
    }
    assert_eq!(ask(OURS, &parcel.order_id, &token).await.status, 201);
}

#[tokio::test]
async fn a_link_gets_few_tickets_a_minute() {
    let parcel = new_order().await;
    let token = token_of(&parcel).await;
    let mut answers = Vec::new();
    // The minute may end meanwhile.
    for _ in 0..22 {
        answers.push(ask(OURS, &parcel.order_id, &token).await);
    }
    let refused = answers.iter().find(|answer| answer.status == 429).expect("too many");
    assert_eq!(refused.error(), (429, "too_many_requests", None));
    let wait: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert!(answers[..10].iter().all(|answer| answer.status == 201));
}

const EVIL: &str = "https://evil.example";

#[tokio::test]
async fn a_page_of_another_site_gets_no_ticket() {
    let parcel = new_order().await;
    let token = token_of(&parcel).await;
    for (site, expected) in [(SHOP, Some(SHOP)), (EVIL, None), ("null", None)] {
        let preflight = client().request(Method::OPTIONS, stack().url(Stack::TICKET));
        let preflight = send(preflight.header("origin", site)).await;
        assert_eq!((preflight.status, reader(&preflight)), (204, expected));
        let made = ask_from(Some(site), OURS, &parcel.order_id, &token).await;
        assert_eq!((made.status, reader(&made)), (201, expected));
        let refused = ask_from(Some(site), OURS, &parcel.order_id, "canary").await;
        assert_eq!((refused.status, reader(&refused)), (401, expected));
    }
}

#[tokio::test]
async fn a_page_of_another_site_joins_no_channel() {
    links().await;
    for (site, expected) in [(SHOP, Some(SHOP)), (EVIL, None)] {
        let request = client().post(stack().url("/api/realtime/pusher-auth"));
        let form = "socket_id=1.2&channel_name=private-shipments&token=canary";
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = send(request.header("origin", site).body(form)).await;
        assert!(answer.status >= 400);
        assert_eq!(reader(&answer), expected);
    }
}

#[tokio::test]
async fn a_page_of_the_shop_may_show_its_own_orders_only() {
    let (parcel, foreign) = (new_order().await, Parcel::new());
    stack().create_order_in(THEIRS, &json!({"orderId": foreign.order_id})).await;
    let ours = format!("{}&embed=full", link_of(OURS, &parcel).await);
    let theirs = format!("{}&embed=full", link_of(THEIRS, &foreign).await);
    for (url, site, status, expected) in [
        (ours.clone(), SHOP, 200, Some(SHOP)),
        (ours.clone(), EVIL, 200, None),
        (theirs, SHOP, 200, None),
        (ours.replace("?t=", "?t=canary"), SHOP, 404, Some(SHOP)),
        (ours.replace("?t=", "?t=canary"), EVIL, 404, None),
    ] {
        let answer = send(client().get(&url).header("origin", site)).await;
        assert_eq!((answer.status, reader(&answer)), (status, expected), "{url} {site}");
        assert!(answer.json.as_str().unwrap().starts_with("<div class=\"tracker\""));
    }
    let page = send(client().get(ours.replace("&embed=full", "")).header("origin", SHOP)).await;
    assert!(!page.headers.contains_key("access-control-allow-origin"), "a page is for nobody else");
}

async fn link_of(account: &str, parcel: &Parcel) -> String {
    let key = serde_json::from_value(json!({"account": account, "order": parcel.order_id}));
    let order = stack().orders(&Calls::default()).load(&key.unwrap()).await.unwrap();
    links().await.of(&order.unwrap())
}
