//! The deliveries that the marks of events name.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use aws_sdk_dynamodb::types::builders::KeysAndAttributesBuilder;
use domain::core::id::EventId;
use domain::core::timestamp::Timestamp;

use super::{InboundLog, header_key};
use crate::error::IoError;
use crate::tables::attr::{Item, read_as, read_optional, read_texts};
use crate::tables::batch_get::{MAX_KEYS, batch_get};
use crate::tables::concurrency::run_all;
use crate::tables::expression::Placeholders;
use crate::tables::orders::TracedDelivery;
use crate::tables::read::{get, readable};

const COLUMNS: [&str; 3] = ["pk", "deliveries", "settled_at"];

impl InboundLog {
    /// The deliveries that the event's mark has.
    pub async fn deliveries(
        &self,
        id: &EventId,
        now: Timestamp,
    ) -> Result<Vec<TracedDelivery>, IoError> {
        let row = get(&self.client, &self.table, header_key(id), &COLUMNS).await?;
        let row = row.unwrap_or_default();
        Ok(match settled_at(&row)? {
            Some(at) => read_deliveries(&row, at, now),
            None => Vec::new(),
        })
    }

    /// Those of several events, also of one that is being processed again. Events that name none are
    /// left out. Read eventually consistently.
    pub async fn deliveries_of(
        &self,
        events: &BTreeSet<&EventId>,
        now: Timestamp,
    ) -> Result<BTreeMap<EventId, Vec<TracedDelivery>>, IoError> {
        let events: Vec<_> = events.iter().copied().collect();
        let requests: Vec<_> = events.chunks(MAX_KEYS).map(request).collect();
        let reads =
            requests.into_iter().map(async |keys| batch_get(&self.client, &self.table, keys).await);
        let mut noted = BTreeMap::new();
        for rows in run_all(reads).await? {
            let read = readable(&rows, "pk", |row| {
                let at = settled_at(row)?.unwrap_or(now);
                Ok((read_as(row, "pk", EventId::parse)?, read_deliveries(row, at, now)))
            });
            noted.extend(read.filter(|(_, deliveries)| !deliveries.is_empty()));
        }
        Ok(noted)
    }
}

fn request(events: &[&EventId]) -> KeysAndAttributesBuilder {
    let mut placeholders = Placeholders::default();
    KeysAndAttributes::builder()
        .set_keys(Some(events.iter().map(|id| header_key(id)).collect()))
        .projection_expression(placeholders.projection(&COLUMNS))
        .set_expression_attribute_names(placeholders.into_maps().0)
}

fn settled_at(row: &Item) -> Result<Option<Timestamp>, IoError> {
    read_optional(row, "settled_at", Timestamp::parse)
}

fn read_deliveries(row: &Item, at: Timestamp, now: Timestamp) -> Vec<TracedDelivery> {
    let texts = read_texts(row, "deliveries").iter();
    texts.filter_map(|text| TracedDelivery::parse(text, at, now)).collect()
}
