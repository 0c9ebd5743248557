//! Shipway's tracking API. It knows every parcel, answers at once, and notes who asks for what is not theirs.

use std::sync::Arc;

use domain::polling::MAX_BATCH;

use crate::http::{Request, Response};
use crate::orders::{Order, Orders};
use crate::parcel;
use crate::settings::authorization;
use crate::usage::Meter;

const PATH: &str = "/api/tracking?awb_numbers=";
const REST: &str = "&tracking_history=1";

/// The carrier.
pub(crate) struct Carrier {
    /// Whose parcels it knows.
    pub(crate) orders: Orders,
    /// Where calls are counted.
    pub(crate) meter: Arc<Meter>,
}

impl Carrier {
    /// Answers a call.
    pub(crate) fn answer(&self, request: &Request) -> Response {
        self.meter.count().carrier_calls += 1;
        match self.asked(request) {
            Ok(orders) => Response::new(200, parcel::answer(&orders)),
            Err(what) => {
                self.meter.fault(format!("the carrier was asked for {what}"));
                Response::new(400, r#"{"success":0}"#)
            }
        }
    }

    fn asked(&self, request: &Request) -> Result<Vec<Order>, &'static str> {
        let list = request.path.strip_prefix(PATH).and_then(|rest| rest.strip_suffix(REST));
        let list = list.filter(|_| request.method == "GET").ok_or("something else")?;
        let orders: Option<Vec<Order>> =
            list.split(',').map(|awb| self.orders.by_awb(awb)).collect();
        let orders = orders.ok_or("a parcel of nobody's")?;
        let shown = request.header("authorization");
        match orders.iter().all(|order| authorization(&order.account) == shown) {
            _ if orders.len() > MAX_BATCH => Err("too many parcels"),
            false => Err("parcels of somebody else's"),
            true => Ok(orders),
        }
    }
}
