//! Orders, their parcels, the carrier's reports and the deliveries about them.

use aws::tables::orders::Orders;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::core::timestamp::Timestamp;
use serde_json::{Value, json};

use super::super::installation::Installation;
use super::Operations;
use super::requests::{call, post_webhook};
use crate::support::{Calls, OURS, Parcel, Row, row_size, sample, seconds_from_now, stack, unique};

/// Orders of a page.
const LISTED: usize = 10;

/// An order of a shop at Shiprocket, with the id by which the carrier names it.
pub(super) struct Shipment {
    parcel: Parcel,
    carrier_id: Value,
}

impl Shipment {
    pub(super) fn new() -> Self {
        let parcel = Parcel::new();
        let carrier_id = unique("").parse::<u64>().unwrap();
        Self { parcel, carrier_id: json!(carrier_id) }
    }

    pub(super) fn order(&self) -> Value {
        let mut order = self.parcel.order();
        order["customer"]["phone"] = json!(unique("+9198"));
        order
    }

    fn order_without_awb(&self) -> Value {
        let mut order = self.order();
        order.as_object_mut().unwrap().remove("awb");
        order
    }

    /// A body of `events/`, about this order.
    pub(super) fn report(&self, name: &str) -> Value {
        let mut body = sample(&format!("shiprocket/{name}"));
        body["awb"] = json!(self.parcel.awb);
        body["order_id"] = json!(self.parcel.order_id);
        body["sr_order_id"] = self.carrier_id.clone();
        body
    }

    /// The same status as [`Shipment::report`] in transit, with a later scan.
    fn same_status(&self) -> Value {
        let mut body = self.report("in_transit");
        body["current_timestamp"] = json!("23 05 2023 19:20:11");
        let mut scan = body["scans"][3].clone();
        scan["date"] = json!("2023-05-23 19:20:11");
        scan["location"] = json!("Sampleville_D (Maharashtra)");
        body["scans"].as_array_mut().unwrap().push(scan);
        body
    }

    fn path(&self) -> Value {
        json!({"order_id": self.parcel.order_id})
    }
}

impl Operations {
    /// Returns the size of the state row of an order with one delivered parcel.
    pub async fn measure_parcels(&mut self) -> usize {
        let shipment = Shipment::new();
        Box::pin(self.measure_journey(&shipment)).await;
        let size = self.state_row_size(&shipment).await;
        Box::pin(self.measure_names()).await;
        Box::pin(self.measure_corrections()).await;
        self.measure_as("get an order", async |shop| {
            call(shop, "GET /{order_id}", &shipment.path(), None).await
        })
        .await;
        Box::pin(self.measure_list()).await;
        self.receive_all("deliveries").await;
        size
    }

    async fn measure_journey(&mut self, shipment: &Shipment) {
        let order = shipment.order();
        self.measure_as("create an order with AWB and phone", async |shop| {
            call(shop, "POST ", &json!({}), Some(&order)).await
        })
        .await;
        self.process_as("create an order with AWB and phone: its event").await;
        self.post(&shipment.report("picked_up")).await;
        self.process_as("apply the first report, which learns a provider id").await;
        self.receive_all("deliveries").await;

        let report = shipment.report("in_transit");
        self.measure_as("accept a webhook", async |shop| post_webhook(shop, &report).await).await;
        self.process_as("apply a status change").await;
        self.measure_delivery().await;
        self.measure_as("accept a repeated webhook", async |shop| {
            post_webhook(shop, &report).await
        })
        .await;

        self.post(&shipment.same_status()).await;
        self.process_as("apply a report without a change").await;
        self.post(&shipment.report("out_for_delivery")).await;
        self.watch(shipment, seconds_from_now(3600)).await;
        self.process_as("apply a status change that somebody watches").await;
        self.watch(shipment, seconds_from_now(0)).await;
        self.receive_all("deliveries").await;
        self.post(&shipment.report("delivered")).await;
        self.process_as("apply a status change to another search key").await;
        self.measure_retried_delivery().await;
        let late = shipment.report("undelivered");
        self.post(&late).await;
        self.process_as("apply a late report").await;
        self.receive_all("deliveries").await;
    }

    async fn watch(&self, shipment: &Shipment, until: Timestamp) {
        let orders = Orders::new(stack().dynamodb(&Calls::default()), self.shop.table("orders"));
        let order = json!({"account": OURS, "order": shipment.parcel.order_id});
        let order = serde_json::from_value(order).unwrap();
        orders.watch(&order, until).await.unwrap();
    }

    async fn measure_delivery(&mut self) {
        let message = self.receive("deliveries").await;
        let done = self.deliver_as("deliver", &message).await;
        assert!(done);
        self.delete("deliveries", &message).await;
    }

