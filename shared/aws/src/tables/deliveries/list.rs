//! Lists of deliveries.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use aws_sdk_dynamodb::types::builders::KeysAndAttributesBuilder;
use domain::core::timestamp::Timestamp;
use domain::pagination::MAX_LIMIT;
use serde::{Deserialize, Serialize};

use super::filter::Partitions;
use super::row::{COLUMNS, read_row};
use super::{Deliveries, DeliveryFilter, DeliveryRow, delivery_key};
use crate::error::IoError;
use crate::tables::attr::{Item, item, number, read_number, read_text, text};
use crate::tables::batch_get::batch_get;
use crate::tables::buckets::{MAX_PARTITIONS, Merge, partitions_with_rows};
use crate::tables::expression::{Placeholders, attr};
use crate::tables::read::{first_page, limit, query, readable};

/// The most rows that are read for one page, however few of them match the filter.
pub(super) const MAX_SCANNED: usize = 5 * MAX_LIMIT;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    NewestFirst,
    OldestFirst,
}

/// A place in a list: the index entry of the last row that was read; without id the beginning of a
/// day, named by one of its partitions. Entries of one partition are as the index orders them;
/// those of several are ordered by time, then partition. The list of an order is a partition of its
/// own, in which an event's deliveries have the event's time, ordered by id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// In milliseconds since 1970.
    pub(super) created_at: i64,
    pub(super) partition: String,
    pub(super) id: String,
}

#[derive(Debug)]
pub struct DeliveryPage {
    pub rows: Vec<DeliveryRow>,
    /// Where the next page begins, if there may be one.
    pub next: Option<Place>,
}

/// The rest of a list.
struct Walk<'a> {
    filter: &'a DeliveryFilter,
    direction: Direction,
    partitions: VecDeque<Partitions>,
    after: Option<Place>,
}

impl<'a> Walk<'a> {
    fn new(filter: &'a DeliveryFilter, direction: Direction, now: Timestamp) -> Self {
        Self { filter, direction, partitions: filter.partitions(direction, now), after: None }
    }

    /// `None` if the list has no such place.
    fn after(mut self, place: Place) -> Option<Self> {
        let has_place = |it: &Partitions| it.values.contains(&place.partition);
        while self.partitions.pop_front_if(|it| !has_place(it)).is_some() {}
        let (first, last) = self.filter.times();
        let is_in_time = (first..=last).contains(&place.created_at);
        self.after = Some(place).filter(|place| !place.id.is_empty());
        (is_in_time && !self.partitions.is_empty()).then_some(self)
    }

    fn merge(&mut self, partitions: &Partitions) -> Merge<Place> {
        let (values, after) = (partitions.values.clone(), self.after.take());
        match self.direction {
            Direction::NewestFirst => Merge::descending(values, after.as_ref()),
            Direction::OldestFirst => Merge::ascending(values, after.as_ref()),
        }
    }

    /// Where the next page begins if this one ends with a day.
    fn place(&self) -> Option<Place> {
        let partition = self.partitions.front()?.values.first()?.clone();
        Some(Place { created_at: self.filter.times().0, partition, id: String::new() })
    }

    /// How many partitions are left.
    fn left(&self) -> usize {
        self.partitions.iter().map(|it| it.values.len()).sum()
    }

    /// Leaves out all other partitions.
    fn keep(&mut self, with_rows: &HashSet<String>) {
        for partitions in &mut self.partitions {
            partitions.values.retain(|value| with_rows.contains(value));
        }
        self.partitions.retain(|partitions| !partitions.values.is_empty());
    }

    /// The first and the last millisecond to read of a partition after a place, which may be in
    /// another one.
    fn times_after(&self, place: Option<&Place>, partition: &str) -> (i64, i64) {
        let (first, last) = self.filter.times();
        let Some(place) = place else { return (first, last) };
        let at = place.created_at;
        // Of the same millisecond, the rest follows: all of a partition that comes later.
        match self.direction {
            Direction::NewestFirst if partition <= place.partition.as_str() => (first, at),
            Direction::NewestFirst => (first, at - 1),
            Direction::OldestFirst if partition >= place.partition.as_str() => (at, last),
            Direction::OldestFirst => (at + 1, last),
        }
    }
}

impl DeliveryFilter {
    /// True if the list has this place. A place of another filter's list may be in none of its
    /// partitions.
    pub fn has_place(&self, place: &Place, now: Timestamp) -> bool {
        Walk::new(self, Direction::NewestFirst, now).after(place.clone()).is_some()
    }
}

