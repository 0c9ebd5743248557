//! Calls in words, for the story.

use std::fmt::{Formatter, Result};

use serde_json::Value;

pub(crate) fn dynamodb(f: &mut Formatter<'_>, operation: &str, request: &Value) -> Result {
    match operation {
        "TransactWriteItems" => {
            for write in request["TransactItems"].as_array().into_iter().flatten() {
                let Some((kind, write)) = write.as_object().and_then(|write| write.iter().next())
                else {
                    continue;
                };
                let key = if write["Item"].is_null() { &write["Key"] } else { &write["Item"] };
                write!(f, " [{kind} {}{}]", table(write), row(key))?;
            }
            Ok(())
        }
        "BatchGetItem" => {
            for (table, keys) in request["RequestItems"].as_object().into_iter().flatten() {
                write!(f, " {table} ({} rows)", keys["Keys"].as_array().map_or(0, Vec::len))?;
            }
            Ok(())
        }
        "Query" => {
            let index = request["IndexName"].as_str().unwrap_or_default();
            let values = &request["ExpressionAttributeValues"];
            let partition = values[":v0"]["S"].as_str().unwrap_or_default();
            write!(f, " {} {index} {partition}", table(request))
        }
        _ => {
            let key = if request["Item"].is_null() { &request["Key"] } else { &request["Item"] };
            write!(f, " {}{}", table(request), row(key))
        }
    }
}

fn table(request: &Value) -> &str {
    request["TableName"].as_str().unwrap_or_default()
}

fn row(key: &Value) -> String {
    let part = |name: &str| key[name]["S"].as_str();
    let parts = [part("pk"), part("sk")].into_iter().flatten();
    parts.map(|part| format!(" {part}")).collect()
}

pub(crate) fn sqs(f: &mut Formatter<'_>, queue: &str, request: &Value) -> Result {
    write!(f, " {queue}")?;
    if let Some(entries) = request["Entries"].as_array() {
        write!(f, " ({} entries)", entries.len())?;
    }
    if let Some(seconds) = request["VisibilityTimeout"].as_u64() {
        write!(f, " in {seconds} s")?;
    }
    Ok(())
}

pub(crate) fn ssm(f: &mut Formatter<'_>, request: &Value) -> Result {
    match request["Path"].as_str() {
        Some(path) => write!(f, " {path}"),
        None => write!(f, " {} names", request["Names"].as_array().map_or(0, Vec::len)),
    }
}
