//! Conditions of writes.

use serde_json::{Value, json};

use super::Generator;
use super::placeholders::Placeholders;

/// How deep conditions contain others.
const DEPTH: u32 = 2;

impl Generator {
    pub(super) fn condition(&mut self, placeholders: &mut Placeholders) -> String {
        if self.one_in(3) {
            // The row is new, or exists.
            let function = self.pick(&["attribute_exists", "attribute_not_exists"]);
            return format!("{function}({})", placeholders.name("pk"));
        }
        let condition = self.condition_on(placeholders, DEPTH, &Self::attribute);
        match self.random.u32(..100) {
            0 => format!("(({condition}))"),
            1 => format!("({condition})"),
            2 => format!("{condition} AND"),
            3 => condition.replacen(' ', " ! ", 1),
            _ => condition,
        }
    }

    /// A condition on attributes that `name` chooses.
    pub(super) fn condition_on(
        &mut self,
        placeholders: &mut Placeholders,
        depth: u32,
        name: &impl Fn(&mut Self) -> &'static str,
    ) -> String {
        if depth == 0 || self.one_in(2) {
            return self.comparison(placeholders, name);
        }
        let mut part = || self.condition_on(placeholders, depth - 1, name);
        let (one, other) = (part(), part());
        match self.random.u32(..5) {
            0 => format!("{one} AND {other}"),
            1 => format!("{one} OR {other}"),
            2 => format!("NOT {one} AND {other}"),
            3 => format!("{one} and not ({other} or {one})"),
            _ => format!("({one} OR {other}) AND {one}"),
        }
    }

    fn comparison(
        &mut self,
        placeholders: &mut Placeholders,
        name: &impl Fn(&mut Self) -> &'static str,
    ) -> String {
        let attribute = name(self);
        let subject = placeholders.name(attribute);
        match self.random.u32(..12) {
            0 => format!("attribute_exists({subject})"),
            1 => format!("attribute_not_exists({subject})"),
            2..5 => {
                let (sign, value) = (self.pick(&["=", "<>"]), self.value(attribute));
                format!("{subject} {sign} {}", placeholders.value(value))
            }
            5..7 => {
                let (sign, value) = (self.pick(&["<", "<=", ">", ">="]), self.ordered(attribute));
                format!("{subject} {sign} {}", placeholders.value(value))
            }
            7 => {
                let [low, high] = self.bounds(attribute).map(|value| placeholders.value(value));
                format!("{subject} BETWEEN {low} AND {high}")
            }
            8 => {
                let values: Vec<String> = (0..self.random.usize(1..4))
                    .map(|_| placeholders.value(self.value(attribute)))
                    .collect();
                format!("{subject} IN ({})", values.join(", "))
            }
            9 => {
                let start = if attribute == "body" { json!({"B": "AQ=="}) } else { self.text() };
                format!("begins_with({subject}, {})", placeholders.value(start))
            }
            _ => {
                let part = if self.one_in(3) { self.number() } else { self.text() };
                format!("contains({subject}, {})", placeholders.value(part))
            }
        }
    }

    /// A value of a type with an order. AWS rejects operands of other types, dynoxide does not.
    fn ordered(&mut self, attribute: &str) -> Value {
        match attribute {
            "n" | "m" => self.number(),
            "body" => json!({"B": self.pick(&["", "AA==", "fw=="])}),
            _ => self.text(),
        }
    }

    /// AWS rejects bounds in the wrong order, dynoxide only in writes without transaction.
    fn bounds(&mut self, attribute: &str) -> [Value; 2] {
        let (kind, bounds) = match attribute {
            "n" | "m" => ("N", [["-1", "-0.25"], ["0", "1E100"], ["2", "2.0"]]),
            "body" => ("B", [["", "AQID"], ["AA==", "fw=="], ["fw==", "/w=="]]),
            _ => ("S", [["", "b"], ["a", "é"], ["～", "😀"]]),
        };
        self.pick(&bounds).map(|bound| json!({ kind: bound }))
    }
}
