//! Redrives: many dead deliveries or failed events begin again, and the audit log.

use std::collections::BTreeMap;

use aws::tables::inbound::EventState;
use tokio::sync::Mutex;

use super::*;
use crate::inbound_log::insert;
use crate::support::{
    Answer, OURS, THEIRS, caller, detail, detail_in_status, http, seconds_from_now,
    settings_to_expire, unique,
};

async fn admin(method: &str, path: &str, body: Option<&Value>) -> Answer {
    stack().user("admin", method, path, body).await
}

async fn start(kind: &str, body: &Value) -> Value {
    let answer = admin("POST", &format!("/api/dlq/{kind}/replay"), Some(body)).await;
    assert_eq!(answer.status, 202, "{}", answer.json);
    answer.json
}

async fn count(kind: &str, body: &Value) -> Value {
    let mut body = body.clone();
    body["dry_run"] = json!(true);
    let answer = admin("POST", &format!("/api/dlq/{kind}/replay"), Some(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.json
}

/// The index is eventually consistent.
async fn counts(kind: &str, body: &Value, expected: usize) {
    eventually(&format!("{body} to count {expected}"), async || {
        let found = count(kind, body).await;
        (found == json!({"count": expected, "is_complete": true})).then_some(())
    })
    .await;
}

async fn job(id: &str) -> Value {
    let answer = admin("GET", &format!("/api/jobs/{id}"), None).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.json
}

/// Held by tests that work on jobs or stop one: a worker takes all jobs.
static JOBS: Mutex<()> = Mutex::const_new(());

/// Works on the jobs, as `sweep` did two minutes ago: restarted deliveries are due.
async fn work_on(id: &str) -> Value {
    eventually(&format!("the end of job {id}"), async || {
        work_on_all().await;
        Some(job(id).await).filter(|job| job["state"] != "running")
    })
    .await
}

async fn work_on_all() {
    let _alone = JOBS.lock().await;
    stack().redrives().run(seconds_from_now(-120), seconds_from_now(60)).await.unwrap();
}

async fn queue_what_is_due() {
    let deadline = seconds_from_now(60);
    stack().due_deliveries().run(aws::clock::now(), deadline).await.unwrap();
}

/// An endpoint, and deliveries that it has refused for good.
async fn dead(number: usize) -> (TestEndpoint, Vec<Delivery>) {
    let settings = json!({"backoff": [1], "retry_4xx": false});
    let endpoint = TestEndpoint::new(settings, json!(vec![json!({"status": 400}); number])).await;
    let deliveries: Vec<_> = (0..number).map(|_| endpoint.delivery()).collect();
    for delivery in &deliveries {
        enqueue(delivery).await;
        row_in(&delivery.id, "dead").await;
    }
    counts("deliveries", &json!({"endpoint": endpoint.name()}), number).await;
    (endpoint, deliveries)
}

#[tokio::test]
async fn sends_each_dead_delivery_of_a_filter_once_more() {
    let (endpoint, deliveries) = dead(3).await;
    let (_other_endpoint, others) = dead(1).await;
    let which = json!({
        "endpoint": endpoint.name(), "reason": "rejected", "account_code": OURS,
        "from": seconds_from_now(-3600), "to": seconds_from_now(3600),
    });
    for (field, value, matches) in [
        ("reason", json!("exhausted"), 0),
        ("account_code", json!(THEIRS), 0),
        ("to", json!(seconds_from_now(-1800)), 0),
        ("limit", json!(2), 2),
        ("limit", Value::Null, 3),
    ] {
        let mut which = which.clone();
        which[field] = value;
        counts("deliveries", &which, matches).await;
    }
    let started = start("deliveries", &which).await;
    assert_eq!((&started["state"], &started["started_by"]), (&json!("running"), &json!("admin")));
    let id = started["id"].as_str().unwrap();
    assert_eq!(start("deliveries", &which).await["id"], started["id"], "a double click");
    let done = work_on(id).await;
    assert_eq!((&done["state"], &done["restarted"]), (&json!("finished"), &json!(3)), "{done}");
    queue_what_is_due().await;
    for delivery in &deliveries {
        row_in(&delivery.id, "delivered").await;
    }
    // A late worker finds no work.
    work_on_all().await;
    queue_what_is_due().await;
    let mut times = BTreeMap::new();
    for request in endpoint.received(6).await {
        *times.entry(request.id().to_owned()).or_insert(0) += 1;
    }
    let twice = deliveries.iter().map(|delivery| (delivery.id.clone(), 2)).collect();
    assert_eq!(times, twice);
    assert_eq!(text(&row(&others[0].id).await, "state"), "dead");
}

#[tokio::test]
async fn an_unreadable_row_stops_no_job() {
    let (endpoint, deliveries) = dead(3).await;
    set(&deliveries[0].id, "event", AttributeValue::S("order.lost".to_owned())).await;
    let started = start("deliveries", &json!({"endpoint": endpoint.name()})).await;
    let done = work_on(started["id"].as_str().unwrap()).await;
    assert_eq!((&done["state"], &done["restarted"]), (&json!("finished"), &json!(2)), "{done}");
}

#[tokio::test]
async fn a_job_ends_at_its_limit() {
    let (endpoint, _) = dead(3).await;
    let which = json!({"endpoint": endpoint.name(), "limit": 2});
    let started = start("deliveries", &which).await;
    let done = work_on(started["id"].as_str().unwrap()).await;
    assert_eq!((&done["state"], &done["restarted"]), (&json!("finished"), &json!(2)), "{done}");
    counts("deliveries", &json!({"endpoint": endpoint.name()}), 1).await;
}

#[tokio::test]
async fn a_job_leaves_out_what_died_after_it_was_started() {
    let (endpoint, deliveries) = dead(1).await;
    set_number(&deliveries[0].id, "updated_at", seconds_from_now(60).millis()).await;
    let started = start("deliveries", &json!({"endpoint": endpoint.name()})).await;
    let done = work_on(started["id"].as_str().unwrap()).await;
    assert_eq!(done["restarted"], 0, "{done}");
    assert_eq!(text(&row(&deliveries[0].id).await, "state"), "dead");
}

#[tokio::test]
async fn a_stopped_job_does_nothing_more() {
    let (endpoint, deliveries) = dead(1).await;
    let alone = JOBS.lock().await;
    let which = json!({"endpoint": endpoint.name()});
    // Within one minute, unless one begins right here.
    let (path, stopped, again) = eventually("two requests in a minute", async || {
        let started = start("deliveries", &which).await;
        let path = format!("/api/jobs/{}", started["id"].as_str().unwrap());
        let stopped = admin("DELETE", &path, None).await;
        let again = admin("POST", "/api/dlq/deliveries/replay", Some(&which)).await;
        (again.status != 202).then_some((path, stopped, again))
    })
    .await;
    assert_eq!(again.error(), (409, "conflict", None));
    assert_eq!((stopped.status, &stopped.json["state"]), (200, &json!("stopped")));
    assert_eq!(admin("DELETE", &path, None).await.json, stopped.json, "a second click");
    drop(alone);
    work_on_all().await;
    assert_eq!(admin("GET", &path, None).await.json["restarted"], 0);
    assert_eq!(text(&row(&deliveries[0].id).await, "state"), "dead");
    let listed = admin("GET", "/api/jobs?limit=100", None).await;
    let jobs = listed.json["items"].as_array().unwrap();
    assert!(jobs.contains(&stopped.json), "{}", listed.json);
    assert_eq!(admin("GET", "/api/jobs/nothing", None).await.status, 404);
}

#[tokio::test]
async fn processes_the_failed_events_of_a_filter_again() {
    let account = unique("ACC-");
    let id = insert(Some(&account), EventState::Failed, b"unreadable").await;
    let which = json!({"account_code": account, "source": "shiprocket"});
    counts("events", &which, 1).await;
    counts("events", &json!({"account_code": account, "source": "shipway"}), 0).await;
    let of_time = |from: i64, to: i64| json!({"account_code": account, "from": seconds_from_now(from), "to": seconds_from_now(to)});
    counts("events", &of_time(-3600, 3600), 1).await;
    counts("events", &of_time(-7200, -3600), 0).await;
    counts("events", &of_time(3600, 7200), 0).await;
    let started = start("events", &which).await;
    let done = work_on(started["id"].as_str().unwrap()).await;
    assert_eq!((&done["state"], &done["restarted"]), (&json!("finished"), &json!(1)), "{done}");
    let before = detail(&id).await["settled_at"].clone();
    stack().sweep().run(seconds_from_now(60), seconds_from_now(60)).await.unwrap();
    let after = detail_in_status(&id, "failed").await;
    assert_ne!(after["settled_at"], before);
}

#[tokio::test]
async fn rejects_a_redrive_with_an_invalid_field() {
    for (kind, body, field) in [
        ("deliveries", json!({"reason": "401"}), "reason"),
        ("deliveries", json!({"limit": 0}), "limit"),
        ("events", json!({"source": "nobody"}), "source"),
    ] {
        let request = http::client().post(stack().url(&format!("/api/dlq/{kind}/replay")));
        let request = caller("admin").await.sign(http::with_json(request, Some(&body)));
        let answer = http::send_undocumented(request).await;
        assert_eq!(answer.error(), (422, "invalid", Some(field)), "{}", answer.json);
    }
}

/// The entries that a caller sees, with this target.
async fn audited(name: &str, target: &str) -> Vec<Value> {
    let (mut entries, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/audit?limit=100{cursor}");
        let request = http::client().get(stack().url(&path));
        let page = http::send(caller(name).await.sign(request)).await;
        assert_eq!(page.status, 200, "{}", page.json);
        let items = page.json["items"].as_array().unwrap();
        entries.extend(items.iter().filter(|entry| entry["target"] == target).cloned());
        let Some(next) = page.json["next_page"].as_str() else { return entries };
        cursor = format!("&page={next}");
    }
}

#[tokio::test]
async fn the_audit_log_has_what_admins_did() {
    let (endpoint, deliveries) = dead(1).await;
    let delivery = &deliveries[0].id;
    settings_to_expire().await;
    for action in ["pause", "enable"] {
        let path = format!("/api/endpoints/{}/{action}", endpoint.name());
        assert_eq!(admin("POST", &path, None).await.status, 200);
    }
    admin("POST", &format!("/api/deliveries/{delivery}/replay"), None).await;
    let which = json!({"endpoint": endpoint.name(), "account_code": OURS});
    let alone = JOBS.lock().await;
    let job = start("deliveries", &which).await["id"].as_str().unwrap().to_owned();
    admin("DELETE", &format!("/api/jobs/{job}"), None).await;
    drop(alone);
    let account = unique("ACC-");
    let event = insert(Some(&account), EventState::Failed, b"unreadable").await;
    admin("POST", &format!("/api/webhooks/retry/{event}"), None).await;
    for (target, actions, accounts) in [
        (endpoint.name(), &["endpoint.enable", "endpoint.pause"][..], json!([])),
        (delivery, &["delivery.replay"], json!([OURS])),
        (&job, &["job.stop", "deliveries.redrive"], json!([OURS])),
        (&event, &["event.retry"], json!([account])),
    ] {
        let entries = audited("admin", target).await;
        let found: Vec<_> = entries.iter().map(|it| it["action"].as_str().unwrap()).collect();
        assert_eq!(found, actions, "{target}");
        assert!(entries.iter().all(|it| it["by"] == "admin" && it["accounts"] == accounts));
    }
    let details = audited("admin", &job).await[1]["details"].clone();
    assert_eq!(details["endpoint"], endpoint.name());
    assert_eq!(audited("their admin", delivery).await, [] as [Value; 0]);
}
