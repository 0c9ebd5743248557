#![expect(clippy::unwrap_used)]

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use domain::tracking::status::Status;

use super::*;
use crate::testing::clients;

/// Answers every call of an operation alike, and counts it.
#[derive(Debug, Clone)]
struct Aws {
    watch: &'static str,
    queue: (u16, &'static str),
    calls: Arc<Mutex<Vec<String>>>,
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let (status, body) = match operation.as_str() {
            "GetItem" => (200, self.watch),
            _ => self.queue,
        };
        lock(&self.calls).push(operation);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), body.into())))
    }
}

impl Aws {
    fn new(watch: &'static str, queue: (u16, &'static str)) -> Self {
        Self { watch, queue, calls: Arc::default() }
    }

    fn live(&self) -> Live {
        let clients = clients(self.clone());
        let queue = Queue::new(clients.sqs(), "http://aws.invalid".to_owned());
        Live::new(queue, Connections::new(clients.dynamodb(), "c".to_owned()), REMEMBERED)
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.calls))
    }
}

fn key() -> OrderKey {
    serde_json::from_str(r#"{"account":"A","order":"O"}"#).unwrap()
}

fn news(key: &OrderKey, watched_until: Option<Timestamp>) -> News<'_> {
    let frame = ServerFrame::OrderUpdate(OrderNews {
        order_id: key.order.clone(),
        status: Status::Delivered,
        previous_status: None,
        version: 2,
        message: "Delivered",
        timestamp: Timestamp::EPOCH,
    });
    News { account: &key.account, order: Some(key), watched_until, frame }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_768_903_200_000 + seconds * 1000).unwrap()
}

#[tokio::test]
async fn nothing_is_sent_where_nobody_watches() {
    let (aws, key) = (Aws::new("{}", (200, "{}")), key());
    let live = aws.live();
    for (seconds, expected) in [(0, &["GetItem"][..]), (9, &[]), (10, &["GetItem"])] {
        live.tell(&[news(&key, Some(at(0)))], at(seconds)).await.unwrap();
        assert_eq!(aws.calls(), expected, "{seconds}");
    }
}

#[tokio::test]
async fn sends_one_message_for_the_scopes_that_are_watched() {
    let watched = r#"{"Item":{"until":{"N":"1768903205000"}}}"#;
    let key = key();
    for (watch, watched_until, is_sent) in [
        ("{}", Some(at(5)), true),
        (watched, None, true),
        (watched, Some(at(5)), true),
        ("{}", None, false),
    ] {
        let aws = Aws::new(watch, (200, "{}"));
        let both = [news(&key, watched_until), news(&key, watched_until)];
        aws.live().tell(&both, at(0)).await.unwrap();
        let sent = aws.calls().iter().filter(|call| *call == "SendMessageBatch").count();
        assert_eq!(sent, usize::from(is_sent), "{watch} {watched_until:?}");
    }
}

#[tokio::test]
async fn tries_nothing_for_a_while_after_a_failure() {
    let refused = r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}"#;
    let (aws, key) = (Aws::new("{}", (400, refused)), key());
    let live = aws.live();
    for (seconds, has_called) in [(0, true), (4, false), (5, true)] {
        assert!(live.tell(&[news(&key, Some(at(60)))], at(seconds)).await.is_err());
        assert_eq!(!aws.calls().is_empty(), has_called, "{seconds}");
    }
}
