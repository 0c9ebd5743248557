//! Lists of deliveries.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::core::timestamp::Timestamp;
use domain::pagination::MAX_LIMIT;
use domain::webhooks::payload;
use serde::{Deserialize, Serialize};

use super::filter::Partition;
use super::row::{COLUMNS, read_body, read_row, read_time};
use super::{Deliveries, DeliveryFilter, DeliveryRow, delivery_key};
use crate::error::IoError;
use crate::tables::attr::{Item, item, number, read_text, text};
use crate::tables::batch_get::batch_get;
use crate::tables::expression::{Placeholders, attr};
use crate::tables::read::{first_page, limit, query};

/// The most rows that are read for one page, however few of them match the filter.
const MAX_SCANNED: usize = 5 * MAX_LIMIT;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    NewestFirst,
    OldestFirst,
}

/// A place in a list: within or before a partition of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    partition: String,
    /// The last row that was read in it.
    after: Option<Entry>,
}

/// A row's entry in an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    created_at: Timestamp,
    id: String,
}

#[derive(Debug)]
pub struct DeliveryPage {
    pub rows: Vec<DeliveryRow>,
    /// Where the next page begins, if there may be one.
    pub next: Option<Place>,
}

impl Deliveries {
    /// A page of the deliveries that match the filter, by the time of their first attempt. It may
    /// have fewer rows than `max`, or none, although there is a next page: the number of rows read
    /// for one page is limited. Read eventually consistently.
    pub async fn list(
        &self,
        filter: &DeliveryFilter,
        direction: Direction,
        max: usize,
        from: Option<Place>,
        now: Timestamp,
    ) -> Result<DeliveryPage, IoError> {
        let step = if filter.is_narrow() { MAX_LIMIT } else { max };
        let mut partitions = filter.partitions(direction, now);
        let mut after = None;
        if let Some(place) = from {
            while partitions.pop_front_if(|it| it.value != place.partition).is_some() {}
            after = place.after;
        }
        let (mut rows, mut scanned) = (Vec::new(), 0);
        while let Some(partition) = partitions.front() {
            let place = |after| Place { partition: partition.value.clone(), after };
            if scanned >= MAX_SCANNED {
                return Ok(DeliveryPage { rows, next: Some(place(after)) });
            }
            let entries = self.entries(partition, filter, direction, after.take(), step).await?;
            let mut found = self.rows(&entries, filter).await?;
            for entry in &entries {
                rows.extend(found.remove(&entry.id));
                if rows.len() == max {
                    return Ok(DeliveryPage { rows, next: Some(place(Some(entry.clone()))) });
                }
            }
            scanned += entries.len();
            if entries.len() < step {
                partitions.pop_front();
            } else {
                after = entries.into_iter().next_back();
            }
        }
        Ok(DeliveryPage { rows, next: None })
    }

    async fn entries(
        &self,
        partition: &Partition,
        filter: &DeliveryFilter,
        direction: Direction,
        after: Option<Entry>,
        max: usize,
    ) -> Result<Vec<Entry>, IoError> {
        let millis = |time: Timestamp| number(time.millis());
        let mut key = attr(partition.attribute).equals(text(partition.value.as_str()));
        // A key condition has one comparison: `between` includes `to`, which the filter refuses.
        key = match (filter.from, filter.to) {
            (Some(from), Some(to)) => key.and(attr("created_at").between(millis(from), millis(to))),
            (Some(from), None) => key.and(attr("created_at").at_least(millis(from))),
            (None, Some(to)) => key.and(attr("created_at").below(millis(to))),
            (None, None) => key,
        };
        let start = after.map(|entry| {
            item([
                (partition.attribute, text(partition.value.as_str())),
                ("created_at", millis(entry.created_at)),
                ("pk", text(entry.id)),
            ])
        });
        let query = query(&self.client, &self.table, key)
            .index_name(partition.index)
            .scan_index_forward(direction == Direction::OldestFirst)
            .set_exclusive_start_key(start)
            .limit(limit(max));
        first_page(query).await?.rows.iter().map(read_entry).collect()
    }

    /// The matching rows of these entries, by id. Expired rows are left out.
    async fn rows(
        &self,
        entries: &[Entry],
        filter: &DeliveryFilter,
    ) -> Result<HashMap<String, DeliveryRow>, IoError> {
        let mut rows = HashMap::new();
        if entries.is_empty() {
            return Ok(rows);
        }
        let mut columns = COLUMNS.to_vec();
        if filter.order.is_some() {
            columns.push("body");
        }
        let mut placeholders = Placeholders::default();
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(entries.iter().map(|entry| delivery_key(&entry.id)).collect()))
            .projection_expression(placeholders.projection(&columns))
            .set_expression_attribute_names(placeholders.into_maps().0);
        for item in &batch_get(&self.client, &self.table, keys).await? {
            let row = read_row(item)?;
            if filter.matches(&row) && is_about_order(filter, &row, item)? {
                rows.insert(row.delivery.id.clone(), row);
            }
        }
        Ok(rows)
    }
}

/// True if the filter names no order, or one of the delivery's orders. Only the body of a delivery
/// about several orders names them.
fn is_about_order(
    filter: &DeliveryFilter,
    row: &DeliveryRow,
    item: &Item,
) -> Result<bool, IoError> {
    let Some(order) = &filter.order else { return Ok(true) };
    Ok(match &row.delivery.order_id {
        Some(id) => *id == order.order,
        None => read_body(item)?.is_some_and(|body| payload::is_about(&body, &order.order)),
    })
}

fn read_entry(row: &Item) -> Result<Entry, IoError> {
    let created_at = read_time(row, "created_at");
    Ok(Entry {
        created_at: created_at
            .ok_or_else(|| IoError::unreadable("dynamodb:Query", "created_at"))?,
        id: read_text(row, "pk")?.to_owned(),
    })
}
