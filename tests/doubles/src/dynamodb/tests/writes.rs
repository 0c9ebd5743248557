use super::*;

fn conditional_put(condition: &str, values: Value) -> Value {
    let mut request = json!({
        "Item": key("s"), "ConditionExpression": condition,
        "ExpressionAttributeNames": names(condition),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    if values.as_object().is_some_and(|values| !values.is_empty()) {
        request["ExpressionAttributeValues"] = values;
    }
    request
}

/// Whether a condition holds for a row with several attributes.
fn holds(condition: &str) -> Result<bool, &'static str> {
    let mut db = Fixture::new();
    let mut row = key("s");
    row["lease"] = json!({"N": "9"});
    row["owner"] = json!({"S": "a"});
    row["set"] = json!({"SS": ["x", "y"]});
    row["body"] = json!({"B": "/w=="});
    row["list"] = json!({"L": [{"N": "1"}]});
    db.put(row.clone());
    let values = json!({
        ":now": {"N": "10.0"}, ":nine": {"N": "9.0"}, ":a": {"S": "a"}, ":x": {"S": "x"},
        ":long": {"S": "aa"}, ":set": {"SS": ["y", "x"]}, ":body": {"B": "fw=="},
        ":one": {"N": "1"}, ":null": {"NULL": true},
    });
    let is_used =
        |placeholder: &str| condition.split([' ', ',', ')', '(']).any(|p| p == placeholder);
    let values: Item = values
        .as_object()
        .unwrap()
        .iter()
        .filter(|(placeholder, _)| is_used(placeholder))
        .map(|(placeholder, value)| (placeholder.clone(), value.clone()))
        .collect();
    match db.call("PutItem", conditional_put(condition, values.into())) {
        Ok(_) => Ok(true),
        Err(failure) if failure.code == "ConditionalCheckFailedException" => {
            assert_eq!(failure.members["Item"], row);
            Ok(false)
        }
        Err(failure) => Err(failure.code),
    }
}

#[test]
fn evaluates_conditions() {
    for (condition, expected) in [
        ("attribute_not_exists(#pk)", false),
        ("attribute_exists(#owner) AND attribute_not_exists(#closed)", true),
        // Numeric order: as text, 9 comes after 10.
        ("attribute_not_exists(#lease) OR #lease <= :now", true),
        ("#lease = :nine", true),
        ("#lease > :now OR #owner = :x", false),
        ("#lease < :a", false),
        ("#lease <> :a", true),
        ("#missing = :a", false),
        ("#missing <> :a", true),
        ("#missing < :a", false),
        ("NOT contains(#set, :x)", false),
        ("NOT contains(#missing, :x)", true),
        ("contains(#list, :one)", true),
        ("contains(#owner, :a)", true),
        ("#set = :set", true),
        // Bytes, not base64.
        ("#body > :body", true),
        ("begins_with(#owner, :a) and #owner = :a", true),
        ("begins_with(#owner, :long)", false),
        ("#owner BETWEEN :a AND :x", true),
        ("#owner IN (:x, :a)", true),
        ("#missing IN (:x, :null)", false),
        ("#owner = :x AND #owner = :a OR #owner = :a", true),
        ("#owner = :x AND (#owner = :a OR #owner = :a)", false),
        ("NOT #owner = :x AND #owner = :x", false),
    ] {
        assert_eq!(holds(condition), Ok(expected), "{condition}");
    }
}

#[test]
fn rejects_invalid_conditions() {
    for condition in [
        "#owner :a",
        "(#owner = :a",
        "#owner = :a #owner = :a",
        "#owner = :undefined",
        "((#owner = :a))",
        "#owner BETWEEN :x AND :a",
        "#owner BETWEEN :a AND :now",
        "#owner < :set",
        "begins_with(#owner, :now)",
        "exists(#owner)",
        "#owner = :a AND",
        " ",
        "#owner = ?",
    ] {
        assert_eq!(holds(condition), Err("ValidationException"), "{condition}");
    }
}

#[test]
fn returns_the_existing_row_only_if_there_is_one() {
    let mut db = Fixture::new();
    let put = conditional_put("attribute_exists(#pk)", json!({}));
    assert_eq!(db.call("PutItem", put).unwrap_err().members, Item::new());
    let put = conditional_put("attribute_not_exists(#pk)", json!({}));
    db.call("PutItem", put.clone()).unwrap();
    assert_eq!(db.call("PutItem", put).unwrap_err().members["Item"], key("s"));
}

#[test]
fn applies_updates() {
    let mut db = Fixture::new();
    db.update(
        "SET #a = :a, #log = list_append(if_not_exists(#log, :none), :entry) ADD #n :n, #set :set",
        json!({
            ":a": {"S": "t"}, ":none": {"L": []}, ":entry": {"L": [{"S": "1"}]}, ":n": {"N": "2"},
            ":set": {"SS": ["b"]},
        }),
    )
    .unwrap();
    db.update(
        "REMOVE #a, #missing SET #log = list_append(if_not_exists(#log, :none), :entry), \
         #n2 = if_not_exists(#n, :none) ADD #n :n, #set :set DELETE #other :set",
        json!({":entry": {"L": [{"S": "2"}]}, ":none": {"L": []}, ":n": {"N": "-0.5"},
               ":set": {"SS": ["c", "a"]}}),
    )
    .unwrap();
    let mut expected = key("s");
    expected["log"] = json!({"L": [{"S": "1"}, {"S": "2"}]});
    expected["n"] = json!({"N": "1.5"});
    // Operands are read from the row before the update.
    expected["n2"] = json!({"N": "2"});
    expected["set"] = json!({"SS": ["a", "b", "c"]});
    assert_eq!(db.row("s"), expected);
    let members = json!({":set": {"SS": ["a", "c", "x"]}});
    db.update("DELETE #set :set", members).unwrap();
    assert_eq!(db.row("s")["set"], json!({"SS": ["b"]}));
    db.update("DELETE #set :set", json!({":set": {"SS": ["b"]}})).unwrap();
    assert_eq!(db.row("s")["set"], Value::Null);
}

#[test]
fn rejects_invalid_updates() {
    let mut db = Fixture::new();
    let mut row = key("s");
    row["text"] = json!({"S": "t"});
    db.put(row.clone());
    for (update, value) in [
        ("SET #pk = :v", json!({"S": "other"})),
        ("SET #a = :v, #a = :v", json!({"S": "t"})),
        ("SET #a = :v SET #b = :v", json!({"S": "t"})),
        ("SET #a = :v REMOVE #a", json!({"S": "t"})),
        ("SET #a :v", json!({"S": "t"})),
        ("PUT #a :v", json!({"S": "t"})),
        ("ADD #text :v", json!({"N": "1"})),
        ("ADD #a :v", json!({"S": "t"})),
        ("DELETE #text :v", json!({"SS": ["t"]})),
        ("DELETE #a :v", json!({"N": "1"})),
        ("SET #a = list_append(#text, :v)", json!({"S": "t"})),
        ("SET #a = list_append(if_not_exists(#text, :v), :v)", json!({"L": []})),
        ("SET #day = :v", json!({"N": "1"})),
        ("SET #day = :v", json!({"S": ""})),
    ] {
        let result = db.update(update, json!({ ":v": value }));
        assert!(result.is_err(), "{update}");
        assert_eq!(db.row("s"), row, "{update}");
    }
}

#[test]
fn returns_the_attributes_that_a_write_requests() {
    let mut db = Fixture::new();
    db.update("SET #a = :v, #b = :v", json!({":v": {"N": "1"}})).unwrap();
    for (returns, expected) in [
        ("NONE", json!(null)),
        ("UPDATED_OLD", json!({"a": {"N": "2"}})),
        ("UPDATED_NEW", json!({"a": {"N": "4"}})),
        ("ALL_OLD", json!({"pk": {"S": "p"}, "sk": {"S": "s"}, "a": {"N": "4"}, "b": {"N": "1"}})),
        ("ALL_NEW", json!({"pk": {"S": "p"}, "sk": {"S": "s"}, "a": {"N": "6"}, "b": {"N": "1"}})),
    ] {
        let request = json!({
            "Key": key("s"), "UpdateExpression": "ADD #a :v", "ReturnValues": returns,
            "ExpressionAttributeNames": {"#a": "a"},
            "ExpressionAttributeValues": {":v": {"N": "1"}},
        });
        assert_eq!(db.call("UpdateItem", request).unwrap()["Attributes"], expected, "{returns}");
    }
    let delete = json!({ "Key": key("s"), "ReturnValues": "ALL_OLD" });
    let answer = db.call("DeleteItem", delete.clone()).unwrap();
    assert_eq!(answer["Attributes"]["b"], json!({"N": "1"}));
    assert_eq!(db.call("DeleteItem", delete).unwrap(), json!({}));
}

#[test]
fn bills_the_larger_row_its_index_entries_and_failed_conditions() {
    let mut db = Fixture::new();
    let writes = |db: &mut Fixture| db.0.take_usage().writes;
    let mut row = key("s");
    row["a"] = json!({"S": "x".repeat(1024)});
    db.put(row);
    assert_eq!(writes(&mut db), 2);
    db.update("REMOVE #a", json!({})).unwrap();
    assert_eq!(writes(&mut db), 2);
    db.update("SET #day = :v, #at = :v", json!({":v": {"S": "1"}})).unwrap();
    assert_eq!(writes(&mut db), 2);
    db.update("SET #at = :v", json!({":v": {"S": "2"}})).unwrap();
    assert_eq!(writes(&mut db), 3);
    let put = conditional_put("attribute_not_exists(#pk)", json!({}));
    db.call("PutItem", put).unwrap_err();
    assert_eq!(writes(&mut db), 1);
}
