//! Queries.

use serde_json::{Value, json};

use super::placeholders::Placeholders;
use super::{Generator, INDEXED, SIMPLE};

/// A table or an index, and its keys.
#[derive(Clone, Copy)]
struct Target {
    table: &'static str,
    index: Option<&'static str>,
    keys: &'static [&'static str],
}

const TARGETS: [Target; 4] = [
    Target { table: INDEXED, index: None, keys: &["pk", "sk"] },
    Target { table: INDEXED, index: Some("by_list"), keys: &["listed", "at"] },
    Target { table: INDEXED, index: Some("by_found"), keys: &["found", "at"] },
    Target { table: SIMPLE, index: None, keys: &["pk"] },
];

impl Generator {
    pub(super) fn query(&mut self) -> Value {
        let (target, mut placeholders) = (self.pick(&TARGETS), Placeholders::default());
        let mut request = json!({ "TableName": target.table });
        request["KeyConditionExpression"] = self.key_condition(target, &mut placeholders).into();
        if let Some(index) = target.index {
            request["IndexName"] = index.into();
        } else {
            self.narrow(&mut request, &mut placeholders);
        }
        if self.one_in(2) {
            request["ScanIndexForward"] = self.random.bool().into();
        }
        if self.one_in(2) {
            request["Limit"] = self.random.u32(1..6).into();
        }
        if self.one_in(if target.index.is_some() { 30 } else { 2 }) {
            request["ConsistentRead"] = true.into();
        }
        if self.one_in(50) {
            placeholders.spoil(&mut self.random);
        }
        placeholders.write_into(&mut request);
        // dynoxide answers a start key of a table without sort key with the row itself.
        if target.table != SIMPLE && self.one_in(3) {
            request["ExclusiveStartKey"] = self.start(target, &request);
        }
        request
    }

    /// A filter and a projection, sometimes.
    fn narrow(&mut self, request: &mut Value, placeholders: &mut Placeholders) {
        if self.one_in(3) {
            let name = |generator: &mut Self| match generator.one_in(40) {
                true => "pk",
                false => generator.attribute(),
            };
            request["FilterExpression"] = self.condition_on(placeholders, 1, &name).into();
        }
        if self.one_in(3) {
            let names = self.attributes(1..=3);
            let names: Vec<String> = names.iter().map(|name| placeholders.name(name)).collect();
            request["ProjectionExpression"] = names.join(", ").into();
        }
    }

    fn key_condition(&mut self, target: Target, placeholders: &mut Placeholders) -> String {
        let [partition_key, ref sort_key @ ..] = *target.keys else { return String::new() };
        let name = placeholders.name(partition_key);
        let sign = if self.one_in(50) { ">" } else { "=" };
        let partition = placeholders.value(self.key_value(partition_key));
        let partition = format!("{name} {sign} {partition}");
        let Some(sort_key) = sort_key.first().filter(|_| !self.one_in(3)) else { return partition };
        let sort = self.sort_condition(sort_key, placeholders);
        match self.random.u32(..20) {
            0 => format!("{sort} AND {partition}"),
            1 => format!("{partition} OR {sort}"),
            2 => format!("{partition} AND {sort} AND {sort}"),
            _ => format!("{partition} AND {sort}"),
        }
    }

    fn sort_condition(&mut self, sort_key: &str, placeholders: &mut Placeholders) -> String {
        let name = placeholders.name(sort_key);
        let value = placeholders.value(self.key_value(sort_key));
        match self.random.u32(..8) {
            0 => format!(
                "{name} BETWEEN {value} AND {}",
                placeholders.value(self.key_value(sort_key))
            ),
            1 | 2 => format!("begins_with({name}, {value})"),
            3 if self.one_in(4) => format!("{name} <> {value}"),
            _ => format!("{name} {} {value}", self.pick(&["=", "<", "<=", ">", ">="])),
        }
    }

    /// AWS rejects an empty value (see github.com/getmoto/moto/issues/7062), dynoxide does not.
    fn key_value(&mut self, name: &str) -> Value {
        if self.one_in(40) {
            return json!({"N": "1"});
        }
        match name {
            "pk" => json!({"S": self.partition()}),
            "sk" => json!({"S": self.sort()}),
            _ => json!({"S": self.pick(&["x", "y", "é"])}),
        }
    }

    /// A key after which the page begins: the end of an earlier page, or any, mostly in the same
    /// partition.
    fn start(&mut self, target: Target, request: &Value) -> Value {
        if let Some(key) = self.last_key.clone().filter(|_| self.one_in(4)) {
            return key;
        }
        let mut key = self.key(target.table);
        for name in target.keys {
            key[*name] = self.key_value(name);
        }
        if !self.one_in(8) {
            key[target.keys[0]] = request["ExpressionAttributeValues"][":v0"].clone();
        }
        key
    }
}
