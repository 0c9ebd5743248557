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
/// Attempts to write an order under contention: a shop may send several messages about one at once.
const TRIES: u32 = 30;

/// A message with everything that its rows need.
struct Draft {
    id: SendId,
    message: Message,
    content: Content,
    request: TemplateRequest,
    /// The request says which number sends it.
    names_number: bool,
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
        let key = idempotency_key(request)?;
        let id = NewSend::id(&account, key, &request_id(request));
        let number = match self.number_of(&account, new.phone_number_id.as_deref(), now).await {
            Ok(number) => number,
            Err(error) => return self.without_number(&new, &account, key, &id, error, now).await,
        };
        let draft = draft(&new, id, &account, &number, now);
        let draft = draft.ok_or_else(|| ApiError::invalid("to", "is too long"))?;
        let trace = traceparent(request);
        let created = retry(TRIES, || self.create_once(&draft, trace, now));
        let (message, delivery) = created.await?.ok_or_else(ApiError::unavailable)?;
        if let Some(delivery) = &delivery {
            self.queue(delivery).await;
        }
        Ok(accepted(&message, now))
    }

    /// Answers a request whose number cannot be told from the settings: by the message of the first
    /// such request, which may have had one.
    async fn without_number(
        &self,
        new: &NewSend,
        account: &AccountCode,
        key: Option<&str>,
        id: &SendId,
        error: ApiError,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        if let Some(order) = &new.order_id {
            // A wrong order is told first, as by all routes.
            self.load_order(&OrderKey { account: account.clone(), order: order.clone() }).await?;
        }
        if key.is_none() {
            return Err(error);
        }
        let row = self.messages.load_tracking(&id.tracking_key(account)).await?;
        let Some(first) = row.tracked.record else { return Err(error) };
        let named = new.phone_number_id.as_deref();
        let message = new.message(id, account, named.unwrap_or_default(), now);
        match message {
            Some(it) if repeats(&it, &first, named.is_some()) => Ok(accepted(&first, now)),
            _ => Err(reused_key()),
        }
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
        let Draft { id, message, content, request, names_number } = draft;
        let before = match message.order() {
            Some(order) => Some(self.load_order(&order).await?),
            None => None,
        };
        if before.as_ref().is_some_and(Order::is_erased) {
            // The message's number would never be erased.
            let message = "the shopper's data of this order was erased";
            return Err(ApiError::erased(message).with_field("order_id"));
        }
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
            CreatedSend::Duplicate(first) if repeats(message, &first, *names_number) => {
                Ok(Try::Done((*first, None)))
            }
            CreatedSend::Duplicate(_) => Err(reused_key()),
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

fn accepted(message: &Message, now: Timestamp) -> Response<Body> {
    json(202, &MessageView::new(message, &TrackedMessage::default(), now))
}

/// True if a request repeats the first one. A number that it does not name may be another one by now.
fn repeats(message: &Message, first: &Message, names_number: bool) -> bool {
    let mut message = message.clone();
    if !names_number && let (Some(send), Some(of_first)) = (&mut message.send, &first.send) {
        send.phone_number_id.clone_from(&of_first.phone_number_id);
    }
    message.repeats(first)
}

fn reused_key() -> ApiError {
    ApiError::conflict("this Idempotency-Key was already used with a different body")
}

fn draft(
    new: &NewSend,
    id: SendId,
    account: &AccountCode,
    number: &str,
    now: Timestamp,
) -> Option<Draft> {
    let message = new.message(&id, account, number, now)?;
    let request = new.request(&id);
    let content = request.template().to_content();
    let names_number = new.phone_number_id.is_some();
    Some(Draft { id, message, content, request, names_number })
}
