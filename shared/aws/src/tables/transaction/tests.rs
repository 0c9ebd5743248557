#![expect(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::client::fake::{FakeAws, clients};
use crate::tables::attr::text;
use crate::tables::keys::key;

/// The result of a transaction of two writes, cancelled for these reasons.
async fn cancelled(reasons: &str) -> Result<TransactionOutcome, IoError> {
    let body =
        format!(r#"{{"__type":"TransactionCanceledException","CancellationReasons":[{reasons}]}}"#);
    let fake = FakeAws::new(move |_| (400, body.clone()));
    let client = clients(fake.edge()).dynamodb();
    let writes = vec![
        Write::insert("t", key("p", "a")).returning_existing(),
        Write::delete("t", key("p", "b")),
    ];
    let result = transact(&client, writes).await;
    assert_eq!(fake.requests().len(), 1);
    result
}

async fn cancellation(reasons: &str) -> Cancellation {
    match cancelled(reasons).await.unwrap() {
        TransactionOutcome::Cancelled(cancellation) => cancellation,
        TransactionOutcome::Committed => panic!("committed"),
    }
}

#[tokio::test]
async fn tells_which_condition_failed_and_on_which_row() {
    let reasons = r#"{"Code":"ConditionalCheckFailed","Item":{"owner":{"S":"a"}}},{"Code":"None"}"#;
    let cancellation = cancellation(reasons).await;
    assert!(cancellation.condition_failed(0) && !cancellation.condition_failed(1));
    assert_eq!(cancellation.existing(0).unwrap()["owner"], text("a"));
    assert!(cancellation.existing(1).is_err());
}

#[tokio::test]
async fn a_conflict_fails_no_condition() {
    let reasons = r#"{"Code":"None"},{"Code":"TransactionConflict"}"#;
    let cancellation = cancellation(reasons).await;
    assert!(!cancellation.condition_failed(0) && !cancellation.condition_failed(1));
    let error = TransactionOutcome::Cancelled(cancellation).unless_conflict().unwrap_err();
    assert_eq!(error, IoError::Transient { call: CALL, code: CONFLICT_REASON.to_owned() });
}

#[tokio::test]
async fn a_throttled_transaction_is_an_error() {
    let transient =
        IoError::Transient { call: CALL, code: "TransactionCanceledException".to_owned() };
    for reasons in [
        r#"{"Code":"None"},{"Code":"ThrottlingError"}"#,
        r#"{"Code":"ConditionalCheckFailed"},{"Code":"ThrottlingError"}"#,
        "",
    ] {
        assert_eq!(cancelled(reasons).await.unwrap_err(), transient, "{reasons}");
    }
}
