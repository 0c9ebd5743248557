//! Functions and their event sources.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::iam::Policy;
use crate::names::name_of;
use crate::template::resolve::text;
use crate::template::schedule::{Schedule, ScheduleProperties};
use crate::template::{TemplateError, read_value};

const SECOND: u64 = 1000;

/// Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Logical id.
    pub id: String,
    /// The logical id as a name: `deliver-slow` of `DeliverSlow`.
    pub name: String,
    pub timeout: u64,
    pub memory_mib: u64,
    pub environment: BTreeMap<String, String>,
    pub queues: Vec<QueueSource>,
    pub schedules: Vec<Schedule>,
    pub routes: Vec<Route>,
    pub async_invoke: AsyncInvoke,
    /// What its role allows.
    pub policy: Policy,
}

/// A queue that invokes the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSource {
    pub queue: String,
    pub batch_size: usize,
    pub batching_window: u64,
    pub max_concurrency: Option<usize>,
    /// The function tells which messages of a batch failed.
    pub reports_item_failures: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub method: String,
    /// May have variables: `/orders/{order_id}`.
    pub path: String,
}

/// A path and the route that it matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutedPath<'a> {
    pub route: &'a Route,
    /// By name, as they stand in the path: not decoded.
    pub variables: BTreeMap<String, String>,
}

/// What Lambda does after an asynchronous invocation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsyncInvoke {
    pub max_retries: u32,
    pub max_event_age: u64,
    /// Name of the queue for events on which the function failed.
    pub failures: Option<String>,
}

impl Route {
    /// The values of the variables, if the path matches.
    pub(super) fn matched(&self, path: &str) -> Option<RoutedPath<'_>> {
        let (expected, actual) = (self.path.split('/'), path.split('/'));
        if expected.clone().count() != actual.clone().count() {
            return None;
        }
        let mut variables = BTreeMap::new();
        for (expected, actual) in expected.zip(actual) {
            match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(_) if actual.is_empty() => return None,
                Some(name) => {
                    variables.insert(name.to_owned(), actual.to_owned());
                }
                None if expected == actual => {}
                None => return None,
            }
        }
        Some(RoutedPath { route: self, variables })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    role: String,
    timeout: u64,
    memory_size: u64,
    environment: Environment,
    #[serde(default)]
    events: BTreeMap<String, Event>,
    #[serde(default)]
    event_invoke_config: InvokeProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Environment {
    variables: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    r#type: String,
    properties: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueueProperties {
    queue: String,
    #[serde(default = "default_batch_size")]
    batch_size: usize,
    #[serde(default)]
    maximum_batching_window_in_seconds: u64,
    #[serde(default)]
    scaling_config: ScalingConfig,
    #[serde(default)]
    function_response_types: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScalingConfig {
    #[serde(deserialize_with = "number")]
    maximum_concurrency: Option<usize>,
}

/// The value of a parameter is a text, also of one that is a number.
fn number<'de, D: Deserializer<'de>>(value: D) -> Result<Option<usize>, D::Error> {
    let text = text(&Value::deserialize(value)?);
    text.parse().map(Some).map_err(D::Error::custom)
}

/// Of Lambda for queues.
fn default_batch_size() -> usize {
    10
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RouteProperties {
    method: String,
    path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct InvokeProperties {
    maximum_retry_attempts: u32,
    maximum_event_age_in_seconds: u64,
    destination_config: DestinationConfig,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DestinationConfig {
    on_failure: Option<Destination>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    destination: String,
}

impl Default for InvokeProperties {
    /// The defaults of Lambda.
    fn default() -> Self {
        Self {
            maximum_retry_attempts: 2,
            maximum_event_age_in_seconds: 21_600,
            destination_config: DestinationConfig::default(),
        }
    }
}

fn name(id: &str) -> String {
    let mut name = String::with_capacity(id.len() + 1);
    for letter in id.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

pub(super) fn read(
    id: &str,
    defaults: &Value,
    own: Value,
    roles: &BTreeMap<String, Policy>,
) -> Result<Function, TemplateError> {
    let properties: Properties = read_value(with_defaults(defaults, own))?;
    let role = name_of(&properties.role);
    let policy = roles.get(role).ok_or_else(|| TemplateError::unsupported(role))?;
    let variables = properties.environment.variables.iter();
    let invoke = properties.event_invoke_config;
    let failures = invoke.destination_config.on_failure;
    let mut function = Function {
        id: id.to_owned(),
        name: name(id),
        timeout: properties.timeout * SECOND,
        memory_mib: properties.memory_size,
        environment: variables.map(|(name, value)| (name.clone(), text(value))).collect(),
        queues: Vec::new(),
        schedules: Vec::new(),
        routes: Vec::new(),
        async_invoke: AsyncInvoke {
            max_retries: invoke.maximum_retry_attempts,
            max_event_age: invoke.maximum_event_age_in_seconds * SECOND,
            failures: failures.map(|queue| name_of(&queue.destination).to_owned()),
        },
        policy: policy.clone(),
    };
    for event in properties.events.into_values() {
        function.add(event)?;
    }
    Ok(function)
}

impl Function {
    fn add(&mut self, event: Event) -> Result<(), TemplateError> {
        match event.r#type.as_str() {
            "SQS" => self.queues.push(read_queue_source(read_value(event.properties)?)),
            "ScheduleV2" => {
                let schedule: ScheduleProperties = read_value(event.properties)?;
                self.schedules.push(schedule.read()?);
            }
            "HttpApi" => {
                let route: RouteProperties = read_value(event.properties)?;
                self.routes.push(Route { method: route.method, path: route.path });
            }
            other => return Err(TemplateError::unsupported(other)),
        }
        Ok(())
    }
}

fn read_queue_source(source: QueueProperties) -> QueueSource {
    let reports =
        source.function_response_types.iter().any(|kind| kind == "ReportBatchItemFailures");
    QueueSource {
        queue: name_of(&source.queue).to_owned(),
        batch_size: source.batch_size,
        batching_window: source.maximum_batching_window_in_seconds * SECOND,
        max_concurrency: source.scaling_config.maximum_concurrency,
        reports_item_failures: reports,
    }
}

/// The properties of a function, and those of `Globals` that it does not set itself.
fn with_defaults(defaults: &Value, own: Value) -> Value {
    match (defaults, own) {
        (Value::Object(defaults), Value::Object(mut own)) => {
            for (key, default) in defaults {
                let value = own.remove(key).unwrap_or_default();
                own.insert(key.clone(), with_defaults(default, value));
            }
            Value::Object(own)
        }
        (default, Value::Null) => default.clone(),
        (_, own) => own,
    }
}
