//! Inbound webhooks: authentication, limits, storage and the match with an order.

use aws::tables::inbound::{EventState, InboundEvent};
use domain::core::hash::Fingerprint;
use domain::core::id::EventId;
use reqwest::Method;
use serde_json::json;

use crate::support::{
    Answer, Calls, Parcel, body_event_id, eventually, http, put_secret, sample, stack, unique,
};

async fn load(id: &EventId) -> Option<InboundEvent> {
    stack().events(&Calls::default()).load(id).await.unwrap()
}

fn event_id(answer: &Answer) -> EventId {
    EventId::parse(&answer.event_id()).unwrap()
}

/// Waits until the event of a webhook is settled.
async fn settled_state(answer: &Answer) -> EventState {
    let id = event_id(answer);
    eventually("the event to be settled", async || {
        Some(load(&id).await?.state).filter(|state| state.is_settled())
    })
    .await
}

#[tokio::test]
async fn ignores_the_test_ping_of_the_shiprocket_panel() {
    let mut ping = sample("shiprocket/test_ping");
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    ping["awb"] = json!(parcel.awb.parse::<u64>().unwrap());
    let answer = stack().webhook(&ping).await;
    assert_eq!(answer.status, 200);
    assert_eq!(settled_state(&answer).await, EventState::Ignored);
    let order = stack().order(&parcel.order_id).await;
    assert_eq!((&order["status"], &order["timeline"]), (&json!("pending"), &json!([])));
}

#[tokio::test]
async fn rejects_a_wrong_token_without_storing_the_event() {
    let body = Parcel::new().report(18, "IN TRANSIT", "11:43:52").to_string().into_bytes();
    let good = stack().shiprocket_token();
    for token in ["", "canary-key", &good[1..], &format!("{good}x"), &format!("{good},bad")] {
        let answer = stack().raw_webhook(token, body.clone()).await;
        assert_eq!(answer.error(), (401, "unauthorized", None), "{token}");
    }
    let unsigned = http::client()
        .post(stack().url(&format!("/webhooks/carrier?x-api-key={good}")))
        .body(body.clone());
    assert_eq!(http::send(unsigned).await.status, 401);
    assert!(load(&body_event_id("shiprocket", &body)).await.is_none());
}

/// Shiprocket's panel probes a URL before it saves it.
#[tokio::test]
async fn answers_probes_of_the_carrier_paths_without_storing_them() {
    let (token, account) = (stack().shiprocket_token(), "STORE001");
    for path in ["/webhooks/carrier", "/webhooks/carrier/no-hook", "/api/webhooks/shiprocket"] {
        for method in [Method::GET, Method::HEAD, Method::POST] {
            for token in [None, Some("canary-key"), Some(token)] {
                let request = http::client().request(method.clone(), stack().url(path));
                let headers = token.map(|token| ("x-api-key", token)).into_iter();
                let request =
                    headers.fold(request, |request, (name, value)| request.header(name, value));
                let answer = http::send_undocumented(request).await;
                assert_eq!((answer.status, &answer.json), (200, &json!("")), "{method} {path}");
            }
        }
        let unsigned = http::client().post(stack().url(path)).body("{}");
        assert_eq!(http::send_undocumented(unsigned).await.status, 401, "{path}");
    }
    let id = Fingerprint::of("event").with("shiprocket").with(account).with(b"").into();
    assert!(load(&id).await.is_none());
}

#[tokio::test]
async fn finds_an_order_by_its_id_as_senders_spell_it() {
    let number = unique("");
    let spellings = [
        (format!("#1{number}"), format!("1{number}")),
        (format!("2{number}"), format!("#2{number}")),
        (format!("ORD-3{number}"), format!("ORD-3{number}_740007001")),
        (format!("#4{number}"), format!("4{number}_740007001")),
    ];
    let body = |reported: &str| {
        let mut body = Parcel::new().in_transit();
        body["order_id"] = json!(reported);
        body
    };
    for (own, reported) in &spellings {
        stack().create_order(&json!({"orderId": own})).await;
        assert_eq!(stack().webhook(&body(reported)).await.status, 200);
    }
    for (own, reported) in &spellings {
        let order = stack().order_with_entries(&own.replace('#', "%23"), 1).await;
        assert_eq!(order["status"], "in_transit", "{reported}");
    }
}

