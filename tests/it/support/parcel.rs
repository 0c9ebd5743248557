//! A parcel: one order and the carrier's reports about it.

use serde_json::{Value, json};

use super::unique;

/// Builds an order with its own id and tracking number (AWB), and the reports about it.
pub struct Parcel {
    pub order_id: String,
    pub awb: String,
}

impl Parcel {
    pub fn new() -> Self {
        Self { order_id: unique("ORD-"), awb: unique("19") }
    }

    /// Personal data is `canary-<kind>`: `check_logs.py` fails if a log contains it.
    pub fn order(&self) -> Value {
        json!({
            "orderId": self.order_id, "awb": self.awb, "customerId": "C-7",
            "carrierId": 28, "carrierName": "Delhivery",
            "customer": {"phone": "canary-phone-1", "firstName": "canary-name-Asha",
                         "lastName": "canary-name-Rao"},
            "items": [{"title": "Tea", "sku": "T-1", "qty": 2, "price": 1},
                      {"title": "Tea", "sku": "T-1", "qty": 1, "price": 1},
                      {"title": "Cup", "qty": 1, "price": "99.00"}],
            "fare": 300, "paymentMethod": "cod",
            "pickup": {"address": "canary-address", "coordinates": [77.1, 12.9]},
            "metadata": {"channel": "canary-body"},
            "vendorDetails": {"vendorId": "V-1", "vendorName": "Tea House"},
        })
    }

    /// A Shiprocket webhook; `time` is `HH:mm:ss` of a fixed day.
    pub fn report(&self, id: u32, label: &str, time: &str) -> Value {
        json!({
            "awb": self.awb, "courier_name": "Delhivery Surface",
            "current_status": label, "current_status_id": 20,
            "shipment_status": label, "shipment_status_id": id,
            "current_timestamp": format!("23 05 2023 {time}"),
            "order_id": self.order_id, "sr_order_id": null, "etd": "2023-05-25 15:40:19",
            "scans": [{"date": format!("2023-05-23 {time}"), "status": "X-IBD3F",
                       "activity": label, "location": "Sampleville_H (Maharashtra)",
                       "sr-status": id.to_string(), "sr-status-label": label}],
            "is_return": 0, "channel_id": 3_420_001, "pod_status": "OTP Based Delivery",
            "pod": "canary-body", "consignee": "canary-name",
        })
    }

    /// An "in transit" webhook.
    pub fn in_transit(&self) -> Value {
        self.report(18, "IN TRANSIT", "09:00:00")
    }

    /// An "in transit" webhook that names the order only by its AWB.
    pub fn in_transit_by_awb(&self) -> Value {
        let mut body = self.in_transit();
        body["order_id"] = json!(unique("not-ours-"));
        body
    }
}
