//! Reads of one row, and of the rows of a partition or index.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use super::attr::{Item, read_text};
use super::expression::{Condition, Placeholders};
use crate::error::IoError;

/// Reads a row consistently: these attributes of it, or all of them if none is named.
pub(crate) async fn get(
    client: &Client,
    table: &str,
    key: Item,
    attributes: &[&str],
) -> Result<Option<Item>, IoError> {
    let mut placeholders = Placeholders::default();
    let projection = Some(placeholders.projection(attributes)).filter(|_| !attributes.is_empty());
    let request = client
        .get_item()
        .table_name(table)
        .set_key(Some(key))
        .consistent_read(true)
        .set_projection_expression(projection)
        .set_expression_attribute_names(placeholders.into_maps().0);
    Ok(request.send().await.map_err(|error| IoError::of("dynamodb:GetItem", &error))?.item)
}

pub(crate) fn query(client: &Client, table: &str, key: Condition) -> QueryFluentBuilder {
    query_filtered(client, table, key, None)
}

pub(crate) fn query_filtered(
    client: &Client,
    table: &str,
    key: Condition,
    filter: Option<Condition>,
) -> QueryFluentBuilder {
    let mut placeholders = Placeholders::default();
    let key = key.render(&mut placeholders);
    let filter = filter.map(|filter| filter.render(&mut placeholders));
    let (names, values) = placeholders.into_maps();
    client
        .query()
        .table_name(table)
        .key_condition_expression(key)
        .set_filter_expression(filter)
        .set_expression_attribute_names(names)
        .set_expression_attribute_values(values)
}

/// A page size as DynamoDB takes it.
pub(crate) fn limit(rows: usize) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX)
}

/// Sends a query and returns its first page.
pub(crate) async fn first_page(query: QueryFluentBuilder) -> Result<Page, IoError> {
    let answer = query.send().await.map_err(|error| IoError::of("dynamodb:Query", &error))?;
    Ok(Page { rows: answer.items.unwrap_or_default(), next: answer.last_evaluated_key })
}

/// A page of a query's rows, and the key that the next page begins after.
pub(crate) struct Page {
    pub(crate) rows: Vec<Item>,
    pub(crate) next: Option<Item>,
}

/// Reads the rows of a list. A row that cannot be read is logged by its attribute `id`, and left out:
/// it must not hide the others.
pub(crate) fn readable<'a, T>(
    rows: &'a [Item],
    id: &'static str,
    read: impl Fn(&Item) -> Result<T, IoError> + 'a,
) -> impl Iterator<Item = T> + 'a {
    rows.iter().filter_map(move |row| {
        let id = read_text(row, id).unwrap_or_default();
        read(row).inspect_err(|error| tracing::error!(id, %error, "row.unreadable")).ok()
    })
}

/// A page of a list.
#[derive(Debug)]
pub struct Rows<T> {
    /// Those that can be read.
    pub items: Vec<T>,
    /// The sort key of the last row, if more may follow.
    pub next: Option<String>,
}

impl<T> Rows<T> {
    /// The page that `limit` rows were asked for. Their sort keys have no personal data.
    pub(crate) fn of(
        rows: &[Item],
        limit: usize,
        read: impl Fn(&Item) -> Result<T, IoError>,
    ) -> Self {
        let last = rows.last().filter(|_| rows.len() == limit);
        let next = last.and_then(|row| read_text(row, "sk").ok()).map(str::to_owned);
        Self { items: readable(rows, "sk", read).collect(), next }
    }
}

/// Sends a query and returns the rows of all its pages.
pub(crate) async fn all_rows(query: QueryFluentBuilder) -> Result<Vec<Item>, IoError> {
    let rows: Result<Vec<Item>, _> = query.into_paginator().items().send().collect().await;
    rows.map_err(|error| IoError::of("dynamodb:Query", &error))
}
