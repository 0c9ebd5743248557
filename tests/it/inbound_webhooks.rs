//! What `inbound` takes, refuses and keeps.

use aws::tables::inbound::{EventState, InboundEvent};
use domain::core::hash::Fingerprint;
use domain::core::id::EventId;
use serde_json::{Value, json};

use crate::main_way::Parcel;
use crate::support::{Calls, eventually, http, stack, unique};

fn event_id(body: &[u8]) -> EventId {
    Fingerprint::of("event").with("shiprocket").with("STORE001").with(body).into()
}

async fn event(id: &EventId) -> Option<InboundEvent> {
    stack().events(&Calls::default()).load(id).await.unwrap()
}

async fn settled(answer: &Value) -> EventState {
    let id = EventId::parse(answer["event_id"].as_str().unwrap()).unwrap();
    eventually("a settled event", async || {
        Some(event(&id).await?.state).filter(|state| state.is_settled())
    })
    .await
}

fn sample(name: &str) -> Value {
    let file = format!("{}/../events/shiprocket/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[tokio::test]
async fn the_panels_test_ping_is_answered_and_not_applied() {
    let mut ping = sample("test_ping");
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    ping["awb"] = json!(parcel.awb.parse::<u64>().unwrap());
    let answer = stack().webhook(&ping).await;
    assert_eq!(answer.status, 200);
    assert_eq!(settled(&answer.json).await, EventState::Ignored);
    let order = stack().order(&parcel.order_id).await;
    assert_eq!((&order["status"], &order["timeline"]), (&json!("pending"), &json!([])));
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_nothing_is_kept() {
    let body = Parcel::new().report(18, "IN TRANSIT", "11:43:52").to_string().into_bytes();
    let good = &stack().sources["shiprocket"]["api_key"];
    for key in ["", "canary-key", &good[1..], &format!("{good}x"), &format!("{good},bad")] {
        let answer = stack().raw_webhook(key, body.clone()).await;
        assert_eq!(answer.error(), (401, "unauthorized", None), "{key}");
    }
    let unsigned = http::client()
        .post(stack().url(&format!("/webhooks/carrier?x-api-key={good}")))
        .body(body.clone());
    assert_eq!(http::send(unsigned).await.status, 401);
    assert!(event(&event_id(&body)).await.is_none());
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_answered_400_and_kept() {
    let key = &stack().sources["shiprocket"]["api_key"];
    let no_ids = json!({"note": unique("canary-body ")}).to_string();
    let broken = format!("{{\"awb\":\"{}\"", unique("canary-body"));
    for body in [no_ids, broken] {
        for _twice in 0..2 {
            let answer = stack().raw_webhook(key, body.clone().into_bytes()).await;
            assert_eq!((answer.status, answer.error().1), (400, "malformed"), "{}", answer.json);
        }
        let kept = event(&event_id(body.as_bytes())).await.unwrap();
        assert_eq!((kept.state, kept.body), (EventState::Failed, body.into_bytes()));
        assert!(kept.reason.is_some());
    }
}

#[tokio::test]
async fn limits_and_routes() {
    let key = &stack().sources["shiprocket"]["api_key"];
    let large = stack().raw_webhook(key, vec![b' '; 1024 * 1024 + 1]).await;
    assert_eq!(large.error(), (413, "too_large", None));
    let unknown =
        http::client().post(stack().url("/webhooks/nobody")).header("x-api-key", key).body("{}");
    assert_eq!(http::send(unknown).await.error(), (404, "not_found", None));
    let health = http::send(http::client().get(stack().url("/webhooks/health"))).await;
    assert_eq!(
        (&health.json["status"], &health.json["server"]),
        (&json!("healthy"), &json!("waypost"))
    );
}

/// A body over 300 KB compressed does not fit a row.
#[tokio::test]
async fn a_large_body_is_kept_whole() {
    let mut body = Parcel::new().report(18, "IN TRANSIT", "11:43:52");
    // Digests do not compress.
    let noise = (0..30_000).map(|n: u32| Fingerprint::of("noise").with(n.to_be_bytes()).finish());
    body["pod"] = json!(noise.collect::<String>());
    let answer = stack().webhook(&body).await;
    assert_eq!((answer.status, settled(&answer.json).await), (200, EventState::Unmatched));
    let id = EventId::parse(answer.json["event_id"].as_str().unwrap()).unwrap();
    assert_eq!(event(&id).await.unwrap().body, body.to_string().into_bytes());
}

#[tokio::test]
async fn the_old_path_still_works() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let request = http::client().post(stack().url("/api/webhooks/shiprocket"));
    let request = request.header("x-api-key", &stack().sources["shiprocket"]["api_key"]);
    let body = parcel.report(42, "PICKED UP", "08:00:00");
    assert_eq!(http::send(http::with_json(request, Some(&body))).await.status, 200);
    let order = stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!(order["status"], "picked_up");
}

#[tokio::test]
async fn a_report_waits_for_the_order_to_be_created() {
    let parcel = Parcel::new();
    let mut body = parcel.report(18, "IN TRANSIT", "11:43:52");
    body["order_id"] = json!(unique("not-ours-"));
    let answer = stack().webhook(&body).await;
    assert_eq!((answer.status, settled(&answer.json).await), (200, EventState::Unmatched));

    stack().create_order(&parcel.order()).await;
    let order = stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!((&order["status"], &order["version"]), (&json!("in_transit"), &json!(2)));
    assert_eq!(stack().received_at_least(&parcel.order_id, 3).await.len(), 3);
    let id = EventId::parse(answer.json["event_id"].as_str().unwrap()).unwrap();
    eventually("the log to say so", async || {
        (event(&id).await?.state == EventState::Processed).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_report_waits_for_the_awb_to_be_patched_in() {
    let parcel = Parcel::new();
    let mut body = parcel.report(18, "IN TRANSIT", "11:43:52");
    body["order_id"] = json!(unique("not-ours-"));
    let answer = stack().webhook(&body).await;
    assert_eq!(settled(&answer.json).await, EventState::Unmatched);

    let mut bare = parcel.order();
    bare.as_object_mut().unwrap().remove("awb");
    stack().create_order(&bare).await;
    let path = format!("/api/external/orders/{}", parcel.order_id);
    let patched = stack().vendor("PATCH", &path, Some(&json!({"awb": parcel.awb}))).await;
    assert_eq!((patched.status, &patched.json["awb"]), (200, &json!(parcel.awb)));
    let order = stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!(order["status"], "in_transit");
    assert_eq!(stack().received_at_least(&parcel.order_id, 3).await.len(), 3);
}

#[tokio::test]
async fn a_report_finds_its_order_by_any_of_its_names() {
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
async fn an_unknown_word_is_kept_and_changes_nothing() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    stack().webhook(&parcel.report(999, "BEAMED UP", "11:43:52")).await;
    let order = stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!((&order["status"], &order["version"]), (&json!("pending"), &json!(1)));
    let entry = &order["timeline"][0];
    assert_eq!(
        (&entry["sourceStatus"], &entry["reason"]),
        (&json!("BEAMED UP"), &json!("unknown"))
    );
}

#[tokio::test]
async fn a_hook_id_decides_whose_webhook_it_is() {
    // Two accounts with the same order id: only the hook's own is touched.
    let (parcel, account) = (Parcel::new(), unique("ACC-"));
    stack().create_order(&parcel.order()).await;
    let mut theirs = parcel.order();
    theirs["accountCode"] = json!(account);
    let created = stack().user("admin", "POST", "/api/external/orders", Some(&theirs)).await;
    assert_eq!(created.status, 201, "{}", created.json);

    let (id, secret) = (unique("h"), unique("own-secret-"));
    let ssm = stack().ssm(&Calls::default());
    let put = ssm.put_parameter().name(format!("/waypost/local/sources/shiprocket/hooks/{id}"));
    let put = put.value(json!({"account": account, "secret": secret}).to_string());
    put.r#type("SecureString".into()).send().await.unwrap();

    let body = parcel.report(12, "LOST", "08:00:00");
    let send = async |key: &str| {
        let request = http::client()
            .post(stack().url(&format!("/webhooks/carrier/{id}")))
            .header("x-api-key", key);
        http::send(http::with_json(request, Some(&body))).await
    };
    eventually("the hook to be known", async || (send(&secret).await.status == 200).then_some(()))
        .await;
    assert_eq!(send(&stack().sources["shiprocket"]["api_key"]).await.status, 401);
    let path = format!("/api/external/orders/{}?accountCode={account}", parcel.order_id);
    eventually("their order lost", async || {
        let order = stack().user("admin", "GET", &path, None).await.json;
        (order["status"] == "lost").then_some(())
    })
    .await;
    assert_eq!(stack().order(&parcel.order_id).await["status"], "pending");
}
