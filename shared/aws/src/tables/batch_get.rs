//! Reads rows by key, up to 100 a call.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::builders::KeysAndAttributesBuilder;

use crate::error::IoError;
use crate::tables::attr::Item;

const CALL: &str = "dynamodb:BatchGetItem";
/// DynamoDB's limit for one call.
pub(crate) const MAX_KEYS: usize = 100;
/// Calls without a new row before giving up. A pause precedes each but the first.
const MAX_EMPTY: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// Reads the rows with these keys, unsorted. Rows that do not exist are left out.
pub(crate) async fn batch_get(
    client: &Client,
    table: &str,
    keys: KeysAndAttributesBuilder,
) -> Result<Vec<Item>, IoError> {
    let keys = keys.build().map_err(|_| IoError::unreadable(CALL, "keys"))?;
    let mut unprocessed = HashMap::from([(table.to_owned(), keys)]);
    let mut rows = Vec::new();
    let mut empty = 0;
    while empty < MAX_EMPTY {
        tokio::time::sleep(FIRST_PAUSE * (2_u32.pow(empty) - 1)).await;
        let before = rows.len();
        let answer = client.batch_get_item().set_request_items(Some(unprocessed)).send().await;
        let answer = answer.map_err(|error| IoError::of(CALL, &error))?;
        rows.extend(answer.responses.into_iter().flatten().flat_map(|(_, rows)| rows));
        // The response was too large, or the table is throttled.
        unprocessed = answer.unprocessed_keys.unwrap_or_default();
        if unprocessed.is_empty() {
            return Ok(rows);
        }
        empty += u32::from(rows.len() == before);
    }
    Err(IoError::Transient { call: CALL, code: "unprocessed_keys".to_owned() })
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use aws_sdk_dynamodb::types::KeysAndAttributes;
    use serde_json::{Value, json};

    use super::*;
    use crate::client::fake::{FakeAws, clients};
    use crate::tables::keys::key;

    #[tokio::test]
    async fn gives_up_after_five_calls_without_a_row() {
        let fake = FakeAws::new(|body| {
            let request: Value = serde_json::from_slice(body).unwrap();
            let answer = json!({"Responses": {}, "UnprocessedKeys": request["RequestItems"]});
            (200, answer.to_string())
        });
        let client = clients(fake.edge()).dynamodb();
        let keys = KeysAndAttributes::builder().keys(key("1", "state"));
        let error = batch_get(&client, "orders", keys).await.unwrap_err();
        assert!(matches!(error, IoError::Transient { .. }), "{error}");
        assert_eq!(fake.requests().len(), usize::try_from(MAX_EMPTY).unwrap());
    }
}
