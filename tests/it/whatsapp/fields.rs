//! What Meta says besides messages and statuses, by the lists of the API.

use domain::messaging::conversation::Contact;

use super::*;
use crate::support::messages::CONVERSATION;

const NUMBERS: &str = "/api/messages/numbers";
const TEMPLATES: &str = "/api/messages/templates";
/// The id of a business account, and whose it is.
const BUSINESS_ACCOUNTS: [(&str, &str); 2] =
    [("102290129340398", OURS.0), ("102290129340399", THEIRS.0)];

fn field(name: &str, value: Value) -> Value {
    json!({"field": name, "value": value})
}

/// A body about a business account, sent at this second.
fn body(id: &str, seconds: i64, changes: &[Value]) -> Value {
    let entry = json!({"id": id, "time": START + seconds, "changes": changes});
    json!({"object": "whatsapp_business_account", "entry": [entry]})
}

fn template(name: &str, more: Value) -> Value {
    let mut value = more;
    value["message_template_name"] = json!(name);
    value["message_template_language"] = json!("en-US");
    value
}

/// The path of a new account, and its code.
async fn hook() -> (String, String) {
    let account = unique("FIELDS-");
    let signed = hmac_signature(&stack().sources["whatsapp"]["app_secret"], b"{}");
    let setting = json!({ "account": account });
    let path = stack().hook("whatsapp", &setting, &[("x-hub-signature-256", &signed)]).await;
    (path, account)
}

async fn process_at(path: &str, body: &Value) -> (EventState, Option<String>) {
    let body = body.to_string().into_bytes();
    let request = http::client().post(stack().url(path));
    let request = request.header("x-hub-signature-256", signature(&body));
    let answer = http::send(request.header("content-type", "application/json").body(body)).await;
    let event = settled_event(&answer).await;
    (event.state, event.reason)
}

async fn list(path: &str, account: &str) -> Vec<Value> {
    let path = format!("{path}?limit=100&account_code={account}");
    let answer = stack().user("viewer", "GET", &path, None).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.json["items"].as_array().unwrap().clone()
}

fn told(seconds: i64, value: &str, reason: Value) -> Value {
    json!({"at": time(seconds), "value": value, "reason": reason, "subject": null, "until": null})
}

async fn is_opted_out(account: &str, contact: &str) -> bool {
    let account = AccountCode::parse(account).unwrap();
    let messages = stack().messages(&Calls::default());
    messages.is_opted_out(&account, &Contact::parse(contact).unwrap()).await.unwrap()
}

#[tokio::test]
async fn keeps_what_one_body_says_about_everything() {
    let (path, account) = hook().await;
    let (phone, user, call) = (unique("1"), unique("IN."), unique("wacid.it"));
    let own = json!({"display_phone_number": "15550783881", "phone_number_id": OURS.1});
    let contacts = json!([{"wa_id": phone, "user_id": user, "profile": {"name": "canary-name"}}]);
    let stop = json!([{"wa_id": phone, "category": "marketing_messages", "value": "stop",
        "timestamp": START + 1}]);
    let ended = json!([{"id": call, "from": phone, "to": "15550783881", "event": "terminate",
        "direction": "USER_INITIATED", "status": "COMPLETED", "duration": 113,
        "timestamp": (START + 2).to_string()}]);
    let until = START + 60;
    let restriction = json!([{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING",
        "expiration": until}]);
    let changes = [
        field(
            "account_update",
            json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}),
        ),
        field(
            "account_update",
            json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": restriction}),
        ),
        field(
            "account_alerts",
            json!({"alert_info": {"alert_type": "OBA_REJECTED", "alert_severity": "CRITICAL"}}),
        ),
        field("account_review_update", json!({"decision": "REJECTED"})),
        field(
            "phone_number_quality_update",
            json!({"display_phone_number": "15550783881", "event": "FLAGGED", "current_limit": "TIER_1K"}),
        ),
        field(
            "phone_number_name_update",
            json!({"display_phone_number": "15550783881", "decision": "APPROVED"}),
        ),
        field(
            "message_template_status_update",
            template(
                "a",
                json!({"event": "PAUSED", "reason": "NONE", "other_info": {"title": "FIRST_PAUSE"}}),
            ),
        ),
        field(
            "message_template_quality_update",
            template("a", json!({"new_quality_score": "RED"})),
        ),
        field("template_category_update", template("b", json!({"new_category": "MARKETING"}))),
        field(
            "user_preferences",
            json!({"metadata": own, "contacts": contacts, "user_preferences": stop}),
        ),
        field("calls", json!({"metadata": own, "contacts": contacts, "calls": ended})),
        field("history", json!({"canary-body": "canary-body"})),
    ];
    let outcome = process_at(&path, &body("7", 0, &changes)).await;
    assert_eq!(outcome, (EventState::Processed, Some("1 of field history".to_owned())));

    let numbers = list(NUMBERS, &account).await;
    let [sender, number] = &numbers[..] else { unreachable!("{numbers:?}") };
    assert_eq!(
        [&sender["kind"], &sender["id"], &sender["standing"]],
        ["business_account", "7", "disabled"]
    );
    assert_eq!(sender["ban"], told(0, "DISABLE", json!(null)));
    assert_eq!(sender["restriction"]["until"], time(60));
    assert_eq!(sender["alert"], told(0, "OBA_REJECTED", json!("CRITICAL")));
    assert_eq!(sender["review"], told(0, "REJECTED", json!(null)));
    assert_eq!(
        [&number["kind"], &number["id"], &number["standing"]],
        ["number", "15550783881", "flagged"]
    );
    assert_eq!(number["limit"], told(0, "TIER_1K", json!(null)));
    assert_eq!(number["name"]["value"], "APPROVED");

    let templates = list(TEMPLATES, &account).await;
    let [paused, moved] = &templates[..] else { unreachable!("{templates:?}") };
    assert_eq!([&paused["name"], &paused["language"]], ["a", "en_US"]);
    assert_eq!(paused["usable"], json!(false));
    assert_eq!(paused["status"], told(0, "PAUSED", json!("FIRST_PAUSE")));
    assert_eq!(paused["quality"], told(0, "RED", json!(null)));
    assert_eq!(
        (&moved["usable"], &moved["category"]["value"]),
        (&json!(true), &json!("MARKETING"))
    );

    for contact in [&phone, &user] {
        assert!(is_opted_out(&account, contact).await, "{contact}");
    }
    let path = format!("{CONVERSATION}?phone={phone}&account_code={account}");
    let talk = stack().user("admin", "GET", &path, None).await.json;
    let item = &talk["items"][0];
    let content =
        json!({"type": "call", "event": "terminate", "status": "COMPLETED", "duration": 113});
    assert_eq!((&item["message_id"], &item["direction"]), (&json!(call), &json!("inbound")));
    assert_eq!((&item["content"], &talk["items"][1]), (&content, &json!(null)));
}

