//! Messages to shoppers by the rules of their accounts: at most one an order and change.
//!
//! Each change that may send one is checked by a message of its own in the events queue. A check
//! that is repeated finds the message by its id, which is made of the order and its version.

use aws::clock::now;
use aws::error::IoError;
use aws::lambda::sqs_batch::RecordOutcome;
use aws::settings::SettingsError;
use aws::sqs::Outgoing;
use aws::tables::contention::{Try, retry};
use aws::tables::inbound::in_group_of;
use aws::tables::messages::{CreatedSend, NewSend, RuleLimits};
use domain::core::id::{AccountCode, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::core::trace::TraceParent;
use domain::messaging::channel::ChannelError;
use domain::messaging::cloud_api::Template;
use domain::messaging::conversation::{Contact, ConversationMessage};
use domain::messaging::linked::TrackedMessage;
use domain::messaging::message::{Message, MessageStatus, Send};
use domain::messaging::provider_state::{TemplateId, usable};
use domain::messaging::rules::{
    Decision, MessageRules, Occasion, PlannedMessage, Rule, RuleCheck, Shopper, SkipReason,
};
use domain::messaging::send::{SendId, delivery_of};
use domain::webhooks::delivery::Delivery;
use domain::webhooks::notification::Change;

use crate::Process;
use crate::apply::TRIES;

/// The `message_status` of a message that was not sent.
const SKIPPED: &str = "skipped";
const DRY_RUN: &str = "dry_run";

impl Process {
    /// Queues a check of the rules for each change that may send a message.
    ///
    /// A check queues no further one: Lambda's recursion guard stops functions that keep sending to
    /// their own queue.
    pub(crate) async fn queue_rule_checks(
        &self,
        changes: &[Change<'_>],
        trace: TraceParent,
    ) -> Result<(), IoError> {
        let rules = match self.rules.all(now()).await {
            Ok(rules) => Some(rules),
            // The checks read them again.
            Err(SettingsError::Io(_)) => None,
            // Logged and counted where it was read.
            Err(SettingsError::Missing { .. } | SettingsError::Invalid { .. }) => return Ok(()),
        };
        let may_send = |change: &&Change<'_>| match &rules {
            Some(rules) => rules
                .of(&change.order.key.account)
                .is_some_and(|rules| rules.rule_for(change.transition).is_some()),
            None => change.transition.is_of_order(),
        };
        let checks = changes.iter().filter(may_send).map(|change| {
            let check = RuleCheck::of(change, trace);
            in_group_of(&check.order.account, check.to_message())
        });
        self.events_queue.send_all(checks.collect()).await
    }

    /// Sends the message of a change, if a rule says so.
    pub(crate) async fn check_rules(&self, check: &RuleCheck) -> Result<RecordOutcome, IoError> {
        let all = match self.rules.all(now()).await {
            Ok(rules) => rules,
            Err(SettingsError::Io(error)) => return Err(error),
            Err(SettingsError::Missing { .. } | SettingsError::Invalid { .. }) => {
                return Ok(RecordOutcome::Ack);
            }
        };
        if let Some(rules) = all.of(&check.order.account) {
            let done = retry(TRIES, || self.check_once(check, rules)).await?;
            done.ok_or_else(|| IoError::contention("dynamodb:TransactWriteItems"))?;
        }
        Ok(RecordOutcome::Ack)
    }

    async fn check_once(
        &self,
        check: &RuleCheck,
        rules: &MessageRules,
    ) -> Result<Try<()>, IoError> {
        let id = check.message_id();
        if self.messages.has_request(&check.order, &id).await? {
            return Ok(Try::Done(()));
        }
        let order = self.orders.load_with_timeline(&check.order).await?;
        let order = order.filter(|(order, _)| order.state.created_at == check.order_created_at);
        let Some((order, entries)) = order else { return Ok(Try::Done(())) };
        let entry = entries.iter().find(|entry| entry.id == check.entry);
        let Some(entry) = entry else { return Ok(Try::Done(())) };
        let Some(transition) = &entry.transition else { return Ok(Try::Done(())) };
        let change = Change { order: &order, entry, transition };
        let contact = rules.recipient(&order).and_then(|recipient| recipient.contact());
        self.send_once(&Planned { change, rules, id, contact, trace: check.trace }).await
    }

    async fn send_once(&self, planned: &Planned<'_>) -> Result<Try<()>, IoError> {
        let Planned { change, rules, contact, .. } = planned;
        let now = now();
        let shopper = self.shopper(planned, now).await?;
        let unavailable = match rules.rule_for(change.transition) {
            Some(rule) => self.unavailable(&change.order.key.account, rule).await?,
            None => None,
        };
        let links = self.links.get(now).await?;
        let link = links.as_ref().as_ref().map(|links| links.of(change.order));
        let occasion = Occasion {
            change: *change,
            shopper,
            tracking_url: link.as_deref(),
            unavailable: unavailable.as_deref(),
        };
        match rules.decide(&occasion, now) {
            Decision::Nothing => Ok(Try::Done(())),
            Decision::Skip { rule, reason } => {
                self.skip(planned, rule, &reason, now).await?;
                Ok(Try::Done(()))
            }
            Decision::Send { rule, message } => match contact {
                Some(to) => self.create(planned, rule, &message, to, now).await,
                None => Ok(Try::Done(())),
            },
        }
    }

    async fn shopper(&self, planned: &Planned<'_>, now: Timestamp) -> Result<Shopper, IoError> {
        let Planned { change, rules, contact, .. } = planned;
        let Some(contact) = contact else { return Ok(Shopper::default()) };
        let account = &change.order.key.account;
        let sent_that_day = match rules.daily_cap {
            Some(_) => {
                let day = rules.slot(now).day;
                self.messages.sent_by_rules(account, contact, day.as_str()).await?
            }
            None => 0,
        };
        let has_opted_out = self.messages.is_opted_out(account, contact).await?;
        Ok(Shopper { has_opted_out, sent_that_day })
    }

    /// Why the rule's template cannot be used, as far as WhatsApp has told.
    async fn unavailable(
        &self,
        account: &AccountCode,
        rule: &Rule,
    ) -> Result<Option<String>, IoError> {
        let Some(id) = TemplateId::new(rule.template.as_str(), rule.language.as_str()) else {
            return Ok(None);
        };
        let state = self.messages.template_state(account, &id).await?;
        Ok(usable(&state).err().map(|refusal| refusal.to_string()))
    }

    async fn create(
        &self,
        planned: &Planned<'_>,
        rule: &Rule,
        message: &PlannedMessage,
        to: &Contact,
        now: Timestamp,
    ) -> Result<Try<()>, IoError> {
        let Planned { change, rules, id, trace, .. } = planned;
        let before = change.order;
        let record = planned.record(rule, Some((to, message.request.template())), now);
        let status = TrackedMessage::default().display_status(&record);
        let after = record.latest_on(before, status, now);
        let delivery = delivery_of(&record, &message.request, Some(before), Some(*trace), now);
        let content = message.request.template().to_content();
        let shown = ConversationMessage::of_send(&record, id, &content);
        let (Some(delivery), Some(shown)) = (delivery, shown) else {
            return Err(IoError::unreadable("message", "send"));
        };
        let waits = message.not_before > now;
        let send = NewSend {
            message: &record,
            delivery: &delivery,
            not_before: waits.then_some(message.not_before),
            shown: &shown,
            to,
            order: Some([before, &after]),
            rule: Some(RuleLimits {
                expires_at: message.expires_at,
                day: message.day.as_str(),
                daily_cap: rules.daily_cap,
            }),
        };
        match self.messages.create_send(&send, &self.orders, &self.bodies, now).await? {
            CreatedSend::New if waits => {}
            CreatedSend::New => self.queue_message(&delivery).await,
            CreatedSend::Duplicate(_) | CreatedSend::Erased => return Ok(Try::Done(())),
            // The shopper got another message since: decide again.
            CreatedSend::RevMismatch | CreatedSend::Capped => return Ok(Try::Contended),
        }
        let (account, order_id) = (&change.order.key.account, &change.order.key.order);
        tracing::info!(%account, %order_id, message_id = id.as_str(), waits, "message.created");
        Ok(Try::Done(()))
    }

    /// If this fails, `sweep` queues the message after five minutes.
    async fn queue_message(&self, delivery: &Delivery) {
        let group = delivery.endpoint.as_str().to_owned();
        let body = Delivery { body: String::new(), ..delivery.clone() }.to_message();
        if let Err(error) = self.deliveries.send(Outgoing { body, group }).await {
            tracing::warn!(message_id = delivery.id, %error, "message.queue_failed");
        }
    }

    /// Keeps what was not sent, and why, among the order's messages. The order does not show it.
    async fn skip(
        &self,
        planned: &Planned<'_>,
        rule: &Rule,
        reason: &SkipReason,
        now: Timestamp,
    ) -> Result<(), IoError> {
        let key = &planned.change.order.key;
        tracing::info!(
            account = %key.account,
            order_id = %key.order,
            message_id = planned.id.as_str(),
            reason = reason.as_str(),
            detail = reason.detail(),
            "message.skipped"
        );
        // Without the parameters, which the order may lack.
        let bare = Template::new(rule.template.clone(), rule.language.clone(), None);
        let (status, template, error) = match reason {
            SkipReason::DryRun(message) => (DRY_RUN, message.request.template(), None),
            reason => (SKIPPED, &bare, Some(error(reason))),
        };
        let send = planned.contact.as_ref().map(|to| (to, template));
        let Some(message_status) = MessageStatus::parse(status) else { return Ok(()) };
        let record = planned.record(rule, send, now);
        self.messages.record_skipped(&Message { message_status, error, ..record }, now).await
    }
}

/// One change, and what of its message does not depend on the decision.
struct Planned<'a> {
    change: Change<'a>,
    rules: &'a MessageRules,
    id: SendId,
    contact: Option<Contact>,
    trace: TraceParent,
}

impl Planned<'_> {
    fn record(&self, rule: &Rule, to: Option<(&Contact, &Template)>, now: Timestamp) -> Message {
        let OrderKey { account, order } = self.change.order.key.clone();
        let number = &self.rules.phone_number_id;
        let send =
            to.map(|(to, template)| Send::new(number.clone(), to.clone(), template, Some(rule.on)));
        Message::of_send(&self.id, account, Some(order), rule.template.clone(), send, now)
    }
}

fn error(reason: &SkipReason) -> ChannelError {
    let (title, details) = (reason.as_str().to_owned(), reason.detail().map(str::to_owned));
    ChannelError { code: None, title: Some(title), details }
}
