//! A fake of AWS for unit tests, in place of `aws-smithy-mocks`: that crate switches on features of
//! `serde_json` and the SDK's HTTP client, so that the SDK would be built twice.
#![expect(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;

use super::{CallTimeouts, Clients, Edge};

type Respond = dyn Fn(&[u8]) -> (u16, String) + Send + Sync;

/// Responds to every request with a function of its body, and records the request.
#[derive(Clone)]
pub(crate) struct FakeAws {
    respond: Arc<Respond>,
    requests: Arc<Mutex<Vec<HttpRequest>>>,
}

impl FakeAws {
    /// `respond` returns status and JSON body.
    pub(crate) fn new(respond: impl Fn(&[u8]) -> (u16, String) + Send + Sync + 'static) -> Self {
        Self { respond: Arc::new(respond), requests: Arc::default() }
    }

    /// Responds with these, one after another. Panics at a request beyond the last.
    pub(crate) fn sequence(responses: &[(u16, &'static str)]) -> Self {
        let responses = Mutex::new(VecDeque::from(responses.to_vec()));
        Self::new(move |_| {
            let (status, body) = responses.lock().unwrap().pop_front().unwrap();
            (status, body.to_owned())
        })
    }

    pub(crate) fn requests(&self) -> MutexGuard<'_, Vec<HttpRequest>> {
        self.requests.lock().unwrap()
    }

    pub(crate) fn edge(&self) -> Edge {
        let fake = self.clone();
        let client = http_client_fn(move |_, _| SharedHttpConnector::new(fake.clone()));
        Edge { http_client: Some(client), ..Edge::system() }
    }
}

impl fmt::Debug for FakeAws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeAws").finish_non_exhaustive()
    }
}

impl HttpConnector for FakeAws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (status, body) = (self.respond)(request.body().bytes().unwrap_or_default());
        self.requests().push(request);
        let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// Clients with credentials of their own, so that the environment is irrelevant.
pub(crate) fn clients(edge: Edge) -> Clients {
    clients_at("http://aws.invalid", edge)
}

/// Clients of an AWS at this URL.
pub(crate) fn clients_at(url: &str, edge: Edge) -> Clients {
    let base = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "id", "secret", None, None, "test",
        )))
        .endpoint_url(url);
    Clients::new(base.build(), edge, CallTimeouts::Queue)
}