impl Deliveries {
    /// A page of the deliveries that match the filter, by the day on which their run began, then
    /// the time of their creation. It begins after `from`, or if the list has no such place, at its
    /// beginning. It may have fewer rows than `max`, or none, although there is a next page: the
    /// number of rows read for one page is limited, and of partitions if the newest are first. Read
    /// eventually consistently.
    pub async fn list(
        &self,
        filter: &DeliveryFilter,
        direction: Direction,
        max: usize,
        from: Option<Place>,
        now: Timestamp,
    ) -> Result<DeliveryPage, IoError> {
        let begin = || Walk::new(filter, direction, now);
        let mut walk = from.and_then(|place| begin().after(place)).unwrap_or_else(begin);
        let (mut rows, mut scanned, mut opened) = (Vec::new(), 0, 0);
        while let Some(partitions) = walk.partitions.pop_front() {
            let is_first_day = opened == 0;
            opened += partitions.values.len();
            let step = filter.step(max);
            let mut merge = walk.merge(&partitions);
            loop {
                let read =
                    |partition, after, max| self.places(&walk, &partitions, partition, after, max);
                let places = merge.take(step, read).await?;
                let mut found = self.rows(&places, filter).await?;
                for place in &places {
                    rows.extend(found.remove(&place.id));
                    if rows.len() == max {
                        return Ok(DeliveryPage { rows, next: Some(place.clone()) });
                    }
                }
                scanned += places.len();
                let is_at_end = places.len() < step;
                if let Some(last) =
                    places.into_iter().next_back().filter(|_| scanned >= MAX_SCANNED)
                {
                    return Ok(DeliveryPage { rows, next: Some(last) });
                }
                if is_at_end {
                    break;
                }
            }
            if direction == Direction::OldestFirst {
                continue;
            }
            if is_first_day && walk.left() > MAX_PARTITIONS {
                self.skip_empty(&partitions, &mut walk).await?;
            }
            if opened >= MAX_PARTITIONS {
                break;
            }
        }
        Ok(DeliveryPage { rows, next: walk.place() })
    }

    async fn skip_empty(
        &self,
        &Partitions { index, attribute, .. }: &Partitions,
        walk: &mut Walk<'_>,
    ) -> Result<(), IoError> {
        let found = partitions_with_rows(&self.client, &self.table, index, attribute).await?;
        found.iter().for_each(|with_rows| walk.keep(with_rows));
        Ok(())
    }

    /// The next places of one partition.
    async fn places(
        &self,
        walk: &Walk<'_>,
        partitions: &Partitions,
        partition: String,
        after: Option<Place>,
        max: usize,
    ) -> Result<Vec<Place>, IoError> {
        let attribute = partitions.attribute;
        let (first, last) = walk.times_after(after.as_ref(), &partition);
        if first > last {
            return Ok(Vec::new());
        }
        let start = after.filter(|place| place.partition == partition).map(|place| {
            item([
                (attribute, text(partition.as_str())),
                ("created_at", number(place.created_at)),
                ("pk", text(place.id)),
            ])
        });
        let key = attr(attribute).equals(text(partition.as_str()));
        let key = key.and(attr("created_at").between(number(first), number(last)));
        let query = query(&self.client, &self.table, key)
            .index_name(partitions.index)
            .scan_index_forward(walk.direction == Direction::OldestFirst)
            .set_exclusive_start_key(start)
            .limit(limit(max));
        first_page(query).await?.rows.iter().map(|row| read_place(row, &partition)).collect()
    }

    /// The matching rows of these places, by id. Expired rows are left out.
    async fn rows(
        &self,
        places: &[Place],
        filter: &DeliveryFilter,
    ) -> Result<HashMap<String, DeliveryRow>, IoError> {
        if places.is_empty() {
            return Ok(HashMap::new());
        }
        // While an index follows a row that changed partitions, both have its entry.
        let ids: BTreeSet<&str> = places.iter().map(|place| place.id.as_str()).collect();
        let rows = batch_get(&self.client, &self.table, columns_of(ids, &COLUMNS)).await?;
        let matching = readable(&rows, "pk", read_row).filter(|row| filter.matches(row));
        Ok(matching.map(|row| (row.id.clone(), row)).collect())
    }
}

/// Reads these attributes of up to a hundred rows.
pub(super) fn columns_of<'a>(
    ids: impl IntoIterator<Item = &'a str>,
    columns: &[&str],
) -> KeysAndAttributesBuilder {
    let mut placeholders = Placeholders::default();
    KeysAndAttributes::builder()
        .set_keys(Some(ids.into_iter().map(delivery_key).collect()))
        .projection_expression(placeholders.projection(columns))
        .set_expression_attribute_names(placeholders.into_maps().0)
}

