//! YAML as JSON, with the tags of CloudFormation in their long form: `!Ref Queue` becomes
//! `{"Ref": "Queue"}`, and `!Sub` a `{"Fn::Sub": …}`.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

use crate::template::TemplateError;

/// Loads the first document. Aliases become copies of what they name.
pub(super) fn load(text: &str) -> Result<Value, TemplateError> {
    let documents = Yaml::load_from_str(text)?;
    documents.first().map_or(Ok(Value::Null), to_json)
}

fn to_json(node: &Yaml<'_>) -> Result<Value, TemplateError> {
    match node {
        Yaml::Value(scalar) => scalar_to_json(scalar),
        Yaml::Sequence(items) => items.iter().map(to_json).collect(),
        Yaml::Mapping(entries) => {
            let entries = entries.iter().map(|(key, value)| Ok((key_text(key)?, to_json(value)?)));
            entries.collect::<Result<Map<_, _>, TemplateError>>().map(Value::Object)
        }
        Yaml::Tagged(tag, node) => Ok(json!({ long_form(&tag.suffix): to_json(node)? })),
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => {
            Err(TemplateError::unsupported(format!("{node:?}")))
        }
    }
}

fn scalar_to_json(scalar: &Scalar<'_>) -> Result<Value, TemplateError> {
    match scalar {
        Scalar::Null => Ok(Value::Null),
        Scalar::Boolean(value) => Ok((*value).into()),
        Scalar::Integer(value) => Ok((*value).into()),
        Scalar::FloatingPoint(value) => Ok(value.into_inner().into()),
        Scalar::String(value) => Ok(value.as_ref().into()),
    }
}

fn key_text(key: &Yaml<'_>) -> Result<String, TemplateError> {
    let text = key.as_str().map(str::to_owned);
    text.ok_or_else(|| TemplateError::unsupported(format!("the key {key:?}")))
}

fn long_form(tag: &str) -> String {
    match tag {
        "Ref" | "Condition" => tag.to_owned(),
        function => format!("Fn::{function}"),
    }
}
