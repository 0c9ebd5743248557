//! The routes of openapi.yaml: what their parameters and fields name, and requests to them.

use std::path::Path;
use std::process::Command;

use reqwest::{Client, RequestBuilder, Url};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::support::{Role, http, stack};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    Path,
    Query,
    Header,
    Body,
}

/// What a parameter or field names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Account,
    Order,
    Orders,
    /// The id of an order that the request creates.
    NewOrder,
    Report,
    Event,
    Hook,
    Endpoint,
    Delivery,
    Job,
    Awb,
    ReturnAwb,
    ProviderId,
    Refs,
    MessageId,
    SenderNumber,
    Customer,
    Phone,
    Shopper,
    IdempotencyKey,
    Cursor,
}

#[derive(Clone, Debug)]
pub struct Named {
    pub place: Place,
    pub name: String,
    pub kind: Kind,
    /// The request is invalid without it.
    pub required: bool,
}

#[derive(Deserialize)]
pub struct Operation {
    pub id: String,
    pub tag: String,
    method: String,
    pub path: String,
    parameters: Vec<Parameter>,
    fields: Vec<String>,
    required_fields: Vec<String>,
    example: Option<Value>,
    security: Vec<String>,
    pub successes: Vec<u16>,
}

#[derive(Deserialize)]
struct Parameter {
    place: Place,
    name: String,
    required: bool,
}

/// All routes but those of pages, which ask for no credentials: `track` tests them. And but the one
/// whose form names order and account in one text: `live::pusher` tests it.
pub fn operations() -> Vec<Operation> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let script = root.join("tools/local/list_operations.py");
    let listed = Command::new(root.join(".venv/bin/python")).arg(script).output().unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let lines = String::from_utf8(listed.stdout).unwrap();
    let all = lines.lines().map(|line| serde_json::from_str(line).unwrap());
    let has_names =
        |operation: &Operation| operation.tag != "pages" && operation.id != "joinChannel";
    all.filter(has_names).collect()
}

fn kind(operation: &str, name: &str) -> Option<Kind> {
    Some(match name {
        "accountCode" | "account_code" => Kind::Account,
        "order_id" => Kind::Order,
        "order_ids" => Kind::Orders,
        "orderId" => Kind::NewOrder,
        "report_id" => Kind::Report,
        "id" if operation.ends_with("Delivery") => Kind::Delivery,
        "id" if operation.ends_with("Job") => Kind::Job,
        "id" => Kind::Event,
        "hook_id" => Kind::Hook,
        "name" | "endpoint" => Kind::Endpoint,
        "awb" => Kind::Awb,
        "returnAwb" => Kind::ReturnAwb,
        "sr_order_id" => Kind::ProviderId,
        "refs" => Kind::Refs,
        "message_id" => Kind::MessageId,
        "phone_number_id" => Kind::SenderNumber,
        "customer" => Kind::Customer,
        "phone" => Kind::Phone,
        "user_id" => Kind::Shopper,
        "idempotency-key" => Kind::IdempotencyKey,
        "page" => Kind::Cursor,
        name if PLAIN.contains(&name) => return None,
        _ => panic!("{operation}: say in `kind` what `{name}` names, or that it is PLAIN"),
    })
}

/// Parameters and fields that name nothing of an account.
const PLAIN: &[&str] = &[
    // Parameters, and fields that choose from a list.
    "dry_run",
    "file",
    "hub.challenge",
    "from",
    "hub.mode",
    "kind",
    "limit",
    "reason",
    "reveal",
    "source",
    "state",
    "status",
    "to",
    "version",
    // Fields of an order.
    "carrierId",
    "carrierName",
    "customerId",
    "customerNotes",
    "drop",
    "fare",
    "items",
    "metadata",
    "paymentMethod",
    "paymentStatus",
    "pickup",
    "poll",
    "scheduledAt",
    "vendorDetails",
    "vendorNotes",
    // Of a status report.
    "note",
    "occurredAt",
    // Of a message.
    "channel",
    "error",
    "message_status",
    "sent_at",
    "template",
    // Of a test delivery.
    "webhookUrl",
    // Of a rotation.
    "step",
    // Of a ticket: opens one order, whoever asks.
    "token",
];