#[tokio::test]
async fn applies_a_parked_report_to_an_order_spelled_otherwise() {
    let own = unique("#");
    let mut body = Parcel::new().in_transit();
    body["order_id"] = json!(format!("{}_740007001", &own[1..]));
    let answer = stack().webhook(&body).await;
    assert_eq!(settled_state(&answer).await, EventState::Unmatched);
    stack().create_order(&json!({"orderId": own})).await;
    let order = stack().order_with_entries(&own.replace('#', "%23"), 1).await;
    assert_eq!(order["status"], "in_transit");
}

#[tokio::test]
async fn leaves_a_report_unmatched_if_its_order_is_ambiguous() {
    let number = unique("");
    for own in [format!("#{number}"), number.clone()] {
        stack().create_order(&json!({"orderId": own})).await;
    }
    let mut body = Parcel::new().in_transit();
    body["order_id"] = json!(format!("{number}_740007001"));
    let answer = stack().webhook(&body).await;
    assert_eq!(settled_state(&answer).await, EventState::Unmatched);
    // The exact spelling decides.
    body["order_id"] = json!(number);
    assert_eq!(stack().webhook(&body).await.status, 200);
    stack().order_with_entries(&number, 1).await;
}

#[tokio::test]
async fn rejects_an_unreadable_body_and_stores_it() {
    let token = stack().shiprocket_token();
    let no_ids = json!({"note": unique("canary-body ")}).to_string();
    let broken = format!("{{\"awb\":\"{}\"", unique("canary-body"));
    for body in [no_ids, broken] {
        for _twice in 0..2 {
            let answer = stack().raw_webhook(token, body.clone().into_bytes()).await;
            assert_eq!((answer.status, answer.error().1), (400, "malformed"), "{}", answer.json);
        }
        let event = load(&body_event_id("shiprocket", &body)).await.unwrap();
        assert_eq!((event.state, event.body), (EventState::Failed, body.into_bytes()));
        assert!(event.reason.is_some());
    }
}

#[tokio::test]
async fn rejects_large_bodies_and_unknown_sources() {
    let token = stack().shiprocket_token();
    let large = stack().raw_webhook(token, vec![b' '; 1024 * 1024 + 1]).await;
    assert_eq!(large.error(), (413, "too_large", None));
    let unknown =
        http::client().post(stack().url("/webhooks/unknown")).header("x-api-key", token).body("{}");
    assert_eq!(http::send(unknown).await.error(), (404, "not_found", None));
    let health = http::send(http::client().get(stack().url("/webhooks/health"))).await;
    assert_eq!(
        (&health.json["status"], &health.json["server"]),
        (&json!("healthy"), &json!("waypost"))
    );
}

/// A row has room for 300 KB of compressed body.
#[tokio::test]
async fn stores_a_large_body_completely() {
    let mut body = Parcel::new().report(18, "IN TRANSIT", "11:43:52");
    // Digests do not compress.
    let noise = (0..30_000).map(|n: u32| Fingerprint::of("noise").with(n.to_be_bytes()).finish());
    body["pod"] = json!(noise.collect::<String>());
    let answer = stack().webhook(&body).await;
    assert_eq!((answer.status, settled_state(&answer).await), (200, EventState::Unmatched));
    assert_eq!(load(&event_id(&answer)).await.unwrap().body, body.to_string().into_bytes());
}

#[tokio::test]
async fn accepts_the_legacy_path() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let request = http::client().post(stack().url("/api/webhooks/shiprocket"));
    let request = request.header("x-api-key", stack().shiprocket_token());
    let body = parcel.report(42, "PICKED UP", "08:00:00");
    assert_eq!(http::send(http::with_json(request, Some(&body))).await.status, 200);
    let order = stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!(order["status"], "picked_up");
}

