//! Counts what AWS would bill for the calls of its clients. The emulator reports capacity units
//! that do not depend on the rows, so they are computed from the rows before and after each call.

mod units;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use reqwest::Client;
use serde_json::Value;

use super::http::client;
use super::{Calls, stack};
pub use units::{Index, Row, row_size};
use units::{half_read_units, read_row, row_write_units};

/// SQS bills every 64 KB of a request.
const SQS_CHUNK: usize = 64 * 1024;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// By operation.
    pub calls: BTreeMap<String, usize>,
    pub half_reads: usize,
    pub writes: usize,
    pub sqs_requests: usize,
}

/// The HTTP client of metered AWS clients. Calls must come one after another, for nothing else may
/// write the rows meanwhile.
#[derive(Debug, Clone)]
pub struct Meter {
    client: Client,
    /// By table.
    indexes: Arc<HashMap<String, Vec<Index>>>,
    /// `None` while nothing is measured.
    usage: Arc<Mutex<Option<Usage>>>,
}

impl Meter {
    pub fn new(indexes: HashMap<String, Vec<Index>>) -> Self {
        Self { client: client(), indexes: Arc::new(indexes), usage: Arc::default() }
    }

    pub fn http_client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }

    pub async fn measure<T>(&self, operation: impl Future<Output = T>) -> (T, Usage) {
        *self.usage.lock().unwrap() = Some(Usage::default());
        let result = operation.await;
        let usage = self.usage.lock().unwrap().take().unwrap();
        (result, usage)
    }

    fn is_on(&self) -> bool {
        self.usage.lock().unwrap().is_some()
    }

    async fn forward(&self, request: HttpRequest) -> HttpResponse {
        if !self.is_on() {
            return self.send(&request).await;
        }
        let call = Call::read(&request);
        let rows = call.rows();
        let before = load(&rows).await;
        let response = self.send(&request).await;
        let after = load(&rows).await;
        let mut usage = self.usage.lock().unwrap();
        if let Some(usage) = usage.as_mut() {
            *usage.calls.entry(call.operation.clone()).or_default() += 1;
            usage.sqs_requests += call.sqs_requests();
            usage.half_reads += call.half_reads(&before, &response);
            usage.writes += call.writes(&self.indexes, &rows, &before, &after);
        }
        response
    }

    async fn send(&self, request: &HttpRequest) -> HttpResponse {
        let method = request.method().parse().unwrap();
        let mut outgoing = self.client.request(method, request.uri());
        for (name, value) in request.headers() {
            outgoing = outgoing.header(name, value);
        }
        let body = request.body().bytes().unwrap().to_vec();
        let answer = outgoing.body(body).send().await.unwrap();
        let status = answer.status().as_u16().try_into().unwrap();
        HttpResponse::new(status, SdkBody::from(answer.bytes().await.unwrap()))
    }
}

impl HttpConnector for Meter {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let meter = self.clone();
        HttpConnectorFuture::new(async move { Ok(meter.forward(request).await) })
    }
}

/// A table and a key.
type RowId = (String, Row);

async fn load(rows: &[RowId]) -> Vec<Option<Row>> {
    let dynamodb = stack().dynamodb(&Calls::default());
    let mut loaded = Vec::new();
    for (table, key) in rows {
        let get = dynamodb.get_item().table_name(table).set_key(Some(key.clone()));
        loaded.push(get.consistent_read(true).send().await.unwrap().item);
    }
    loaded
}

struct Call {
    operation: String,
    body: Value,
}

impl Call {
    fn read(request: &HttpRequest) -> Self {
        let target = request.headers().get("x-amz-target").unwrap();
        let operation = target.rsplit('.').next().unwrap().to_owned();
        let body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        Self { operation, body }
    }

    fn is_transaction(&self) -> bool {
        self.operation == "TransactWriteItems"
    }

    /// The rows that the call names by their keys.
    fn rows(&self) -> Vec<RowId> {
        match self.operation.as_str() {
            "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" => vec![row_id(&self.body)],
            "TransactWriteItems" => {
                let items = self.body["TransactItems"].as_array().unwrap().iter();
                items.flat_map(|item| item.as_object().unwrap().values()).map(row_id).collect()
            }
            "BatchGetItem" => self.requested_keys(),
            "Query" | "SendMessage" | "SendMessageBatch" | "ChangeMessageVisibility" => vec![],
            operation if operation.starts_with("GetParameters") => vec![],
            operation => panic!("the meter does not know {operation}"),
        }
    }

    fn requested_keys(&self) -> Vec<RowId> {
        let tables = self.body["RequestItems"].as_object().unwrap().iter();
        let keys = tables.flat_map(|(table, request)| {
            let keys = request["Keys"].as_array().unwrap().iter();
            keys.map(move |key| (table.clone(), read_row(key)))
        });
        keys.collect()
    }

    fn half_reads(&self, rows: &[Option<Row>], response: &HttpResponse) -> usize {
        let sizes = || rows.iter().map(|row| row.as_ref().map_or(0, row_size));
        let is_consistent = |request: &Value| request["ConsistentRead"] == true;
        match self.operation.as_str() {
            "GetItem" => half_read_units(sizes().sum(), is_consistent(&self.body)),
            "BatchGetItem" => {
                let mut requests = self.body["RequestItems"].as_object().unwrap().values();
                let consistent = requests.all(is_consistent);
                sizes().map(|size| half_read_units(size, consistent)).sum()
            }
            "Query" => {
                let no_filter = self.body.get("FilterExpression").is_none();
                let all_attributes = self.body.get("ProjectionExpression").is_none();
                assert!(no_filter && all_attributes, "the answer has all that is read");
                let answer: Value =
                    serde_json::from_slice(response.body().bytes().unwrap()).unwrap();
                let items = answer["Items"].as_array().unwrap().iter();
                let size = items.map(|item| row_size(&read_row(item))).sum();
                half_read_units(size, is_consistent(&self.body))
            }
            _ => 0,
        }
    }

    /// A refused write costs as much as one that changes nothing. A transaction costs twice,
    /// without its indexes.
    fn writes(
        &self,
        indexes: &HashMap<String, Vec<Index>>,
        rows: &[RowId],
        before: &[Option<Row>],
        after: &[Option<Row>],
    ) -> usize {
        if !self.is_transaction()
            && !self.operation.ends_with("teItem")
            && self.operation != "PutItem"
        {
            return 0;
        }
        let times = if self.is_transaction() { 2 } else { 1 };
        let units = rows.iter().zip(before).zip(after).map(|(((table, _), before), after)| {
            let (before, after) = (before.as_ref(), after.as_ref());
            let index_units = indexes[table].iter().map(|index| index.write_units(before, after));
            times * row_write_units([before, after]) + index_units.sum::<usize>()
        });
        units.sum()
    }

    fn sqs_requests(&self) -> usize {
        let entries = match self.operation.as_str() {
            "SendMessage" => std::slice::from_ref(&self.body),
            "SendMessageBatch" => self.body["Entries"].as_array().unwrap(),
            "ChangeMessageVisibility" => return 1,
            _ => return 0,
        };
        let bytes = entries.iter().map(|entry| entry["MessageBody"].as_str().unwrap().len());
        bytes.sum::<usize>().div_ceil(SQS_CHUNK)
    }
}

fn row_id(request: &Value) -> RowId {
    let table = request["TableName"].as_str().unwrap().to_owned();
    let mut key = read_row(request.get("Key").unwrap_or(&request["Item"]));
    key.retain(|name, _| ["pk", "sk"].contains(&name.as_str()));
    (table, key)
}
