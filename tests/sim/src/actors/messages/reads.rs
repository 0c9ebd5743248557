//! What the API shows of messages, once everything has settled.

use serde_json::Value;

use crate::actors::Actors;
use crate::actors::request::user;
use crate::judge::messages::rows::{Stored, Talk};
use crate::judge::messages::statuses::provider_key;
use crate::lambda::ApiRequest;
use crate::setup::messages::partner;
use crate::setup::{ACCOUNTS, ADMIN};

const CONVERSATION: &str = "/api/messages/whatsapp";

impl Actors {
    /// Reads every conversation and the messages of every order, and compares them with the rows.
    pub(crate) async fn read_messages(&self) {
        let stored = Stored::read(&self.world.lock());
        for (order, records) in stored.listed() {
            let path = format!("/api/orders/{}/messages", order.order);
            let answer = self.read_as(ADMIN, order.account.as_str(), &path, None, 200).await;
            let expected = records.values().rev();
            let expected: Vec<Value> = expected
                .map(|message| {
                    let tracked = provider_key(message).and_then(|key| stored.tracked.get(&key));
                    let status = message.message_status.as_str().to_owned();
                    let status = tracked.map_or(status, |it| it.display_status(message));
                    serde_json::json!([message.id, status])
                })
                .collect();
            self.compare(&answer, &["id", "message_status"], expected, &path);
        }
        for talk in stored.talks.keys() {
            self.read_talk(talk, &stored).await;
        }
    }

    /// The account's own users see it, those of another account see theirs or nothing.
    async fn read_talk(&self, talk: &Talk, stored: &Stored) {
        let (account, contact) = (talk.0.as_str(), &talk.1);
        let by = if contact.contains('.') { "user_id" } else { "phone" };
        let contact = (by, contact.as_str());
        for account in ACCOUNTS {
            let own = (domain::core::id::AccountCode::parse(account), &talk.1);
            let (Ok(code), id) = own else { continue };
            let expected = stored.conversation(&(code, id.clone())).into_iter();
            let expected = expected.map(|it| serde_json::json!([it["message_id"], it["content"]]));
            let name = partner(account);
            let answer = self.read_as(&name, account, CONVERSATION, Some(contact), 200).await;
            let fields = ["message_id", "content"];
            self.compare(&answer, &fields, expected.collect(), CONVERSATION);
        }
        let other = ACCOUNTS.iter().find(|it| **it != account).copied().unwrap_or_default();
        self.read_as(&partner(other), account, CONVERSATION, Some(contact), 403).await;
    }

    async fn read_as(
        &self,
        name: &str,
        account: &str,
        path: &str,
        contact: Option<(&str, &str)>,
        status: u16,
    ) -> Value {
        let parameters = [("account_code", account), ("limit", "100")];
        let parameters = parameters.into_iter().chain(contact);
        let query = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let request =
            ApiRequest { query: query.collect(), ..user(name, "GET", path, &Value::Null) };
        let asked = self.ask(&request).await;
        self.expect(&asked, &[status], path);
        asked.answer.map(|answer| answer.body).unwrap_or_default()
    }

    /// Compares these fields of all items.
    fn compare(&self, answer: &Value, fields: &[&str], expected: Vec<Value>, path: &str) {
        let items = answer["items"].as_array().into_iter().flatten();
        let shown = items.map(|item| fields.iter().map(|field| item[*field].clone()).collect());
        let shown: Vec<Value> = shown.collect();
        if shown != expected {
            let (shown, expected) = (Value::from(shown), Value::from(expected));
            let text = format!("{path} shows {shown}, not {expected}");
            self.world.lock().ledger.violation(text);
        }
    }
}
