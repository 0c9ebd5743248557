//! The tracking page through the front door: who sees an order, and what they see of it.

use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::page::TokenKeys;
use reqwest::Url;
use serde_json::{Value, json};

use crate::support::messages::{link, track};
use crate::support::{Answer, Calls, OURS, Parcel, THEIRS, eventually, http, stack, unique};

/// The link of an order of the demo account.
async fn link_of(order_id: &str) -> Url {
    let order = stack().order(order_id).await;
    Url::parse(order["trackingUrl"].as_str().unwrap()).unwrap()
}

async fn open(url: &Url) -> Answer {
    http::send(http::client().get(url.clone())).await
}

fn html(answer: &Answer) -> &str {
    answer.json.as_str().unwrap()
}

/// The page once it has this text.
async fn page_with(url: &Url, text: &str) -> String {
    eventually(&format!("a page with {text}"), async || {
        let answer = open(url).await;
        let html = html(&answer);
        html.contains(text).then(|| html.to_owned())
    })
    .await
}

/// A page of another order, account or token.
fn altered(url: &Url, change: impl Fn(&mut Vec<String>, &mut String)) -> Url {
    let mut path: Vec<String> = url.path_segments().unwrap().map(str::to_owned).collect();
    let mut token = url.query_pairs().find(|(name, _)| name == "t").unwrap().1.into_owned();
    change(&mut path, &mut token);
    let mut other = url.clone();
    other.path_segments_mut().unwrap().clear().extend(path);
    other.query_pairs_mut().clear().append_pair("t", &token);
    other
}

async fn tracking_setting() -> Value {
    let ssm = stack().ssm(&Calls::default());
    let read = ssm.get_parameter().name("/waypost/local/tracking").with_decryption(true);
    let found = read.send().await.unwrap();
    serde_json::from_str(found.parameter().unwrap().value().unwrap()).unwrap()
}

#[tokio::test]
async fn shows_an_order_to_its_shopper() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let url = link_of(&parcel.order_id).await;
    let html = page_with(&url, "Order received").await;
    assert!(html.contains(&format!("Order {}", parcel.order_id)), "{html}");
    assert!(html.contains("canary-name-Asha") && html.contains("4 items"), "{html}");

    stack().webhook(&parcel.report(17, "OUT FOR DELIVERY", "09:10:00")).await;
    stack().webhook(&parcel.report(18, "IN TRANSIT", "08:00:00")).await;
    let html = page_with(&url, "Out for delivery</h1>").await;
    let html = if html.contains("On its way</p>") {
        html
    } else {
        page_with(&url, "On its way</p>").await
    };
    for shown in ["Delhivery", &parcel.awb, "Sampleville_H (Maharashtra)", "09:10", "Asia/Kolkata"]
    {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    for hidden in ["canary-phone", "canary-name-Rao", "canary-address", "canary-body"] {
        assert!(!html.contains(hidden), "{hidden}: {html}");
    }
}

#[tokio::test]
async fn shows_how_far_messages_are() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    track(&parcel.order_id, "sent").await;
    link(&parcel.order_id, &unique("wamid."), "read").await;
    let answer = open(&link_of(&parcel.order_id).await).await;
    let html = html(&answer);
    assert!(html.contains("Sent</span>") && html.contains("Read</span>"), "{html}");
}

