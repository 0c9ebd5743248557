//! The deliveries about an order. No index has them: the order's traces and its events name them.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::builders::KeysAndAttributesBuilder;
use domain::core::id::OrderKey;
use domain::core::timestamp::Timestamp;
use domain::pagination::MAX_LIMIT;
use domain::webhooks::payload;

use super::list::{MAX_SCANNED, Place, columns_of};
use super::row::{COLUMNS, read_body, read_row};
use super::{Deliveries, DeliveryFilter, DeliveryPage, DeliveryRow};
use crate::error::IoError;
use crate::tables::attr::Item;
use crate::tables::batch_get::{MAX_KEYS, batch_get};
use crate::tables::concurrency::run_all;
use crate::tables::keys::order_pk;
use crate::tables::orders::TracedDelivery;
use crate::tables::read::readable;

/// The deliveries of an order that one page may have, each with the time by which it is listed. It
/// may be about other orders, or may not exist: its row decides.
#[derive(Debug, Default, Clone)]
pub struct Candidates {
    pub deliveries: Vec<(Timestamp, TracedDelivery)>,
    /// Other deliveries are listed by earlier times.
    pub rest: Option<Timestamp>,
}

/// After the ids of all deliveries.
const LAST_ID: &str = "~";

impl Place {
    /// The latest time of an order's deliveries that follow.
    pub fn latest_after(&self) -> Option<Timestamp> {
        Timestamp::from_millis(self.created_at).ok()
    }
}

/// True if a delivery may be about several orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shared(bool);

impl DeliveryFilter {
    /// True if the list of the order has this place.
    pub fn has_place_of(&self, order: &OrderKey, place: &Place) -> bool {
        place.partition == self.partition_of(order)
    }

    /// A cursor is valid only with the same `from` and `to`.
    fn partition_of(&self, order: &OrderKey) -> String {
        let (first, last) = self.times();
        format!("{}/{first}/{last}", order_pk(order))
    }
}

impl Deliveries {
    /// A page of an order's deliveries that match the filter, the newest first, from among these.
    /// Those without a row are left out, and those that are about other orders. It may have fewer
    /// rows than `max`, or none, although there is a next page: the number of rows read for one
    /// page is limited. Read eventually consistently.
    pub async fn list_of(
        &self,
        order: &OrderKey,
        among: Candidates,
        filter: &DeliveryFilter,
        max: usize,
        after: Option<&Place>,
    ) -> Result<DeliveryPage, IoError> {
        let partition = filter.partition_of(order);
        let place =
            |at: Timestamp, id| Place { created_at: at.millis(), partition: partition.clone(), id };
        let rest = among
            .rest
            .map(|at| Place { created_at: at.millis() - 1, ..place(at, LAST_ID.to_owned()) });
        let is_asked = |it: &TracedDelivery| {
            filter.endpoint.as_ref().is_none_or(|endpoint| *endpoint == it.endpoint)
        };
        let asked = among.deliveries.into_iter().filter(|(_, it)| is_asked(it));
        // An event and a trace may both name a delivery.
        let mut left: BTreeMap<Place, Shared> =
            asked.map(|(at, it)| (place(at, it.id), Shared(it.is_shared))).collect();
        if let Some(after) = after {
            left.split_off(after);
        }
        let (mut rows, mut scanned, mut last) = (Vec::new(), 0, None);
        while rows.len() < max && scanned < MAX_SCANNED && !left.is_empty() {
            // Many have expired, so a small page is looked for among as many as a large one.
            let newest = left.iter().rev().take(MAX_LIMIT);
            let step: Vec<(Place, Shared)> =
                newest.map(|(it, shared)| (it.clone(), *shared)).collect();
            scanned += step.len();
            let mut found = self.rows_of(order, &step, filter).await?;
            for (place, _) in step {
                if rows.len() == max {
                    break;
                }
                left.remove(&place);
                rows.extend(found.remove(&place.id));
                last = Some(place);
            }
        }
        Ok(DeliveryPage { rows, next: if left.is_empty() { rest } else { last } })
    }

