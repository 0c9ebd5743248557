//! `POST /api/messages/whatsapp`.

use aws::lambda::auth::authorize;
use aws::lambda::http_api::{ApiError, idempotency_key, json, json_body, request_id, traceparent};
use aws::settings::SettingsError;
use aws::sqs::Outgoing;
use aws::tables::contention::{Try, retry};
use aws::tables::messages::{CreatedSend, NewSend as Row};
use domain::auth::Caller;
use domain::core::id::{AccountCode, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::core::trace::TraceParent;
use domain::messaging::channel::Content;
use domain::messaging::cloud_api::TemplateRequest;
use domain::messaging::conversation::ConversationMessage;
use domain::messaging::linked::{MessageView, TrackedMessage};
use domain::messaging::message::Message;
use domain::messaging::new_send::NewSend;
use domain::messaging::send::{SendId, delivery_of};
use domain::orders::order::Order;
use domain::webhooks::delivery::Delivery;
use lambda_http::{Body, Request, Response};

use crate::MessagesApi;

/// In bytes.
const BODY_LIMIT: usize = 256 * 1024;
/// Attempts to write an order under contention.
const TRIES: u32 = 5;

/// A message with everything that its rows need.
struct Draft {
    id: SendId,
    message: Message,
    content: Content,
    request: TemplateRequest,
}

impl MessagesApi {
    /// Queues a template message. A repeated request gets the message of the first one.
    pub(crate) async fn send(
        &self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let new = NewSend::read(json_body(request, BODY_LIMIT)?)?;
        let account = authorize(caller, new.account_code.as_ref(), "account_code")?;
        let number = self.number_of(&account, new.phone_number_id.as_deref(), now).await;
        if let (Err(_), Some(order)) = (&number, &new.order_id) {
            // A wrong order is told first, as by all routes.
            self.load_order(&OrderKey { account: account.clone(), order: order.clone() }).await?;
        }
        let number = number?;
        let key = idempotency_key(request)?;
        let draft = draft(&new, &account, &number, key, &request_id(request), now);
        let draft = draft.ok_or_else(|| ApiError::invalid("to", "is too long"))?;
        let trace = traceparent(request);
        let created = retry(TRIES, || self.create_once(&draft, trace, now));
        let (message, delivery) = created.await?.ok_or_else(ApiError::unavailable)?;
        if let Some(delivery) = &delivery {
            self.queue(delivery).await;
        }
        Ok(json(202, &MessageView::new(&message, &TrackedMessage::default(), now)))
    }

    /// The phone number that sends the message: the one that is named, or the account's only one.
    async fn number_of(
        &self,
        account: &AccountCode,
        named: Option<&str>,
        now: Timestamp,
    ) -> Result<String, ApiError> {
        let invalid = |problem: &str| ApiError::invalid("phone_number_id", problem);
        let numbers = match self.numbers.get(now).await {
            Ok(numbers) => numbers,
            Err(SettingsError::Io(error)) => return Err(error.into()),
            Err(error @ (SettingsError::Missing { .. } | SettingsError::Invalid { .. })) => {
                tracing::error!(%error, "message.no_numbers");
                return Err(ApiError::unavailable());
            }
        };
        let own = numbers.as_ref().as_ref().map(|it| it.of_account(account).collect::<Vec<_>>());
        let own = own.unwrap_or_default();
        match (named, own.as_slice()) {
            (Some(named), own) if own.contains(&named) => Ok(named.to_owned()),
            (Some(_), _) => Err(invalid("is no phone number of the account")),
            (None, [only]) => Ok((*only).to_owned()),
            (None, []) => Err(invalid("the account has no phone number")),
            (None, _) => Err(invalid("is required: the account has several phone numbers")),
        }
    }

    /// Also returns the delivery of a new message.
    async fn create_once(
        &self,
        draft: &Draft,
        trace: Option<TraceParent>,
        now: Timestamp,
    ) -> Result<Try<(Message, Option<Delivery>)>, ApiError> {
        let Draft { id, message, content, request } = draft;
        let before = match message.order() {
            Some(order) => Some(self.load_order(&order).await?),
            None => None,
        };
        let status = TrackedMessage::default().display_status(message);
        let after = before.as_ref().map(|order| message.latest_on(order, status, now));
        let delivery = delivery_of(message, request, before.as_ref(), trace, now);
        let shown = ConversationMessage::of_send(message, id, content);
        let (Some(delivery), Some(shown), Some(send)) = (delivery, shown, &message.send) else {
            return Err(ApiError::invalid("phone_number_id", "cannot send messages"));
        };
        let row = Row {
            message,
            delivery: &delivery,
            not_before: None,
            shown: &shown,
            to: &send.to,
            order: before.as_ref().zip(after.as_ref()).map(|(before, after)| [before, after]),
            rule: None,
        };
        match self.messages.create_send(&row, &self.orders, &self.deliveries, now).await? {
            CreatedSend::New => Ok(Try::Done((message.clone(), Some(delivery)))),
            CreatedSend::Duplicate(first) if message.repeats(&first) => {
                Ok(Try::Done((*first, None)))
            }
            CreatedSend::Duplicate(_) => Err(ApiError::conflict(
                "this Idempotency-Key was already used with a different body",
            )),
            CreatedSend::Erased => {
                Err(ApiError::erased("the message with this Idempotency-Key was erased"))
            }
            CreatedSend::RevMismatch | CreatedSend::Capped => Ok(Try::Contended),
        }
    }

    async fn load_order(&self, key: &OrderKey) -> Result<Order, ApiError> {
        self.orders.load(key).await?.ok_or_else(|| ApiError::not_found("no such order"))
    }

    /// If this fails, `sweep` queues the message after five minutes.
    async fn queue(&self, delivery: &Delivery) {
        let group = delivery.endpoint.as_str().to_owned();
        let body = Delivery { body: String::new(), ..delivery.clone() }.to_message();
        let sent = self.queue.send(Outgoing { body, group }).await;
        let account = delivery.account.as_ref().map(AccountCode::as_str);
        tracing::info!(
            message_id = delivery.id,
            account,
            queued = sent.is_ok(),
            "message.accepted"
        );
        if let Err(error) = sent {
            tracing::warn!(message_id = delivery.id, %error, "message.queue_failed");
        }
    }
}

fn draft(
    new: &NewSend,
    account: &AccountCode,
    number: &str,
    key: Option<&str>,
    request_id: &str,
    now: Timestamp,
) -> Option<Draft> {
    let id = NewSend::id(account, key, request_id);
    let message = new.message(&id, account, number, now)?;
    let request = new.request(&id);
    let content = request.template().to_content();
    Some(Draft { id, message, content, request })
}
