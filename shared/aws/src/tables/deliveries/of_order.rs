//! The deliveries about an order. No index has them: the order's traces and its events name them.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::builders::KeysAndAttributesBuilder;
use domain::core::id::OrderKey;
use domain::webhooks::payload;

use super::list::{Place, columns_of};
use super::row::{COLUMNS, read_body, read_row};
use super::{Deliveries, DeliveryFilter, DeliveryPage, DeliveryRow};
use crate::error::IoError;
use crate::tables::attr::Item;
use crate::tables::batch_get::{MAX_KEYS, batch_get};
use crate::tables::concurrency::run_all;
use crate::tables::keys::order_pk;
use crate::tables::orders::TracedDelivery;
use crate::tables::read::readable;

impl DeliveryFilter {
    /// True if the list of the order has this place.
    pub fn has_place_of(&self, order: &OrderKey, place: &Place) -> bool {
        let (first, last) = self.times();
        place.partition == order_pk(order) && (first..=last).contains(&place.created_at)
    }
}

impl Deliveries {
    /// A page of an order's deliveries that match the filter, the newest first, from among these.
    /// Those without a row are left out, and those that are about other orders. Every page reads all
    /// of them, eventually consistently.
    pub async fn list_of(
        &self,
        order: &OrderKey,
        among: impl IntoIterator<Item = TracedDelivery>,
        filter: &DeliveryFilter,
        max: usize,
        after: Option<&Place>,
    ) -> Result<DeliveryPage, IoError> {
        let mut found = BTreeMap::new();
        for row in self.rows_of(order, among, filter).await? {
            found.insert(place_of(order, &row), row);
        }
        let is_left = |place: &Place| after.is_none_or(|after| place < after);
        let mut rest = found.into_iter().rev().filter(|(place, _)| is_left(place));
        let page: Vec<_> = rest.by_ref().take(max).collect();
        let last = page.last().map(|(place, _)| place.clone());
        let next = rest.next().and(last);
        Ok(DeliveryPage { rows: page.into_iter().map(|(_, row)| row).collect(), next })
    }

    async fn rows_of(
        &self,
        order: &OrderKey,
        among: impl IntoIterator<Item = TracedDelivery>,
        filter: &DeliveryFilter,
    ) -> Result<Vec<DeliveryRow>, IoError> {
        let is_asked = |it: &TracedDelivery| {
            filter.endpoint.as_ref().is_none_or(|endpoint| *endpoint == it.endpoint)
        };
        // An event and a trace may both name a delivery.
        let asked = among.into_iter().filter(is_asked);
        let by_id: BTreeMap<String, bool> = asked.map(|it| (it.id, it.is_shared)).collect();
        let with = |shared| {
            let ids = by_id.iter().filter(move |(_, is_shared)| **is_shared == shared);
            ids.map(|(id, _)| id.as_str()).collect::<Vec<_>>()
        };
        let with_body = [COLUMNS.as_slice(), &["body"]].concat();
        let mut requests = in_batches(&with(false), &COLUMNS);
        requests.extend(in_batches(&with(true), &with_body));
        let reads =
            requests.into_iter().map(async |keys| batch_get(&self.client, &self.table, keys).await);
        let items: Vec<Item> = run_all(reads).await?.into_iter().flatten().collect();
        let about = readable(&items, "pk", |item| read_about(order, item)).flatten();
        Ok(about.filter(|row| filter.matches(row)).collect())
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

fn place_of(order: &OrderKey, row: &DeliveryRow) -> Place {
    Place { created_at: row.created_at.millis(), partition: order_pk(order), id: row.id.clone() }
}
