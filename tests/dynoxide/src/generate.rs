//! Random requests on few keys and attributes, so that conditions, conflicts and pages meet. Some
//! are invalid.

mod condition;
pub(crate) mod large;
mod placeholders;
mod query;
mod update;
mod values;

use fastrand::Rng;
use serde_json::{Value, json};

use placeholders::Placeholders;

pub(crate) const INDEXED: &str = "indexed";
pub(crate) const SIMPLE: &str = "simple";
const MOST_WRITES: usize = 4;
const MOST_KEYS: usize = 5;

pub(crate) struct Generator {
    random: Rng,
    /// A transaction with a token, to be repeated.
    last_transaction: Option<Value>,
    /// Where an earlier page ended.
    last_key: Option<Value>,
    next_token: u32,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        let random = Rng::with_seed(seed);
        Self { random, last_transaction: None, last_key: None, next_token: 0 }
    }

    pub(crate) fn request(&mut self) -> (&'static str, Value) {
        match self.random.u32(..100) {
            0..20 => ("PutItem", self.single_write("Put")),
            20..48 => ("UpdateItem", self.single_write("Update")),
            48..55 => ("DeleteItem", self.single_write("Delete")),
            55..62 => ("GetItem", self.get()),
            62..67 => ("BatchGetItem", self.batch_get()),
            67..87 => ("Query", self.query()),
            _ => ("TransactWriteItems", self.transaction()),
        }
    }

    /// Uses what an answer says in later requests.
    pub(crate) fn learn(&mut self, exchange: &Value) {
        if let Some(key) = exchange["answer"].get("LastEvaluatedKey") {
            self.last_key = Some(key.clone());
        }
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.random.u32(..count) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.random.usize(..from.len())].clone()
    }

    fn table(&mut self) -> &'static str {
        if self.one_in(5) { SIMPLE } else { INDEXED }
    }

    fn single_write(&mut self, kind: &str) -> Value {
        let mut request = self.write(kind, true);
        // Of a row that an update creates, dynoxide returns the key as old, AWS nothing.
        let exists = request["ConditionExpression"] == "attribute_exists(#pk)";
        let returns: &[&str] = match kind {
            "Update" if exists => &["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"],
            "Update" => &["NONE", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"],
            _ => &["NONE", "ALL_OLD"],
        };
        if self.one_in(2) {
            request["ReturnValues"] = self.pick(returns).into();
        }
        request
    }

    /// A write, alone or in a transaction.
    fn write(&mut self, kind: &str, alone: bool) -> Value {
        let (table, mut placeholders) = (self.table(), Placeholders::default());
        let mut request = json!({ "TableName": table });
        match kind {
            "Put" => request["Item"] = self.item(table),
            _ => request["Key"] = self.key(table),
        }
        if kind == "Update" {
            request["UpdateExpression"] = self.update(&mut placeholders, alone).into();
        }
        if kind == "ConditionCheck" || self.one_in(2) {
            request["ConditionExpression"] = self.condition(&mut placeholders).into();
        }
        if self.one_in(2) {
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD".into();
        }
        // Without expression, AWS accepts superfluous values in some regions. It is not known how
        // it answers an undefined value of an update in a transaction.
        let is_known = alone || kind != "Update";
        if is_known && request.get("ConditionExpression").is_some() && self.one_in(50) {
            placeholders.spoil(&mut self.random);
        }
        placeholders.write_into(&mut request);
        request
    }

    fn get(&mut self) -> Value {
        let table = self.table();
        let mut request = json!({ "TableName": table, "Key": self.key(table) });
        self.projected(&mut request);
        request
    }

    /// Adds a projection and the consistency of the read, sometimes.
    fn projected(&mut self, request: &mut Value) {
        let mut placeholders = Placeholders::default();
        if self.one_in(2) {
            let names = self.attributes(1..=3);
            let names: Vec<String> = names.iter().map(|name| placeholders.name(name)).collect();
            request["ProjectionExpression"] = names.join(", ").into();
            if self.one_in(50) {
                placeholders.spoil_names(&mut self.random);
            }
        }
        placeholders.write_into(request);
        if self.one_in(2) {
            request["ConsistentRead"] = self.random.bool().into();
        }
    }

    fn batch_get(&mut self) -> Value {
        let mut tables = json!({});
        for table in [INDEXED, SIMPLE] {
            let mut keys: Vec<Value> =
                (0..self.random.usize(1..=MOST_KEYS)).map(|_| self.key(table)).collect();
            if !self.one_in(10) {
                keys.sort_by_key(Value::to_string);
                keys.dedup();
            }
            let mut request = json!({ "Keys": keys });
            self.projected(&mut request);
            if !self.one_in(3) {
                tables[table] = request;
            }
        }
        json!({ "RequestItems": tables })
    }

    fn transaction(&mut self) -> Value {
        if let Some(mut last) = self.last_transaction.clone().filter(|_| self.one_in(8)) {
            if self.one_in(4) {
                last["TransactItems"][0] = self.operation();
            }
            return last;
        }
        let count = self.random.usize(1..=MOST_WRITES);
        let operations: Vec<Value> = (0..count).map(|_| self.operation()).collect();
        let mut request = json!({ "TransactItems": operations });
        if self.one_in(3) {
            self.next_token += 1;
            request["ClientRequestToken"] = format!("token-{}", self.next_token).into();
            self.last_transaction = Some(request.clone());
        }
        request
    }

    fn operation(&mut self) -> Value {
        let kind =
            self.pick(&["Put", "Put", "Update", "Update", "Update", "Delete", "ConditionCheck"]);
        json!({ kind: self.write(kind, false) })
    }
}
