//! The response of a manual trigger.

use aws::endpoints::InvalidEndpoint;
use aws::tables::deliveries::DeliverySummary;
use domain::core::id::{AccountCode, OrderId};
use domain::tracking::status::Status;
use domain::webhooks::delivery::Delivery;
use domain::webhooks::lease::DeliveryState;
use domain::webhooks::notification::CurrentOrder;
use serde::Serialize;

/// The state of a delivery before its first attempt.
const QUEUED: &str = "queued";
/// The state of an endpoint with invalid settings.
const NOT_SENT: &str = "not_sent";

#[derive(Debug, Serialize)]
pub(super) struct TriggerResponse<'a> {
    success: bool,
    message: String,
    data: Data<'a>,
}

#[derive(Debug, Serialize)]
struct Data<'a> {
    orders: Vec<OrderStatus<'a>>,
    unknown: Vec<OrderId>,
    #[serde(rename = "webhookResult")]
    results: Vec<EndpointResult<'a>>,
}

#[derive(Debug, Serialize)]
struct OrderStatus<'a> {
    order_id: &'a OrderId,
    account_code: &'a AccountCode,
    current_shipment_status: &'a str,
    status: Status,
    sequence: u64,
}

#[derive(Debug, Serialize)]
struct EndpointResult<'a> {
    endpoint: &'a str,
    delivery_id: Option<&'a str>,
    state: &'static str,
    status: Option<u16>,
    error: Option<&'a str>,
}

impl<'a> TriggerResponse<'a> {
    pub(super) fn new(
        orders: &[CurrentOrder<'a>],
        unknown: Vec<OrderId>,
        deliveries: &'a [Delivery],
        summaries: &'a [DeliverySummary],
        invalid: impl Iterator<Item = &'a InvalidEndpoint>,
    ) -> Self {
        let sent = deliveries.iter().map(|delivery| EndpointResult::of(delivery, summaries));
        let results: Vec<EndpointResult<'_>> =
            sent.chain(invalid.map(EndpointResult::not_sent)).collect();
        let is_delivered =
            |result: &&EndpointResult<'_>| result.state == DeliveryState::Delivered.as_str();
        let delivered = results.iter().filter(is_delivered).count();
        let message = match results.len() {
            0 => "no endpoint receives status_update for this account".to_owned(),
            total => format!("{delivered} of {total} delivered"),
        };
        let success = delivered > 0 && delivered == results.len();
        let orders = orders.iter().map(OrderStatus::of).collect();
        Self { success, message, data: Data { orders, unknown, results } }
    }
}

impl<'a> OrderStatus<'a> {
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

impl<'a> EndpointResult<'a> {
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

    fn not_sent(endpoint: &'a InvalidEndpoint) -> Self {
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
            "v": 1, "id": format!("msg_{endpoint}"), "run": 1, "endpoint": endpoint,
            "format": "status_update", "account": "STORE001", "order_id": null, "version": null,
            "body": "{}",
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

    fn response(
        deliveries: &[Delivery],
        summaries: &[DeliverySummary],
        invalid: &[InvalidEndpoint],
    ) -> Value {
        let response = TriggerResponse::new(&[], Vec::new(), deliveries, summaries, invalid.iter());
        serde_json::to_value(response).unwrap()
    }

    #[test]
    fn succeeds_only_when_every_endpoint_took_its_delivery() {
        let both = [delivery("a"), delivery("b")];
        let delivered = |endpoint| summary(endpoint, DeliveryState::Delivered, Some(200), None);
        let failing = summary("b", DeliveryState::Retrying, Some(500), None);
        let dead = summary("b", DeliveryState::Dead, None, Some("timeout"));
        let invalid = InvalidEndpoint {
            parameter: "endpoints/c/settings".to_owned(),
            accounts: Accounts::All,
        };
        for (deliveries, summaries, invalid, success, message) in [
            (&both[..], vec![delivered("b"), delivered("a")], vec![], true, "2 of 2 delivered"),
            (&both, vec![delivered("a"), failing], vec![], false, "1 of 2 delivered"),
            (&both, vec![delivered("a"), dead], vec![], false, "1 of 2 delivered"),
            (&both, vec![delivered("a")], vec![], false, "1 of 2 delivered"),
            (&both[..1], vec![delivered("a")], vec![invalid], false, "1 of 2 delivered"),
            (&[], vec![], vec![], false, "no endpoint receives status_update for this account"),
        ] {
            let response = response(deliveries, &summaries, &invalid);
            let actual = (&response["success"], &response["message"]);
            assert_eq!(actual, (&json!(success), &json!(message)));
        }
    }

    #[test]
    fn shows_the_state_of_each_delivery() {
        let summaries = [summary("a", DeliveryState::Retrying, None, Some("timeout"))];
        let invalid = InvalidEndpoint {
            parameter: "endpoints/c/settings".to_owned(),
            accounts: Accounts::All,
        };
        let response = response(&[delivery("a"), delivery("b")], &summaries, &[invalid]);
        let expected = json!([
            {
                "endpoint": "a", "delivery_id": "msg_a", "state": "retrying",
                "status": null, "error": "timeout",
            },
            {
                "endpoint": "b", "delivery_id": "msg_b", "state": "queued",
                "status": null, "error": null,
            },
            {
                "endpoint": "c", "delivery_id": null, "state": "not_sent",
                "status": null, "error": "settings_wrong",
            },
        ]);
        assert_eq!(response["data"]["webhookResult"], expected);
    }
}
