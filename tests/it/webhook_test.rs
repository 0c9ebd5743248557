//! Test deliveries, and the verdict on a receiver.

use domain::core::timestamp::Timestamp;
use domain::webhooks::signing::SigningKeys;
use serde_json::{Value, json};

use crate::support::{
    Answer, Mistake, OURS, Received, SIGNING_SECRET, THEIRS, TestEndpoint, TlsServer, caller, http,
    stack, unique,
};

const PATH: &str = "/api/external/webhook-test";

async fn test(body: Value) -> Answer {
    stack().user("admin", "POST", PATH, Some(&body)).await
}

async fn test_endpoint(endpoint: &TestEndpoint) -> Value {
    let answer = test(json!({"endpoint": endpoint.name()})).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.json
}

fn is_signed(request: &Received, secret: &str) -> bool {
    let seconds: i64 = request.headers["webhook-timestamp"].parse().unwrap();
    let at = Timestamp::from_millis(seconds * 1000).unwrap();
    let keys = SigningKeys::parse(secret).unwrap();
    keys.sign(request.id(), at, request.body.as_bytes()) == request.headers["webhook-signature"]
}

#[tokio::test]
async fn posts_to_an_endpoint_as_a_delivery_does() {
    let legacy = "legacy-canary-secret";
    let answers = json!([{"status": 202, "body": format!("thanks, {legacy}")}]);
    let settings = json!({
        "format": "order.status_changed", "accounts": [OURS], "enabled": false,
        "headers": {"x-tag": "short", "x-token": "canary-token"},
    });
    let endpoint = TestEndpoint::new(settings, answers).await;
    endpoint.set("legacy_secret", legacy).await;
    let result = test_endpoint(&endpoint).await;
    let shown = [&result["success"], &result["code"], &result["status"], &result["excerpt"]];
    assert_eq!(
        shown,
        [&json!(true), &json!("accepted"), &json!(202), &json!("thanks, [REDACTED]")]
    );

    let received = endpoint.received(1).await;
    let request = &received[0];
    assert!(is_signed(request, SIGNING_SECRET), "{request:?}");
    assert_eq!(request.json()["type"], "webhook.test");
    assert_eq!(request.headers["x-webhook-event"], "webhook.test");
    let sent = [&request.headers["x-token"], &request.headers["x-vendor-server-secret"]];
    assert_eq!(sent, ["canary-token", legacy]);

    let headers = result["headers"].as_object().unwrap();
    for (name, value) in headers {
        let expected = match name.as_str() {
            "x-token" | "x-vendor-server-secret" => "[REDACTED]",
            name => &request.headers[name],
        };
        assert_eq!(value, expected, "{name}");
    }
    assert!(headers.contains_key("x-tag") && headers.contains_key("webhook-signature"));
}

#[tokio::test]
async fn a_body_in_the_format_status_update_has_no_orders() {
    let settings = json!({"format": "status_update", "accounts": [OURS]});
    let endpoint = TestEndpoint::new(settings, json!([])).await;
    assert_eq!(test_endpoint(&endpoint).await["code"], "accepted");
    let body = endpoint.received(1).await[0].json();
    assert_eq!((&body["event"], &body["orders"]), (&json!("webhook.test"), &json!([])));
}

#[tokio::test]
async fn says_why_an_answer_accepts_no_delivery() {
    let receiver = &stack().receiver_url;
    let moved = format!("{receiver}/moved?token=1");
    let location = json!({"location": moved});
    let answers = json!([
        {"status": 308, "headers": location}, {"status": 401, "body": "Invalid signature"},
        {"status": 401}, {"status": 403}, {"status": 404}, {"status": 410}, {"status": 503},
    ]);
    let endpoint = TestEndpoint::new(json!({"accounts": [OURS]}), answers).await;
    let redirected = test_endpoint(&endpoint).await;
    assert_eq!(redirected["code"], "redirect");
    assert_eq!(redirected["redirectTo"], format!("{receiver}/moved"), "without its query");
    for code in
        ["signature_refused", "unauthorized", "forbidden", "not_found", "gone", "server_error"]
    {
        let result = test_endpoint(&endpoint).await;
        assert_eq!((&result["success"], &result["code"]), (&json!(false), &json!(code)));
    }
    // Not even 410 is taken for an answer to a delivery.
    assert_eq!(test_endpoint(&endpoint).await["code"], "accepted");
}

