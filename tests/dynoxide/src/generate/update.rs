//! Update expressions.

use serde_json::json;

use super::Generator;
use super::placeholders::Placeholders;
use super::values::INDEX_KEYS;

impl Generator {
    /// An update; alone in its request, it may be invalid. In a transaction, dynoxide lets an
    /// update set a key, and it is not known how AWS answers a wrong operand.
    pub(super) fn update(&mut self, placeholders: &mut Placeholders, alone: bool) -> String {
        let mut clauses: [Vec<String>; 4] = Default::default();
        for attribute in self.attributes(1..=4) {
            let (clause, action) = self.action(attribute, placeholders, alone);
            clauses[clause].push(action);
        }
        if alone && self.one_in(40) {
            let key = placeholders.name("pk");
            let value = placeholders.value(json!({"S": "p"}));
            clauses[0].push(format!("{key} = {value}"));
        }
        let mut clauses: Vec<String> = ["SET", "REMOVE", "ADD", "DELETE"]
            .into_iter()
            .zip(clauses)
            .filter(|(_, actions)| !actions.is_empty())
            .map(|(clause, actions)| format!("{clause} {}", actions.join(", ")))
            .collect();
        self.random.shuffle(&mut clauses);
        if alone && self.one_in(40) {
            clauses.push(clauses[0].clone());
        }
        clauses.join(" ")
    }

    /// The number of the clause, and the action.
    fn action(
        &mut self,
        attribute: &str,
        placeholders: &mut Placeholders,
        alone: bool,
    ) -> (usize, String) {
        let name = placeholders.name(attribute);
        match (self.random.u32(..8), attribute) {
            (0, _) => (1, name),
            (1..5, "n" | "m") => {
                let number = if alone && self.one_in(20) { self.text() } else { self.number() };
                (2, format!("{name} {}", placeholders.value(number)))
            }
            (1..4, "set") => (2, format!("{name} {}", placeholders.value(self.set()))),
            (4..7, "set") => (3, format!("{name} {}", placeholders.value(self.set()))),
            (1..6, "list") => {
                let empty = placeholders.value(json!({"L": []}));
                let more = placeholders.value(json!({"L": self.elements()}));
                (0, format!("{name} = list_append(if_not_exists({name}, {empty}), {more})"))
            }
            (1..3, _) => {
                let default = placeholders.value(self.value(attribute));
                // An empty text would make an invalid key.
                let is_index_key = INDEX_KEYS.contains(&attribute);
                let other = if is_index_key { attribute } else { self.attribute() };
                let other = placeholders.name(other);
                (0, format!("{name} = if_not_exists({other}, {default})"))
            }
            _ => (0, format!("{name} = {}", placeholders.value(self.value(attribute)))),
        }
    }
}
