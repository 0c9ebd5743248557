//! `message.received`: a shopper answered a message about an order.

use serde::Serialize;

use crate::core::hash::Fingerprint;
use crate::core::id::{AccountCode, EventId, OrderId};
use crate::core::timestamp::Timestamp;
use crate::messaging::answer::{Answer, AnswerKind};
use crate::messaging::channel::ProviderMessageId;
use crate::messaging::message_details::TemplateName;
use crate::orders::order::Order;
use crate::orders::phone::PhoneKey;
use crate::page::TrackingLinks;
use crate::tracking::entry::TimelineEntry;
use crate::webhooks::delivery::{Delivery, RETENTION};
use crate::webhooks::endpoint::{Endpoint, EventType, Format};
use crate::webhooks::kind::Kind;

/// An answer in its order's timeline.
#[derive(Debug, Clone, Copy)]
pub struct AnsweredOrder<'a> {
    pub order: &'a Order,
    entry: &'a TimelineEntry,
    answer: &'a Answer,
}

impl<'a> AnsweredOrder<'a> {
    /// The answer that an event added, the same at every redelivery of the event. `None` if another
    /// event added it, once the rows of its deliveries may have expired, and for an order without
    /// its shopper.
    pub fn by_event(
        event: &EventId,
        order: &'a Order,
        entry: &'a TimelineEntry,
        now: Timestamp,
    ) -> Option<Self> {
        let is_recent = now.since(entry.recorded_at) < RETENTION;
        let is_told = is_recent && entry.event_id == *event && !order.is_erased();
        entry.answer().filter(|_| is_told).map(|answer| Self { order, entry, answer })
    }

    /// As the order has the number, so that receivers find it again.
    fn from(&self) -> Option<&'a str> {
        let from = self.answer.from.as_deref()?;
        let sender = PhoneKey::parse(from);
        let own = self.order.profile.customer.phone.as_deref();
        own.filter(|own| sender.is_some() && PhoneKey::parse(own) == sender).or(Some(from))
    }

    fn body(&self, links: Option<&TrackingLinks>) -> String {
        let Self { order, entry, answer } = self;
        let data = Data {
            account_code: &order.key.account,
            order_id: &order.key.order,
            tracking_url: links.map(|links| links.of(order)),
            message: ReceivedMessage {
                message_id: answer.message.as_ref(),
                from: self.from(),
                r#type: answer.kind,
                text: answer.text.as_deref(),
                payload: answer.payload.as_deref(),
                title: answer.title.as_deref(),
                in_reply_to: answer.in_reply_to.as_ref(),
                at: entry.occurred_at,
            },
            answered: AnsweredMessage {
                id: &answer.answered.id,
                template: answer.answered.template.as_ref(),
                message_status: &answer.answered.message_status,
            },
        };
        let r#type = EventType::MessageReceived.as_str();
        let body = Body { r#type, timestamp: entry.occurred_at, data };
        // String keys and no floats: serialization cannot fail.
        serde_json::to_string(&body).unwrap_or_default()
    }

    /// Answers have no versions: none makes an earlier one superfluous, as `latest_only` would.
    fn delivery(
        &self,
        event: &EventId,
        endpoint: &Endpoint,
        links: Option<&TrackingLinks>,
    ) -> Delivery {
        let Self { order, entry, .. } = self;
        let id = Fingerprint::of("answer delivery").with(event).with(&endpoint.name);
        let id = id.with(&order.key.order).with(&entry.id).finish();
        let kind = Kind::Webhook { format: Format::Standard, event: EventType::MessageReceived };
        Delivery {
            v: kind.version(),
            id: format!("msg_{id}"),
            run: 1,
            endpoint: endpoint.name.clone(),
            kind,
            account: Some(order.key.account.clone()),
            order_id: Some(order.key.order.clone()),
            version: None,
            order_created_at: Some(order.state.created_at),
            awb: None,
            probe: false,
            accepted_at: None,
            traceparent: None,
            body: self.body(links),
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    timestamp: Timestamp,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    account_code: &'a AccountCode,
    order_id: &'a OrderId,
    tracking_url: Option<String>,
    message: ReceivedMessage<'a>,
    answered: AnsweredMessage<'a>,
}

#[derive(Serialize)]
struct ReceivedMessage<'a> {
    message_id: Option<&'a ProviderMessageId>,
    from: Option<&'a str>,
    r#type: AnswerKind,
    text: Option<&'a str>,
    payload: Option<&'a str>,
    title: Option<&'a str>,
    in_reply_to: Option<&'a ProviderMessageId>,
    at: Timestamp,
}

#[derive(Serialize)]
struct AnsweredMessage<'a> {
    id: &'a str,
    template: Option<&'a TemplateName>,
    message_status: &'a str,
}

/// One delivery for each answer and endpoint whose `events` name `message.received`. A redelivered
/// event gives the same deliveries with the same ids (idempotency).
pub fn fan_out<'a>(
    event: &EventId,
    answers: &[AnsweredOrder<'_>],
    endpoints: impl IntoIterator<Item = &'a Endpoint>,
    links: Option<&TrackingLinks>,
) -> Vec<Delivery> {
    let deliveries = endpoints.into_iter().flat_map(|endpoint| {
        let settings = &endpoint.settings;
        let is_told = |it: &&AnsweredOrder<'_>| {
            settings.asks_for(EventType::MessageReceived)
                && settings.accounts.include(&it.order.key.account)
        };
        answers
            .iter()
            .filter(is_told)
            .map(|it| it.delivery(event, endpoint, links))
            .collect::<Vec<_>>()
    });
    deliveries.collect()
}

#[cfg(test)]
mod tests;