/// Strangers cannot tell an order that exists from one that does not.
#[tokio::test]
async fn a_wrong_link_and_an_unknown_order_look_the_same() {
    let (own, other) = (Parcel::new(), Parcel::new());
    for parcel in [&own, &other] {
        stack().create_order(&parcel.order()).await;
    }
    stack().create_order_in(THEIRS, &json!({"orderId": own.order_id})).await;
    let url = link_of(&own.order_id).await;
    let last = url.path_segments().unwrap().count() - 1;
    let set = |at: usize, text: &str| {
        let text = text.to_owned();
        altered(&url, move |path, _| path[at].clone_from(&text))
    };
    let canary = "20999-canarytokencanarytoken";
    let links = [
        set(last, &other.order_id),
        set(last, &unique("nobody-")),
        set(last - 1, THEIRS),
        set(last - 1, &unique("NOACCOUNT-")),
        altered(&url, |_, token| token.clear()),
        altered(&url, |_, token| canary.clone_into(token)),
        altered(&url, |_, token| token.insert(0, '1')),
        altered(&url, |_, token| token.push('A')),
    ];
    let known = open(&links[0]).await;
    assert_eq!(known.status, 404);
    assert!(html(&known).contains("This link does not work"));
    // The switch of languages repeats the token.
    let plain = |answer: &Answer| {
        let html = html(answer);
        html.split("?t=")
            .map(|part| part.split_once("&amp;lang").map_or(part, |it| it.1))
            .collect::<String>()
    };
    for link in &links {
        let answer = open(link).await;
        assert_eq!((answer.status, plain(&answer)), (404, plain(&known)), "{link}");
        assert_eq!(
            answer.headers["content-security-policy"],
            known.headers["content-security-policy"]
        );
    }
    assert_eq!(open(&url).await.status, 200, "the link itself works");
}

#[tokio::test]
async fn an_expired_link_says_so_to_its_holder() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let setting = tracking_setting().await;
    let keys = TokenKeys::new([setting["keys"][0].as_str().unwrap()]).unwrap();
    let order = OrderKey {
        account: AccountCode::parse(OURS).unwrap(),
        order: OrderId::parse(&parcel.order_id).unwrap(),
    };
    let url = link_of(&parcel.order_id).await;
    let expired = altered(&url, |_, token| *token = keys.sign(&order, 20_000));
    let answer = open(&expired).await;
    assert_eq!(answer.status, 410);
    let html = html(&answer);
    assert!(html.contains("This link has expired") && html.contains("Contact the shop"), "{html}");
    assert!(!html.contains(&parcel.order_id), "{html}");
}

#[tokio::test]
async fn speaks_the_readers_language() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let mut url = link_of(&parcel.order_id).await;
    let request = http::client().get(url.clone()).header("accept-language", "ta-IN,en;q=0.5");
    let answer = http::send(request).await;
    assert!(html(&answer).contains("ஆர்டர் கிடைத்தது"), "{}", html(&answer));
    assert_eq!(answer.headers["content-language"], "ta");
    url.query_pairs_mut().append_pair("lang", "hi").append_pair("fbclid", "x");
    let request = http::client().get(url).header("accept-language", "ta-IN");
    assert!(html(&http::send(request).await).contains("ऑर्डर मिल गया"));
}

#[tokio::test]
async fn markup_in_every_field_stays_text() {
    const EVIL: &str = "<script>alert(1)<";
    let parcel = Parcel::new();
    let mut order = parcel.order();
    order["carrierName"] = json!(format!("{EVIL} carrier"));
    order["customer"]["firstName"] = json!(format!("{EVIL} name"));
    stack().create_order(&order).await;
    let mut report = parcel.report(21, "UNDELIVERED", "09:10:00");
    report["scans"][0]["activity"] = json!(format!("{EVIL} activity"));
    report["scans"][0]["location"] = json!(format!("{EVIL} place"));
    report["shipment_status"] = json!(format!("{EVIL} status"));
    report["undelivered_reason"] = json!(format!("{EVIL} reason"));
    stack().webhook(&report).await;
    let html = page_with(&link_of(&parcel.order_id).await, "activity").await;
    assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"), "{html}");
}

#[tokio::test]
async fn loads_its_script_and_nothing_else() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let url = link_of(&parcel.order_id).await;
    let answer = open(&url).await;
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'sha256-"));
    assert_eq!(answer.headers["referrer-policy"], "no-referrer");
    assert_eq!(answer.headers["cache-control"], "private, no-store");
    let script = html(&answer).split("<script src=\"").nth(1).unwrap();
    let script = url.join(script.split('"').next().unwrap()).unwrap();
    let answer = open(&script).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(open(&url.join("../../assets/other.js").unwrap()).await.status, 404);
}
