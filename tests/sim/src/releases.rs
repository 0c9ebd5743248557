//! Messages of the release before and of the one after, as during a deploy. docs/data-model.md
//! ("Versions") says what releases may change without a new `v`.

use serde_json::{Value, json};

use crate::world::State;

impl State {
    /// Rewrites the bodies of a request to SQS as another release would have written them.
    pub(crate) fn write_as_other_release(&mut self, request: &mut Value) {
        let chance = self.faults.other_release;
        if let Some(entries) = request["Entries"].as_array_mut() {
            for entry in entries {
                if self.strikes("other_release", chance) {
                    rewrite(&mut entry["MessageBody"], self.random.bool());
                }
            }
        } else if !request["MessageBody"].is_null() && self.strikes("other_release", chance) {
            rewrite(&mut request["MessageBody"], self.random.bool());
        }
    }
}

fn rewrite(body: &mut Value, is_older: bool) {
    let message = body.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let Some(Value::Object(mut message)) = message else { return };
    if is_older {
        // `Delivery.event` came second: before, there was only this event.
        if message.get("event") == Some(&json!("order.status_changed")) {
            message.remove("event");
        }
        // So did this; without it, versions are compared with those of other such deliveries.
        if message.contains_key("endpoint") {
            message.remove("order_created_at");
        }
    } else {
        message.insert("field_of_a_later_release".to_owned(), json!({ "a": [1] }));
    }
    *body = Value::Object(message).to_string().into();
}
