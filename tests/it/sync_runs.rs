//! What operators see of the runs in which the carrier is asked.

use std::time::Duration;

use aws::tables::runs::{ClaimOutcome, Lease, PlanProgress, PlanStep, RunState, Runs};
use domain::core::timestamp::Timestamp;
use domain::polling::{BatchMessage, PollCounts, Run, SHARDS, ShardMessage};
use serde_json::{Value, json};

use crate::callers::{Role, callers};
use crate::support::{Answer, Calls, http, stack, unique};

const RUNS: &str = "/api/sync/runs";

async fn list(query: &str) -> Answer {
    stack().user("admin", "GET", &format!("{RUNS}{query}"), None).await
}

/// A run of this test's own among those of all tests.
async fn shown(id: &str) -> Value {
    let mut cursor = String::new();
    loop {
        let page = list(&format!("?limit=3{cursor}")).await;
        assert_eq!(page.status, 200, "{}", page.json);
        if let Some(run) = page.json["items"].as_array().unwrap().iter().find(|run| run["id"] == id)
        {
            return run.clone();
        }
        cursor = format!("&page={}", page.json["next_page"].as_str().expect("it is on no page"));
    }
}

async fn open(runs: &Runs) -> Run {
    let run = Run { id: unique("manual-"), started_at: aws::clock::now(), manual: true };
    assert!(matches!(runs.open(&run, 5.0).await.unwrap(), RunState::Open { .. }));
    run
}

async fn claim(runs: &Runs, run: &Run, shard: u8, now: Timestamp) -> Lease {
    match runs.claim(run, shard, "it", Duration::from_secs(60), now).await.unwrap() {
        ClaimOutcome::Leased(lease) => lease,
        other => panic!("{other:?}"),
    }
}

/// Plans a shard to the end.
async fn plan(runs: &Runs, run: &Run, shard: u8, batches: u64, planned: u64) {
    let lease = claim(runs, run, shard, aws::clock::now()).await;
    let progress = PlanProgress { resume_after: None, batches, planned };
    assert!(runs.save_progress(&lease, &progress, PlanStep::Finish).await.unwrap());
}

/// The only batch of a shard, in which this was found.
async fn answer(runs: &Runs, run: &Run, shard: u8, counts: PollCounts) {
    let batch = BatchMessage::new(&ShardMessage::new(run.clone(), shard, 5.0), 0, None, Vec::new());
    runs.count(&batch, aws::tables::runs::BatchOutcome::Answered(counts), aws::clock::now())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_shown_from_its_beginning_to_its_end() {
    let runs = stack().runs(&Calls::default());
    let run = open(&runs).await;
    let mut expected = json!({
        "id": run.id, "kind": "manual", "state": "open", "started_at": run.started_at, "finished_at": null,
        "seconds": null, "planned": 0, "batches": 0, "done": 0, "failed": 0, "asked": 0, "changed": 0, "unknown": 0,
        "sources": [{"source": "shipway", "gap_rate": null}],
    });
    assert_eq!(shown(&run.id).await, expected);

    plan(&runs, &run, 0, 1, 50).await;
    plan(&runs, &run, 1, 1, 10).await;
    answer(&runs, &run, 0, PollCounts { asked: 50, changed: 1, unknown: 2 }).await;
    let so_far =
        json!({"planned": 60, "batches": 2, "done": 1, "asked": 50, "changed": 1, "unknown": 2});
    expected.as_object_mut().unwrap().extend(so_far.as_object().unwrap().clone());
    expected["sources"][0]["gap_rate"] = json!("0.0200");
    assert_eq!(shown(&run.id).await, expected);

    answer(&runs, &run, 1, PollCounts { asked: 10, changed: 2, unknown: 0 }).await;
    for shard in 0..SHARDS {
        if shard > 1 {
            plan(&runs, &run, shard, 0, 0).await;
        }
        runs.close_after(&run, shard, aws::clock::now()).await.unwrap();
    }
    let run = shown(&run.id).await;
    assert_eq!(
        (&run["state"], &run["done"], &run["asked"]),
        (&json!("finished"), &json!(2), &json!(60))
    );
    assert_eq!((&run["changed"], &run["sources"][0]["gap_rate"]), (&json!(3), &json!("0.0500")));
    assert!(
        run["finished_at"].as_str() > run["started_at"].as_str() && run["seconds"].is_u64(),
        "{run}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_run_comes_first_and_each_is_on_one_page() {
    let runs = stack().runs(&Calls::default());
    let older = open(&runs).await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    let newer = open(&runs).await;
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    while !ids.contains(&older.id) {
        let page = list(&format!("?limit=1{cursor}")).await;
        ids.push(page.json["items"][0]["id"].as_str().unwrap().to_owned());
        cursor = format!("&page={}", page.json["next_page"].as_str().unwrap());
    }
    let place = |run: &Run| ids.iter().position(|id| *id == run.id);
    assert!(place(&newer) < place(&older), "{ids:?}");
    for query in ["?limit=0", "?limit=101", "?page=!"] {
        assert_eq!(list(query).await.status, 422, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_are_for_admins_of_every_account() {
    for caller in callers().await {
        let answer = http::send(caller.sign(http::client().get(stack().url(RUNS)))).await;
        let expected = match caller.role {
            Role::Nobody => 401,
            Role::Admin if caller.accounts == ["*"] => 200,
            _ => 403,
        };
        assert_eq!(answer.status, expected, "{}: {}", caller.who, answer.json);
    }
}
