//! What an account has, and ids of what nobody has.

use aws::sqs::Outgoing;
use futures::future::join_all;
use serde_json::{Value, json};

use super::operations::{Kind, Named, Operation, Place};
use crate::support::messages::TRACK;
use crate::support::{Calls, TestEndpoint, eventually, hmac_signature, http, stack, unique};

const WHATSAPP_NUMBER: &str = "106540352242922";

/// An account of a test, with webhook paths.
pub struct Account {
    pub code: &'static str,
    /// WhatsApp's id of its phone number.
    number: &'static str,
    /// In everything that the account's callers may see, and in no request of others.
    pub canary: String,
    pub hook: String,
    pub hook_secret: String,
    whatsapp_path: String,
    endpoint: TestEndpoint,
}

impl Account {
    pub async fn new(code: &'static str, number: &'static str) -> Self {
        let hook_secret = unique("canary-secret-");
        let (key, signature) = ("x-api-key", "x-hub-signature-256");
        let signed = hmac_signature(whatsapp_secret(), b"{}");
        let setting = json!({"account": code, "secret": hook_secret});
        let carrier = stack().hook("shiprocket", &setting, &[(key, &hook_secret)]).await;
        let setting = json!({ "account": code });
        let whatsapp_path = stack().hook("whatsapp", &setting, &[(signature, &signed)]).await;
        let hook = carrier.rsplit('/').next().unwrap().to_owned();
        let endpoint = TestEndpoint::new(json!({"accounts": [code]}), json!([])).await;
        let canary = unique("canary-name-");
        Self { code, number, canary, hook, hook_secret, whatsapp_path, endpoint }
    }
}

fn whatsapp_secret() -> &'static str {
    &stack().sources["whatsapp"]["app_secret"]
}

/// One value for each [`Kind`].
#[derive(Clone)]
pub struct Things {
    account: String,
    order: String,
    /// The event of a reported status has the report's id.
    report: String,
    hook: String,
    endpoint: String,
    delivery: String,
    job: String,
    awb: String,
    return_awb: String,
    provider_id: String,
    message_id: String,
    number: String,
    phone: String,
    shopper: String,
    key: String,
    cursor: Option<String>,
}

impl Things {
    /// Well-formed ids that name nothing. A cursor is only a position, so it is one of `own`.
    pub fn missing(own: &Self) -> Self {
        Self {
            account: "STORE404".to_owned(),
            report: "a".repeat(32),
            hook: "a".repeat(own.hook.len()),
            cursor: own.cursor.clone(),
            ..Self::unused()
        }
    }

    fn unused() -> Self {
        Self {
            account: String::new(),
            order: unique("ISOLATED-"),
            report: String::new(),
            hook: String::new(),
            endpoint: unique("t-none-"),
            delivery: unique("msg_none-"),
            job: unique("none-"),
            awb: unique("19"),
            return_awb: unique("19"),
            provider_id: unique("5"),
            message_id: unique("wamid.isolated"),
            number: unique("1"),
            phone: unique("9"),
            shopper: unique("IN."),
            key: unique("key-"),
            cursor: None,
        }
    }

    /// Creates things of an account for the requests to one route.
    pub async fn create(account: &Account, operation: &Operation) -> Self {
        let mut things = Self {
            account: account.code.to_owned(),
            number: account.number.to_owned(),
            hook: account.hook.clone(),
            endpoint: account.endpoint.name().to_owned(),
            ..Self::unused()
        };
        things.create_order(account).await;
        if operation.tag == "operations" {
            // A list has a second page.
            for id in [unique("msg_"), things.delivery.clone()] {
                things.deliver(account, &id).await;
            }
            for _ in 0..2 {
                things.job = start_job(account).await;
            }
        }
        things.report = things.report_status(account).await;
        for message_id in [things.message_id.clone(), unique("wamid.isolated")] {
            things.track_message(account, &message_id).await;
        }
        // Any list has a second page.
        let others: [Self; 2] = [things.other(), things.other()];
        join_all(others.iter().map(|other| other.create_order(account))).await;
        match operation.id.as_str() {
            "listConversation" => things.receive_messages(account).await,
            "listNumbers" | "listTemplates" => receive_statements(account, operation).await,
            _ => {}
        }
        things.cursor = things.second_page(operation).await;
        things
    }