#[tokio::test]
async fn says_why_there_is_no_answer() {
    let servers = [
        (TlsServer::start(Mistake::LeafOnly).await, "tls_unknown_issuer"),
        (TlsServer::start(Mistake::SelfSigned).await, "tls_unknown_issuer"),
        (TlsServer::start(Mistake::Http2Only).await, "http2_only"),
    ];
    let servers = servers.iter().map(|(server, code)| (server.url.as_str(), *code));
    let unreachable =
        [("http://127.0.0.1:1/", "connect_refused"), ("https://no-such-host.invalid/", "dns")];
    for (url, code) in servers.chain(unreachable) {
        let answer = test(json!({"webhookUrl": url})).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        let shown = [&answer.json["code"], &answer.json["status"], &answer.json["success"]];
        assert_eq!(shown, [&json!(code), &Value::Null, &json!(false)], "{url}");
        assert!(!answer.json["message"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn an_endpoint_that_is_too_slow_times_out() {
    let settings = json!({"accounts": [OURS], "timeout_seconds": 1});
    let endpoint = TestEndpoint::new(settings, json!([{"status": 200, "delay_ms": 3000}])).await;
    let result = test_endpoint(&endpoint).await;
    assert_eq!(result["code"], "timeout");
    assert!(result["message"].as_str().unwrap().contains("within 1 s"), "{result}");
}

#[tokio::test]
async fn the_test_of_a_url_shows_no_content() {
    let path = unique("/test-");
    let answers = json!([{"status": 400, "body": "canary: wrong signature"}, {"status": 200}]);
    stack().set_responses(&path, answers).await;
    let url = format!("{}{path}", stack().receiver_url);
    let refused = test(json!({"webhookUrl": url})).await.json;
    assert_eq!(refused["code"], "signature_refused");
    assert!(refused["message"].as_str().unwrap().contains("as it should"), "{refused}");
    let accepted = test(json!({"webhookUrl": url})).await.json;
    assert_eq!((&accepted["success"], &accepted["status"]), (&json!(true), &json!(200)));
    for result in [&refused, &accepted] {
        let hidden = [&result["excerpt"], &result["headers"], &result["endpoint"]];
        assert_eq!(hidden, [&Value::Null; 3]);
    }
    let received = stack().received("webhook.test").await;
    let received: Vec<_> = received.iter().filter(|request| request.path == path).collect();
    assert_eq!(received.len(), 2);
    let [first, second] = [received[0], received[1]].map(|it| &it.headers["webhook-signature"]);
    assert_ne!(first, second);
}

#[tokio::test]
async fn says_which_setting_of_an_endpoint_cannot_be_used() {
    // Of no other test's account: the events of an account fail meanwhile.
    let account = unique("ACC-");
    let endpoint = TestEndpoint::new(json!({"accounts": [account]}), json!([])).await;
    let fax = json!({"accounts": [account], "format": "fax"}).to_string();
    for (part, value, code, quoted) in [
        ("url", "https://10.0.0.1/canary", "url_address", "must be a public address"),
        ("url", "https://hook.example.com/", "unusable_settings", "/secret is wrong"),
        ("settings", &fax, "unusable_settings", "format"),
    ] {
        endpoint.set(part, value).await;
        let result = test_endpoint(&endpoint).await;
        assert_eq!(result["code"], code, "{result}");
        let message = result["message"].as_str().unwrap();
        assert!(message.contains(quoted) && !message.contains("canary"), "{message}");
        endpoint.set("secret", "canary").await;
    }
    assert!(endpoint.received_so_far().await.is_empty());
}

#[tokio::test]
async fn refuses_what_cannot_be_tested() {
    for (body, status, field) in [
        (json!({}), 422, "webhookUrl"),
        (json!({"webhookUrl": "https://169.254.169.254/"}), 422, "webhookUrl"),
        (
            json!({"webhookUrl": "https://a.example", "endpoint": "demo-standard"}),
            422,
            "webhookUrl",
        ),
        (json!({"webhookUrl": "https://a.example", "format": "standard"}), 422, "format"),
        (json!({"endpoint": "no-such-endpoint"}), 404, "endpoint"),
        (json!({"endpoint": "not a name"}), 404, "endpoint"),
    ] {
        let answer = test(body.clone()).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.json);
        assert_eq!(answer.json["error"]["field"], field);
    }
    for user in ["viewer", "partner"] {
        let body = json!({"endpoint": "demo-standard"});
        let answer = stack().user(user, "POST", PATH, Some(&body)).await;
        assert_eq!(answer.status, 403, "{user}");
    }
}

#[tokio::test]
async fn an_admin_tests_only_endpoints_of_its_accounts() {
    let endpoint = TestEndpoint::new(json!({"accounts": [OURS, THEIRS]}), json!([])).await;
    let body = json!({"endpoint": endpoint.name()});
    let request = http::with_json(http::client().post(stack().url(PATH)), Some(&body));
    let answer = http::send(caller("their admin").await.sign(request)).await;
    assert_eq!((answer.status, endpoint.received_so_far().await.len()), (404, 0));
}