    /// The matching rows of these places, by id.
    async fn rows_of(
        &self,
        order: &OrderKey,
        places: &[(Place, Shared)],
        filter: &DeliveryFilter,
    ) -> Result<HashMap<String, DeliveryRow>, IoError> {
        let with = |shared| {
            let ids = places.iter().filter(move |(_, it)| *it == Shared(shared));
            ids.map(|(place, _)| place.id.as_str()).collect::<Vec<_>>()
        };
        let with_body = [COLUMNS.as_slice(), &["body"]].concat();
        let mut requests = in_batches(&with(false), &COLUMNS);
        requests.extend(in_batches(&with(true), &with_body));
        let reads =
            requests.into_iter().map(async |keys| batch_get(&self.client, &self.table, keys).await);
        let items: Vec<Item> = run_all(reads).await?.into_iter().flatten().collect();
        let about = readable(&items, "pk", |item| read_about(order, item)).flatten();
        Ok(about.filter(|row| filter.matches(row)).map(|row| (row.id.clone(), row)).collect())
    }
}

fn in_batches(ids: &[&str], columns: &[&str]) -> Vec<KeysAndAttributesBuilder> {
    ids.chunks(MAX_KEYS).map(|ids| columns_of(ids.iter().copied(), columns)).collect()
}