#[tokio::test]
async fn the_latest_statement_counts_in_any_order_of_arrival() {
    let (path, account) = hook().await;
    let phone = unique("1");
    let about = |seconds: i64, flag: &str, status: &str, preference: &str| {
        let number = json!({"display_phone_number": "15550783881", "event": flag});
        let preference =
            json!([{"wa_id": phone, "value": preference, "timestamp": START + seconds}]);
        let changes = [
            field("phone_number_quality_update", number),
            field("message_template_status_update", template("a", json!({"event": status}))),
            field("user_preferences", json!({ "user_preferences": preference })),
        ];
        body("7", seconds, &changes)
    };
    for update in [
        about(3, "UNFLAGGED", "APPROVED", "resume"),
        about(1, "FLAGGED", "REJECTED", "stop"),
        about(2, "FLAGGED", "PAUSED", "stop"),
    ] {
        assert_eq!(process_at(&path, &update).await, (EventState::Processed, None));
    }
    assert_eq!(list(NUMBERS, &account).await[0]["standing"], "active");
    assert_eq!(list(TEMPLATES, &account).await[0]["usable"], json!(true));
    assert!(!is_opted_out(&account, &phone).await);
    let stop = about(4, "FLAGGED", "APPROVED", "stop");
    assert_eq!(process_at(&path, &stop).await, (EventState::Processed, None));
    assert!(is_opted_out(&account, &phone).await);
    assert_eq!(list(NUMBERS, &account).await[0]["standing"], "flagged");
}

#[tokio::test]
async fn a_business_account_names_the_tenant_of_what_names_no_number() {
    let name = unique("t");
    let approved = || template(&name, json!({"event": "APPROVED"}));
    for (id, owner) in BUSINESS_ACCOUNTS {
        let changes = [field("message_template_status_update", approved())];
        assert_eq!(process(&body(id, 0, &changes)).await, (EventState::Processed, None), "{owner}");
        let templates = list(TEMPLATES, owner).await;
        assert!(templates.iter().any(|it| it["name"] == name.as_str()), "{owner}");
    }
    let unknown = unique("7");
    let changes = [field("message_template_status_update", approved())];
    let outcome = process(&body(&unknown, 0, &changes)).await;
    assert_eq!(outcome, (EventState::Ignored, Some("foreign_number".to_owned())));
}

#[tokio::test]
async fn lists_of_numbers_and_templates_have_pages() {
    let (path, account) = hook().await;
    let of = |name: &str| {
        let number = json!({"display_phone_number": format!("15550{name}"), "event": "UNFLAGGED"});
        let status = template(name, json!({"event": "APPROVED"}));
        [
            field("phone_number_quality_update", number),
            field("message_template_status_update", status),
        ]
    };
    let changes: Vec<Value> = ["001", "002", "003"].into_iter().flat_map(of).collect();
    assert_eq!(process_at(&path, &body("7", 0, &changes)).await, (EventState::Processed, None));
    for (path, name) in [(NUMBERS, "id"), (TEMPLATES, "name")] {
        let (mut names, mut page) = (Vec::new(), String::new());
        loop {
            let path = format!("{path}?account_code={account}&limit=2{page}");
            let answer = stack().user("viewer", "GET", &path, None).await;
            assert_eq!(answer.status, 200, "{}", answer.json);
            let items = answer.json["items"].as_array().unwrap();
            names.extend(items.iter().map(|item| item[name].as_str().unwrap().to_owned()));
            let Some(next) = answer.json["next_page"].as_str() else { break };
            page = format!("&page={next}");
        }
        assert_eq!(names.len(), 3, "{names:?}");
        assert!(names.iter().zip(["001", "002", "003"]).all(|(name, end)| name.ends_with(end)));
    }
}