    fn other(&self) -> Self {
        Self { account: self.account.clone(), ..Self::unused() }
    }

    async fn create_order(&self, account: &Account) {
        let order = json!({
            "orderId": self.order, "awb": self.awb, "returnAwb": self.return_awb,
            "refs": {"shiprocket": self.provider_id},
            "customer": {"firstName": account.canary, "phone": self.phone},
            "metadata": {"mark": account.canary},
        });
        stack().create_order_in(account.code, &order).await;
    }

    /// Sends a delivery, and waits for its end.
    async fn deliver(&self, account: &Account, id: &str) {
        let body = json!({"mark": account.canary}).to_string();
        let message = json!({
            "v": 1, "id": id, "run": 1, "endpoint": self.endpoint, "format": "standard",
            "account": account.code, "order_id": self.order, "version": 2, "body": body,
        });
        let message = Outgoing { body: message.to_string(), group: self.endpoint.clone() };
        stack().queue("deliveries", &Calls::default()).send(message).await.unwrap();
        let path = format!("/api/deliveries/{id}");
        eventually(&format!("{path} to end"), async || {
            let shown = stack().user("admin", "GET", &path, None).await;
            matches!(shown.json["state"].as_str()?, "delivered" | "dead").then_some(())
        })
        .await;
    }

    /// Returns the report's id once the order shows it.
    async fn report_status(&self, account: &Account) -> String {
        let path = format!("/api/external/orders/{}", self.order);
        let body = json!({
            "status": "assigned", "note": account.canary, "accountCode": account.code,
        });
        let reported = http::client().post(stack().url(&format!("{path}/status")));
        let admin = &stack().users["admin"];
        let request = reported
            .basic_auth(&admin.name, Some(&admin.password))
            .header("idempotency-key", &self.key);
        let answer = http::send(http::with_json(request, Some(&body))).await;
        assert_eq!(answer.status, 202, "{}", answer.json);
        let report = answer.json["reportId"].as_str().unwrap().to_owned();
        eventually(&format!("report of {}", self.order), async || {
            let shown = owner_sees(&path, "accountCode", account.code).await;
            shown["timeline"]
                .as_array()?
                .iter()
                .any(|entry| entry["reportId"] == report)
                .then_some(())
        })
        .await;
        report
    }

    async fn track_message(&self, account: &Account, message_id: &str) {
        let body = json!({
            "order_id": self.order, "account_code": account.code, "message_status": "sent",
            "message_id": message_id, "template": account.canary,
        });
        let answer = stack().user("admin", "POST", TRACK, Some(&body)).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
    }

    /// Two messages of each shopper.
    async fn receive_messages(&self, account: &Account) {
        let from = [&self.phone, &self.phone, &self.shopper, &self.shopper];
        let messages = from.map(|from| {
            json!({
                "from": from, "id": unique("wamid.isolated"), "timestamp": "1750030200",
                "type": "text", "text": {"body": account.canary},
            })
        });
        let value = json!({
            "messaging_product": "whatsapp", "messages": messages,
            "metadata": {"display_phone_number": "1", "phone_number_id": WHATSAPP_NUMBER},
        });
        send_changes(account, json!([{"field": "messages", "value": value}])).await;
        for query in [format!("phone={}", self.phone), format!("user_id={}", self.shopper)] {
            let path = format!("/api/messages/whatsapp?{query}");
            eventually("the conversation", async || {
                let page = owner_sees(&path, "account_code", account.code).await;
                page["items"].as_array().filter(|items| !items.is_empty()).map(|_| ())
            })
            .await;
        }
    }

