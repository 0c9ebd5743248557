//! Compares the model with a recording of dynoxide, which is verified against DynamoDB. `make
//! record-dynamodb` makes the recording; `tests/dynoxide` generates its requests.

use std::io::{BufRead, BufReader};

use flate2::read::GzDecoder;

use super::*;

const RECORDING: &[u8] = include_bytes!("../../../recordings/dynamodb.jsonl.gz");

/// As `tests/dynoxide` creates them.
fn tables() -> Vec<Table> {
    let index = |name: &str, partition_key: &str| Index {
        name: name.to_owned(),
        partition_key: partition_key.to_owned(),
        sort_key: Some("at".to_owned()),
        has_number: false,
    };
    let table = |name: &str, sort_key: Option<&str>, indexes| Table {
        name: name.to_owned(),
        partition_key: "pk".to_owned(),
        sort_key: sort_key.map(str::to_owned),
        indexes,
        ttl: None,
    };
    let indexes = vec![index("by_list", "listed"), index("by_found", "found")];
    vec![table("indexed", Some("sk"), indexes), table("simple", None, Vec::new())]
}

/// The request with the answer or error of the model, in the form of the recording.
fn exchange(db: &mut DynamoDb, operation: &str, request: &Value, now: u64) -> Value {
    let mut exchange = json!({ "operation": operation, "request": request });
    db.take_usage();
    match db.call(operation, request, now, 0) {
        Ok(answer) => {
            let Usage { half_reads, writes } = db.usage();
            let units = u32::try_from(half_reads + 2 * writes).unwrap();
            exchange["units"] = (f64::from(units) / 2.0).into();
            exchange["answer"] = answer;
        }
        Err(failure) => exchange["error"] = error(&failure),
    }
    exchange
}

/// The recording has no messages: the functions do not read them.
fn error(failure: &Failure) -> Value {
    let mut error = json!({ "code": failure.code, "item": failure.members.get("Item") });
    if let Some(reasons) = failure.members.get("CancellationReasons") {
        let reason = |reason: &Value| json!({ "code": reason["Code"], "item": reason["Item"] });
        error["reasons"] = reasons.as_array().unwrap().iter().map(reason).collect();
    }
    error
}

#[test]
fn answers_as_recorded() {
    let (mut db, mut now) = (DynamoDb::new(tables()), 0);
    for line in BufReader::new(GzDecoder::new(RECORDING)).lines() {
        let recorded: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let operation = recorded["operation"].as_str().unwrap();
        assert_eq!(exchange(&mut db, operation, &recorded["request"], now), recorded);
        now += 1;
    }
    assert!(now > 6000, "the recording has {now} requests");
}
