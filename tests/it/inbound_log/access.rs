//! Who may see which event, and have it worked on again.

use aws::tables::inbound::EventState;
use futures::future::join_all;

use super::{LOG, find, get, ids, keep};
use crate::callers::{Caller, OURS, Role, THEIRS, caller, callers};
use crate::support::{http, stack, unique};

const MISSING: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// The answer's status, by what a route gives to those who may.
fn expected(caller: &Caller, changes: bool, account: Option<&str>) -> u16 {
    let sees = account.map_or(caller.accounts == ["*"], |account| caller.has(account));
    match caller.role {
        Role::Nobody => 401,
        Role::Partner | Role::Vendor => 403,
        Role::Viewer if changes => 403,
        _ if !sees => 404,
        _ if changes => 202,
        _ => 200,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_shown_and_retried_for_those_whose_it_is() {
    let callers = callers().await;
    join_all([Some(OURS), Some(THEIRS), None].map(async |account| {
        let id = keep(account, EventState::Ignored, b"canary-body").await;
        for (caller, (method, path)) in callers.iter().flat_map(|caller| {
            [("GET", LOG), ("POST", "/api/webhooks/retry")].map(|route| (caller, route))
        }) {
            let ask = async |id: &str| {
                let request = http::client()
                    .request(method.parse().unwrap(), stack().url(&format!("{path}/{id}")));
                http::send(caller.sign(request)).await
            };
            let (answer, missing) = (ask(&id).await, ask(MISSING).await);
            let context = format!("{method} of {account:?} as {}", caller.who);
            assert_eq!(
                answer.status,
                expected(caller, method == "POST", account),
                "{context}: {}",
                answer.json
            );
            if answer.status >= 400 {
                assert_eq!(
                    (missing.status, missing.json),
                    (answer.status, answer.json),
                    "{context}"
                );
            } else {
                assert_eq!(missing.error(), (404, "not_found", None), "{context}");
            }
        }
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_shows_nothing_of_others_and_nothing_of_nobody() {
    let (theirs, nobodys) = (
        keep(Some(THEIRS), EventState::Failed, b"{}").await,
        keep(None, EventState::Failed, b"{}").await,
    );
    keep(Some(OURS), EventState::Failed, b"{}").await;
    for who in ["their admin", "their viewer"] {
        for query in ["?limit=100", "?limit=100&status=failed"] {
            let answer = get(caller(who).await, &format!("{LOG}{query}")).await;
            let items = answer.json["items"].as_array().unwrap();
            assert!(
                items.iter().all(|item| item["account_code"] == THEIRS),
                "{who} {query}: {}",
                answer.json
            );
            assert!(ids(items).contains(&theirs.as_str()), "{who} {query}");
        }
    }
    let to_all = find("?limit=100&status=failed", &nobodys).await;
    assert!(to_all.unwrap()["account_code"].is_null());
}

/// A cursor holds a place and nothing that decides whose events are shown.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_of_others_opens_nothing() {
    for _ in 0..2 {
        keep(Some(OURS), EventState::Failed, b"{}").await;
    }
    let admin = get(caller("admin").await, &format!("{LOG}?limit=1&account_code={OURS}")).await;
    let cursor = admin.json["next_page"].as_str().unwrap();
    let answer = get(caller("their admin").await, &format!("{LOG}?page={cursor}")).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    assert!(
        answer.json["items"].as_array().unwrap().iter().all(|item| item["account_code"] == THEIRS)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_id_is_no_event() {
    let admin = caller("admin").await;
    for id in [&unique("nowhere-"), "%20", "%0a", "a%00", &"x".repeat(129), "%2A", "event", "*"] {
        assert_eq!(
            get(admin, &format!("{LOG}/{id}")).await.error(),
            (404, "not_found", None),
            "{id}"
        );
        let retry = http::client().post(stack().url(&format!("/api/webhooks/retry/{id}")));
        assert_eq!(http::send(admin.sign(retry)).await.error(), (404, "not_found", None), "{id}");
    }
}