    /// The cursor of the route's own list, if it has one with two items.
    async fn second_page(&self, operation: &Operation) -> Option<String> {
        let named = operation.named();
        named.iter().find(|named| named.kind == Kind::Cursor)?;
        let names = named.into_iter().filter(|named| named.required || named.kind == Kind::Account);
        let named: Vec<(Named, Value)> =
            names.map(|named| (named.clone(), self.value(named.kind))).collect();
        let admin = &stack().users["admin"];
        let request = operation.request(&http::client(), &named);
        let answer = http::send(request.basic_auth(&admin.name, Some(&admin.password))).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        answer.json["next_page"].as_str().map(str::to_owned)
    }

    pub fn value(&self, kind: Kind) -> Value {
        match kind {
            Kind::Account => json!(self.account),
            Kind::Order | Kind::NewOrder => json!(self.order),
            Kind::Orders => json!([self.order]),
            Kind::Report | Kind::Event => json!(self.report),
            Kind::Hook => json!(self.hook),
            Kind::Endpoint => json!(self.endpoint),
            Kind::Delivery => json!(self.delivery),
            Kind::Job => json!(self.job),
            Kind::Awb => json!(self.awb),
            Kind::ReturnAwb => json!(self.return_awb),
            Kind::ProviderId => json!(self.provider_id),
            Kind::Refs => json!({"shiprocket": self.provider_id}),
            Kind::MessageId => json!(self.message_id),
            Kind::SenderNumber => json!(self.number),
            Kind::Customer => json!({"phone": self.phone}),
            Kind::Phone => json!(self.phone),
            Kind::Shopper => json!(self.shopper),
            Kind::IdempotencyKey => json!(self.key),
            Kind::Cursor => json!(self.cursor),
        }
    }

    /// The value of a request about these things alone: what it creates is new.
    pub fn own_value(&self, named: &Named) -> Value {
        match (named.kind, named.place) {
            (Kind::NewOrder | Kind::Awb, Place::Body) => Self::unused().value(named.kind),
            (kind, _) => self.value(kind),
        }
    }
}

/// Two numbers and two templates, which the list of the route shows.
async fn receive_statements(account: &Account, operation: &Operation) {
    let of = |end: &str| {
        let number = json!({
            "display_phone_number": format!("1555078388{end}"), "decision": "APPROVED",
            "requested_verified_name": account.canary,
        });
        // A cursor of one account is in the same place in the list of the other.
        let template = json!({
            "message_template_name": format!("t{end}-{}", account.canary), "event": "APPROVED",
            "message_template_language": "en",
        });
        [
            json!({"field": "phone_number_name_update", "value": number}),
            json!({"field": "message_template_status_update", "value": template}),
        ]
    };
    send_changes(account, json!([of("1"), of("2")].concat())).await;
    eventually(&format!("the list of {}", operation.id), async || {
        let page = owner_sees(&operation.path, "account_code", account.code).await;
        page["items"].as_array().filter(|items| items.len() > 1).map(|_| ())
    })
    .await;
}

/// Sends changes to an account's path as WhatsApp does.
async fn send_changes(account: &Account, changes: Value) {
    let entry = json!({"id": "1", "changes": changes});
    let body = json!({"object": "whatsapp_business_account", "entry": [entry]}).to_string();
    let request = http::client().post(stack().url(&account.whatsapp_path));
    let signature = hmac_signature(whatsapp_secret(), body.as_bytes());
    let request = request.header("x-hub-signature-256", signature);
    let answer = http::send(request.header("content-type", "application/json").body(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
}

/// A job without work.
async fn start_job(account: &Account) -> String {
    let body = json!({"account_code": account.code, "endpoint": unique("t-none-")});
    let answer = stack().user("admin", "POST", "/api/dlq/deliveries/replay", Some(&body)).await;
    assert_eq!(answer.status, 202, "{}", answer.json);
    answer.json["id"].as_str().unwrap().to_owned()
}

async fn owner_sees(path: &str, parameter: &str, account: &str) -> Value {
    let separator = if path.contains('?') { '&' } else { '?' };
    let path = format!("{path}{separator}{parameter}={account}");
    stack().user("admin", "GET", &path, None).await.json
}
