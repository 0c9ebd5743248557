#![expect(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::Region;
use aws_sdk_dynamodb::config::Credentials;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_async::time::{SharedTimeSource, StaticTimeSource};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;

use super::{CallTimeouts, Clients, Edge, loader};

/// Answers every request with one status and an empty JSON object, and records it.
#[derive(Debug, Clone)]
struct FakeService {
    status: u16,
    requests: Arc<Mutex<Vec<HttpRequest>>>,
}

impl FakeService {
    fn answering(status: u16) -> Self {
        Self { status, requests: Arc::default() }
    }

    fn headers(&self, name: &str) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|request| request.headers().get(name).unwrap().to_owned()).collect()
    }

    fn edge(&self) -> Edge {
        let service = self.clone();
        let client = http_client_fn(move |_, _| SharedHttpConnector::new(service.clone()));
        Edge { http_client: Some(client), ..Edge::system() }
    }
}

impl HttpConnector for FakeService {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.requests.lock().unwrap().push(request);
        let status = self.status.try_into().unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from("{}"))))
    }
}

/// Ends short sleeps at once, and records them. Longer ones are timeouts and never end.
#[derive(Debug, Clone, Default)]
struct FakeSleep(Arc<Mutex<Vec<Duration>>>);

impl AsyncSleep for FakeSleep {
    fn sleep(&self, duration: Duration) -> Sleep {
        if duration >= Duration::from_secs(4) {
            return Sleep::new(std::future::pending());
        }
        self.0.lock().unwrap().push(duration);
        Sleep::new(std::future::ready(()))
    }
}

async fn clients(edge: Edge) -> Clients {
    let loader = loader(edge, CallTimeouts::Queue)
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .endpoint_url("http://aws.invalid");
    Clients { sdk: loader.load().await }
}

#[tokio::test]
async fn sends_requests_through_the_given_http_client_signed_at_the_given_time() {
    let service = FakeService::answering(200);
    let time_source = SharedTimeSource::new(StaticTimeSource::from_secs(1_000_000_000));
    let clients = clients(Edge { time_source, ..service.edge() }).await;
    clients.dynamodb().list_tables().send().await.unwrap();
    clients.sqs().list_queues().send().await.unwrap();
    clients.ssm().get_parameter().name("a").send().await.unwrap();
    assert_eq!(service.headers("x-amz-date"), ["20010909T014640Z"; 3]);
    for (header, name) in service.headers("authorization").iter().zip(["dynamodb", "sqs", "ssm"]) {
        let scope = format!("Credential=id/20010909/eu-west-1/{name}/aws4_request");
        assert!(header.contains(&scope), "{header}");
    }
}

#[tokio::test]
async fn tries_a_call_three_times_and_backs_off_with_the_given_sleep() {
    let (service, sleep) = (FakeService::answering(500), FakeSleep::default());
    let edge = Edge { sleep: SharedAsyncSleep::new(sleep.clone()), ..service.edge() };
    assert!(clients(edge).await.sqs().list_queues().send().await.is_err());
    assert_eq!(service.requests.lock().unwrap().len(), 3);
    // Two backoffs, beside the timers of the SDK's stalled-stream protection.
    assert!(sleep.0.lock().unwrap().len() >= 2);
}
