//! A double of Shipway's tracking API. It knows every parcel, answers at once and records a fault
//! for parcels of other credentials.

use std::sync::Arc;

use domain::polling::MAX_BATCH;

use crate::http::{Request, Response};
use crate::sync::orders::{Order, Orders};
use crate::sync::settings::authorization;
use crate::sync::tracking_answers;
use crate::sync::usage::Meter;

const PATH: &str = "/api/tracking?awb_numbers=";
const QUERY_END: &str = "&tracking_history=1";

pub(crate) struct Carrier {
    pub(crate) orders: Orders,
    pub(crate) meter: Arc<Meter>,
}

impl Carrier {
    pub(crate) fn answer(&self, request: &Request) -> Response {
        self.meter.count().carrier_calls += 1;
        match self.requested_orders(request) {
            Ok(orders) => Response::new(200, tracking_answers::answer(&orders)),
            Err(problem) => {
                self.meter.fault(format!("invalid call of the carrier: {problem}"));
                Response::new(400, r#"{"success":0}"#)
            }
        }
    }

    fn requested_orders(&self, request: &Request) -> Result<Vec<Order>, &'static str> {
        let list = request.path.strip_prefix(PATH).and_then(|rest| rest.strip_suffix(QUERY_END));
        let list = list.filter(|_| request.method == "GET").ok_or("unexpected request")?;
        let orders: Option<Vec<Order>> =
            list.split(',').map(|awb| self.orders.by_awb(awb)).collect();
        let orders = orders.ok_or("unknown parcel")?;
        let credentials = request.header("authorization");
        match orders.iter().all(|order| authorization(&order.account) == credentials) {
            _ if orders.len() > MAX_BATCH => Err("too many parcels"),
            false => Err("parcels of other credentials"),
            true => Ok(orders),
        }
    }
}