/// `None` if it is about other orders. Only the body of a delivery about several names them.
fn read_about(order: &OrderKey, item: &Item) -> Result<Option<DeliveryRow>, IoError> {
    let row = read_row(item)?;
    let is_about = match &row.order_id {
        Some(id) => *id == order.order,
        None => read_body(item)?.is_some_and(|body| payload::is_about(&body, &order.order)),
    };
    let is_own = row.account.as_ref() == Some(&order.account);
    Ok((is_own && is_about).then_some(row))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use domain::auth::Accounts;
    use domain::core::id::{AccountCode, EndpointName, OrderId};
    use serde_json::{Value, json};

    use super::*;
    use crate::client::fake::{FakeAws, clients};

    fn order() -> OrderKey {
        let account = AccountCode::parse("STORE001").unwrap();
        OrderKey { account, order: OrderId::parse("O-1").unwrap() }
    }

    /// A delivery at this second; two share one.
    fn candidate(number: i64) -> (Timestamp, TracedDelivery) {
        let delivery = TracedDelivery {
            id: format!("msg_{number:04}"),
            endpoint: EndpointName::parse("shop").unwrap(),
            is_shared: number % 3 == 0,
            is_old: false,
        };
        (Timestamp::from_millis(number / 2 * 1000).unwrap(), delivery)
    }

    fn filter() -> DeliveryFilter {
        DeliveryFilter::all(Accounts::All)
    }

    /// Every delivery has a row but those with a number that five divides.
    fn deliveries() -> (FakeAws, Deliveries) {
        let fake = FakeAws::new(|body| {
            let request: Value = serde_json::from_slice(body).unwrap();
            let keys = request["RequestItems"]["t"]["Keys"].as_array().unwrap();
            assert!(keys.len() <= MAX_KEYS);
            let text = |text: &str| json!({ "S": text });
            let ids = keys.iter().map(|key| key["pk"]["S"].as_str().unwrap());
            let rows = ids.filter(|id| id[4..].parse::<i64>().unwrap() % 5 != 0).map(|id| {
                json!({
                    "pk": text(id), "endpoint": text("shop"), "account": text("STORE001"),
                    "order_id": text("O-1"), "state": text("delivered"), "attempts": {"N": "1"},
                    "created_at": {"N": "0"}, "updated_at": {"N": "0"}, "run": {"N": "1"},
                })
            });
            (200, json!({ "Responses": { "t": rows.collect::<Vec<_>>() } }).to_string())
        });
        let deliveries = Deliveries::new(clients(fake.edge()).dynamodb(), "t".to_owned());
        (fake, deliveries)
    }

    /// The ids of all pages of at most `max` deliveries. `candidates` gets the latest time of a page.
    async fn ids_of_all_pages(
        max: usize,
        candidates: impl Fn(Option<Timestamp>) -> Candidates,
    ) -> Vec<String> {
        let (fake, deliveries) = deliveries();
        let (mut found, mut after) = (Vec::new(), None::<Place>);
        loop {
            let among = candidates(after.as_ref().and_then(Place::latest_after));
            let page = deliveries.list_of(&order(), among, &filter(), max, after.as_ref()).await;
            let page = page.unwrap();
            assert!(fake.requests().len() <= 4, "{} requests", fake.requests().len());
            fake.requests().clear();
            found.extend(page.rows.into_iter().map(|row| row.id));
            after = page.next;
            if after.is_none() {
                return found;
            }
        }
    }

    /// Those with a row, newest first.
    fn expected(count: i64) -> Vec<String> {
        let with_row = (0..count).rev().filter(|number| number % 5 != 0);
        with_row.map(|number| format!("msg_{number:04}")).collect()
    }

    #[tokio::test]
    async fn the_pages_have_each_delivery_once_and_newest_first() {
        let all = |_| Candidates { deliveries: (0..1203).map(candidate).collect(), rest: None };
        assert_eq!(ids_of_all_pages(70, all).await, expected(1203));
    }

    #[tokio::test]
    async fn the_next_page_begins_where_the_candidates_end() {
        let (_, deliveries) = deliveries();
        let rest = Timestamp::from_millis(2000).ok();
        let all = Candidates { deliveries: (4..8).map(candidate).collect(), rest };
        let page = deliveries.list_of(&order(), all, &filter(), 10, None).await.unwrap();
        assert_eq!(page.rows.len(), 3);
        let next = page.next.unwrap();
        assert_eq!(next.latest_after(), Timestamp::from_millis(1999).ok());
        assert!(filter().has_place_of(&order(), &next));
        let later = DeliveryFilter { from: rest, ..filter() };
        assert!(!later.has_place_of(&order(), &next));
        // Those of the same time were among the candidates.
        let all = Candidates { deliveries: (2..6).map(candidate).collect(), rest: None };
        let page = deliveries.list_of(&order(), all, &filter(), 10, Some(&next)).await.unwrap();
        let ids: Vec<_> = page.rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!((ids, page.next), (vec!["msg_0003", "msg_0002"], None));
    }

    /// Each page gets the candidates of the twenty newest times that it may have.
    #[tokio::test]
    async fn small_pages_among_limited_candidates_have_each_delivery_once() {
        let candidates = |until: Option<Timestamp>| {
            let all = (0..303).map(candidate).filter(|(at, _)| until.is_none_or(|it| *at <= it));
            let mut all: Vec<_> = all.collect();
            let times: BTreeSet<Timestamp> = all.iter().map(|(at, _)| *at).collect();
            let rest = times.iter().rev().nth(19).copied().filter(|_| times.len() > 20);
            all.retain(|(at, _)| rest.is_none_or(|rest| *at >= rest));
            Candidates { deliveries: all, rest }
        };
        assert_eq!(ids_of_all_pages(7, candidates).await, expected(303));
    }

    #[tokio::test]
    async fn a_page_reads_a_limited_number_of_rows() {
        let (fake, deliveries) = deliveries();
        let all = Candidates {
            deliveries: (0..2000).map(|number| candidate(number * 5)).collect(),
            rest: None,
        };
        for max in [1, 100] {
            let page = deliveries.list_of(&order(), all.clone(), &filter(), max, None).await;
            let page = page.unwrap();
            // For each hundred places, one for the shared and one for the others.
            assert_eq!((page.rows.len(), fake.requests().len()), (0, 10), "{max}");
            assert!(page.next.is_some());
            fake.requests().clear();
        }
    }
}
