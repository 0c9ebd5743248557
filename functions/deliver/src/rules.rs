//! What has happened since a rule created its message: it may have waited for the morning, for a
//! retry or for its number.

use std::sync::Arc;
use std::time::Duration;

use aws::clock::now;
use aws::error::IoError;
use aws::settings::{Cached, Settings, SettingsError};
use aws::tables::deliveries::Lease;
use aws::tables::messages::Messages;
use aws::tables::orders::Orders;
use domain::core::id::{AccountCode, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::messaging::cloud_api::recipient_of;
use domain::messaging::message::Message;
use domain::messaging::rules::MessageRules;
use domain::messaging::send::{SendId, Unsent};
use domain::webhooks::delivery::Delivery;

/// A rule has just decided about a message that goes out sooner.
const PROMPT: Duration = Duration::from_secs(60);
/// Until rules that cannot be used are looked at again.
const CORRECTION: Duration = Duration::from_secs(5 * 60);

type Rules = Arc<Option<MessageRules>>;

pub(crate) struct RuleChecks {
    messages: Messages,
    orders: Orders,
    settings: Settings,
    cached: Cached<Option<MessageRules>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Send,
    /// It is night where the shopper is, or the rules cannot be used.
    Wait(Duration),
    End(Unsent),
}

impl RuleChecks {
    pub(crate) fn new(messages: Messages, orders: Orders, settings: Settings) -> Self {
        Self { messages, orders, settings, cached: Cached::default() }
    }

    /// A message that a request sends may always go.
    pub(crate) async fn check(
        &self,
        delivery: &Delivery,
        lease: &Lease,
    ) -> Result<Verdict, IoError> {
        let (Some(expires_at), Some(account)) = (lease.expires_at, &delivery.account) else {
            return Ok(Verdict::Send);
        };
        let now = now();
        let rules = self.rules(account, now).await?;
        let put_off = rules.as_ref().map_or(Some(now.after(CORRECTION)), |rules| {
            let slot = rules.as_ref().as_ref().map(|rules| rules.slot(now).not_before);
            slot.filter(|end| *end > now)
        });
        if expires_at < put_off.unwrap_or(now) {
            return Ok(Verdict::End(Unsent::TooOld));
        }
        if let Some(to) = recipient_of(&lease.body)
            && self.messages.is_opted_out(account, &to).await?
        {
            return Ok(Verdict::End(Unsent::OptedOut));
        }
        if let Some(end) = put_off {
            return Ok(Verdict::Wait(end.since(now)));
        }
        let has_waited = now.since(lease.created_at) > PROMPT;
        let objection = match rules {
            Some(rules) if has_waited => self.objection(delivery, account, lease, rules).await?,
            _ => None,
        };
        Ok(objection.map_or(Verdict::Send, Verdict::End))
    }

    /// Why a message that has waited is not to be sent any more.
    async fn objection(
        &self,
        delivery: &Delivery,
        account: &AccountCode,
        lease: &Lease,
        mut rules: Rules,
    ) -> Result<Option<Unsent>, IoError> {
        let Some(id) = SendId::parse(&delivery.id) else { return Ok(None) };
        let row = self.messages.load_tracking(&id.tracking_key(account)).await?;
        let Some(message) = row.tracked.record else { return Ok(None) };
        if !has_rule_of(&rules, &message)
            && self.cached.expire_older(account.as_str(), lease.created_at).await
        {
            // They may be older than the rule.
            let Some(newer) = self.rules(account, now()).await? else { return Ok(None) };
            rules = newer;
        }
        let rule = message.send.as_ref().and_then(|send| send.rule);
        let (Some(rules), true) = (rules.as_ref(), has_rule_of(&rules, &message)) else {
            return Ok(Some(Unsent::RuleRemoved));
        };
        let Some(order) = delivery.order_id.clone() else { return Ok(None) };
        let key = OrderKey { account: account.clone(), order };
        let Some(order) = self.orders.load(&key).await? else { return Ok(Some(Unsent::Outdated)) };
        let is_same = delivery.order_created_at.is_none_or(|at| at == order.state.created_at);
        if !is_same || rule != Some(order.state.tracking.status) {
            return Ok(Some(Unsent::Outdated));
        }
        let recipient = rules.recipient(&order).and_then(|recipient| recipient.contact());
        let is_theirs = recipient.is_some() && recipient == recipient_of(&lease.body);
        Ok((!is_theirs).then_some(Unsent::RecipientChanged))
    }

    /// `None` if they cannot be used until an operator corrects them.
    async fn rules(&self, account: &AccountCode, now: Timestamp) -> Result<Option<Rules>, IoError> {
        let parameter = format!("accounts/{account}/messages");
        let load = |_last| async {
            let values = self.settings.read(std::slice::from_ref(&parameter)).await?;
            let parse = |text: &String| {
                MessageRules::parse(text)
                    .map_err(|error| SettingsError::invalid(parameter.clone(), error))
            };
            values.get(&parameter).map(parse).transpose()
        };
        match self.cached.get(&self.settings, account.as_str(), now, load).await {
            Ok(rules) => Ok(Some(rules)),
            Err(SettingsError::Io(error)) => Err(error),
            Err(SettingsError::Missing { .. } | SettingsError::Invalid { .. }) => Ok(None),
        }
    }
}

/// True if the rules still have the one that made the message.
fn has_rule_of(rules: &Rules, message: &Message) -> bool {
    let (Some(rules), Some(send), Some(template)) =
        (rules.as_ref(), &message.send, &message.template)
    else {
        return false;
    };
    send.rule.is_some_and(|on| rules.has_rule(on, template, &send.language))
}
