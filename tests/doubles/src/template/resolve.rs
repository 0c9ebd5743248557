//! Resolves parameters, conditions and references, to the names in `names`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::names::table_arn;
use crate::names::{
    ACCOUNT, PARTITION, REGION, URL_SUFFIX, arn, function_arn, queue_arn, queue_url,
};
use crate::template::TemplateError;

const QUEUE: &str = "AWS::SQS::Queue";

pub(super) struct Resolver {
    parameters: BTreeMap<String, String>,
    conditions: BTreeMap<String, bool>,
    mappings: Value,
    /// Types of resources by logical id.
    types: BTreeMap<String, String>,
}

impl Resolver {
    pub(super) fn new(
        document: &Value,
        parameters: &[(&str, &str)],
    ) -> Result<Self, TemplateError> {
        let entries = |section: &str| document[section].as_object().into_iter().flatten();
        let defaults = entries("Parameters")
            .map(|(name, parameter)| (name.clone(), text(&parameter["Default"])));
        let given = parameters.iter().map(|(name, value)| (*name, *value));
        let pseudo = [
            ("AWS::Region", REGION),
            ("AWS::AccountId", ACCOUNT),
            ("AWS::Partition", PARTITION),
            ("AWS::URLSuffix", URL_SUFFIX),
        ];
        let set = given.chain(pseudo).map(|(name, value)| (name.to_owned(), value.to_owned()));
        let types =
            entries("Resources").map(|(id, resource)| (id.clone(), text(&resource["Type"])));
        let mut resolver = Self {
            parameters: defaults.chain(set).collect(),
            conditions: BTreeMap::new(),
            mappings: document["Mappings"].clone(),
            types: types.collect(),
        };
        for (name, condition) in entries("Conditions") {
            let holds = resolver.is_true(condition)?;
            resolver.conditions.insert(name.clone(), holds);
        }
        Ok(resolver)
    }

    /// False if the condition of a resource does not hold.
    pub(super) fn exists(&self, resource: &Value) -> Result<bool, TemplateError> {
        let Some(name) = resource["Condition"].as_str() else { return Ok(true) };
        let holds = self.conditions.get(name).copied();
        holds.ok_or_else(|| TemplateError::unsupported(name))
    }

    /// `AWS::NoValue` is null, and removes what has it as its value.
    pub(super) fn resolve(&self, value: &Value) -> Result<Value, TemplateError> {
        match value {
            Value::Array(items) => {
                let items: Vec<Value> =
                    items.iter().map(|item| self.resolve(item)).collect::<Result<_, _>>()?;
                Ok(items.into_iter().filter(|item| !item.is_null()).collect())
            }
            Value::Object(entries) => match function(entries) {
                Some((name, argument)) => self.call(name, argument),
                None => {
                    let entries =
                        entries.iter().map(|(key, value)| Ok((key.clone(), self.resolve(value)?)));
                    let entries: Map<_, _> = entries.collect::<Result<_, TemplateError>>()?;
                    Ok(entries.into_iter().filter(|(_, value)| !value.is_null()).collect())
                }
            },
            other => Ok(other.clone()),
        }
    }

    fn call(&self, function: &str, argument: &Value) -> Result<Value, TemplateError> {
        match (function, argument) {
            ("Ref", Value::String(name)) if name == "AWS::NoValue" => Ok(Value::Null),
            ("Ref", Value::String(name)) => self.reference(name).map(Value::String),
            ("Fn::GetAtt", Value::String(path)) => self.named(path).map(Value::String),
            ("Fn::Sub", Value::String(text)) => self.substitute(text).map(Value::String),
            ("Fn::If", Value::Array(branches)) => match branches.as_slice() {
                [Value::String(condition), yes, no] => {
                    let holds = self.conditions.get(condition);
                    let holds = holds.ok_or_else(|| TemplateError::unsupported(condition))?;
                    self.resolve(if *holds { yes } else { no })
                }
                _ => Err(TemplateError::unsupported(function)),
            },
            ("Fn::FindInMap", Value::Array(path)) => self.find_in_map(path),
            _ => Err(TemplateError::unsupported(format!("{function} of {argument}"))),
        }
    }

    /// The value at a path of a map's name and two keys.
    fn find_in_map(&self, path: &[Value]) -> Result<Value, TemplateError> {
        let path = path.iter().map(|key| Ok(text(&self.resolve(key)?)));
        let path: Vec<String> = path.collect::<Result<_, TemplateError>>()?;
        let found = path.iter().try_fold(&self.mappings, |map, key| map.get(key));
        found.cloned().ok_or_else(|| TemplateError::unsupported(format!("the map {path:?}")))
    }

    fn is_true(&self, condition: &Value) -> Result<bool, TemplateError> {
        if let Some([negated]) = condition["Fn::Not"].as_array().map(Vec::as_slice) {
            return self.is_true(negated).map(|holds| !holds);
        }
        match condition["Fn::Equals"].as_array().map(Vec::as_slice) {
            Some([left, right]) => Ok(text(&self.resolve(left)?) == text(&self.resolve(right)?)),
            _ => Err(TemplateError::unsupported(condition)),
        }
    }

    /// `!Ref`: the value of a parameter, the URL of a queue, the name of anything else.
    fn reference(&self, name: &str) -> Result<String, TemplateError> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(value.clone());
        }
        if let Some(function) = name.strip_suffix(".Alias") {
            return Ok(format!("{}:live", function_arn(function)));
        }
        match self.types.get(name).map(String::as_str) {
            Some(QUEUE) => Ok(queue_url(name)),
            Some(_) => Ok(name.to_owned()),
            None => Err(TemplateError::unsupported(format!("a reference to {name}"))),
        }
    }

    /// A name within `!Sub`, or the path of a `!GetAtt`.
    fn named(&self, path: &str) -> Result<String, TemplateError> {
        let unsupported = || TemplateError::unsupported(format!("the attribute {path}"));
        match path.split_once('.') {
            None | Some((_, "Alias")) => self.reference(path),
            Some((id, "Arn")) => {
                let kind = self.types.get(id).ok_or_else(unsupported)?;
                resource_arn(kind, id).ok_or_else(unsupported)
            }
            Some((id, "QueueName")) if self.types.get(id).is_some_and(|kind| kind == QUEUE) => {
                Ok(id.to_owned())
            }
            Some(_) => Err(unsupported()),
        }
    }

    fn substitute(&self, text: &str) -> Result<String, TemplateError> {
        let mut parts = text.split("${");
        let mut result = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) =
                part.split_once('}').ok_or_else(|| TemplateError::unsupported(text))?;
            result += &self.named(name)?;
            result += rest;
        }
        Ok(result)
    }
}

fn resource_arn(kind: &str, id: &str) -> Option<String> {
    match kind {
        QUEUE => Some(queue_arn(id)),
        "AWS::DynamoDB::Table" => Some(table_arn(id)),
        "AWS::Serverless::Function" => Some(function_arn(id)),
        "AWS::Logs::LogGroup" => Some(arn("logs", &format!("log-group:{id}"))),
        "AWS::IAM::Role" => Some(arn("iam", &format!("role:{id}"))),
        "AWS::CloudWatch::Alarm" => Some(arn("cloudwatch", &format!("alarm:{id}"))),
        _ => None,
    }
}

/// The function of an object with that one key.
fn function(entries: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = entries.iter().next().filter(|_| entries.len() == 1)?;
    (name == "Ref" || name.starts_with("Fn::")).then_some((name, argument))
}

/// The text of a scalar: parameters are texts, whatever their type.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
