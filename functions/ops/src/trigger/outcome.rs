//! What the operator is told of it.

use aws::endpoints::InvalidEndpoint;
use aws::tables::deliveries::DeliverySummary;
use domain::core::id::{AccountCode, OrderId};
use domain::tracking::status::Status;
use domain::webhooks::delivery::Delivery;
use domain::webhooks::lease::DeliveryState;
use domain::webhooks::notification::CurrentOrder;
use serde::Serialize;

/// Of a delivery that nobody has attempted yet.
const QUEUED: &str = "queued";
/// Of an endpoint whose settings cannot be used.
const NOT_SENT: &str = "not_sent";

/// The answer.
#[derive(Debug, Serialize)]
pub(super) struct Outcome<'a> {
    success: bool,
    message: String,
    data: Data<'a>,
}

#[derive(Debug, Serialize)]
struct Data<'a> {
    orders: Vec<Notification<'a>>,
    unknown: Vec<OrderId>,
    #[serde(rename = "webhookResult")]
    results: Vec<Sent<'a>>,
}

#[derive(Debug, Serialize)]
struct Notification<'a> {
    order_id: &'a OrderId,
    account_code: &'a AccountCode,
    current_shipment_status: &'a str,
    status: Status,
    sequence: u64,
}

/// What became of what one endpoint is told.
#[derive(Debug, Serialize)]
struct Sent<'a> {
    endpoint: &'a str,
    delivery_id: Option<&'a str>,
    state: &'static str,
    status: Option<u16>,
    error: Option<&'a str>,
}

impl<'a> Outcome<'a> {
    pub(super) fn new(
        orders: &[CurrentOrder<'a>],
        unknown: Vec<OrderId>,
        deliveries: &'a [Delivery],
        summaries: &'a [DeliverySummary],
        invalid: impl Iterator<Item = &'a InvalidEndpoint>,
    ) -> Self {
        let sent = deliveries.iter().map(|delivery| Sent::of(delivery, summaries));
        let results: Vec<Sent<'_>> = sent.chain(invalid.map(Sent::never)).collect();
        let taken =
            results.iter().filter(|sent| sent.state == DeliveryState::Delivered.as_str()).count();
        let message = match results.len() {
            0 => "no endpoint takes status_update of this account".to_owned(),
            all => format!("{taken} of {all} delivered"),
        };
        let success = taken > 0 && taken == results.len();
        Self {
            success,
            message,
            data: Data { orders: orders.iter().map(Notification::of).collect(), unknown, results },
        }
    }
}

impl<'a> Notification<'a> {
    fn of(current: &CurrentOrder<'a>) -> Self {
        let (key, state) = (&current.order.key, &current.order.state);
        Self {
            order_id: &key.order,
            account_code: &key.account,
            current_shipment_status: &state.tracking.label,
            status: state.tracking.status,
            sequence: state.version,
        }
    }
}

impl<'a> Sent<'a> {
    fn of(delivery: &'a Delivery, summaries: &'a [DeliverySummary]) -> Self {
        let summary = summaries.iter().find(|summary| summary.id == delivery.id);
        Self {
            endpoint: delivery.endpoint.as_str(),
            delivery_id: Some(&delivery.id),
            state: summary.map_or(QUEUED, |summary| summary.state.as_str()),
            status: summary.and_then(|summary| summary.status),
            error: summary.and_then(|summary| summary.error.as_deref()),
        }
    }

    fn never(endpoint: &'a InvalidEndpoint) -> Self {
        let (name, error) = (endpoint.name(), Some("settings_wrong"));
        Self { endpoint: name, delivery_id: None, state: NOT_SENT, status: None, error }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::auth::Accounts;
    use serde_json::{Value, json};

    use super::*;

    fn delivery(endpoint: &str) -> Delivery {
        let message = json!({
            "v": 1, "id": format!("msg_{endpoint}"), "run": 1, "endpoint": endpoint, "format": "status_update",
            "account": "STORE001", "order_id": null, "version": null, "body": "{}",
        });
        Delivery::from_message(&message.to_string()).unwrap()
    }

    fn summary(
        endpoint: &str,
        state: DeliveryState,
        status: Option<u16>,
        error: Option<&str>,
    ) -> DeliverySummary {
        DeliverySummary {
            id: format!("msg_{endpoint}"),
            state,
            status,
            error: error.map(str::to_owned),
        }
    }

    fn told(
        deliveries: &[Delivery],
        summaries: &[DeliverySummary],
        invalid: &[InvalidEndpoint],
    ) -> Value {
        serde_json::to_value(Outcome::new(&[], Vec::new(), deliveries, summaries, invalid.iter()))
            .unwrap()
    }

    #[test]
    fn it_went_well_where_somebody_was_told_and_nobody_was_not() {
        let both = [delivery("a"), delivery("b")];
        let taken = |endpoint| summary(endpoint, DeliveryState::Delivered, Some(200), None);
        let failing = summary("b", DeliveryState::Retrying, Some(500), None);
        let dead = summary("b", DeliveryState::Dead, None, Some("timeout"));
        let wrong = InvalidEndpoint {
            parameter: "endpoints/c/settings".to_owned(),
            accounts: Accounts::All,
        };
        for (deliveries, summaries, invalid, success, message) in [
            (&both[..], vec![taken("b"), taken("a")], vec![], true, "2 of 2 delivered"),
            (&both, vec![taken("a"), failing], vec![], false, "1 of 2 delivered"),
            (&both, vec![taken("a"), dead], vec![], false, "1 of 2 delivered"),
            (&both, vec![taken("a")], vec![], false, "1 of 2 delivered"),
            (&both[..1], vec![taken("a")], vec![wrong], false, "1 of 2 delivered"),
            (&[], vec![], vec![], false, "no endpoint takes status_update of this account"),
        ] {
            let told = told(deliveries, &summaries, &invalid);
            assert_eq!((&told["success"], &told["message"]), (&json!(success), &json!(message)));
        }
    }

    #[test]
    fn each_delivery_says_how_it_stands() {
        let summaries = [summary("a", DeliveryState::Retrying, None, Some("timeout"))];
        let wrong = InvalidEndpoint {
            parameter: "endpoints/c/settings".to_owned(),
            accounts: Accounts::All,
        };
        let told = told(&[delivery("a"), delivery("b")], &summaries, &[wrong]);
        let expected = json!([
            {"endpoint": "a", "delivery_id": "msg_a", "state": "retrying", "status": null, "error": "timeout"},
            {"endpoint": "b", "delivery_id": "msg_b", "state": "queued", "status": null, "error": null},
            {"endpoint": "c", "delivery_id": null, "state": "not_sent", "status": null, "error": "settings_wrong"},
        ]);
        assert_eq!(told["data"]["webhookResult"], expected);
    }
}
