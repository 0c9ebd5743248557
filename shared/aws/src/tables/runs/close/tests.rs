#![expect(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::client::fake::{FakeAws, clients};

/// Closes a run of one planner, if its row and those of its batches allow it. Returns the totals
/// `done` and `failed` of the closed run.
async fn close(planner: Value, batches: Value) -> Option<[String; 2]> {
    let fake = FakeAws::new(move |request| {
        let request: Value = serde_json::from_slice(request).unwrap();
        let answer = if request["Key"]["sk"]["S"] == "planner:00" {
            json!({ "Item": planner })
        } else if !request["UpdateExpression"].is_null() {
            json!({ "Attributes": { "planners": {"N": "1"}, "finished": {"SS": ["00"]} } })
        } else if request.to_string().contains("batch:00:") {
            json!({ "Items": batches })
        } else {
            json!({ "Items": [planner] })
        };
        (200, answer.to_string())
    });
    let runs = Runs::new(clients(fake.edge()).dynamodb(), "t".to_owned());
    runs.close_after(&Run::hourly(Timestamp::EPOCH), 0, Timestamp::EPOCH).await.unwrap();
    let requests = fake.requests();
    let last: Value = serde_json::from_slice(requests.last()?.body().bytes()?).unwrap();
    let expression = last["UpdateExpression"].as_str()?;
    let value = |name: &str| {
        let (_, placeholder) = expression.split_once(&format!("#{name} = "))?;
        let placeholder = placeholder.split([',', ' ']).next()?;
        last["ExpressionAttributeValues"][placeholder]["N"].as_str().map(str::to_owned)
    };
    Some([value("done")?, value("failed")?])
}

fn planner(claims: u64, batches: u64, done: u64, failed: u64) -> Value {
    let number = |value: u64| json!({ "N": value.to_string() });
    json!({
        "sk": {"S": "planner:00"}, "planning_done": {"BOOL": true}, "claims": number(claims),
        "batches": number(batches), "done": number(done), "failed": number(failed),
    })
}

fn batch(k: u64, attributes: Value) -> Value {
    let mut row = attributes;
    row["sk"] = json!({ "S": format!("batch:00:{k}") });
    row
}

fn answered(k: u64) -> Value {
    batch(k, json!({ "ended": {"BOOL": true}, "answered": {"SS": ["a"]} }))
}

fn given_up(k: u64) -> Value {
    batch(k, json!({ "ended": {"BOOL": true} }))
}

fn totals(done: &str, failed: &str) -> Option<[String; 2]> {
    Some([done.to_owned(), failed.to_owned()])
}

#[tokio::test]
async fn closes_a_run_when_its_planner_is_done_and_all_batches_have_ended() {
    assert_eq!(close(planner(1, 0, 0, 0), json!([])).await, totals("0", "0"));
    assert_eq!(close(planner(1, 5, 4, 1), json!([])).await, totals("4", "1"));
    assert_eq!(close(planner(1, 5, 4, 0), json!([])).await, None);
    // More batches may follow.
    let mut planning = planner(1, 5, 5, 0);
    planning.as_object_mut().unwrap().remove("planning_done");
    assert_eq!(close(planning, json!([])).await, None);
}

/// A worker sent the batches 0 and 1, and crashed. The orders of one of them were not due any more
/// when its successor planned.
#[tokio::test]
async fn does_not_count_a_batch_that_no_plan_has_any_more() {
    let open = batch(0, json!({ "attempts": {"N": "1"} }));
    assert_eq!(close(planner(2, 1, 1, 0), json!([open, answered(1)])).await, None);
    let all = json!([answered(0), answered(1)]);
    assert_eq!(close(planner(2, 1, 2, 0), all).await, totals("1", "0"));
    let all = json!([given_up(0), answered(1)]);
    assert_eq!(close(planner(2, 1, 1, 1), all).await, totals("0", "1"));
    let all = json!([answered(0), given_up(10)]);
    assert_eq!(close(planner(3, 10, 9, 2), all).await, None);
}
