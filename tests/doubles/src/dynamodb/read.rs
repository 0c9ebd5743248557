//! Reads by key.

use serde_json::Value;

use super::expression::{Placeholders, Projection};
use super::request::Request;
use super::schema::Position;
use super::size::{half_reads, size};
use super::store::Store;
use super::value::{normalise_all, tagged};
use super::{DynamoDb, Failure, Item};

const MAX_KEYS: usize = 100;
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// How to read a row, without the key.
struct Reader<'a> {
    store: &'a Store,
    consistent: bool,
    projection: Option<Projection<'a>>,
}

impl<'a> Reader<'a> {
    fn of(store: &'a Store, request: Request<'a>) -> Result<Self, Failure> {
        let mut placeholders = Placeholders::of(request.0)?;
        let projection = request.text("ProjectionExpression")?;
        let projection =
            projection.map(|text| Projection::parse(text, &mut placeholders)).transpose()?;
        placeholders.check_all_used()?;
        let consistent = request.flag("ConsistentRead")?.unwrap_or_default();
        Ok(Self { store, consistent, projection })
    }

    fn key(&self, key: &Item) -> Result<Position, Failure> {
        self.store.table.read_key(&normalise_all(key)?)
    }

    fn row(&self, key: &Position) -> Option<&'a Item> {
        self.store.rows(self.consistent).get(key).map(AsRef::as_ref)
    }

    fn units(&self, row: Option<&Item>) -> u64 {
        half_reads(row.map(size).unwrap_or_default(), self.consistent)
    }

    fn project(&self, row: &Item) -> Item {
        self.projection.as_ref().map_or_else(|| row.clone(), |projection| projection.apply(row))
    }
}

impl DynamoDb {
    pub(super) fn get_item(&mut self, request: &Value) -> Result<Value, Failure> {
        let request = Request::of(
            request,
            &[
                "TableName",
                "Key",
                "ConsistentRead",
                "ProjectionExpression",
                "ExpressionAttributeNames",
            ],
        )?;
        let reader = Reader::of(self.store(request.required_text("TableName")?)?, request)?;
        let row = reader.row(&reader.key(request.object("Key")?)?);
        let answer = row.map(|row| tagged("Item", Value::Object(reader.project(row))));
        let units = reader.units(row);
        self.usage.half_reads += units;
        Ok(answer.unwrap_or_else(|| Item::new().into()))
    }

    pub(super) fn batch_get_item(&mut self, request: &Value) -> Result<Value, Failure> {
        let tables = Request::of(request, &["RequestItems"])?.object("RequestItems")?;
        check_count(tables)?;
        let mut batch = Batch::default();
        for (name, request) in tables {
            batch.read(name, self.store(name)?, request)?;
        }
        self.usage.half_reads += batch.half_reads;
        Ok(Value::Object(Item::from_iter([
            ("Responses".to_owned(), Value::Object(batch.responses)),
            ("UnprocessedKeys".to_owned(), Value::Object(batch.unprocessed)),
        ])))
    }
}

fn check_count(tables: &Item) -> Result<(), Failure> {
    let keys = |request: &Value| request["Keys"].as_array().map_or(0, Vec::len);
    let counts: Vec<usize> = tables.values().map(keys).collect();
    if counts.is_empty() || counts.contains(&0) {
        return Err(Failure::validation("RequestItems must have keys for each table"));
    }
    if counts.iter().sum::<usize>() > MAX_KEYS {
        return Err(Failure::validation("Too many items requested for the BatchGetItem call"));
    }
    Ok(())
}

#[derive(Default)]
struct Batch {
    responses: Item,
    unprocessed: Item,
    bytes: usize,
    half_reads: u64,
}

impl Batch {
    fn read(&mut self, table: &str, store: &Store, request: &Value) -> Result<(), Failure> {
        let members =
            ["Keys", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"];
        let members = Request::of(request, &members)?;
        let reader = Reader::of(store, members)?;
        let requested = members.list("Keys")?;
        let keys = read_keys(&reader, requested)?;
        let (mut rows, mut rest) = (Vec::new(), Vec::new());
        for (key, requested) in keys.iter().zip(requested) {
            let row = reader.row(key);
            let bytes = row.map(size).unwrap_or_default();
            if !rest.is_empty() || self.bytes + bytes > MAX_ANSWER {
                rest.push(requested.clone());
                continue;
            }
            self.bytes += bytes;
            self.half_reads += reader.units(row);
            rows.extend(row.map(|row| Value::Object(reader.project(row))));
        }
        self.responses.insert(table.to_owned(), Value::Array(rows));
        if !rest.is_empty() {
            let mut request = members.0.clone();
            request.insert("Keys".to_owned(), rest.into());
            self.unprocessed.insert(table.to_owned(), Value::Object(request));
        }
        Ok(())
    }
}

fn read_keys(reader: &Reader<'_>, requested: &[Value]) -> Result<Vec<Position>, Failure> {
    let mut keys = Vec::with_capacity(requested.len());
    for key in requested {
        let key = key.as_object().ok_or_else(|| Failure::validation("A key is not an object"))?;
        let key = reader.key(key)?;
        if keys.contains(&key) {
            return Err(Failure::validation("Provided list of item keys contains duplicates"));
        }
        keys.push(key);
    }
    Ok(keys)
}
