use super::*;

#[test]
fn says_what_the_model_does_not_have() {
    let (values, key) = (json!({":a": {"N": "1"}}), key("s"));
    let update = |expression: &str| {
        json!({
            "Key": key, "UpdateExpression": expression, "ExpressionAttributeValues": values,
            "ExpressionAttributeNames": names(expression),
        })
    };
    let put = |value: Value| {
        let mut item = key.clone();
        item["a"] = value;
        json!({ "Item": item })
    };
    let get = |member: &str| json!({ "Key": key, member: ["a"] });
    let check = |condition: &str| {
        json!({
            "Key": key, "ConditionExpression": condition, "ExpressionAttributeValues": values,
            "ExpressionAttributeNames": names(condition),
        })
    };
    for (operation, request) in [
        ("Scan", json!({})),
        ("UpdateItem", update("SET #a = #b + :a")),
        ("UpdateItem", update("SET #a = :a + :a")),
        ("UpdateItem", update("SET a = :a, #b = :a")),
        ("UpdateItem", update("SET #a.#b = :a")),
        ("UpdateItem", update("SET #a[0] = :a")),
        ("UpdateItem", json!({ "Key": key })),
        ("DeleteItem", check("size(#a) = :a")),
        ("DeleteItem", check("#a = #b AND #a = :a")),
        ("PutItem", put(json!({"NS": ["1"]}))),
        ("PutItem", put(json!({"L": [{"BS": ["AA=="]}]}))),
        ("GetItem", get("AttributesToGet")),
        ("GetItem", get("ReturnConsumedCapacity")),
    ] {
        let failure = Fixture::new().call(operation, request.clone()).unwrap_err();
        assert!(failure.is_not_modelled(), "{operation} {request}: {failure:?}");
    }
}

#[test]
fn answers_like_dynamodb_when_a_request_is_invalid() {
    let failure = Fixture::new().call("GetItem", json!({ "Key": {} })).unwrap_err();
    assert!(!failure.is_not_modelled());
    let kind = "com.amazonaws.dynamodb.v20120810#ValidationException";
    assert_eq!((failure.status, &failure.body()["__type"]), (400, &json!(kind)));
    let mut db = DynamoDb::new(Vec::new());
    let request = json!({"TableName": "missing", "Key": {}});
    assert_eq!(code(db.call("GetItem", &request, 0, 0)), "ResourceNotFoundException");
}
