//! The deployed system, as template.yaml describes it.

use std::sync::Arc;

use doubles::dynamodb::DynamoDb;
use doubles::sqs::Sqs;
use doubles::template::{Function, RoutedPath, Template, TemplateError};

use crate::bugs::Bug;
use crate::setup::STAGE;

/// What a run deploys.
pub struct Topology {
    template: Template,
    functions: Vec<Arc<Function>>,
    pub(crate) bug: Option<Bug>,
    /// The same system with live updates: a new installation has none.
    live: Option<Arc<Self>>,
}

impl Topology {
    /// Reads the text of template.yaml.
    pub fn read(template: &str) -> Result<Self, TemplateError> {
        Self::with(None, template)
    }

    /// With a planted bug, if there is one.
    pub fn with(bug: Option<Bug>, template: &str) -> Result<Self, TemplateError> {
        let template = bug.map_or_else(|| template.to_owned(), |bug| bug.edit(template));
        let live = Self::deployed(bug, &template, "2", None)?;
        Self::deployed(bug, &template, "0", Some(Arc::new(live)))
    }

    fn deployed(
        bug: Option<Bug>,
        template: &str,
        pushes: &str,
        live: Option<Arc<Self>>,
    ) -> Result<Self, TemplateError> {
        let parameters = [
            ("PushConcurrency", pushes),
            ("Stage", STAGE),
            ("ConfigTtlSeconds", "20"),
            ("ProcessConcurrency", "20"),
            ("DeliverConcurrency", "50"),
            ("SlowDeliverConcurrency", "10"),
            ("SyncConcurrency", "4"),
        ];
        let template = Template::read(template, &parameters)?;
        let functions = template.functions.iter().cloned().map(Arc::new).collect();
        Ok(Self { template, functions, bug, live })
    }

    /// As a stage that tells sockets.
    pub(crate) fn with_sockets(self: Arc<Self>) -> Arc<Self> {
        self.live.clone().unwrap_or(self)
    }

    pub(crate) fn functions(&self) -> &[Arc<Function>] {
        &self.functions
    }

    /// The function of a crate.
    pub(crate) fn function(&self, name: &str) -> Option<&Arc<Function>> {
        self.functions.iter().find(|function| function.name == name)
    }

    pub(crate) fn route(
        &self,
        method: &str,
        path: &str,
    ) -> Option<(Arc<Function>, RoutedPath<'_>)> {
        let (function, route) = self.template.route(method, path)?;
        Some((Arc::clone(self.function(&function.name)?), route))
    }

    /// Tables whose rows expire, with the attribute that says when.
    pub(crate) fn tables(&self) -> impl Iterator<Item = (&str, &str)> {
        let tables = self.template.tables.iter();
        tables.filter_map(|table| Some((table.name.as_str(), table.ttl.as_deref()?)))
    }

    /// The time that a received message is invisible.
    pub(crate) fn visibility(&self, queue: &str) -> Option<u64> {
        let queue = self.template.queues.iter().find(|it| it.name == queue)?;
        Some(queue.visibility)
    }

    pub(crate) fn sqs(&self) -> Sqs {
        Sqs::new(self.template.queues.clone())
    }

    pub(crate) fn dynamodb(&self) -> DynamoDb {
        DynamoDb::new(self.template.tables.clone())
    }
}
