//! Edits of DynamoDB requests: weaker conditions, other values.

use serde_json::{Value, json};

use crate::call::Call;

const EXPRESSIONS: [&str; 5] = [
    "ConditionExpression",
    "UpdateExpression",
    "KeyConditionExpression",
    "FilterExpression",
    "ProjectionExpression",
];

/// The single writes of a call.
pub(super) fn writes(call: &mut Call) -> Vec<&mut Value> {
    if call.operation != "TransactWriteItems" {
        return vec![&mut call.request];
    }
    let items = call.request["TransactItems"].as_array_mut().into_iter().flatten();
    items.filter_map(|item| item.as_object_mut()?.values_mut().next()).collect()
}

/// Removes the condition of a write.
pub(super) fn drop_condition(write: &mut Value) {
    if let Some(write) = write.as_object_mut() {
        write.remove("ConditionExpression");
    }
    remove_unused(write);
}

/// Removes the condition that the row exists.
pub(super) fn drop_existence(write: &mut Value) {
    let condition = write["ConditionExpression"].as_str().unwrap_or_default();
    match condition.strip_prefix("attribute_exists(#pk) AND ") {
        Some(rest) => write["ConditionExpression"] = rest.into(),
        None if condition == "attribute_exists(#pk)" => return drop_condition(write),
        None => {}
    }
    remove_unused(write);
}

/// Removes the condition that an attribute is absent: the row need only exist.
pub(super) fn drop_absence(write: &mut Value, attribute: &str) {
    let Some(condition) = write["ConditionExpression"].as_str() else { return };
    let absence = format!("attribute_not_exists(#{attribute})");
    if !condition.contains(&absence) {
        return;
    }
    write["ConditionExpression"] = condition.replace(&absence, "attribute_exists(#pk)").into();
    write["ExpressionAttributeNames"]["#pk"] = "pk".into();
    remove_unused(write);
}

/// Makes a comparison of the condition always true, e.g. `rev` with `=`: the row, or the
/// attribute if it may be absent, need only exist.
pub(super) fn drop_comparison(write: &mut Value, attribute: &str, operator: &str) {
    let comparison = format!("#{attribute} {operator} :");
    let Some(condition) = write["ConditionExpression"].as_str() else { return };
    let Some(start) = condition.find(&comparison) else { return };
    let value = start + comparison.len();
    let digits = condition[value..].find(|it: char| !it.is_ascii_alphanumeric());
    let end = digits.map_or(condition.len(), |length| value + length);
    let may_be_absent = condition.contains(&format!("attribute_not_exists(#{attribute}) OR"));
    let present = if may_be_absent { attribute } else { "pk" };
    let weaker =
        format!("{}attribute_exists(#{present}){}", &condition[..start], &condition[end..]);
    write["ConditionExpression"] = weaker.into();
    write["ExpressionAttributeNames"][format!("#{present}")] = present.into();
    remove_unused(write);
}

/// Changes the number that a write stores.
pub(super) fn change_number(write: &mut Value, attribute: &str, change: impl Fn(u64) -> u64) {
    let read = |value: &Value| value["N"].as_str()?.parse().ok();
    if let Some(number) = read(&write["Item"][attribute]) {
        write["Item"][attribute] = json!({ "N": change(number).to_string() });
    }
    let set = format!("#{attribute} = ");
    let update = write["UpdateExpression"].as_str().unwrap_or_default();
    let Some((_, rest)) = update.split_once(&set) else { return };
    let value = rest.split([',', ' ']).next().unwrap_or_default().to_owned();
    if let Some(number) = read(&write["ExpressionAttributeValues"][&value]) {
        write["ExpressionAttributeValues"][value] = json!({ "N": change(number).to_string() });
    }
}

/// DynamoDB rejects names and values that no expression uses.
fn remove_unused(write: &mut Value) {
    let expressions: Vec<String> =
        EXPRESSIONS.iter().filter_map(|name| write[name].as_str()).map(str::to_owned).collect();
    let is_used = |placeholder: &str| {
        let is_end = |it: char| !it.is_ascii_alphanumeric() && it != '_';
        expressions.iter().any(|expression| {
            expression.split(is_start).any(|part| {
                let word = part.split(is_end).next().unwrap_or_default();
                word == &placeholder[1..]
            })
        })
    };
    for kind in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
        let placeholders = write.get_mut(kind).and_then(Value::as_object_mut);
        let Some(placeholders) = placeholders else { continue };
        placeholders.retain(|placeholder, _| is_used(placeholder));
        if placeholders.is_empty()
            && let Some(write) = write.as_object_mut()
        {
            write.remove(kind);
        }
    }
}