impl Operation {
    /// True for the routes of providers, who do not call as a user or vendor.
    pub fn is_webhook(&self) -> bool {
        self.tag == "carriers"
    }

    /// True for routes that show the same to everybody.
    pub fn is_public(&self) -> bool {
        self.security.is_empty()
    }

    pub fn has_body(&self) -> bool {
        !self.fields().is_empty()
    }

    pub fn allows(&self, role: Role) -> bool {
        let is_read = self.method == "GET";
        self.security.iter().any(|scheme| match (scheme.as_str(), role) {
            ("vendorSecret", Role::Vendor)
            | ("user", Role::Admin | Role::Partner | Role::Viewer)
            | ("basic", Role::Admin | Role::Partner)
            | ("operator" | "admin", Role::Admin) => true,
            ("operator", Role::Viewer) => is_read,
            ("basic", Role::Viewer) => self.id == "openSession",
            _ => false,
        })
    }

    /// The parameters and fields that name something.
    pub fn named(&self) -> Vec<Named> {
        let parameters = self
            .parameters
            .iter()
            .map(|Parameter { place, name, required }| (*place, name.as_str(), *required));
        let fields = self.fields().into_iter().map(|name| {
            let required = self.required_fields.iter().any(|field| field == name);
            (Place::Body, name, required)
        });
        parameters
            .chain(fields)
            .filter_map(|(place, name, required)| {
                let kind = kind(&self.id, name)?;
                // The route asks for one of two, and says so in words.
                let chosen = [("listConversation", "phone"), ("testWebhook", "endpoint")];
                let required = required || chosen.contains(&(self.id.as_str(), name));
                Some(Named { place, name: name.to_owned(), kind, required })
            })
            .collect()
    }

    /// A request with these names. The rest of its body is the example of openapi.yaml.
    pub fn request(&self, client: &Client, named: &[(Named, Value)]) -> RequestBuilder {
        let mut path = self.path.replace("{source}", "carrier");
        let mut query = self.plain_query();
        let mut headers = Vec::new();
        let mut body = self.plain_body();
        for (Named { place, name, .. }, value) in named {
            let text = value.as_str().unwrap_or_default().to_owned();
            match place {
                Place::Path => path = path.replace(&format!("{{{name}}}"), &text),
                Place::Query => query.push((name.clone(), text)),
                Place::Header => headers.push((name.clone(), text)),
                Place::Body => {
                    body.get_or_insert_default().insert(name.clone(), value.clone());
                }
            }
        }
        let mut url = Url::parse(&stack().url(&path)).unwrap();
        url.query_pairs_mut().extend_pairs(query);
        let request = client.request(self.method.parse().unwrap(), url);
        let request =
            headers.iter().fold(request, |request, (key, value)| request.header(key, value));
        http::with_json(request, body.map(Value::Object).as_ref())
    }

    /// Lists have one item a page, so that they have cursors.
    fn plain_query(&self) -> Vec<(String, String)> {
        let plain = [("limit", "1"), ("hub.mode", "subscribe"), ("hub.challenge", "1")];
        let declares = |name: &str| self.parameters.iter().any(|found| found.name == name);
        let declared = plain.into_iter().filter(|(name, _)| declares(name));
        declared.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// The fields of a webhook are those of Shiprocket's.
    fn fields(&self) -> Vec<&str> {
        if self.is_webhook() {
            return if self.method == "POST" {
                vec!["awb", "order_id", "sr_order_id"]
            } else {
                vec![]
            };
        }
        self.fields.iter().map(String::as_str).collect()
    }

    fn plain_body(&self) -> Option<Map<String, Value>> {
        if self.is_webhook() && self.method == "POST" {
            return json!({
                "current_status": "IN TRANSIT", "current_status_id": 20, "is_return": 0,
                "shipment_status": "IN TRANSIT", "shipment_status_id": 18, "scans": [],
                "current_timestamp": "23 05 2026 11:43:52",
            })
            .as_object()
            .cloned();
        }
        let example = self.example.as_ref()?.as_object()?.clone();
        Some(example.into_iter().filter(|(name, _)| kind(&self.id, name).is_none()).collect())
    }
}
