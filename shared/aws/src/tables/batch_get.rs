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
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use aws_sdk_dynamodb::config::{
        BehaviorVersion, Config, Credentials, Region, RuntimeComponents,
    };
    use aws_sdk_dynamodb::types::KeysAndAttributes;
    use aws_smithy_runtime_api::client::http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_types::body::SdkBody;

    use super::*;
    use crate::tables::keys::key;

    /// Answers every request with all of its keys as unprocessed, and counts the requests.
    #[derive(Debug, Clone, Default)]
    struct Unprocessed(Arc<AtomicU32>);

    impl HttpConnector for Unprocessed {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            self.0.fetch_add(1, Ordering::Relaxed);
            let request: serde_json::Value =
                serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            let answer =
                serde_json::json!({"Responses": {}, "UnprocessedKeys": request["RequestItems"]});
            let body = SdkBody::from(answer.to_string());
            HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), body)))
        }
    }

    impl HttpClient for Unprocessed {
        fn http_connector(
            &self,
            _: &HttpConnectorSettings,
            _: &RuntimeComponents,
        ) -> SharedHttpConnector {
            SharedHttpConnector::new(self.clone())
        }
    }

    #[tokio::test]
    async fn gives_up_after_five_calls_without_a_row() {
        let table = Unprocessed::default();
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("ap-south-1"))
            .credentials_provider(Credentials::new("a", "b", None, None, "test"))
            .http_client(table.clone());
        let client = Client::from_conf(config.build());
        let keys = KeysAndAttributes::builder().keys(key("1", "state"));
        let error = batch_get(&client, "orders", keys).await.unwrap_err();
        assert!(matches!(error, IoError::Transient { .. }), "{error}");
        assert_eq!(table.0.load(Ordering::Relaxed), MAX_EMPTY);
    }
}
