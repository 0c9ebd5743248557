//! The message groups of the events queue: an account's flood must not hold up another's events.

use serde_json::{Value, json};

use crate::world::State;

impl State {
    /// Each message that is sent to the events queue is in the group of its event's account, or of
    /// the source if the updates name their accounts themselves.
    pub(crate) fn check_groups(&mut self, queue: &str, request: &Value) {
        if queue != "EventsQueue" {
            return;
        }
        let entries = request["Entries"].as_array().into_iter().flatten();
        let sent = entries.chain([request]).filter(|it| it["MessageBody"].is_string());
        let wrong: Vec<String> = sent.filter_map(|message| self.wrong_group(message)).collect();
        wrong.into_iter().for_each(|text| self.ledger.violation(text));
    }

    fn wrong_group(&self, message: &Value) -> Option<String> {
        let group = message["MessageGroupId"].as_str();
        let body: Value = serde_json::from_str(message["MessageBody"].as_str()?).ok()?;
        // The reports of a poll may be of several accounts.
        let Some(event) = body["event_id"].as_str() else {
            return group.is_none().then(|| "poll results are in no group".to_owned());
        };
        let key = json!({ "pk": { "S": event }, "sk": { "S": "event" } });
        let row = self.dynamodb.row("InboundTable", &key)?;
        let owner = row.get("account").or_else(|| row.get("source"))?["S"].as_str();
        (group != owner).then(|| format!("an event of {owner:?} is in the group {group:?}"))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Topology;
    use crate::run::{Plan, world};

    const DEPLOYED: &str = include_str!("../../../template.yaml");

    #[test]
    fn notices_a_message_in_a_wrong_group() {
        let topology = Topology::read(DEPLOYED).unwrap();
        let world = world(Plan::of(1), Arc::new(topology));
        let mut state = world.lock();
        for (id, owner) in [("of-account", "account"), ("of-source", "source")] {
            let row = json!({ "pk": { "S": id }, "sk": { "S": "event" }, owner: { "S": owner } });
            let put = json!({ "TableName": "InboundTable", "Item": row });
            state.dynamodb.call("PutItem", &put, 0, 0).unwrap();
        }
        let message = |id: &str, group: Value| {
            let body = json!({ "v": 1, "event_id": id }).to_string();
            json!({ "MessageBody": body, "MessageGroupId": group })
        };
        let poll = json!({ "MessageBody": "{\"v\":1}" });
        let mut violations = |queue: &str, request: &Value| {
            let before = state.ledger.violations().len();
            state.check_groups(queue, request);
            state.ledger.violations().len() - before
        };
        for (expected, request) in [
            (0, message("of-account", "account".into())),
            (0, message("of-source", "source".into())),
            (1, message("of-account", "source".into())),
            (1, message("of-source", Value::Null)),
            (1, poll),
            (
                1,
                json!({ "Entries": [
                message("of-account", "account".into()), message("of-account", "x".into()),
            ] }),
            ),
        ] {
            assert_eq!(violations("EventsQueue", &request), expected, "{request}");
            assert_eq!(violations("DeliveriesQueue", &request), 0, "{request}");
        }
    }
}
