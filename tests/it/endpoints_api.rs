//! Endpoints in the operators' API: their health, and what an admin does to them.

use serde_json::{Value, json};

use crate::support::{Answer, OURS, TestEndpoint, settings_to_expire, stack, unique};

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
        "state": "active", "reason": null, "since": null, "next_probe_at": null, "failures": 0,
        "slow": false,
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
}
