#![expect(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_async::time::{SharedTimeSource, StaticTimeSource};

use super::fake::{FakeAws, clients};
use super::{CallTimeouts, Edge, https, network};
use crate::env::Environment;

fn headers(fake: &FakeAws, name: &str) -> Vec<String> {
    let requests = fake.requests();
    requests.iter().map(|request| request.headers().get(name).unwrap().to_owned()).collect()
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

#[tokio::test]
async fn sends_requests_through_the_given_http_client_signed_at_the_given_time() {
    let fake = FakeAws::new(|_| (200, "{}".to_owned()));
    let time_source = SharedTimeSource::new(StaticTimeSource::from_secs(1_000_000_000));
    let clients = clients(Edge { time_source, ..fake.edge() });
    clients.dynamodb().list_tables().send().await.unwrap();
    clients.sqs().list_queues().send().await.unwrap();
    clients.ssm().get_parameter().name("a").send().await.unwrap();
    assert_eq!(headers(&fake, "x-amz-date"), ["20010909T014640Z"; 3]);
    for (header, name) in headers(&fake, "authorization").iter().zip(["dynamodb", "sqs", "ssm"]) {
        let scope = format!("Credential=id/20010909/eu-west-1/{name}/aws4_request");
        assert!(header.contains(&scope), "{header}");
    }
}

#[tokio::test]
async fn tries_a_call_three_times_and_backs_off_with_the_given_sleep() {
    let (fake, sleep) = (FakeAws::new(|_| (500, "{}".to_owned())), FakeSleep::default());
    let edge = Edge { sleep: SharedAsyncSleep::new(sleep.clone()), ..fake.edge() };
    assert!(clients(edge).sqs().list_queues().send().await.is_err());
    assert_eq!(fake.requests().len(), 3);
    // Two backoffs, beside the timers of the SDK's stalled-stream protection.
    assert!(sleep.0.lock().unwrap().len() >= 2);
}

#[tokio::test]
async fn opens_a_connection_for_each_client_that_was_made() {
    let fake = FakeAws::new(|_| (404, "no JSON".to_owned()));
    let clients = clients(fake.edge());
    for _ in 0..2 {
        clients.dynamodb();
        clients.sqs();
    }
    clients.open_connections().await;
    let requests: Vec<_> = fake
        .requests()
        .iter()
        .map(|it| (it.method().to_owned(), it.uri().to_owned(), it.headers().iter().count()))
        .collect();
    // Without headers: the request is unsigned.
    let ping = ("GET".to_owned(), "http://aws.invalid/ping".to_owned(), 0);
    assert_eq!(requests, [ping.clone(), ping]);
    clients.open_connections().await;
    assert_eq!(fake.requests().len(), 2, "once only");
}

#[test]
fn takes_the_certificates_of_a_bundle_or_refuses_to_start() {
    let file = std::env::temp_dir().join(format!("waypost-bundle-{}.pem", std::process::id()));
    let environment = [("AWS_CA_BUNDLE".to_owned(), file.display().to_string())];
    let environment: Environment = environment.into_iter().collect();
    let roots = include_str!("amazon-roots.pem");
    let bundle = |text: &str| {
        std::fs::write(&file, text).unwrap();
        network(&environment, CallTimeouts::Http).is_ok()
    };
    assert!(bundle(roots));
    let broken = roots.replace("MII", "AAA");
    for unusable in ["", "no certificate", &broken] {
        assert!(!bundle(unusable), "{unusable}");
    }
    std::fs::remove_file(&file).unwrap();
    assert!(network(&environment, CallTimeouts::Http).is_err(), "no file");
    assert!(network(&Environment::from_iter([]), CallTimeouts::Http).is_ok());
}

#[test]
fn amazons_five_roots_are_usable() {
    let roots = include_bytes!("amazon-roots.pem");
    assert!(https::pool(Duration::from_secs(1), Some(roots)).is_some());
    assert_eq!(String::from_utf8_lossy(roots).matches("BEGIN").count(), 5);
}