    /// The receiver fails once.
    async fn measure_retried_delivery(&mut self) {
        stack().set_responses(&self.shop.endpoint_path(), json!([{"status": 500}])).await;
        let message = self.receive("deliveries").await;
        let done = self.deliver_as("deliver, failed attempt", &message).await;
        assert!(!done);
        // SQS hands it out again after the wait.
        let message = self.receive("deliveries").await;
        assert!(self.deliver_as("deliver, retry", &message).await);
        self.delete("deliveries", &message).await;
    }

    async fn measure_names(&mut self) {
        let unnamed = Shipment::new();
        self.create(&unnamed.order_without_awb()).await;
        self.post(&unnamed.report("picked_up")).await;
        self.process_as("apply a report that learns AWB and provider id").await;

        let early = Shipment::new();
        self.post(&early.report("picked_up")).await;
        self.process_as("park a report without an order").await;
        call(&self.shop, "POST ", &json!({}), Some(&early.order())).await;
        self.process_as("create the order of a parked report: its event").await;

        let patched = Shipment::new();
        self.create(&patched.order_without_awb()).await;
        let awb = json!({"awb": patched.parcel.awb});
        self.measure_as("patch an AWB", async |shop| {
            call(shop, "PATCH /{order_id}", &patched.path(), Some(&awb)).await
        })
        .await;
        self.process_as("patch an AWB: its event").await;
        let notes = json!({"vendorNotes": "Ring twice"});
        self.measure_as("patch another field", async |shop| {
            call(shop, "PATCH /{order_id}", &patched.path(), Some(&notes)).await
        })
        .await;
        let second = json!({"awb": unique("19"), "carrierName": "Blue Dart"});
        self.measure_as("add a shipment", async |shop| {
            call(shop, "POST /{order_id}/shipments", &patched.path(), Some(&second)).await
        })
        .await;
        self.process_as("add a shipment: its event").await;
    }

    async fn measure_corrections(&mut self) {
        let shipment = Shipment::new();
        self.create(&shipment.order()).await;
        let status = json!({"status": "delivered", "note": "handed over"});
        self.measure_as("report a status by HTTP", async |shop| {
            call(shop, "POST /{order_id}/status", &shipment.path(), Some(&status)).await
        })
        .await;
        self.process_as("report a status by HTTP: its event").await;
        let order = call(&self.shop, "GET /{order_id}", &shipment.path(), None).await;
        let report =
            order["timeline"].as_array().unwrap().iter().find(|it| it["status"] == "delivered");
        let mut path = shipment.path();
        path["report_id"] = report.unwrap()["reportId"].clone();
        self.measure_as("withdraw a report", async |shop| {
            call(shop, "DELETE /{order_id}/timeline/{report_id}", &path, None).await
        })
        .await;
        self.process_as("withdraw a report: its event").await;
    }

    /// `pending` shares its search key with other statuses: the orders of those are read too, and of
    /// `delivered` all orders.
    async fn measure_list(&mut self) {
        for status in ["pending", "delivered", "failed"] {
            for _ in 0..LISTED {
                let mut order = Shipment::new().order();
                order["status"] = json!(status);
                self.create(&order).await;
            }
        }
        self.measure_page("list 10 orders by status", "failed").await;
        self.measure_page("list 10 orders by a status that shares its key", "pending").await;
        self.measure_page("list 10 delivered orders", "delivered").await;
    }

    async fn measure_page(&mut self, name: &'static str, status: &str) {
        let query = json!({"status": status, "limit": LISTED.to_string()});
        let list = async |shop: &Installation| call(shop, "GET ", &query, None).await;
        let page = self.measure_as(name, list).await;
        assert_eq!(page["items"].as_array().unwrap().len(), LISTED, "{page}");
    }

    pub(super) async fn create(&self, order: &Value) {
        call(&self.shop, "POST ", &json!({}), Some(order)).await;
        self.process_next().await;
    }

    pub(super) async fn post(&self, body: &Value) {
        post_webhook(&self.shop, body).await;
    }

    async fn state_row_size(&self, shipment: &Shipment) -> usize {
        let order = &shipment.parcel.order_id;
        let text = |text: String| AttributeValue::S(text);
        let get = stack().dynamodb(&Calls::default()).get_item();
        let get = get.table_name(self.shop.table("orders"));
        let get = get.key("pk", text(format!("order:{}:{OURS}:{order}", OURS.len())));
        let row: Row = get.key("sk", text("state".into())).send().await.unwrap().item.unwrap();
        row_size(&row)
    }
}
