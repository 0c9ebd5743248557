//! Transactions: all rows are written, or none.

use serde_json::{Value, json};

use super::{Change, DynamoDb, Refused, Rows};
use crate::usage::lock;

impl DynamoDb {
    pub(super) fn transact(&self, request: &Value) -> Result<Value, Refused> {
        let mut rows = lock(&self.rows);
        let changes = changes(request, &rows)?;
        // Each write twice: to prepare and to commit. Also of those that are cancelled.
        self.meter.count().writes += changes.iter().map(|change| 2 * change.units()).sum::<u64>();
        if changes.iter().any(|change| change.refused.is_some()) {
            return Err(Refused::Cancelled(changes.iter().map(reason).collect()));
        }
        changes.into_iter().for_each(|change| change.make(&mut rows));
        Ok(json!({}))
    }
}

fn changes(request: &Value, rows: &Rows) -> Result<Vec<Change>, Refused> {
    let writes = request["TransactItems"].as_array().map(Vec::as_slice).unwrap_or_default();
    let one = |write: &Value| {
        let (kind, request) = write.as_object().and_then(|write| write.iter().next())?;
        Some(Change::of(&format!("{kind}Item"), request, rows))
    };
    writes
        .iter()
        .map(|write| one(write).unwrap_or_else(|| Err(Refused::Unsupported("a write".to_owned()))))
        .collect()
}

fn reason(change: &Change) -> Value {
    match &change.refused {
        Some(Some(item)) => json!({ "Code": "ConditionalCheckFailed", "Item": item }),
        Some(None) => json!({ "Code": "ConditionalCheckFailed" }),
        None => json!({ "Code": "None" }),
    }
}
