//! Queries of a table or an index, and scans of an index.

use std::ops::Bound;
use std::sync::Arc;

use serde_json::{Value, json};

use super::expression::{Condition, KeyCondition, Placeholders, Projection};
use super::request::Request;
use super::schema::{Keys, Position};
use super::size::{half_reads, size};
use super::store::range;
use super::{DynamoDb, Failure, Item};

/// The rows that a query reads for a page. The first is read however large it is.
const MAX_PAGE: usize = 1024 * 1024;

const MEMBERS: [&str; 11] = [
    "TableName",
    "IndexName",
    "KeyConditionExpression",
    "FilterExpression",
    "ProjectionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ConsistentRead",
    "ScanIndexForward",
    "Limit",
    "ExclusiveStartKey",
];

const SCAN_MEMBERS: [&str; 3] = ["TableName", "IndexName", "Limit"];

struct Query<'a> {
    key: KeyCondition<'a>,
    filter: Option<Condition<'a>>,
    projection: Option<Projection<'a>>,
    start: Option<Position>,
    forward: bool,
    limit: usize,
}

impl<'r> Query<'r> {
    fn of(request: Request<'r>, keys: Keys<'_>) -> Result<Self, Failure> {
        let mut placeholders = Placeholders::of(request.0)?;
        let key = request.required_text("KeyConditionExpression")?;
        let key = KeyCondition::parse(key, &mut placeholders, keys)?;
        let filter = request.text("FilterExpression")?;
        let filter = filter.map(|text| Condition::parse(text, &mut placeholders)).transpose()?;
        let projection = request.text("ProjectionExpression")?;
        let projection =
            projection.map(|text| Projection::parse(text, &mut placeholders)).transpose()?;
        placeholders.check_all_used()?;
        let is_key = |name: &str| keys.own().any(|key| key == name);
        if filter.as_ref().is_some_and(|filter| filter.mentions(&is_key)) {
            return Err(Failure::validation(
                "Filter Expression can only contain non-primary key attributes",
            ));
        }
        let start = request.0.get("ExclusiveStartKey");
        let start = start.map(|start| read_start(start, keys, &key)).transpose()?;
        let forward = request.flag("ScanIndexForward")?.unwrap_or(true);
        let limit = request.count("Limit")?.unwrap_or(usize::MAX);
        Ok(Self { key, filter, projection, start, forward, limit })
    }

    /// The positions that are left to read.
    fn bounds(&self) -> (Bound<&Position>, Bound<&Position>) {
        let (low, high) = (Bound::Included(&self.key.low), Bound::Excluded(&self.key.high));
        match &self.start {
            Some(start) if self.forward => (Bound::Excluded(start), high),
            Some(start) => (low, Bound::Excluded(start)),
            None => (low, high),
        }
    }

    fn page<'a>(&self, rows: impl Iterator<Item = &'a Arc<Item>>) -> Page<'a> {
        Page::read(rows, self.limit, |row| {
            self.filter.as_ref().is_none_or(|filter| filter.holds(row))
        })
    }

    fn project(&self, row: &Item) -> Item {
        self.projection.as_ref().map_or_else(|| row.clone(), |projection| projection.apply(row))
    }
}

#[derive(Default)]
struct Page<'a> {
    rows: Vec<&'a Item>,
    bytes: usize,
    scanned: usize,
    last: Option<&'a Item>,
    has_more: bool,
}

impl<'a> Page<'a> {
    fn read(
        rows: impl Iterator<Item = &'a Arc<Item>>,
        limit: usize,
        is_match: impl Fn(&Item) -> bool,
    ) -> Self {
        let mut page = Self::default();
        for row in rows {
            let bytes = size(row);
            if page.scanned > 0 && page.bytes + bytes > MAX_PAGE {
                page.has_more = true;
                break;
            }
            page.bytes += bytes;
            page.scanned += 1;
            page.last = Some(row);
            if is_match(row) {
                page.rows.push(row);
            }
            // Even if no row follows.
            if page.scanned == limit {
                page.has_more = true;
                break;
            }
        }
        page
    }

    fn answer(&self, keys: Keys<'_>, project: impl Fn(&Item) -> Item) -> Value {
        let mut answer = json!({ "Count": self.rows.len(), "ScannedCount": self.scanned });
        answer["Items"] = self.rows.iter().map(|row| Value::Object(project(row))).collect();
        if let Some(next) = self.last.filter(|_| self.has_more).and_then(|row| keys.of(row)) {
            answer["LastEvaluatedKey"] = Value::Object(next);
        }
        answer
    }
}

fn read_start(
    start: &Value,
    keys: Keys<'_>,
    condition: &KeyCondition,
) -> Result<Position, Failure> {
    let position = keys.read_start(start)?;
    start.as_object().map_or(Ok(()), |start| condition.check_start(start))?;
    Ok(position)
}

impl DynamoDb {
    pub(super) fn query(&mut self, request: &Value) -> Result<Value, Failure> {
        let request = Request::of(request, &MEMBERS)?;
        let store = self.store(request.required_text("TableName")?)?;
        let index = request.text("IndexName")?;
        let consistent = request.flag("ConsistentRead")?.unwrap_or_default();
        let (keys, rows) = store.readable(index, consistent)?;
        let query = Query::of(request, keys)?;
        if index.is_some() && (query.filter.is_some() || query.projection.is_some()) {
            return Err(Failure::not_modelled("filters and projections of an index"));
        }
        let (low, high) = query.bounds();
        let page = query.page(range(rows, low, high, query.forward));
        let answer = page.answer(keys, |row| query.project(row));
        let units = half_reads(page.bytes, consistent);
        self.usage.half_reads += units;
        Ok(answer)
    }

    /// The first page of a scan. DynamoDB orders the partitions otherwise.
    pub(super) fn scan(&mut self, request: &Value) -> Result<Value, Failure> {
        let request = Request::of(request, &SCAN_MEMBERS)?;
        let store = self.store(request.required_text("TableName")?)?;
        let index = request.text("IndexName")?;
        if index.is_none() {
            return Err(Failure::not_modelled("scans of a table"));
        }
        let (keys, rows) = store.readable(index, false)?;
        let limit = request.count("Limit")?.unwrap_or(usize::MAX);
        let page = Page::read(rows.values(), limit, |_| true);
        let answer = page.answer(keys, Item::clone);
        let units = half_reads(page.bytes, false);
        self.usage.half_reads += units;
        Ok(answer)
    }
}
