//! Names and values of expressions.

use fastrand::Rng;
use serde_json::{Map, Value, json};

#[derive(Default)]
pub(crate) struct Placeholders {
    names: Map<String, Value>,
    values: Map<String, Value>,
}

impl Placeholders {
    pub(crate) fn name(&mut self, name: &str) -> String {
        let placeholder = format!("#{name}");
        self.names.insert(placeholder.clone(), name.into());
        placeholder
    }

    pub(crate) fn value(&mut self, value: Value) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    /// Makes some superfluous or undefined.
    pub(crate) fn spoil(&mut self, random: &mut Rng) {
        match random.u32(..3) {
            0 => drop(self.value(json!({"S": "unused"}))),
            1 => self.values.clear(),
            _ => self.spoil_names(random),
        }
    }

    pub(crate) fn spoil_names(&mut self, random: &mut Rng) {
        if random.bool() {
            self.name("unused");
        } else {
            self.names.clear();
        }
    }

    pub(crate) fn write_into(self, request: &mut Value) {
        for (member, map) in
            [("ExpressionAttributeNames", self.names), ("ExpressionAttributeValues", self.values)]
        {
            if !map.is_empty() {
                request[member] = Value::Object(map);
            }
        }
    }
}
