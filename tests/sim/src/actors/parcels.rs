//! What a shop says about the parcels of its orders.

use fastrand::Rng;
use serde_json::{Value, json};

use super::Actors;
use super::request::{Asked, vendor};
use super::shop::Shop;
use crate::ledger::{Field, What};
use crate::setup::PHONE;

pub(super) const ORDERS: &str = "/api/external/orders";
/// Fields of an order, and their values; `None` clears one.
type Fields = Vec<(Field, Option<String>)>;

#[derive(Debug, Clone)]
pub(super) struct Creation {
    order: usize,
    fields: Fields,
    is_polled: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Change {
    Patch { order: usize, fields: Fields },
    Ship { order: usize, awb: String },
}

impl Creation {
    pub(super) fn draw(shop: &Shop, order: usize, random: &mut Rng) -> Self {
        let mut fields = vec![(Field::Phone, Some(phone(random)))];
        let names = [(Field::Awb, 3), (Field::ReturnAwb, 1), (Field::Shiprocket, 1)];
        for (field, chance) in names.into_iter().chain([(Field::Esahayak, 1)]) {
            if random.u8(..5) < chance {
                fields.push((field, Some(value(shop, field, random))));
            }
        }
        Self { order, fields, is_polled: random.u8(..3) == 0 }
    }
}

impl Creation {
    pub(super) fn with_awb(order: usize, awb: Option<&str>) -> Self {
        let fields = awb.map(|awb| (Field::Awb, Some(awb.to_owned())));
        Self { order, fields: fields.into_iter().collect(), is_polled: false }
    }
}

impl Change {
    pub(super) fn named(order: usize, awb: &str) -> Self {
        Self::Patch { order, fields: vec![(Field::Awb, Some(awb.to_owned()))] }
    }

    pub(super) fn draw(shop: &Shop, order: usize, random: &mut Rng) -> Self {
        if random.u8(..3) == 0 {
            return Self::Ship { order, awb: shop.awb(random) };
        }
        let fields = [
            Field::Awb,
            Field::Awb,
            Field::Awb,
            Field::ReturnAwb,
            Field::Shiprocket,
            Field::Esahayak,
            Field::Phone,
        ];
        let field = fields[random.usize(..fields.len())];
        let clears = random.u8(..5) == 0;
        let value = (!clears).then(|| value(shop, field, random));
        Self::Patch { order, fields: vec![(field, value)] }
    }
}

fn value(shop: &Shop, field: Field, random: &mut Rng) -> String {
    match field {
        Field::Awb | Field::ReturnAwb => shop.awb(random),
        Field::Shiprocket | Field::Esahayak => shop.id(random).to_string(),
        Field::Phone => phone(random),
    }
}

fn phone(random: &mut Rng) -> String {
    let country = if random.bool() { "+91 " } else { "" };
    format!("{country}{PHONE}{:03}", random.u8(..3))
}

/// The fields as a body of the API.
fn body(fields: &Fields) -> Value {
    let mut body = json!({});
    for (field, value) in fields {
        match field {
            Field::Awb => body["awb"] = json!(value),
            Field::ReturnAwb => body["returnAwb"] = json!(value),
            Field::Shiprocket => body["refs"]["shiprocket"] = json!(value),
            Field::Esahayak => body["refs"]["esahayak"] = json!(value),
            Field::Phone => body["customer"] = json!({ "phone": value }),
        }
    }
    body
}

impl Actors {
    pub(super) async fn create_order(&self, shop: &Shop, creation: &Creation) {
        let Some(key) = shop.key(creation.order) else { return };
        let mut body = body(&creation.fields);
        body["orderId"] = json!(key.order);
        body["metadata"] = json!({ "owner": shop.account });
        if creation.is_polled {
            body["poll"] = json!("shipway");
        }
        let asked = self.ask(&vendor(shop.account, "POST", ORDERS, &body)).await;
        self.expect(&asked, &[200, 201, 409, 422], "a creation");
        self.world.lock().ledger.order(key, asked.promise());
        self.said_fields(shop, creation.order, &creation.fields, &asked.as_creation());
    }

    pub(super) async fn change(&self, shop: &Shop, change: &Change) {
        match change {
            Change::Patch { order, fields } => self.patch(shop, *order, fields).await,
            Change::Ship { order, awb } => self.ship(shop, *order, awb).await,
        }
    }

    async fn patch(&self, shop: &Shop, order: usize, fields: &Fields) {
        let request = vendor(shop.account, "PATCH", &shop.path(order), &body(fields));
        let asked = self.ask(&request).await;
        self.expect(&asked, &[200, 404, 409, 422], "a patch");
        self.said_fields(shop, order, fields, &asked);
    }

    async fn ship(&self, shop: &Shop, order: usize, awb: &str) {
        let path = format!("{}/shipments", shop.path(order));
        let body = json!({ "awb": awb, "carrierName": "Blue Dart" });
        let asked = self.ask(&vendor(shop.account, "POST", &path, &body)).await;
        self.expect(&asked, &[200, 201, 404, 409, 422], "a shipment");
        if let Ok(awb) = domain::core::id::Awb::parse(awb) {
            self.said(shop, order, What::Added(awb), &asked);
        }
    }

    fn said_fields(&self, shop: &Shop, order: usize, fields: &Fields, asked: &Asked) {
        for (field, value) in fields {
            self.said(shop, order, What::Field(*field, value.clone()), asked);
        }
    }

    pub(super) fn said(&self, shop: &Shop, order: usize, what: What, asked: &Asked) {
        let Some(order) = shop.key(order) else { return };
        self.world.lock().ledger.sayings.push(asked.saying(order, what));
    }

    /// Any other answer than these is a finding.
    pub(super) fn expect(&self, asked: &Asked, statuses: &[u16], what: &str) {
        let status = asked.status();
        if !statuses.contains(&status) && asked.answer.is_some() {
            let body = asked.answer.as_ref().map(|answer| answer.body.to_string());
            let text = format!("{what} is answered {status}: {}", body.unwrap_or_default());
            self.world.lock().ledger.violation(text);
        }
    }
}

impl Shop {
    pub(super) fn path(&self, order: usize) -> String {
        format!("{ORDERS}/{}", self.orders[order].replace('#', "%23"))
    }
}