#[tokio::test]
async fn applies_a_parked_report_after_the_order_is_created() {
    let parcel = Parcel::new();
    let answer = stack().webhook(&parcel.in_transit_by_awb()).await;
    assert_eq!((answer.status, settled_state(&answer).await), (200, EventState::Unmatched));

    stack().create_order(&parcel.order()).await;
    let order = stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!((&order["status"], &order["version"]), (&json!("in_transit"), &json!(2)));
    assert_eq!(stack().received_at_least(&parcel.order_id, 3).await.len(), 3);
    let id = event_id(&answer);
    eventually("the event to be processed", async || {
        (load(&id).await?.state == EventState::Processed).then_some(())
    })
    .await;
}

#[tokio::test]
async fn applies_a_parked_report_after_the_awb_is_patched_in() {
    let parcel = Parcel::new();
    let answer = stack().webhook(&parcel.in_transit_by_awb()).await;
    assert_eq!(settled_state(&answer).await, EventState::Unmatched);

    let mut bare = parcel.order();
    bare.as_object_mut().unwrap().remove("awb");
    stack().create_order(&bare).await;
    let path = format!("/api/external/orders/{}", parcel.order_id);
    let patched = stack().vendor("PATCH", &path, Some(&json!({"awb": parcel.awb}))).await;
    assert_eq!((patched.status, &patched.json["awb"]), (200, &json!(parcel.awb)));
    let order = stack().order_with_entries(&parcel.order_id, 2).await;
    assert_eq!(order["status"], "in_transit");
    assert_eq!(stack().received_at_least(&parcel.order_id, 3).await.len(), 3);
}

#[tokio::test]
async fn matches_a_report_by_any_ref_of_the_order() {
    for (name, value) in
        [("order_id", json!(null)), ("sr_order_id", json!(null)), ("awb", json!(""))]
    {
        let parcel = Parcel::new();
        let sr_order_id: u64 = unique("").parse().unwrap();
        let mut order = parcel.order();
        order["refs"] = json!({"shiprocket": sr_order_id});
        stack().create_order(&order).await;
        let mut body = parcel.report(18, "IN TRANSIT", "11:43:52");
        body["sr_order_id"] = json!(sr_order_id);
        body[name] = value;
        assert_eq!(stack().webhook(&body).await.status, 200);
        assert_eq!(
            stack().order_with_entries(&parcel.order_id, 1).await["status"],
            "in_transit",
            "without {name}"
        );
    }
}

#[tokio::test]
async fn records_an_unknown_status_without_applying_it() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let mut body = parcel.report(999, "BEAMED UP", "11:43:52");
    body["current_status_id"] = json!(null);
    stack().webhook(&body).await;
    let order = stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!((&order["status"], &order["version"]), (&json!("pending"), &json!(1)));
    let entry = &order["timeline"][0];
    assert_eq!(
        (&entry["sourceStatus"], &entry["reason"]),
        (&json!("BEAMED UP"), &json!("unknown"))
    );
}

#[tokio::test]
async fn takes_the_account_from_the_hook() {
    // Two accounts have an order with this id.
    let (parcel, account) = (Parcel::new(), unique("ACC-"));
    stack().create_order(&parcel.order()).await;
    stack().create_order_in(&account, &parcel.order()).await;

    let (id, secret) = (unique("h"), unique("own-secret-"));
    let hook = json!({"account": account, "secret": secret}).to_string();
    put_secret(&format!("local/sources/shiprocket/hooks/{id}"), &hook).await;

    let body = parcel.report(12, "LOST", "08:00:00");
    let send = async |token: &str| {
        let request = http::client()
            .post(stack().url(&format!("/webhooks/carrier/{id}")))
            .header("x-api-key", token);
        http::send(http::with_json(request, Some(&body))).await
    };
    eventually("the hook to be accepted", async || {
        (send(&secret).await.status == 200).then_some(())
    })
    .await;
    assert_eq!(send(stack().shiprocket_token()).await.status, 401);
    let path = format!("/api/external/orders/{}?accountCode={account}", parcel.order_id);
    eventually("the other account's order to be lost", async || {
        let order = stack().user("admin", "GET", &path, None).await.json;
        (order["status"] == "lost").then_some(())
    })
    .await;
    assert_eq!(stack().order(&parcel.order_id).await["status"], "pending");
}
