//! Records every AWS call of a client and makes one of them fail on demand.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

use super::Meter;

/// The call that fails, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request never reaches AWS.
    Before(usize),
    /// AWS executes the request, but the response is lost.
    After(usize),
}

#[derive(Debug, Clone, Default)]
pub struct Calls {
    names: Arc<Mutex<Vec<String>>>,
    fault: Option<Fault>,
    /// Every call after the failing one fails too.
    killed: bool,
    meter: Option<Meter>,
}

/// The index of a call.
#[derive(Debug, Clone, Copy)]
struct Index(usize);

impl Storable for Index {
    type Storer = StoreReplace<Self>;
}

impl Calls {
    /// One failing call; later calls succeed.
    pub fn failing(fault: Option<Fault>) -> Self {
        Self { fault, ..Self::default() }
    }

    /// The process is killed at this call.
    pub fn killed(fault: Option<Fault>) -> Self {
        Self { killed: true, ..Self::failing(fault) }
    }

    /// Calls that a meter counts.
    pub fn metered(meter: &Meter) -> Self {
        Self { meter: Some(meter.clone()), ..Self::default() }
    }

    /// `None` stands for the SDK's own.
    pub fn http_client(&self) -> Option<SharedHttpClient> {
        self.meter.as_ref().map(Meter::http_client)
    }

    /// `service:Operation`, in order.
    pub fn names(&self) -> Vec<String> {
        self.names.lock().unwrap().clone()
    }

    fn check(&self, now: Fault) -> Result<(), BoxError> {
        let dead = match (self.fault, now) {
            (Some(Fault::Before(last) | Fault::After(last)), Fault::Before(call)) => {
                self.killed && call > last
            }
            _ => false,
        };
        if dead || self.fault == Some(now) { Err("injected".into()) } else { Ok(()) }
    }
}

impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }

    fn modify_before_transmit(
        &self,
        _: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let call = config.load::<Metadata>().expect("every call has a name");
        let name = format!("{}:{}", call.service().to_lowercase(), call.name());
        let index = {
            let mut names = self.names.lock().unwrap();
            names.push(name);
            names.len() - 1
        };
        config.interceptor_state().store_put(Index(index));
        self.check(Fault::Before(index))
    }

    fn modify_before_deserialization(
        &self,
        _: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Index(index) = *config.load::<Index>().expect("every call has an index");
        self.check(Fault::After(index))
    }
}
