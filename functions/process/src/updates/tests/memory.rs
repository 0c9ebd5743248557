//! `process` on tables in memory.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws::client::Clients;
use aws::lambda::sqs_batch::RecordOutcome;
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::deliveries::Deliveries;
use aws::tables::inbound::{EventMessage, EventState, InboundEvent, InboundLog};
use aws::tables::messages::Messages;
use aws::tables::orders::Orders;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use domain::core::hash::Fingerprint;
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::messaging::message::{Message, MessageKey, NewMessage};
use domain::tracking::report::SourceName;
use doubles::dynamodb::{DynamoDb, Table};

use crate::Process;
use crate::testing::clients;

/// The tables that messages need. Their indexes are not read.
const TABLES: [&str; 2] = ["messages", "inbound"];

#[derive(Debug, Clone)]
pub(super) struct Memory(Arc<Tables>);

struct Tables {
    dynamodb: Mutex<DynamoDb>,
    /// Events so far, each with an id of its own.
    events: Mutex<u64>,
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tables").finish_non_exhaustive()
    }
}

impl HttpConnector for Memory {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let body = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap();
        let answer = match operation {
            // No account has rules.
            "GetParametersByPath" => Ok(serde_json::json!({"Parameters": []})),
            // An answer that came before its message.
            "SendMessageBatch" => Ok(serde_json::json!({"Successful": [], "Failed": []})),
            _ => self.0.dynamodb.lock().unwrap().call(operation, &body, 0, 0),
        };
        let (status, body) = match answer {
            Ok(body) => (200, body),
            Err(failure) => (failure.status, failure.body()),
        };
        let response = HttpResponse::new(status.try_into().unwrap(), body.to_string().into());
        HttpConnectorFuture::ready(Ok(response))
    }
}

impl Memory {
    pub(super) fn new() -> Self {
        let table = |name: &str| Table {
            name: name.to_owned(),
            partition_key: "pk".to_owned(),
            sort_key: Some("sk".to_owned()),
            indexes: Vec::new(),
            ttl: Some("ttl".to_owned()),
        };
        let dynamodb = Mutex::new(DynamoDb::new(TABLES.iter().copied().map(table).collect()));
        Self(Arc::new(Tables { dynamodb, events: Mutex::new(0) }))
    }

    fn clients(&self) -> Clients {
        clients(self.clone())
    }

    pub(super) fn messages(&self) -> Messages {
        Messages::new(self.clients().dynamodb(), "messages".to_owned())
    }

    /// A webhook of an account's hook, from its receipt to the end of its processing.
    pub(super) async fn receive(&self, body: &str, received_at: Timestamp) {
        let clients = self.clients();
        let table = |name: &str| (clients.dynamodb(), name.to_owned());
        let (client, name) = table("inbound");
        let events = InboundLog::new(client, name);
        let (client, name) = table("orders");
        let orders = Orders::new(client, name);
        let (client, name) = table("deliveries");
        let deliveries = Deliveries::new(client, name);
        let settings = Settings::new(clients.ssm(), "/waypost/test".to_owned(), Duration::ZERO);
        let queue = Queue::new(clients.sqs(), "http://aws.invalid".to_owned());
        let (own, messages) = (queue.clone(), self.messages());
        let process =
            Process::new(events.clone(), own, orders, messages, queue, deliveries, settings);
        let number = {
            let mut events = self.0.events.lock().unwrap();
            *events += 1;
            *events
        };
        let event = InboundEvent {
            id: Fingerprint::of("test event").with(number.to_string()).into(),
            source: SourceName::new("whatsapp"),
            account: Some(AccountCode::parse("A").unwrap()),
            received_at,
            state: EventState::Received,
            reason: None,
            traceparent: None,
            body: body.as_bytes().to_vec(),
        };
        let _ = events.insert(&event).await.unwrap();
        let deadline = aws::clock::now().after(Duration::from_secs(60));
        let outcome = process.handle(&EventMessage::write(&event.id), deadline).await.unwrap();
        assert_eq!(outcome, RecordOutcome::Ack);
        let stored = events.load(&event.id).await.unwrap().unwrap();
        assert_eq!((stored.state, stored.reason), (EventState::Processed, None));
    }

    /// Records a message with this provider's id, about no order.
    pub(super) async fn record(&self, id: &str, sent_at: Timestamp) {
        let body = serde_json::json!({
            "order_id": "O", "account_code": "A", "message_status": "queued", "message_id": id,
            "sent_at": sent_at, "template": "shipped",
        });
        let new = NewMessage::read(body.to_string().as_bytes()).unwrap();
        let message = Message::new(new, &MessageKey::Provider(id), sent_at);
        let message = Message { order_id: None, ..message };
        let orders = Orders::new(self.clients().dynamodb(), "orders".to_owned());
        let messages = self.messages();
        let mut row = messages.load_tracking(&message.tracking_key().unwrap()).await.unwrap();
        let before = row.tracked.tracking.status();
        row.tracked.link(&message);
        let saved = messages.save_tracking(&row, before, &orders, sent_at).await.unwrap();
        assert!(saved.is_some());
    }

    /// Deletes what has expired.
    pub(super) fn expire(&self, now: Timestamp) {
        let now = now.millis().try_into().unwrap();
        self.0.dynamodb.lock().unwrap().expire(now);
    }
}
