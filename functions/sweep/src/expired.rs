//! Erases the orders whose retention is over. `process` does the work, by an event like that of a
//! request.

use aws::clock;
use aws::error::IoError;
use aws::tables::inbound::{InboundEvent, InboundLog};
use aws::tables::orders::{Expiring, Orders};
use domain::core::timestamp::Timestamp;
use domain::orders::erasure::{Erasure, Scope};
use futures::future::join_all;

/// Orders of a shard that a run begins to erase: the rest follows a minute later.
const MAX_ORDERS: usize = 100;

pub struct ExpiredOrders {
    orders: Orders,
    events: InboundLog,
}

impl ExpiredOrders {
    pub fn new(orders: Orders, events: InboundLog) -> Self {
        Self { orders, events }
    }

    /// Begins no order after `deadline`. One failure does not stop the rest; the first error is
    /// returned, and the next run retries.
    pub async fn run(&self, now: Timestamp, deadline: Timestamp) -> Result<(), IoError> {
        let shards = Orders::EXPIRY_SHARDS.map(|shard| self.drain(shard, now, deadline));
        let mut first = Ok(());
        for error in join_all(shards).await.into_iter().filter_map(Result::err) {
            tracing::error!(%error, "sweep.expired_failed");
            first = first.and(Err(error));
        }
        first
    }

    async fn drain(&self, shard: u64, now: Timestamp, deadline: Timestamp) -> Result<(), IoError> {
        let mut first = Ok(());
        for expiring in self.orders.expiring(shard, now, MAX_ORDERS).await? {
            if clock::now() >= deadline {
                break;
            }
            let expired = match expiring {
                Ok(expiring) => self.expire(&expiring, now).await,
                Err(error) => Err(error),
            };
            first = first.and(expired);
        }
        first
    }

    /// The row goes last: until then the next run does the same again, with the same event. A longer
    /// retention has put another row in its place.
    async fn expire(&self, expiring: &Expiring, now: Timestamp) -> Result<(), IoError> {
        let key = &expiring.order;
        if let Some(order) = self.orders.load(key).await?
            && expiring.is_about(&order)
            && self.orders.is_over(expiring, &order, now).await?
        {
            let erasure = Erasure {
                order_id: key.order.clone(),
                scope: Scope::Order,
                created_at: order.state.created_at,
                phone: None,
                // It has an expiry of its own, and may be about a later order.
                with_conversation: false,
            };
            let event = InboundEvent::erasure(key, &erasure, now);
            if self.orders.expire(key, &erasure, &self.events, &event).await? {
                tracing::info!(account = %key.account, order_id = %key.order, "order.expired");
            }
        }
        self.orders.forget_expiry(expiring).await
    }
}
