use serde_json::{Value, json};

use super::{CallError, Change, DynamoDb, Rows};
use crate::usage::lock;

impl DynamoDb {
    pub(super) fn transact(&self, request: &Value) -> Result<Value, CallError> {
        let mut rows = lock(&self.rows);
        let changes = changes(request, &rows)?;
        // Each write is billed twice, to prepare and to commit; cancelled transactions too.
        self.meter.count().writes += changes.iter().map(|change| 2 * change.units()).sum::<u64>();
        if changes.iter().any(|change| change.failed_condition.is_some()) {
            return Err(CallError::Cancelled(changes.iter().map(cancellation_reason).collect()));
        }
        changes.into_iter().for_each(|change| change.apply(&mut rows));
        Ok(json!({}))
    }
}

fn changes(request: &Value, rows: &Rows) -> Result<Vec<Change>, CallError> {
    let writes = request["TransactItems"].as_array().map(Vec::as_slice).unwrap_or_default();
    let change = |write: &Value| {
        let (kind, request) = write.as_object().and_then(|write| write.iter().next())?;
        Some(Change::of(&format!("{kind}Item"), request, rows))
    };
    writes
        .iter()
        .map(|write| {
            change(write).unwrap_or_else(|| Err(CallError::Unsupported("a write".to_owned())))
        })
        .collect()
}

fn cancellation_reason(change: &Change) -> Value {
    match &change.failed_condition {
        Some(Some(item)) => json!({ "Code": "ConditionalCheckFailed", "Item": item }),
        Some(None) => json!({ "Code": "ConditionalCheckFailed" }),
        None => json!({ "Code": "None" }),
    }
}
