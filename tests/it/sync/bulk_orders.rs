//! Thousands of polled orders: one created through the API, and copies of its rows.

use std::collections::HashMap;

use aws::tables::packed::unpack_bytes;
use aws_sdk_dynamodb::types::{
    AttributeValue, DeleteRequest, KeysAndAttributes, PutRequest, WriteRequest,
};
use domain::core::id::{AccountCode, Awb, OrderKey};
use domain::polling::shard;
use futures::stream::{self, StreamExt};
use serde_json::{Value, json};
use sources::shipway::tracking_api;

use super::environment::order_key;
use crate::support::{Calls, block_on_in_drop, stack, unique};

type Row = HashMap<String, AttributeValue>;

/// Requests in parallel.
const CONCURRENCY: usize = 8;
/// Rows in a request, limited by DynamoDB.
const WRITE_BATCH: usize = 25;
const READ_BATCH: usize = 100;

/// Orders of one account.
pub struct BulkOrders {
    pub account: String,
    order_id: String,
    awb: String,
    /// The rows of the order that is copied.
    rows: Vec<Row>,
    count: usize,
}

impl BulkOrders {
    /// Creates the order that is copied.
    pub async fn new(account: String) -> Self {
        let (order_id, awb) = (unique("BULK-"), unique("88"));
        let body = json!({
            "orderId": order_id, "accountCode": account, "awb": awb, "poll": "shipway",
        });
        let created = stack().user("admin", "POST", "/api/external/orders", Some(&body)).await;
        assert_eq!(created.status, 201, "{}", created.json);
        let sort_key = format!("{}:{account}:{order_id}", account.len());
        let mut rows = query(&format!("order:{sort_key}"), "").await;
        let active = format!("{sort_key}/{awb}");
        rows.extend(query(&active_partition(&order_key(&account, &order_id)), &active).await);
        assert_eq!(rows.len(), 3, "state, profile and polling state: {rows:?}");
        rows.iter_mut().for_each(write_as_before);
        let orders = Self { account, order_id, awb, rows, count: 0 };
        // Only the copies are polled.
        write(vec![delete(&orders.rows[2])]).await;
        orders
    }

    pub fn key(&self, n: usize) -> OrderKey {
        order_key(&self.account, &format!("{}-{n:05}", self.order_id))
    }

    pub fn awb(&self, n: usize) -> String {
        format!("{}{n:05}", self.awb)
    }

    /// The index of the order with this AWB.
    pub fn index_of_awb(&self, awb: &str) -> Option<usize> {
        awb.strip_prefix(&self.awb)?.parse().ok()
    }

    pub fn index_of_id(&self, id: &str) -> usize {
        id.rsplit_once('-').unwrap().1.parse().unwrap()
    }

    /// Writes copies whose newest report from the carrier was made of `item`.
    pub async fn create(&mut self, count: usize, item: &Value) {
        self.count = count;
        let puts = (0..count).flat_map(|n| self.copies(n, item));
        let puts = puts.map(|row| WriteRequest::builder().put_request(put(row)).build());
        write(puts.collect()).await;
    }

    fn copies(&self, n: usize, item: &Value) -> Vec<Row> {
        let (key, awb) = (self.key(n), self.awb(n));
        let copy =
            |text: &str| text.replace(&self.order_id, key.order.as_str()).replace(&self.awb, &awb);
        let copy = |value: &AttributeValue| match value {
            AttributeValue::S(text) => AttributeValue::S(copy(text)),
            other => other.clone(),
        };
        let rows = self.rows.iter();
        let mut rows: Vec<Row> = rows
            .map(|row| row.iter().map(|(name, value)| (name.clone(), copy(value))).collect())
            .collect();
        rows[2].insert("pk".to_owned(), AttributeValue::S(active_partition(&key)));
        if let Some(seen) = report_id(&key, &awb, item) {
            rows[2].insert("seen".to_owned(), AttributeValue::S(seen));
        }
        rows
    }

    /// The status and version of each of the first `count` orders.
    pub async fn tracking(&self, count: usize) -> Vec<(String, u64)> {
        let indexes: Vec<usize> = (0..count).collect();
        let read = stream::iter(indexes.chunks(READ_BATCH))
            .map(|batch| self.read(batch))
            .buffered(CONCURRENCY);
        read.concat().await
    }

