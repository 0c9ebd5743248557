//! Endpoints in the operators' API: their health, and what an admin does to them.

use domain::core::timestamp::Timestamp;
use domain::webhooks::signing::SigningKeys;
use serde_json::{Value, json};

use crate::support::{
    Answer, OURS, Received, SIGNING_SECRET, TestEndpoint, settings_to_expire, stack, unique,
};

async fn admin(method: &str, path: &str) -> Answer {
    stack().user("admin", method, path, None).await
}

/// Finds an endpoint in the list, which has the endpoints of all tests.
async fn listed(name: &str) -> Value {
    let mut cursor = String::new();
    loop {
        let page = admin("GET", &format!("/api/endpoints?limit=2{cursor}")).await;
        assert_eq!(page.status, 200, "{}", page.json);
        let mut items = page.json["items"].as_array().unwrap().iter();
        if let Some(endpoint) = items.find(|endpoint| endpoint["name"] == name) {
            return endpoint.clone();
        }
        let next = page.json["next_page"].as_str().expect("the endpoint is on no page");
        cursor = format!("&page={next}");
    }
}

#[tokio::test]
async fn an_admin_pauses_and_enables_an_endpoint() {
    let settings = json!({"accounts": [OURS], "format": "status_update"});
    let endpoint = TestEndpoint::new(settings, json!([])).await;
    settings_to_expire().await;
    let path = |action: &str| format!("/api/endpoints/{}/{action}", endpoint.name());
    let active = json!({
        "name": endpoint.name(), "format": "status_update", "enabled": true, "accounts": [OURS],
        "state": "active", "reason": null, "error_code": null, "since": null,
        "next_probe_at": null, "failures": 0, "slow": false,
    });
    assert_eq!(listed(endpoint.name()).await, active);
    // Enabling what is active has no effect.
    assert_eq!(admin("POST", &path("enable")).await.json, active);

    let paused = admin("POST", &path("pause")).await;
    assert_eq!(paused.status, 200, "{}", paused.json);
    assert_eq!(
        (&paused.json["state"], &paused.json["reason"]),
        (&json!("paused"), &json!("paused_by_admin"))
    );
    assert_eq!(paused.json["next_probe_at"], Value::Null, "no probe enables it");
    assert_eq!(admin("POST", &path("pause")).await.json, paused.json, "a second click");
    assert_eq!(listed(endpoint.name()).await, paused.json);

    let enabled = admin("POST", &path("enable")).await;
    assert_eq!(
        (&enabled.json["state"], &enabled.json["reason"]),
        (&json!("recovering"), &Value::Null)
    );
    let unknown = admin("POST", "/api/endpoints/t-nobody/pause").await;
    assert_eq!(unknown.status, 404, "{}", unknown.json);
}

#[tokio::test]
async fn shows_an_endpoint_with_unusable_settings() {
    // Of no other test's account: the events of an account fail meanwhile.
    let account = unique("ACC-");
    let endpoint =
        TestEndpoint::new(json!({"accounts": [account], "format": "fax"}), json!([])).await;
    settings_to_expire().await;
    let shown = listed(endpoint.name()).await;
    assert_eq!((&shown["format"], &shown["enabled"]), (&Value::Null, &Value::Null));
    assert_eq!(shown["accounts"], json!([account]));
    let problems = admin("GET", "/api/settings/problems").await;
    assert_eq!(problems.status, 200, "{}", problems.json);
    let parameter = format!("endpoints/{}/settings", endpoint.name());
    let items = problems.json["items"].as_array().unwrap();
    let found = items.iter().find(|it| it["parameter"] == parameter).unwrap();
    let problem = found["problem"].as_str().unwrap();
    assert!(problem.contains("format") && !problem.contains("fax"), "{problem}");
}

async fn rotate(endpoint: &TestEndpoint, step: &str) -> Answer {
    let path = format!("/api/endpoints/{}/rotate", endpoint.name());
    stack().user("admin", "POST", &path, Some(&json!({"step": step}))).await
}

async fn new_secret(endpoint: &TestEndpoint, step: &str) -> String {
    let answer = rotate(endpoint, step).await;
    assert_eq!((answer.status, &answer.json["both"]), (200, &json!(true)), "{step}");
    answer.json["secret"].as_str().unwrap().to_owned()
}

/// The last request to the endpoint has these signatures.
async fn is_signed_with(endpoint: &TestEndpoint, secrets: &str) -> bool {
    let body = json!({"endpoint": endpoint.name()});
    let before = endpoint.received_so_far().await.len();
    stack().user("admin", "POST", "/api/external/webhook-test", Some(&body)).await;
    let received = endpoint.received(before + 1).await;
    let Received { headers, body, .. } = received.last().unwrap();
    let at = Timestamp::from_millis(headers["webhook-timestamp"].parse::<i64>().unwrap() * 1000);
    let keys = SigningKeys::parse(secrets).unwrap();
    keys.sign(&headers["webhook-id"], at.unwrap(), body.as_bytes()) == headers["webhook-signature"]
}

#[tokio::test]
async fn a_rotated_secret_signs_beside_the_old_one_until_the_end() {
    let endpoint = TestEndpoint::new(json!({"accounts": [OURS]}), json!([])).await;
    assert_eq!(rotate(&endpoint, "finish").await.error().0, 409, "no rotation has begun");
    let lost = new_secret(&endpoint, "begin").await;
    assert!(is_signed_with(&endpoint, &format!("{lost} {SIGNING_SECRET}")).await);
    assert_eq!(rotate(&endpoint, "begin").await.error().0, 409, "it has begun");

    let new = new_secret(&endpoint, "replace").await;
    assert_ne!(new, lost);
    assert!(is_signed_with(&endpoint, &format!("{new} {SIGNING_SECRET}")).await);

    let finished = rotate(&endpoint, "finish").await;
    assert_eq!(finished.json, json!({"endpoint": endpoint.name(), "secret": null, "both": false}));
    assert!(is_signed_with(&endpoint, &new).await);

    let audit = admin("GET", "/api/audit?limit=100").await.json;
    let entries: Vec<_> = audit["items"].as_array().unwrap().iter().collect();
    let steps = entries.iter().filter(|entry| entry["target"] == endpoint.name());
    let steps: Vec<_> = steps.map(|entry| (&entry["action"], &entry["details"]["step"])).collect();
    let expected = ["finish", "replace", "begin"].map(|it| (json!("endpoint.rotate"), json!(it)));
    assert_eq!(steps, expected.each_ref().map(|(action, step)| (action, step)));
    assert!(!audit.to_string().contains("whsec_"));
}

#[tokio::test]
async fn refuses_a_rotation_of_what_cannot_be_rotated() {
    let endpoint = TestEndpoint::new(json!({"accounts": [OURS]}), json!([])).await;
    endpoint.set("secret", "canary").await;
    let unusable = rotate(&endpoint, "begin").await;
    assert_eq!(unusable.error().0, 409);
    assert!(!unusable.json.to_string().contains("canary"), "{}", unusable.json);
    assert_eq!(rotate(&TestEndpoint::removed(), "begin").await.error().0, 404);
    assert_eq!(rotate(&endpoint, "start").await.error(), (422, "invalid", Some("step")));
}
