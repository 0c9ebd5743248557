#![expect(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::names::{index_arn, parameter_arn, queue_arn, table_arn};

fn policy(statements: Value) -> Policy {
    let document = json!({"PolicyName": "p", "PolicyDocument": {"Statement": statements}});
    Policy::read(&json!([document])).unwrap()
}

fn pairs(calls: &[(String, String)]) -> Vec<(&str, &str)> {
    calls.iter().map(|(action, resource)| (action.as_str(), resource.as_str())).collect()
}

#[test]
fn allows_the_actions_and_resources_of_a_statement() {
    let policy = policy(json!([
        {"Effect": "Allow", "Action": ["a:Get", "a:Put"], "Resource": "arn:t"},
        {"Effect": "Allow", "Action": "a:Query", "Resource": ["arn:t", "arn:u"]},
    ]));
    assert!(policy.allows("a:Put", "arn:t"));
    assert!(policy.allows("a:Query", "arn:u"));
    assert!(!policy.allows("a:Put", "arn:u"));
    assert!(!policy.allows("a:Delete", "arn:t"));
    assert!(!policy.allows("a:Query", "arn:t/index/i"));
}

#[test]
fn a_denied_call_is_not_allowed() {
    let policy = policy(json!([
        {"Effect": "Allow", "Action": "a:Get", "Resource": "arn:*"},
        {"Effect": "Deny", "Action": "a:Get", "Resource": "arn:secret*"},
    ]));
    assert!(policy.allows("a:Get", "arn:t"));
    assert!(!policy.allows("a:Get", "arn:secret/1"));
}

#[test]
fn an_asterisk_matches_any_text() {
    for (pattern, text, expected) in [
        ("arn:p/accounts/*/shipway", "arn:p/accounts/acme/shipway", true),
        ("arn:p/accounts/*/shipway", "arn:p/accounts/a/b/shipway", true),
        ("arn:p/accounts/*/shipway", "arn:p/accounts/acme/other", false),
        ("arn:p/*", "arn:p/", true),
        ("arn:p/*", "arn:p", false),
        ("*", "", true),
        ("a*b*c", "aXbXbXc", true),
        ("a*b*c", "aXcXb", false),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
    }
}

#[test]
fn decrypts_unless_a_statement_denies_it_for_the_parameter() {
    let (secret, other) = (parameter_arn("/w/endpoints/a"), parameter_arn("/w/users/a"));
    let deny = |condition: Value| {
        let statement = json!({
            "Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*", "Condition": condition,
        });
        let policy = policy(json!([statement]));
        [&secret, &other].map(|arn| policy.may_decrypt(arn))
    };
    let pattern = parameter_arn("/w/endpoints/*");
    let of_endpoints = json!({"StringLike": {"kms:EncryptionContext:PARAMETER_ARN": pattern}});
    assert_eq!(deny(of_endpoints), [false, true]);
    let via = |service| json!({"StringEquals": {"kms:ViaService": service}});
    assert_eq!(deny(via("ssm.us-east-1.amazonaws.com")), [false, false]);
    assert_eq!(deny(via("s3.us-east-1.amazonaws.com")), [true, true]);
    assert_eq!(deny(json!({"StringEquals": {"kms:Unknown": "x"}})), [true, true]);
}

#[test]
fn rejects_an_unknown_operator_of_a_condition() {
    let statement = json!({
        "Effect": "Allow", "Action": "a:Get", "Resource": "*", "Condition": {"Bool": {"k": "v"}},
    });
    let document = json!({"PolicyDocument": {"Statement": [statement]}});
    assert!(Policy::read(&json!([document])).is_err());
}

