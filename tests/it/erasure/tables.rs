//! All rows of all tables, with their compressed contents.

use std::collections::HashMap;
use std::io::Read;

use aws::tables::deliveries::unpack;
use aws::tables::packed::unpack_bytes;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::read::DeflateDecoder;
use serde_json::Value;

use crate::support::{Calls, stack};

type Item = HashMap<String, AttributeValue>;

/// The rows that have one of these texts anywhere, as `{table}: {key}: {text}`.
pub(super) async fn rows_with(texts: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, table) in &stack().tables {
        let client = stack().dynamodb(&Calls::default());
        let pages = client.scan().table_name(table).consistent_read(true).into_paginator();
        let mut rows = pages.items().send();
        while let Some(row) = rows.next().await {
            let row = row.unwrap();
            let content = content(&row);
            let hits = texts.iter().filter(|text| content.contains(text.as_str()));
            let key = |name| row.get(name).map(|value| format!("{value:?}")).unwrap_or_default();
            found.extend(hits.map(|text| format!("{name}: {} {}: {text}", key("pk"), key("sk"))));
        }
    }
    found
}

fn content(row: &Item) -> String {
    row.values()
        .map(|value| match value {
            AttributeValue::B(packed) => {
                let packed = packed.as_ref();
                if let Some(json) = unpack_bytes::<Value>(packed) {
                    return json.to_string();
                }
                let plain = unpack(packed).unwrap_or_else(|_| inflate(packed));
                String::from_utf8_lossy(&plain).into_owned()
            }
            other => format!("{other:?}"),
        })
        .collect()
}

/// A part of a body ends early.
fn inflate(packed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let _ = DeflateDecoder::new(packed).read_to_end(&mut plain);
    plain
}

pub(super) async fn row(table: &str, [pk, sk]: [&str; 2]) -> Item {
    let client = stack().dynamodb(&Calls::default());
    let get = client.get_item().table_name(&stack().tables[table]).consistent_read(true);
    let get = get.key("pk", AttributeValue::S(pk.to_owned()));
    let get = match sk {
        "" => get,
        sk => get.key("sk", AttributeValue::S(sk.to_owned())),
    };
    get.send().await.unwrap().item.unwrap_or_default()
}

pub(super) async fn set_text(table: &str, [pk, sk]: [&str; 2], name: &str, value: &str) {
    let client = stack().dynamodb(&Calls::default());
    let update = client.update_item().table_name(&stack().tables[table]);
    let update = update
        .key("pk", AttributeValue::S(pk.to_owned()))
        .key("sk", AttributeValue::S(sk.to_owned()))
        .update_expression("SET #name = :value")
        .condition_expression("attribute_exists(pk)")
        .expression_attribute_names("#name", name)
        .expression_attribute_values(":value", AttributeValue::S(value.to_owned()));
    update.send().await.unwrap();
}
