#![expect(clippy::unwrap_used)]

use std::sync::Arc;

use aws::settings::Settings;
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
    pusher: (u16, &'static str),
    calls: Arc<Mutex<Vec<String>>>,
    sent: Arc<Mutex<Vec<String>>>,
}

const NO_PUSHER: (u16, &str) = (200, r#"{"Parameters":[]}"#);

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let (status, body) = match operation.as_str() {
            "GetItem" => (200, self.watch),
            "GetParameters" => self.pusher,
            _ => self.queue,
        };
        let body_sent = request.body().bytes().unwrap_or_default();
        lock(&self.sent).push(String::from_utf8_lossy(body_sent).into_owned());
        lock(&self.calls).push(operation);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), body.into())))
    }
}

impl Aws {
    fn new(watch: &'static str, queue: (u16, &'static str)) -> Self {
        let (calls, sent) = (Arc::default(), Arc::default());
        Self { watch, queue, pusher: NO_PUSHER, calls, sent }
    }

    fn live(&self) -> Live {
        let clients = clients(self.clone());
        let queue = Queue::new(clients.sqs(), "http://aws.invalid".to_owned());
        Live::new(queue, Connections::new(clients.dynamodb(), "c".to_owned()), REMEMBERED)
    }

    /// In a stage that may have an app of Pusher.
    fn live_with_pusher(&self) -> Live {
        let ttl = Duration::from_secs(300);
        let settings = Settings::new(clients(self.clone()).ssm(), "/waypost/t".to_owned(), ttl);
        self.live().with_pusher(PusherPresence::new(settings))
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

#[tokio::test]
async fn pusher_is_told_of_what_nobody_watches() {
    const IS_THERE: (u16, &str) =
        (200, r#"{"Parameters":[{"Name":"/waypost/t/realtime/pusher","Value":"AQICAHi"}]}"#);
    let key = key();
    for (pusher, is_sent) in [(IS_THERE, true), (NO_PUSHER, false), ((400, "{}"), false)] {
        let aws = Aws { pusher, ..Aws::new("{}", (200, "{}")) };
        let live = aws.live_with_pusher();
        for seconds in [0, 1] {
            live.tell(&[news(&key, None)], at(seconds)).await.unwrap();
        }
        let count = |name: &str| lock(&aws.calls).iter().filter(|call| *call == name).count();
        assert_eq!(count("SendMessageBatch"), 2 * usize::from(is_sent), "{pusher:?}");
        assert_eq!((count("GetItem"), count("GetParameters")), (1, 1), "they are remembered");
        let sent = lock(&aws.sent).concat();
        let about = r#"\"scopes\":[],\"frame\":"#;
        assert_eq!(sent.contains(about), is_sent, "{sent}");
        assert!(!sent.contains(r#""WithDecryption":true"#), "{sent}");
    }
}
