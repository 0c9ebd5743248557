//! Names of resources. A table or queue has the name of its resource in the template.

pub const REGION: &str = "us-east-1";
pub const ACCOUNT: &str = "000000000000";
pub const PARTITION: &str = "aws";
pub const URL_SUFFIX: &str = "amazonaws.com";

pub fn queue_url(queue: &str) -> String {
    format!("https://sqs.{REGION}.{URL_SUFFIX}/{ACCOUNT}/{queue}")
}

/// The name in the URL of a queue.
pub fn queue_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or_default()
}

pub fn queue_arn(queue: &str) -> String {
    arn("sqs", queue)
}

pub fn table_arn(table: &str) -> String {
    arn("dynamodb", &format!("table/{table}"))
}

pub fn index_arn(table: &str, index: &str) -> String {
    arn("dynamodb", &format!("table/{table}/index/{index}"))
}

/// `name` is the whole path of the parameter, or a folder.
pub fn parameter_arn(name: &str) -> String {
    arn("ssm", &format!("parameter/{}", name.trim_start_matches('/')))
}

pub fn function_arn(function: &str) -> String {
    arn("lambda", &format!("function:{function}"))
}

pub(crate) fn arn(service: &str, resource: &str) -> String {
    format!("arn:{PARTITION}:{service}:{REGION}:{ACCOUNT}:{resource}")
}

/// The last part of the ARN of a queue or function: its name.
pub fn name_of(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or_default()
}
