//! Queues and tables.

use serde::Deserialize;
use serde_json::Value;

use crate::dynamodb::{Index, Table};
use crate::names::name_of;
use crate::sqs::{QueueSettings, Redrive};
use crate::template::TemplateError;

const SECOND: u64 = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TableProperties {
    #[serde(default)]
    attribute_definitions: Vec<Attribute>,
    key_schema: Vec<KeyPart>,
    #[serde(default)]
    global_secondary_indexes: Vec<IndexProperties>,
    #[serde(default)]
    time_to_live_specification: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IndexProperties {
    index_name: String,
    key_schema: Vec<KeyPart>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    attribute_name: String,
    attribute_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyPart {
    attribute_name: String,
    key_type: String,
}

/// (partition key, sort key)
fn keys(schema: &[KeyPart]) -> Result<(String, Option<String>), TemplateError> {
    let of_type = |kind: &str| {
        let found = schema.iter().find(|part| part.key_type == kind);
        found.map(|part| part.attribute_name.clone())
    };
    let partition_key = of_type("HASH").ok_or_else(|| TemplateError::unsupported("a key"))?;
    Ok((partition_key, of_type("RANGE")))
}

pub(super) fn read_table(id: &str, table: TableProperties) -> Result<Table, TemplateError> {
    let (partition_key, sort_key) = keys(&table.key_schema)?;
    let indexes = table.global_secondary_indexes.into_iter().map(|index| {
        let (partition_key, sort_key) = keys(&index.key_schema)?;
        let has_number = table.attribute_definitions.iter().any(|attribute| {
            attribute.attribute_type == "N" && Some(&attribute.attribute_name) == sort_key.as_ref()
        });
        Ok(Index { name: index.index_name, partition_key, sort_key, has_number })
    });
    let ttl = &table.time_to_live_specification;
    let ttl = ttl["AttributeName"].as_str().filter(|_| ttl["Enabled"] == true);
    Ok(Table {
        name: id.to_owned(),
        partition_key,
        sort_key,
        indexes: indexes.collect::<Result<_, TemplateError>>()?,
        ttl: ttl.map(str::to_owned),
    })
}

/// Times are in seconds.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct QueueProperties {
    visibility_timeout: u64,
    message_retention_period: u64,
    delay_seconds: u64,
    redrive_policy: Option<RedrivePolicy>,
}

impl Default for QueueProperties {
    /// The defaults of SQS.
    fn default() -> Self {
        Self {
            visibility_timeout: 30,
            message_retention_period: 345_600,
            delay_seconds: 0,
            redrive_policy: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RedrivePolicy {
    dead_letter_target_arn: String,
    max_receive_count: u32,
}

pub(super) fn read_queue(id: &str, queue: QueueProperties) -> Result<QueueSettings, TemplateError> {
    let redrive = queue.redrive_policy.map(|policy| Redrive {
        dead_letters: name_of(&policy.dead_letter_target_arn).to_owned(),
        max_receives: policy.max_receive_count,
    });
    Ok(QueueSettings {
        name: id.to_owned(),
        visibility: queue.visibility_timeout * SECOND,
        retention: queue.message_retention_period * SECOND,
        delay: queue.delay_seconds * SECOND,
        redrive,
    })
}