fn is_start(it: char) -> bool {
    it == '#' || it == ':'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write() -> Value {
        json!({
            "ConditionExpression":
                "#run = :v0 AND (attribute_not_exists(#until) OR #until <= :v1) AND #owner = :v2",
            "UpdateExpression": "SET #owner = :v2, #until = :v3",
            "ExpressionAttributeNames": {"#run": "run", "#until": "until", "#owner": "owner"},
            "ExpressionAttributeValues": {
                ":v0": {"N": "1"}, ":v1": {"N": "2"}, ":v2": {"S": "me"}, ":v3": {"N": "3000"},
            },
        })
    }

    #[test]
    fn a_comparison_without_effect_needs_only_the_attribute_or_the_row() {
        let mut weaker = write();
        drop_comparison(&mut weaker, "until", "<=");
        drop_comparison(&mut weaker, "run", "=");
        drop_comparison(&mut weaker, "absent", "=");
        assert_eq!(
            weaker["ConditionExpression"],
            "attribute_exists(#pk) AND (attribute_not_exists(#until) OR attribute_exists(#until)) \
             AND #owner = :v2"
        );
        let names = json!({"#pk": "pk", "#until": "until", "#owner": "owner"});
        assert_eq!(weaker["ExpressionAttributeNames"], names);
        let values = json!({":v2": {"S": "me"}, ":v3": {"N": "3000"}});
        assert_eq!(weaker["ExpressionAttributeValues"], values);
    }

    #[test]
    fn a_write_without_condition_keeps_what_its_update_uses() {
        let mut weaker = write();
        drop_condition(&mut weaker);
        assert_eq!(weaker.get("ConditionExpression"), None);
        let names = json!({"#until": "until", "#owner": "owner"});
        assert_eq!(weaker["ExpressionAttributeNames"], names);
        let mut put = json!({
            "ConditionExpression": "attribute_not_exists(#pk)", "Item": {},
            "ExpressionAttributeNames": {"#pk": "pk"},
        });
        drop_condition(&mut put);
        assert_eq!(put, json!({"Item": {}}));
    }

    #[test]
    fn an_update_without_the_condition_that_its_row_exists_keeps_the_rest() {
        let touch = |condition: &str| {
            let mut write = json!({
                "ConditionExpression": condition, "UpdateExpression": "REMOVE #a",
                "ExpressionAttributeNames": {"#pk": "pk", "#a": "a"},
            });
            drop_existence(&mut write);
            (write.get("ConditionExpression").cloned(), write["ExpressionAttributeNames"].clone())
        };
        let names = json!({"#a": "a"});
        let rest = "attribute_not_exists(#a)";
        let both = format!("attribute_exists(#pk) AND {rest}");
        assert_eq!(touch(&both), (Some(rest.into()), names.clone()));
        assert_eq!(touch("attribute_exists(#pk)"), (None, names));
    }

    #[test]
    fn changes_a_number_of_an_update_or_a_row() {
        let mut update = write();
        change_number(&mut update, "until", |ms| ms / 1000);
        assert_eq!(update["ExpressionAttributeValues"][":v3"], json!({"N": "3"}));
        let mut put = json!({"Item": {"ttl": {"N": "5"}}});
        change_number(&mut put, "ttl", |seconds| seconds * 1000);
        assert_eq!(put, json!({"Item": {"ttl": {"N": "5000"}}}));
    }

    #[test]
    fn an_attribute_that_need_not_be_absent_needs_the_row() {
        let mut weaker = json!({
            "ConditionExpression": "#run = :v0 AND attribute_not_exists(#owner)",
            "UpdateExpression": "SET #owner = :v1",
            "ExpressionAttributeNames": {"#run": "run", "#owner": "owner"},
            "ExpressionAttributeValues": {":v0": {"N": "1"}, ":v1": {"S": "me"}},
        });
        drop_absence(&mut weaker, "run");
        drop_absence(&mut weaker, "owner");
        assert_eq!(weaker["ConditionExpression"], "#run = :v0 AND attribute_exists(#pk)");
        let names = json!({"#pk": "pk", "#run": "run", "#owner": "owner"});
        assert_eq!(weaker["ExpressionAttributeNames"], names);
    }
}
