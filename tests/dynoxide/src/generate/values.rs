//! Keys, attributes and their values.

use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};

use super::{Generator, SIMPLE};

const PARTITIONS: [&str; 3] = ["p", "q", "é"];
/// In the order of their UTF-8 bytes, which is not that of UTF-16 units.
const SORTS: [&str; 9] = ["a", "a:1", "a:2", "a;", "b", "é", "ﬀ", "～", "😀"];
pub(super) const INDEX_KEYS: [&str; 3] = ["listed", "found", "at"];
const ATTRIBUTES: [&str; 12] =
    ["n", "m", "text", "set", "list", "flag", "none", "body", "map", "listed", "found", "at"];
const NUMBERS: [&str; 19] = [
    "0",
    "-0.0",
    "1",
    "1.0",
    "-1",
    "2",
    "9",
    "10",
    "0.5",
    "-0.25",
    "-9.5",
    "1e3",
    "12.5E-2",
    "9007199254740993",
    "99999999999999999999999999999999999999",
    "0.00000000000000000000000000000000000001",
    "1E100",
    "-1E-100",
    "+007",
];
const TEXTS: [&str; 7] = ["", "a", "ab", "b", "é", "～", "😀"];

impl Generator {
    pub(super) fn partition(&mut self) -> &'static str {
        self.pick(&PARTITIONS)
    }

    pub(super) fn sort(&mut self) -> &'static str {
        self.pick(&SORTS)
    }

    /// The key of a row; sometimes no valid one.
    pub(super) fn key(&mut self, table: &str) -> Value {
        let mut key = json!({"pk": {"S": self.partition()}});
        if table != SIMPLE {
            key["sk"] = json!({"S": self.sort()});
        }
        if self.one_in(60) {
            let (name, value) = self.pick(&[
                ("pk", json!({"S": ""})),
                ("pk", json!({"N": "1"})),
                ("more", json!({"S": "a"})),
                ("pk", json!({"S": "p".repeat(2049)})),
            ]);
            key[name] = value;
        }
        key
    }

    pub(super) fn item(&mut self, table: &str) -> Value {
        let mut item = match self.key(table) {
            Value::Object(key) => key,
            _ => Map::new(),
        };
        for name in self.attributes(0..=6) {
            item.insert(name.to_owned(), self.value(name));
        }
        if self.one_in(60) {
            item.remove("pk");
        }
        item.into()
    }

    pub(super) fn attribute(&mut self) -> &'static str {
        self.pick(&ATTRIBUTES)
    }

    /// Different attributes.
    pub(super) fn attributes(&mut self, count: RangeInclusive<usize>) -> Vec<&'static str> {
        let count = self.random.usize(count);
        self.random.choose_multiple(ATTRIBUTES, count)
    }

    /// A value of the attribute's usual type; sometimes of another.
    pub(super) fn value(&mut self, name: &str) -> Value {
        let is_index_key = INDEX_KEYS.contains(&name);
        let usual = match name {
            "n" | "m" => 0,
            "set" => 2,
            "list" => 3,
            "flag" => 4,
            "none" => 5,
            "body" => 6,
            "map" => 7,
            _ => 1,
        };
        let kind = if self.one_in(if is_index_key { 40 } else { 12 }) {
            self.random.u8(..8)
        } else {
            usual
        };
        match kind {
            0 => self.number(),
            1 if is_index_key => json!({"S": self.pick(&["x", "y", "é"])}),
            1 => self.text(),
            2 => self.set(),
            3 => json!({"L": self.elements()}),
            4 => json!({"BOOL": self.random.bool()}),
            5 => json!({"NULL": true}),
            6 => json!({"B": self.pick(&["", "AA==", "AQID", "/w==", "fw=="])}),
            _ => json!({"M": {"k": self.number(), "l": {"L": self.elements()}}}),
        }
    }

    pub(super) fn number(&mut self) -> Value {
        json!({"N": self.pick(&NUMBERS)})
    }

    pub(super) fn text(&mut self) -> Value {
        json!({"S": self.pick(&TEXTS)})
    }

    pub(super) fn set(&mut self) -> Value {
        let count = if self.one_in(60) { 0 } else { self.random.usize(1..=3) };
        let mut members = self.random.choose_multiple(TEXTS, count);
        if self.one_in(60) {
            members.extend(members.clone());
        }
        json!({ "SS": members })
    }

    pub(super) fn elements(&mut self) -> Vec<Value> {
        let count = self.random.usize(..3);
        (0..count).map(|_| if self.random.bool() { self.number() } else { self.text() }).collect()
    }
}