    async fn read(&self, indexes: &[usize]) -> Vec<(String, u64)> {
        let rows =
            indexes.iter().map(|n| self.copies(*n, &json!({})).swap_remove(self.state_row()));
        let keys = rows.map(|row| key_of(&row)).collect();
        let table = &stack().tables["orders"];
        let request = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .build()
            .unwrap();
        let dynamodb = stack().dynamodb(&Calls::default());
        let answer = dynamodb.batch_get_item().request_items(table, request).send().await.unwrap();
        let mut orders: Vec<(usize, String, u64)> = Vec::new();
        for row in &answer.responses.unwrap()[table] {
            let state = state_of(row).unwrap();
            let status = state["tracking"]["status"].as_str().unwrap().to_owned();
            orders.push((
                self.index_of_id(row["order_id"].as_s().unwrap()),
                status,
                state["version"].as_u64().unwrap(),
            ));
        }
        orders.sort();
        assert_eq!(orders.iter().map(|order| order.0).collect::<Vec<_>>(), indexes);
        orders.into_iter().map(|(_, status, version)| (status, version)).collect()
    }

    fn state_row(&self) -> usize {
        self.rows.iter().position(|row| row["sk"].as_s().unwrap() == "state").unwrap()
    }
}

/// Deletes the rows, after a failed test too: every run polls all orders.
impl Drop for BulkOrders {
    fn drop(&mut self) {
        let rows = (0..self.count).flat_map(|n| self.copies(n, &json!({})));
        let remove = write(rows.map(|row| delete(&row)).collect());
        block_on_in_drop(remove);
    }
}

fn state_of(row: &Row) -> Option<Value> {
    match row.get("json") {
        Some(json) => serde_json::from_str(json.as_s().ok()?).ok(),
        None => unpack_bytes(row.get("state")?.as_b().ok()?.as_ref()),
    }
}

/// As releases before wrote the state, in text that can be replaced.
fn write_as_before(row: &mut Row) {
    if let Some(state) = state_of(row).filter(|_| row.contains_key("state")) {
        row.remove("state");
        row.insert("json".to_owned(), AttributeValue::S(state.to_string()));
    }
}

/// The id of the report made of an item of the carrier's answer.
fn report_id(key: &OrderKey, awb: &str, item: &Value) -> Option<String> {
    let mut item = item.clone();
    item["awb"] = json!(awb);
    let (awb, account): (Awb, &AccountCode) = (Awb::parse(awb).unwrap(), &key.account);
    let queries = [tracking_api::TrackingQuery { account, order_id: &key.order, awb: &awb }];
    let answers = tracking_api::read(&queries, json!([item]).to_string().as_bytes()).unwrap();
    answers.into_iter().find_map(|answer| match answer {
        tracking_api::ParcelAnswer::Known(report) => Some(report.id.to_string()),
        tracking_api::ParcelAnswer::Unknown => None,
    })
}

fn active_partition(key: &OrderKey) -> String {
    format!("active:{:02}", shard(key))
}

fn key_of(row: &Row) -> Row {
    row.iter()
        .filter(|(name, _)| ["pk", "sk"].contains(&name.as_str()))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect()
}

fn put(row: Row) -> PutRequest {
    PutRequest::builder().set_item(Some(row)).build().unwrap()
}

fn delete(row: &Row) -> WriteRequest {
    let delete = DeleteRequest::builder().set_key(Some(key_of(row))).build().unwrap();
    WriteRequest::builder().delete_request(delete).build()
}

async fn query(pk: &str, sk: &str) -> Vec<Row> {
    let query = stack().dynamodb(&Calls::default()).query().table_name(&stack().tables["orders"]);
    let query = query
        .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
        .consistent_read(true);
    let query = match sk {
        "" => query.key_condition_expression("pk = :pk"),
        sk => query
            .key_condition_expression("pk = :pk AND sk = :sk")
            .expression_attribute_values(":sk", AttributeValue::S(sk.to_owned())),
    };
    query.send().await.unwrap().items.unwrap()
}

async fn write(requests: Vec<WriteRequest>) {
    let (dynamodb, table) = (&stack().dynamodb(&Calls::default()), &stack().tables["orders"]);
    let batches = stream::iter(requests.chunks(WRITE_BATCH).map(<[WriteRequest]>::to_vec));
    batches
        .for_each_concurrent(CONCURRENCY, async |batch| {
            let answer =
                dynamodb.batch_write_item().request_items(table, batch).send().await.unwrap();
            assert!(answer.unprocessed_items.is_none_or(|items| items.is_empty()));
        })
        .await;
}
