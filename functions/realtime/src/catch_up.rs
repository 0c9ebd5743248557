//! Posts the updates that a client missed, when it registers.

use std::collections::BTreeMap;

use aws::error::IoError;
use aws::sockets::Posted;
use domain::core::id::{OrderId, OrderKey};
use domain::live::{OrderNews, Scope, ServerFrame, missed};
use futures::{StreamExt, TryStreamExt, stream};

use crate::Realtime;

/// Orders that are read at once.
const AT_ONCE: usize = 8;

impl Realtime {
    /// Posts the changes after the versions that the client knows. A socket of one order gets its
    /// state, whatever the client knows. Orders that the client may not see, or that do not exist,
    /// have no news.
    pub(crate) async fn catch_up(
        &self,
        connection: &str,
        scope: &Scope,
        since: &BTreeMap<OrderId, u64>,
    ) -> Result<(), IoError> {
        let Some(open) = &self.sockets else { return Ok(()) };
        let orders = orders_of(scope, since).into_iter();
        let reads = orders.map(|(order, known)| self.missed_of(order, known));
        let mut news = stream::iter(reads).buffered(AT_ONCE);
        while let Some(news) = news.try_next().await? {
            for news in news {
                let frame = ServerFrame::OrderUpdate(news).to_text();
                if open.sockets.post(connection, &frame).await? == Posted::Gone {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn missed_of(
        &self,
        order: OrderKey,
        known: Option<u64>,
    ) -> Result<Vec<OrderNews>, IoError> {
        let loaded = match known {
            Some(_) => self.orders.load_with_timeline(&order).await?,
            None => self.orders.load(&order).await?.map(|order| (order, Vec::new())),
        };
        Ok(loaded.map(|(order, entries)| missed(&order, &entries, known)).unwrap_or_default())
    }
}

/// The orders to read, with the version that the client knows.
fn orders_of(scope: &Scope, since: &BTreeMap<OrderId, u64>) -> Vec<(OrderKey, Option<u64>)> {
    match scope.order() {
        Some(order) => {
            let known = since.get(&order.order).copied();
            vec![(order, known)]
        }
        None => {
            let key =
                |order: &OrderId| OrderKey { account: scope.account.clone(), order: order.clone() };
            since.iter().map(|(order, known)| (key(order), Some(*known))).collect()
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::id::AccountCode;

    use super::*;

    #[test]
    fn a_socket_reads_no_order_that_it_may_not_see() {
        let id = |id: &str| OrderId::parse(id).unwrap();
        let mut scope = Scope::account(&AccountCode::parse("A").unwrap());
        let since = [(id("O-1"), 3), (id("O-2"), 0)].into();
        let orders = |scope: &Scope| {
            let orders = orders_of(scope, &since).into_iter();
            let text =
                |(key, known): (OrderKey, _)| (format!("{}/{}", key.account, key.order), known);
            orders.map(text).collect::<Vec<_>>()
        };
        let of_account = [("A/O-1".to_owned(), Some(3)), ("A/O-2".to_owned(), Some(0))];
        assert_eq!(orders(&scope), of_account);
        scope.order = Some(id("O-2"));
        assert_eq!(orders(&scope), [("A/O-2".to_owned(), Some(0))]);
        scope.order = Some(id("O-3"));
        assert_eq!(orders(&scope), [("A/O-3".to_owned(), None)]);
    }
}
