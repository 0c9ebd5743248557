//! Names that a request gives an order: which of them other orders give up to it.

use aws::lambda::http_api::ApiError;
use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::TakenName;
use domain::orders::order::GivenUp;
use domain::tracking::report::Ref;

use crate::{OrdersApi, name_taken};

/// How an order comes to a name.
pub(crate) enum Acquisition {
    /// It has it.
    Owned,
    /// No order has it.
    Claimed,
    Taken(TakenName),
}

impl OrdersApi {
    /// Fails if another order keeps the name.
    pub(crate) async fn acquire(
        &self,
        key: &OrderKey,
        name: &Ref,
        now: Timestamp,
    ) -> Result<Acquisition, ApiError> {
        match self.orders.named(&key.account, name).await? {
            None => Ok(Acquisition::Claimed),
            Some(owner) if owner == key.order => Ok(Acquisition::Owned),
            Some(owner) => {
                self.take_over(&key.account, name, owner, now).await.map(Acquisition::Taken)
            }
        }
    }

    async fn take_over(
        &self,
        account: &AccountCode,
        name: &Ref,
        owner: OrderId,
        now: Timestamp,
    ) -> Result<TakenName, ApiError> {
        let key = OrderKey { account: account.clone(), order: owner.clone() };
        let (rev, with_reports) = match self.orders.load_with_timeline(&key).await? {
            Some((order, entries)) => match order.gives_up(name, &entries, now) {
                Some(given_up) => (order.state.rev, given_up == GivenUp::WithReports),
                None => return Err(name_taken(name)),
            },
            // The order is gone.
            None => (0, false),
        };
        Ok(TakenName { name: name.clone(), from: owner, rev, with_reports })
    }
}

/// True if the name belonged to a parcel of an order that had ended.
pub(crate) fn is_recycled(name: &Ref, taken: &[TakenName]) -> bool {
    taken.iter().any(|taken| taken.name == *name && !taken.with_reports)
}
