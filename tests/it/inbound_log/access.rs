//! Authorization: the events that a caller may see and retry.

use aws::tables::inbound::EventState;
use futures::future::join_all;

use super::{LOG, find, get, ids, insert};
use crate::support::{Caller, OURS, Role, THEIRS, caller, callers, http, stack, unique};

const MISSING: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// The expected status for an event of this account.
fn expected(caller: &Caller, changes: bool, account: Option<&str>) -> u16 {
    let sees = account.map_or(caller.has_all_accounts(), |account| caller.has(account));
    match caller.role {
        Role::Unauthenticated => 401,
        Role::Partner | Role::Vendor => 403,
        Role::Viewer if changes => 403,
        _ if !sees => 404,
        _ if changes => 202,
        _ => 200,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shows_and_retries_an_event_only_for_its_account() {
    let callers = callers().await;
    join_all([Some(OURS), Some(THEIRS), None].map(async |account| {
        let id = insert(account, EventState::Ignored, b"canary-body").await;
        for (caller, (method, path)) in callers.iter().flat_map(|caller| {
            [("GET", LOG), ("POST", "/api/webhooks/retry")].map(|route| (caller, route))
        }) {
            let ask = async |id: &str| {
                let request = http::client()
                    .request(method.parse().unwrap(), stack().url(&format!("{path}/{id}")));
                http::send(caller.sign(request)).await.of_first_failure()
            };
            let (answer, missing) = (ask(&id).await, ask(MISSING).await);
            let context = format!("{method} of {account:?} as {}", caller.name);
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
async fn lists_only_the_events_of_the_callers_accounts() {
    let (theirs, without_account) = (
        insert(Some(THEIRS), EventState::Failed, b"{}").await,
        insert(None, EventState::Failed, b"{}").await,
    );
    insert(Some(OURS), EventState::Failed, b"{}").await;
    for name in ["their admin", "their viewer"] {
        for query in ["?limit=100", "?limit=100&status=failed"] {
            let answer = get(caller(name).await, &format!("{LOG}{query}")).await;
            let items = answer.json["items"].as_array().unwrap();
            assert!(
                items.iter().all(|item| item["account_code"] == THEIRS),
                "{name} {query}: {}",
                answer.json
            );
            assert!(ids(items).contains(&theirs.as_str()), "{name} {query}");
        }
    }
    let listed = find("?limit=100&status=failed", &without_account).await;
    assert!(listed.unwrap()["account_code"].is_null());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_404_for_unknown_and_malformed_ids() {
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
