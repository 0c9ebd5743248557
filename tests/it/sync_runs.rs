//! Sync runs in the API: their state and counts.

use std::time::Duration;

use aws::tables::runs::{
    BatchOutcome, PlanClaim, PlanLease, PlanProgress, PlanStep, RunState, Runs,
};
use domain::core::timestamp::Timestamp;
use domain::polling::{Batch, BatchMessage, PlanMessage, PollCounts, Run};
use serde_json::{Value, json};

use crate::support::{Answer, Calls, Role, callers, http, next_millisecond, stack, unique};

const RUNS: &str = "/api/sync/runs";
const PLANNERS: u8 = 3;

async fn list(query: &str) -> Answer {
    stack().user("admin", "GET", &format!("{RUNS}{query}"), None).await
}

/// Finds a run in the list, which has the runs of all tests.
async fn find(id: &str) -> Value {
    let mut cursor = String::new();
    loop {
        let page = list(&format!("?limit=3{cursor}")).await;
        assert_eq!(page.status, 200, "{}", page.json);
        if let Some(run) = page.json["items"].as_array().unwrap().iter().find(|run| run["id"] == id)
        {
            return run.clone();
        }
        cursor =
            format!("&page={}", page.json["next_page"].as_str().expect("the run is on no page"));
    }
}

async fn open(runs: &Runs) -> Run {
    let run = Run { id: unique("manual-"), started_at: aws::clock::now(), manual: true };
    assert!(matches!(runs.open(&run, 5.0, PLANNERS).await.unwrap(), RunState::Open { .. }));
    run
}

async fn claim(runs: &Runs, run: &Run, planner: u8, now: Timestamp) -> PlanLease {
    match runs.claim(run, planner, "it", Duration::from_secs(60), now).await.unwrap() {
        PlanClaim::Leased(lease) => lease,
        other => panic!("{other:?}"),
    }
}

/// Finishes a planner.
async fn plan(runs: &Runs, run: &Run, planner: u8, batches: u64, planned: u64) {
    let lease = claim(runs, run, planner, aws::clock::now()).await;
    let progress =
        PlanProgress { batches, planned, without_credentials: 4, ..PlanProgress::default() };
    assert!(runs.save_progress(&lease, &progress, PlanStep::Finish).await.unwrap());
}

/// Records the counts of the only batch of a planner.
async fn record(runs: &Runs, run: &Run, planner: u8, counts: PollCounts) {
    let plan = PlanMessage::new(run.clone(), planner, PLANNERS, 5.0);
    let batch = Batch { credential: None, orders: Vec::new() };
    let batch = BatchMessage::new(&plan, 0, 0, batch);
    runs.count(&batch, BatchOutcome::Answered(counts), aws::clock::now()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shows_a_run_from_start_to_finish() {
    let runs = stack().runs(&Calls::default());
    let run = open(&runs).await;
    let mut expected = json!({
        "id": run.id, "kind": "manual", "state": "open", "started_at": run.started_at,
        "finished_at": null, "seconds": null, "planned": 0, "without_credentials": 0,
        "batches": 0, "done": 0, "failed": 0, "failures": [], "asked": 0, "changed": 0, "unknown": 0,
        "sources": [{"source": "shipway", "gap_rate": null}],
    });
    assert_eq!(find(&run.id).await, expected);

    plan(&runs, &run, 0, 1, 50).await;
    plan(&runs, &run, 1, 1, 10).await;
    record(&runs, &run, 0, PollCounts { asked: 50, changed: 1, unknown: 2 }).await;
    let progress = json!({
        "planned": 60, "without_credentials": 8, "batches": 2, "done": 1, "asked": 50,
        "changed": 1, "unknown": 2,
    });
    expected.as_object_mut().unwrap().extend(progress.as_object().unwrap().clone());
    expected["sources"][0]["gap_rate"] = json!("0.0200");
    assert_eq!(find(&run.id).await, expected);

    record(&runs, &run, 1, PollCounts { asked: 10, changed: 2, unknown: 0 }).await;
    plan(&runs, &run, 2, 0, 0).await;
    for planner in 0..PLANNERS {
        assert_eq!(find(&run.id).await["state"], "open");
        runs.close_after(&run, planner, aws::clock::now()).await.unwrap();
    }
    let run = find(&run.id).await;
    assert_eq!(
        (&run["state"], &run["done"], &run["asked"]),
        (&json!("finished"), &json!(2), &json!(60))
    );
    assert_eq!(run["without_credentials"], json!(12));
    assert_eq!((&run["changed"], &run["sources"][0]["gap_rate"]), (&json!(3), &json!("0.0500")));
    assert!(
        run["finished_at"].as_str() > run["started_at"].as_str() && run["seconds"].is_u64(),
        "{run}"
    );
}

#[tokio::test]
async fn says_why_batches_and_planners_failed() {
    let runs = stack().runs(&Calls::default());
    let run = open(&runs).await;
    for (planner, reason) in [(0, Some("connect")), (1, None)] {
        plan(&runs, &run, planner, 1, 50).await;
        let message = PlanMessage::new(run.clone(), planner, PLANNERS, 5.0);
        let batch = Batch { credential: None, orders: Vec::new() };
        let batch = BatchMessage::new(&message, 0, 0, batch);
        let outcome = BatchOutcome::GivenUp(reason);
        runs.count(&batch, outcome, aws::clock::now()).await.unwrap();
    }
    assert_eq!(find(&run.id).await["failures"], json!(["connect"]));
    runs.give_up_planner(&run, 2).await.unwrap();
    let run = find(&run.id).await;
    assert_eq!((&run["failed"], &run["failures"]), (&json!(2), &json!(["bug", "connect"])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_runs_newest_first_in_pages() {
    let runs = stack().runs(&Calls::default());
    let older = open(&runs).await;
    next_millisecond().await;
    let newer = open(&runs).await;
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    while !ids.contains(&older.id) {
        let page = list(&format!("?limit=1{cursor}")).await;
        ids.push(page.json["items"][0]["id"].as_str().unwrap().to_owned());
        cursor = format!("&page={}", page.json["next_page"].as_str().unwrap());
    }
    let position = |run: &Run| ids.iter().position(|id| *id == run.id);
    assert!(position(&newer) < position(&older), "{ids:?}");
    for query in ["?limit=0", "?limit=101", "?page=!"] {
        assert_eq!(list(query).await.status, 422, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn allows_only_admins_of_all_accounts() {
    for caller in callers().await {
        let answer = http::send(caller.sign(http::client().get(stack().url(RUNS)))).await;
        let answer = answer.of_first_failure();
        let expected = match caller.role {
            Role::Unauthenticated => 401,
            Role::Admin if caller.has_all_accounts() => 200,
            _ => 403,
        };
        assert_eq!(answer.status, expected, "{}: {}", caller.name, answer.json);
    }
}
