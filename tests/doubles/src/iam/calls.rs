//! The permissions that a request needs.

use serde_json::Value;

use crate::names::{arn, index_arn, parameter_arn, queue_arn, queue_of, table_arn};

/// (action, ARN of the resource)
type Call = (String, String);

/// Stands for every resource: only a policy that allows all resources allows such a call.
const ANY: &str = "*";

/// The calls that a role must allow for a request. `service` is `dynamodb`, `sqs`,
/// `ssm` or `sockets`.
pub fn calls(service: &str, operation: &str, request: &Value) -> Vec<Call> {
    match service {
        "dynamodb" => of_dynamodb(operation, request),
        "sqs" => {
            let queue = queue_of(request["QueueUrl"].as_str().unwrap_or_default());
            // A batch needs the permission of its single call.
            let action = operation.strip_suffix("Batch").unwrap_or(operation);
            vec![(format!("sqs:{action}"), queue_arn(queue))]
        }
        "ssm" => of_ssm(operation, request),
        "sockets" => {
            let connection = request["connection"].as_str().unwrap_or_default();
            let resource = format!("SocketApi/live/POST/@connections/{connection}");
            vec![("execute-api:ManageConnections".to_owned(), arn("execute-api", &resource))]
        }
        other => vec![(format!("{other}:{operation}"), ANY.to_owned())],
    }
}

fn of_dynamodb(operation: &str, request: &Value) -> Vec<Call> {
    match operation {
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = request["RequestItems"].as_object().into_iter().flatten();
            tables.map(|(table, _)| on_table(operation, table)).collect()
        }
        "TransactWriteItems" | "TransactGetItems" => {
            let items = request["TransactItems"].as_array().into_iter().flatten();
            items.filter_map(of_transaction_item).collect()
        }
        _ => {
            let table = request["TableName"].as_str().unwrap_or_default();
            match request["IndexName"].as_str() {
                Some(index) => vec![(format!("dynamodb:{operation}"), index_arn(table, index))],
                None => vec![on_table(operation, table)],
            }
        }
    }
}

/// An item of a transaction needs the permission of its single call.
fn of_transaction_item(item: &Value) -> Option<Call> {
    let (operation, request) = item.as_object()?.iter().next()?;
    let action = match operation.as_str() {
        "ConditionCheck" => "ConditionCheckItem",
        "Delete" => "DeleteItem",
        "Get" => "GetItem",
        "Put" => "PutItem",
        "Update" => "UpdateItem",
        other => other,
    };
    Some(on_table(action, request["TableName"].as_str()?))
}

fn on_table(operation: &str, table: &str) -> Call {
    (format!("dynamodb:{operation}"), table_arn(table))
}

fn of_ssm(operation: &str, request: &Value) -> Vec<Call> {
    let action = format!("ssm:{operation}");
    let names: Vec<&str> = match operation {
        "GetParameters" => {
            request["Names"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
        }
        "GetParametersByPath" => request["Path"].as_str().into_iter().collect(),
        _ => return vec![(action, ANY.to_owned())],
    };
    names.into_iter().map(|name| (action.clone(), parameter_arn(name))).collect()
}

/// ARNs of the secrets that an answer of SSM contains in plain text.
pub fn decryptions<'a>(request: &Value, answer: &'a Value) -> Vec<&'a str> {
    if !request["WithDecryption"].as_bool().unwrap_or_default() {
        return Vec::new();
    }
    let parameters = answer["Parameters"].as_array().into_iter().flatten();
    let secrets = parameters.filter(|parameter| parameter["Type"] == "SecureString");
    secrets.filter_map(|secret| secret["ARN"].as_str()).collect()
}