/// An index has only rows with its keys, of their types.
fn read_place(row: &Item, partition: &str) -> Result<Place, IoError> {
    let created_at = read_number(row, "created_at");
    Ok(Place {
        created_at: created_at
            .ok_or_else(|| IoError::unreadable("dynamodb:Query", "created_at"))?,
        partition: partition.to_owned(),
        id: read_text(row, "pk")?.to_owned(),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::auth::Accounts;
    use serde_json::{Value, json};

    use super::*;
    use crate::client::fake::{FakeAws, clients};

    /// Rows of one millisecond are in several partitions, in an order that the index decides.
    #[test]
    fn a_page_goes_on_in_every_partition() {
        let from = Timestamp::from_millis(10).unwrap();
        let to = Timestamp::from_millis(90).unwrap();
        let filter =
            DeliveryFilter { from: Some(from), to: Some(to), ..DeliveryFilter::all(Accounts::All) };
        let place =
            Place { created_at: 50, partition: "1970-01-01/07".to_owned(), id: "a".to_owned() };
        let times = |direction, partition: &str| {
            let walk = Walk::new(&filter, direction, to).after(place.clone()).unwrap();
            walk.times_after(Some(&place), &format!("1970-01-01/{partition}"))
        };
        for (direction, expected) in [
            (Direction::NewestFirst, [(10, 50), (10, 50), (10, 49)]),
            (Direction::OldestFirst, [(51, 89), (50, 89), (50, 89)]),
        ] {
            assert_eq!(["06", "07", "08"].map(|it| times(direction, it)), expected);
        }
        for (created_at, partition) in
            [(9, "1970-01-01/07"), (90, "1970-01-01/07"), (50, "1970-01-02"), (50, "1970-01-01/16")]
        {
            let other = Place { created_at, partition: partition.to_owned(), id: String::new() };
            assert!(!filter.has_place(&other, to), "{other:?}");
        }
    }

    /// A delivery of an endpoint on each of these days. An index that is large has more than a look
    /// returns.
    fn deliveries(days: &'static [&str], is_large: bool) -> (FakeAws, Deliveries) {
        let text = |text: &str| json!({ "S": text });
        let fake = FakeAws::new(move |body| {
            let request: Value = serde_json::from_slice(body).unwrap();
            let entry = |day: &&str| {
                let at = Timestamp::parse(&format!("{day}T12:00:00Z")).unwrap().millis();
                json!({ "pk": text(day), "day": text(&format!("{day}/03")),
                        "created_at": { "N": at.to_string() } })
            };
            let entries: Vec<Value> = days.iter().map(entry).collect();
            let answer = if request["KeyConditionExpression"].is_string() {
                let values = request["ExpressionAttributeValues"].as_object().unwrap();
                let is_asked = |it: &&Value| values.values().any(|value| *value == it["day"]);
                json!({ "Items": entries.iter().filter(is_asked).collect::<Vec<_>>() })
            } else if request["RequestItems"].is_object() {
                let keys = request["RequestItems"]["t"]["Keys"].as_array().unwrap();
                let rows = keys.iter().map(|key| {
                    json!({
                        "pk": key["pk"], "endpoint": text("shop"), "state": text("delivered"),
                        "attempts": {"N": "1"}, "run": {"N": "1"},
                        "created_at": {"N": "0"}, "updated_at": {"N": "0"},
                    })
                });
                json!({ "Responses": { "t": rows.collect::<Vec<_>>() } })
            } else {
                assert_eq!(request["IndexName"], "by_day");
                let last = is_large.then(|| entries.last().cloned()).flatten();
                json!({ "Items": entries, "LastEvaluatedKey": last })
            };
            (200, answer.to_string())
        });
        let deliveries = Deliveries::new(clients(fake.edge()).dynamodb(), "t".to_owned());
        (fake, deliveries)
    }

    #[tokio::test]
    async fn the_pages_reach_the_end_with_few_calls_each() {
        let now = Timestamp::parse("2026-03-31T13:00:00Z").unwrap();
        for (days, is_large, pages) in [
            (&[][..], false, 1),
            (&["2026-03-31", "2026-03-01", "2026-02-15"], false, 1),
            (&["2026-03-31", "2026-03-01", "2026-02-15"], true, 16),
        ] {
            let (fake, deliveries) = deliveries(days, is_large);
            let filter = DeliveryFilter::all(Accounts::All);
            let (mut found, mut after, mut read) = (Vec::new(), None, 0);
            loop {
                let page = deliveries.list(&filter, Direction::NewestFirst, 50, after, now).await;
                let page = page.unwrap();
                found.extend(page.rows.into_iter().map(|row| row.id));
                read += 1;
                assert!(fake.requests().len() <= 51 + 1 + 3, "{}", fake.requests().len());
                fake.requests().clear();
                assert!(page.next.iter().all(|place| filter.has_place(place, now)));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!((found, read), (days.iter().map(ToString::to_string).collect(), pages));
        }
    }
}
