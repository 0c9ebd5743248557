//! Messages to shoppers: sent by the route and by a rule, followed by statuses and an answer.

use serde_json::{Value, json};

use super::super::installation::{Installation, RULE_STATUS};
use super::Operations;
use super::requests::{call, post_update, send_message};
use crate::support::graph::{NUMBER, accepted, phone, rule};
use crate::support::{OURS, unique};

/// The double of the Cloud API reports to the stack, not to the installation.
const NO_STATUSES: [&str; 0] = [];
const STATUSES: [(&str, &str); 3] = [
    ("sent", "apply the status `sent` of a message"),
    ("delivered", "apply the status `delivered` of a message"),
    ("read", "apply the status `read` of a message"),
];

impl Operations {
    pub async fn measure_messages(&mut self) {
        let to = phone();
        let order = self.create_of_shopper(&to).await;
        let parameters = ["canary-name", order.as_str(), "on its way"];
        let parameters = parameters.map(|text| json!({"type": "text", "text": text}));
        let body = json!({
            "account_code": OURS, "order_id": order, "to": format!("+{to}"),
            "template": {"name": "order_update", "language": "en",
                         "components": [{"type": "body", "parameters": parameters}]},
        });
        let id = self
            .measure_as("send a message about an order", async |shop| {
                send_message(shop, &body).await
            })
            .await;
        let message = self.receive("deliveries").await;
        assert!(self.deliver_as("deliver a message", &message).await);
        self.delete("deliveries", &message).await;
        self.process_as("apply the result of a message").await;
        let wamid = accepted(&id).await[0]["id"].clone();
        self.measure_statuses(&id, &wamid, &to).await;
        self.measure_answer(&wamid, &to).await;
        self.measure_rule(&to).await;
        self.receive_all("deliveries").await;
    }

    async fn create_of_shopper(&self, to: &str) -> String {
        rule(to, json!({"statuses": NO_STATUSES})).await;
        let id = unique("ORD-");
        let customer = json!({"phone": format!("+{to}"), "firstName": "canary-name"});
        self.create(&json!({"orderId": id, "customer": customer})).await;
        id
    }

    async fn measure_statuses(&mut self, id: &str, wamid: &Value, to: &str) {
        for (status, name) in STATUSES {
            let update = json!({"statuses": [{
                "id": wamid, "status": status, "timestamp": seconds(), "recipient_id": to,
                "biz_opaque_callback_data": id,
            }]});
            self.accept_update(status, &update).await;
            self.process_as(name).await;
        }
    }

    async fn measure_answer(&mut self, wamid: &Value, to: &str) {
        let update = json!({
            "contacts": [{"profile": {"name": "canary-name"}, "wa_id": to}],
            "messages": [{
                "id": unique("wamid.it"), "from": to, "timestamp": seconds(), "type": "text",
                "text": {"body": "canary-text"}, "context": {"id": wamid, "from": "15550783881"},
            }],
        });
        self.accept_update("answer", &update).await;
        self.process_as("apply an answer of a shopper").await;
    }

    async fn accept_update(&mut self, what: &str, update: &Value) {
        let mut value = update.clone();
        value["messaging_product"] = json!("whatsapp");
        value["metadata"] =
            json!({"display_phone_number": "15550783881", "phone_number_id": NUMBER});
        let change = json!({"field": "messages", "value": value});
        let entry = json!({"id": "102290129340398", "changes": [change]});
        let body = json!({"object": "whatsapp_business_account", "entry": [entry]});
        if what == "sent" {
            let post = async |shop: &Installation| post_update(shop, &body).await;
            self.measure_as("accept a webhook of WhatsApp", post).await;
        } else {
            post_update(&self.shop, &body).await;
        }
    }

    async fn measure_rule(&mut self, to: &str) {
        let order = self.create_of_shopper(to).await;
        let (path, status) = (json!({"order_id": order}), json!({"status": RULE_STATUS}));
        call(&self.shop, "POST /{order_id}/status", &path, Some(&status)).await;
        self.process_as("report a status that a rule tells: its event").await;
        self.process_as("check the rules after a status: send a message").await;
        let queued = self.receive_all("deliveries").await;
        let is_message = |body: Option<&str>| body.is_some_and(|it| it.contains("whatsapp:"));
        let message = queued.iter().find(|message| is_message(message.body())).unwrap();
        assert!(self.deliver_as("deliver a message of a rule", message).await);
        self.receive_all("events").await;
    }
}

fn seconds() -> String {
    aws::clock::now().seconds().to_string()
}
