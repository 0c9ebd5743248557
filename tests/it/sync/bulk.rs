//! Very many orders that the carrier is asked about: one that the API made, and copies of its rows.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, DeleteRequest, KeysAndAttributes, PutRequest, WriteRequest,
};
use domain::core::id::{AccountCode, Awb, OrderKey};
use domain::polling::shard;
use futures::stream::{self, StreamExt};
use serde_json::{Value, json};
use sources::shipway::pull;

use super::installation::key;
use crate::support::{Calls, stack, unique};

type Row = HashMap<String, AttributeValue>;

/// So many requests are made side by side.
const SIDE_BY_SIDE: usize = 8;
/// DynamoDB writes so many rows a request,
const WRITES: usize = 25;
/// and reads so many.
const READS: usize = 100;

/// Orders of one account.
pub struct Bulk {
    pub account: String,
    order: String,
    awb: String,
    rows: Vec<Row>,
    count: usize,
}

impl Bulk {
    /// The orders it is copied from.
    pub async fn new(account: String) -> Self {
        let (order, awb) = (unique("BULK-"), unique("88"));
        let body = json!({"orderId": order, "accountCode": account, "awb": awb, "poll": "shipway"});
        let created = stack().user("admin", "POST", "/api/external/orders", Some(&body)).await;
        assert_eq!(created.status, 201, "{}", created.json);
        let place = format!("{}:{account}:{order}", account.len());
        let mut rows = query(&format!("order:{place}"), "").await;
        rows.extend(query(&active_partition(&key(&account, &order)), &place).await);
        assert_eq!(rows.len(), 3, "state, profile and what is asked about: {rows:?}");
        let bulk = Self { account, order, awb, rows, count: 0 };
        // The copies are enough.
        write(vec![delete(&bulk.rows[2])]).await;
        bulk
    }

    pub fn key(&self, n: usize) -> OrderKey {
        key(&self.account, &format!("{}-{n:05}", self.order))
    }

    pub fn awb(&self, n: usize) -> String {
        format!("{}{n:05}", self.awb)
    }

    /// The order that has this AWB, if it is of these.
    pub fn of_awb(&self, awb: &str) -> Option<usize> {
        awb.strip_prefix(&self.awb)?.parse().ok()
    }

    /// The order of this id.
    pub fn of_id(&self, id: &str) -> usize {
        id.rsplit_once('-').unwrap().1.parse().unwrap()
    }

    /// Writes so many of them, as if the carrier had said this of each before.
    pub async fn create(&mut self, count: usize, said: &Value) {
        self.count = count;
        let puts = (0..count).flat_map(|n| self.copies(n, said));
        let puts = puts.map(|row| WriteRequest::builder().put_request(put(row)).build());
        write(puts.collect()).await;
    }

    fn copies(&self, n: usize, said: &Value) -> Vec<Row> {
        let (key, awb) = (self.key(n), self.awb(n));
        let copy =
            |text: &str| text.replace(&self.order, key.order.as_str()).replace(&self.awb, &awb);
        let copy = |value: &AttributeValue| match value {
            AttributeValue::S(text) => AttributeValue::S(copy(text)),
            other => other.clone(),
        };
        let rows = self.rows.iter();
        let mut rows: Vec<Row> = rows
            .map(|row| row.iter().map(|(name, value)| (name.clone(), copy(value))).collect())
            .collect();
        rows[2].insert("pk".to_owned(), AttributeValue::S(active_partition(&key)));
        if let Some(seen) = report_id(&key, &awb, said) {
            rows[2].insert("seen".to_owned(), AttributeValue::S(seen));
        }
        rows
    }

    /// Status and version of each.
    pub async fn tracking(&self, count: usize) -> Vec<(String, u64)> {
        let keys: Vec<usize> = (0..count).collect();
        let read =
            stream::iter(keys.chunks(READS)).map(|some| self.read(some)).buffered(SIDE_BY_SIDE);
        read.concat().await
    }

    async fn read(&self, some: &[usize]) -> Vec<(String, u64)> {
        let rows = some.iter().map(|n| self.copies(*n, &json!({})).swap_remove(self.state()));
        let keys = rows.map(|row| key_of(&row)).collect();
        let table = &stack().tables["orders"];
        let wanted = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .build()
            .unwrap();
        let dynamodb = stack().dynamodb(&Calls::default());
        let answer = dynamodb.batch_get_item().request_items(table, wanted).send().await.unwrap();
        let mut found: Vec<(usize, String, u64)> = Vec::new();
        for row in &answer.responses.unwrap()[table] {
            let state: Value = serde_json::from_str(row["json"].as_s().unwrap()).unwrap();
            let status = state["standing"]["status"].as_str().unwrap().to_owned();
            found.push((
                self.of_id(row["order_id"].as_s().unwrap()),
                status,
                state["version"].as_u64().unwrap(),
            ));
        }
        found.sort();
        assert_eq!(found.iter().map(|found| found.0).collect::<Vec<_>>(), some);
        found.into_iter().map(|(_, status, version)| (status, version)).collect()
    }

    fn state(&self) -> usize {
        self.rows.iter().position(|row| row["sk"].as_s().unwrap() == "state").unwrap()
    }
}

/// Whoever starts a run asks about all there are. A failing test removes its own too.
impl Drop for Bulk {
    fn drop(&mut self) {
        let rows = (0..self.count).flat_map(|n| self.copies(n, &json!({})));
        let remove = write(rows.map(|row| delete(&row)).collect());
        let runtime =
            || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        std::thread::scope(|scope| scope.spawn(|| runtime().block_on(remove)).join()).unwrap();
    }
}

/// The id of what the carrier claims with this.
fn report_id(key: &OrderKey, awb: &str, said: &Value) -> Option<String> {
    let mut item = said.clone();
    item["awb"] = json!(awb);
    let (awb, account): (Awb, &AccountCode) = (Awb::parse(awb).unwrap(), &key.account);
    let asked = [pull::TrackingQuery { account, order_id: &key.order, awb: &awb }];
    let found =
        pull::read(&asked, json!([item]).to_string().as_bytes(), aws::clock::now()).unwrap();
    found.into_iter().find_map(|found| match found {
        pull::ParcelAnswer::Known(report) => Some(report.id.to_string()),
        pull::ParcelAnswer::Unknown => None,
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
    let some = stream::iter(requests.chunks(WRITES).map(<[WriteRequest]>::to_vec));
    some.for_each_concurrent(SIDE_BY_SIDE, async |some| {
        let answer = dynamodb.batch_write_item().request_items(table, some).send().await.unwrap();
        assert!(answer.unprocessed_items.is_none_or(|left| left.is_empty()));
    })
    .await;
}
