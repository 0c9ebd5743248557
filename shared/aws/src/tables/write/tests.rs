#![expect(clippy::unwrap_used)]

use super::*;
use crate::client::fake::{FakeAws, clients};
use crate::tables::attr::text;
use crate::tables::expression::attr;
use crate::tables::keys::key;

const PUT: &str = "dynamodb:PutItem";
const APPLIED: (u16, &str) = (200, "{}");
const CONFLICT: (u16, &str) = (400, r#"{"__type":"TransactionConflictException"}"#);
const CONDITION_FAILED: (u16, &str) = (400, r#"{"__type":"ConditionalCheckFailedException"}"#);
const CONDITION_FAILED_ON_ROW: (u16, &str) =
    (400, r#"{"__type":"ConditionalCheckFailedException","Item":{"owner":{"S":"a"}}}"#);
const INVALID: (u16, &str) = (400, r#"{"__type":"ValidationException","message":"no"}"#);

fn put() -> Write {
    Write::insert("t", key("p", "s")).returning_existing()
}

/// Sends a write, and returns the result with the number of requests.
async fn send(
    write: Write,
    responses: &[(u16, &'static str)],
) -> (Result<WriteOutcome, IoError>, usize) {
    let fake = FakeAws::sequence(responses);
    let client = clients(fake.edge()).dynamodb();
    let result = write.send(&client).await;
    (result, fake.requests().len())
}

async fn send_if_unchanged(response: (u16, &'static str)) -> (Result<bool, IoError>, usize) {
    let fake = FakeAws::sequence(&[response]);
    let client = clients(fake.edge()).dynamodb();
    let result = put().send_if_unchanged(&client).await;
    (result, fake.requests().len())
}

fn transient(call: &'static str) -> IoError {
    IoError::Transient { call, code: CONFLICT_ERROR.to_owned() }
}

#[tokio::test]
async fn sends_a_write_again_while_a_transaction_writes_the_row() {
    let applied = WriteOutcome::Applied(Item::new());
    let sent = send(put(), &[CONFLICT, CONFLICT, APPLIED]).await;
    assert_eq!(sent, (Ok(applied), 3));
}

#[tokio::test]
async fn sends_the_same_request_again() {
    let fake = FakeAws::sequence(&[CONFLICT, APPLIED]);
    let client = clients(fake.edge()).dynamodb();
    assert!(put().send(&client).await.unwrap().is_applied());
    let bodies: Vec<Vec<u8>> =
        fake.requests().iter().map(|request| request.body().bytes().unwrap().to_vec()).collect();
    assert_eq!(bodies[0], bodies[1]);
}

#[tokio::test]
async fn gives_up_after_seven_conflicts() {
    let changes = Changes::new().set("a", text("b"));
    for (write, call) in [
        (put(), PUT),
        (Write::update("t", key("p", "s"), changes), "dynamodb:UpdateItem"),
        (Write::delete("t", key("p", "s")), "dynamodb:DeleteItem"),
    ] {
        assert_eq!(send(write, &[CONFLICT; 7]).await, (Err(transient(call)), 7));
    }
}

#[test]
#[should_panic(expected = "an update without changes")]
fn rejects_an_update_without_changes() {
    let _ = Write::update("t", key("p", "s"), Changes::new());
}

#[tokio::test]
async fn returns_the_existing_row_if_the_condition_fails() {
    let missing = WriteOutcome::ConditionFailed(Item::new());
    assert_eq!(send(put(), &[CONDITION_FAILED]).await, (Ok(missing), 1));
    let existing = WriteOutcome::ConditionFailed(Item::from([("owner".to_owned(), text("a"))]));
    assert_eq!(send(put(), &[CONDITION_FAILED_ON_ROW]).await, (Ok(existing.clone()), 1));
    let unchanged = attr("owner").equals(text("b"));
    let delete = Write::delete("t", key("p", "s")).only_if(unchanged).returning_existing();
    assert_eq!(send(delete, &[CONDITION_FAILED_ON_ROW]).await, (Ok(existing), 1));
}

#[tokio::test]
async fn reports_an_invalid_request_at_once() {
    let bug = IoError::Bug { call: PUT, code: "ValidationException".to_owned() };
    assert_eq!(send(put(), &[INVALID]).await, (Err(bug.clone()), 1));
    assert_eq!(send_if_unchanged(INVALID).await, (Err(bug), 1));
}

#[tokio::test]
async fn a_caller_that_reads_again_gets_a_conflict_at_once() {
    assert_eq!(send_if_unchanged(APPLIED).await, (Ok(true), 1));
    assert_eq!(send_if_unchanged(CONFLICT).await, (Ok(false), 1));
    assert_eq!(send_if_unchanged(CONDITION_FAILED).await, (Ok(false), 1));
}