#[test]
fn a_transaction_needs_the_permission_of_each_item() {
    let request = json!({"TransactItems": [
        {"Put": {"TableName": "t"}},
        {"Update": {"TableName": "t"}},
        {"Delete": {"TableName": "u"}},
        {"ConditionCheck": {"TableName": "u"}},
    ]});
    let (t, u) = (table_arn("t"), table_arn("u"));
    assert_eq!(
        pairs(&calls("dynamodb", "TransactWriteItems", &request)),
        [
            ("dynamodb:PutItem", t.as_str()),
            ("dynamodb:UpdateItem", &t),
            ("dynamodb:DeleteItem", &u),
            ("dynamodb:ConditionCheckItem", &u),
        ]
    );
}

#[test]
fn a_request_needs_a_permission_on_its_table_or_index() {
    let (table, index) = (table_arn("t"), index_arn("t", "i"));
    let mut request = json!({"TableName": "t"});
    assert_eq!(pairs(&calls("dynamodb", "Query", &request)), [("dynamodb:Query", table.as_str())]);
    request["IndexName"] = "i".into();
    assert_eq!(pairs(&calls("dynamodb", "Query", &request)), [("dynamodb:Query", index.as_str())]);
    let request = json!({"RequestItems": {"t": {}, "u": {}}});
    assert_eq!(
        pairs(&calls("dynamodb", "BatchGetItem", &request)),
        [("dynamodb:BatchGetItem", table.as_str()), ("dynamodb:BatchGetItem", &table_arn("u"))]
    );
}

#[test]
fn a_batch_needs_the_permission_of_its_single_call() {
    let request = json!({"QueueUrl": crate::names::queue_url("q")});
    let queue = queue_arn("q");
    for (operation, action) in [
        ("SendMessageBatch", "sqs:SendMessage"),
        ("DeleteMessageBatch", "sqs:DeleteMessage"),
        ("ChangeMessageVisibility", "sqs:ChangeMessageVisibility"),
    ] {
        assert_eq!(pairs(&calls("sqs", operation, &request)), [(action, queue.as_str())]);
    }
}

#[test]
fn a_read_of_parameters_needs_a_permission_on_each_name_or_the_path() {
    let request = json!({"Names": ["/w/a", "/w/b"]});
    assert_eq!(
        pairs(&calls("ssm", "GetParameters", &request)),
        [
            ("ssm:GetParameters", parameter_arn("/w/a").as_str()),
            ("ssm:GetParameters", &parameter_arn("/w/b")),
        ]
    );
    let request = json!({"Path": "/w/users"});
    assert_eq!(
        pairs(&calls("ssm", "GetParametersByPath", &request)),
        [("ssm:GetParametersByPath", "arn:aws:ssm:us-east-1:000000000000:parameter/w/users")]
    );
}

#[test]
fn a_post_to_a_socket_needs_its_connection() {
    let found = calls("sockets", "PostToConnection", &json!({"connection": "a="}));
    let socket = "arn:aws:execute-api:us-east-1:000000000000:SocketApi/live/POST/@connections/a=";
    assert_eq!(pairs(&found), [("execute-api:ManageConnections", socket)]);
}

#[test]
fn an_unknown_call_needs_a_permission_on_everything() {
    assert_eq!(pairs(&calls("s3", "GetObject", &json!({}))), [("s3:GetObject", "*")]);
    assert_eq!(pairs(&calls("ssm", "PutParameter", &json!({}))), [("ssm:PutParameter", "*")]);
}

#[test]
fn finds_the_secrets_of_an_answer() {
    let mut ssm = crate::ssm::Ssm::default();
    ssm.put("/w/plain", crate::ssm::Kind::String, "v", 0);
    ssm.put("/w/secret", crate::ssm::Kind::SecureString, "v", 0);
    let mut rng = fastrand::Rng::with_seed(1);
    let mut request = json!({"Path": "/w", "WithDecryption": true});
    let answer = ssm.call("GetParametersByPath", &request, 0, &mut rng).unwrap();
    assert_eq!(decryptions(&request, &answer), [parameter_arn("/w/secret")]);
    request["WithDecryption"] = false.into();
    assert!(decryptions(&request, &answer).is_empty());
}
