//! The resources of the SAM template: functions with their event sources and policies, queues,
//! tables and routes.

mod error;
mod function;
mod resolve;
mod resources;
mod schedule;
#[cfg(test)]
mod tests;
mod yaml;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use self::error::TemplateError;
pub use self::function::{AsyncInvoke, Function, QueueSource, Route, RoutedPath};
pub use self::schedule::{Schedule, Timing};

use self::resolve::Resolver;
use crate::dynamodb::Table;
use crate::iam::Policy;
use crate::sqs::QueueSettings;

#[derive(Debug, Clone)]
pub struct Template {
    /// In the order of their logical ids, as all lists here.
    pub functions: Vec<Function>,
    pub queues: Vec<QueueSettings>,
    pub tables: Vec<Table>,
    /// By logical id.
    pub roles: BTreeMap<String, Policy>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    r#type: String,
    #[serde(default)]
    properties: Map<String, Value>,
}

impl Template {
    /// Reads a template for a deployment with these parameters, and the defaults of the others.
    pub fn read(text: &str, parameters: &[(&str, &str)]) -> Result<Self, TemplateError> {
        let document = yaml::load(text)?;
        let resolver = Resolver::new(&document, parameters)?;
        let defaults = resolver.resolve(&document["Globals"]["Function"])?;
        let resources = Resources::read(&document, &resolver)?;
        let roles: BTreeMap<String, Policy> = resources
            .of_type("AWS::IAM::Role", |id, role: Value| {
                Ok((id.to_owned(), Policy::read(&role["Policies"])?))
            })?
            .into_iter()
            .collect();
        let functions = resources.of_type("AWS::Serverless::Function", |id, own: Value| {
            function::read(id, &defaults, own, &roles)
        })?;
        let queues = resources.of_type("AWS::SQS::Queue", resources::read_queue)?;
        let tables = resources.of_type("AWS::DynamoDB::Table", resources::read_table)?;
        Ok(Self { functions, queues, tables, roles })
    }

    /// The function of a crate.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }

    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.functions.iter().flat_map(|function| &function.routes)
    }

    /// The function and route that API Gateway selects: the one with the fewest variables.
    pub fn route(&self, method: &str, path: &str) -> Option<(&Function, RoutedPath<'_>)> {
        let routes = self
            .functions
            .iter()
            .flat_map(|function| function.routes.iter().map(move |route| (function, route)));
        routes
            .filter(|(_, route)| route.method == method)
            .filter_map(|(function, route)| Some((function, route.matched(path)?)))
            .min_by_key(|(_, matched)| matched.variables.len())
    }
}

/// All resources with their references resolved, by logical id.
struct Resources(BTreeMap<String, Resource>);

impl Resources {
    fn read(document: &Value, resolver: &Resolver) -> Result<Self, TemplateError> {
        let mut read = BTreeMap::new();
        for (id, resource) in document["Resources"].as_object().into_iter().flatten() {
            let of_id = |error: TemplateError| error.of(id);
            if resolver.exists(resource).map_err(of_id)? {
                let resource = resolver.resolve(resource).map_err(of_id)?;
                read.insert(id.clone(), read_value(resource).map_err(of_id)?);
            }
        }
        Ok(Self(read))
    }

    fn of_type<P: DeserializeOwned, T>(
        &self,
        kind: &str,
        read: impl Fn(&str, P) -> Result<T, TemplateError>,
    ) -> Result<Vec<T>, TemplateError> {
        let found = self.0.iter().filter(|(_, resource)| resource.r#type == kind);
        let read = found.map(|(id, resource)| {
            let properties = read_value(resource.properties.clone().into());
            properties.and_then(|properties| read(id, properties)).map_err(|error| error.of(id))
        });
        read.collect()
    }
}

fn read_value<T: DeserializeOwned>(value: Value) -> Result<T, TemplateError> {
    Ok(serde_json::from_value(value)?)
}
