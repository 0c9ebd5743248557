#![expect(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use aws::client::{CallTimeouts, Edge};
use aws_lambda_events::event::sqs::SqsMessage;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_types::SdkConfig;
use domain::core::id::AccountCode;
use domain::live::ServerFrame;
use lambda_runtime::Context;
use serde_json::{Value, json};
use tokio::task::yield_now;

use super::*;

const SOCKETS: usize = 1000;

/// Knows a thousand sockets of every scope, and counts the posts to them.
#[derive(Debug, Clone, Default)]
struct Aws(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    queries: usize,
    posts: BTreeMap<String, usize>,
    under_way: usize,
    most_under_way: usize,
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self(counts) = self.clone();
        HttpConnectorFuture::new(async move {
            match request.headers().get("x-amz-target") {
                // Without the setting, Pusher is not used.
                Some(target) if target.starts_with("AmazonSSM") => {
                    return Ok(answer(json!({ "Parameters": [] }).to_string()));
                }
                Some(_) => {
                    counts.lock().unwrap().queries += 1;
                    return Ok(answer(rows().to_string()));
                }
                None => {}
            }
            counts.lock().unwrap().begin(request.uri());
            for _ in 0..10 {
                yield_now().await;
            }
            counts.lock().unwrap().under_way -= 1;
            Ok(answer(String::new()))
        })
    }
}

impl Counts {
    fn begin(&mut self, uri: &str) {
        *self.posts.entry(uri.to_owned()).or_default() += 1;
        self.under_way += 1;
        self.most_under_way = self.most_under_way.max(self.under_way);
    }
}

fn answer(body: String) -> HttpResponse {
    HttpResponse::new(200.try_into().unwrap(), body.into())
}

fn rows() -> Value {
    let row = |number| {
        json!({ "pk": {"S": "account:1:A"}, "sk": {"S": format!("socket{number}=")},
            "open_until": {"N": "99999999999999"} })
    };
    json!({ "Items": (0..SOCKETS).map(row).collect::<Vec<_>>() })
}

fn push(aws: &Aws) -> Push {
    let credentials = Credentials::new("id", "secret", None, None, "test");
    let base = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url("http://aws.invalid");
    let aws = aws.clone();
    let client = http_client_fn(move |_, _| SharedHttpConnector::new(aws.clone()));
    let edge = Edge { http_client: Some(client), ..Edge::system() };
    let clients = Clients::new(base.build(), edge, CallTimeouts::Http);
    let environment = [
        ("CONNECTIONS_TABLE", "connections"),
        ("SOCKETS_URL", "http://aws.invalid/live"),
        ("SETTINGS_PREFIX", "/waypost/test"),
        ("CONFIG_TTL_SECONDS", "300"),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let http = Http::new(aws::clock::system_time).unwrap();
    Push::from_environment(&clients, &environment.into_iter().collect(), http).unwrap()
}

fn scope(account: &str) -> Scope {
    Scope::account(&AccountCode::parse(account).unwrap())
}

fn message(updates: &[(&[&str], &ServerFrame<'_>)]) -> SqsMessage {
    let update = |(scopes, frame): &(&[&str], &ServerFrame<'_>)| {
        LiveUpdate::new(scopes.iter().map(|it| scope(it)).collect(), frame)
    };
    let mut record = SqsMessage::default();
    record.body = Some(LiveMessage::new(updates.iter().map(update).collect()).write());
    record
}

fn batch(records: Vec<SqsMessage>) -> SqsEvent {
    let mut batch = SqsEvent::default();
    batch.records = records;
    batch
}

#[test]
fn a_scope_gets_its_frames_in_order_and_no_others() {
    let (first, second) = (ServerFrame::Registered, ServerFrame::Pong);
    let mut unreadable = SqsMessage::default();
    unreadable.body = Some("?".to_owned());
    let records =
        vec![message(&[(&["A", "B"], &first)]), unreadable, message(&[(&["A"], &second)])];
    let updates = updates_of(&batch(records));
    let frames = frames_by_scope(&updates);
    assert_eq!(frames[&scope("A")], [first.to_text(), second.to_text()]);
    assert_eq!(frames[&scope("B")], [first.to_text()]);
}

/// `process` sends one message whoever listens: `sends_one_message_for_the_scopes_that_are_watched`.
#[tokio::test]
async fn posts_an_update_once_to_each_of_a_thousand_sockets_64_at_a_time() {
    let aws = Aws::default();
    let update = message(&[(&["A"], &ServerFrame::Pong)]);
    let event = LambdaEvent::new(batch(vec![update]), Context::default());
    push(&aws).invoke(event).await.unwrap();
    let counts = aws.0.lock().unwrap();
    assert_eq!(counts.queries, 1);
    assert_eq!(counts.posts.len(), SOCKETS);
    assert!(counts.posts.values().all(|posts| *posts == 1));
    assert_eq!(counts.most_under_way, AT_ONCE);
}
