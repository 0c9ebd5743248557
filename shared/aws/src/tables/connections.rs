//! The connections table: open sockets. Every row expires; that of a closed socket is deleted.
//!
//! | partition | sort key | row |
//! |---|---|---|
//! | `socket:{connection id}` | `socket` | `json` (`Grant`): the socket's scope |
//! | `account:…`, `order:…` | `{connection id}` | a socket that gets the updates of this scope |
//! | `watch:…` | `watch` | `until`: until then the account may have sockets |
//!
//! A socket gets updates once it has registered: until `$connect` ends, API Gateway answers a post to
//! it as to a closed one.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ReturnValue;
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::live::{Grant, SOCKET_LIFE, Scope};

use super::attr::{Item, item, json, number, read_json, read_number, read_text, text};
use super::expression::attr;
use super::keys::{key, order_pk, tenant};
use super::read::{all_rows, get, query};
use super::write::Write;
use crate::error::IoError;

#[derive(Debug, Clone)]
pub struct Connections {
    client: Client,
    table: String,
}

impl Connections {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Stores the scope of a new socket.
    pub async fn open(
        &self,
        connection: &str,
        grant: &Grant,
        now: Timestamp,
    ) -> Result<(), IoError> {
        let mut row = socket_key(connection);
        row.extend(lifetime(now));
        row.insert("json".to_owned(), json(grant)?);
        Write::put(&self.table, row).send(&self.client).await.map(drop)
    }

    /// The scope of an open socket.
    pub async fn find(&self, connection: &str, now: Timestamp) -> Result<Option<Grant>, IoError> {
        let row = get(&self.client, &self.table, socket_key(connection), &[]).await?;
        let row = row.filter(|row| is_open(row, now));
        row.map(|row| read_json(&row, "json")).transpose()
    }

    /// Lets a socket get the updates of its scope.
    pub async fn register(
        &self,
        connection: &str,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<(), IoError> {
        let mut row = key(scope_pk(scope), connection);
        row.extend(lifetime(now));
        Write::put(&self.table, row).send(&self.client).await.map(drop)
    }

    /// Forgets a closed socket.
    pub async fn close(&self, connection: &str) -> Result<(), IoError> {
        let delete = Write::delete(&self.table, socket_key(connection));
        let closed = delete.returning(ReturnValue::AllOld).send(&self.client).await?;
        let Some(grant) = closed.applied().filter(|row| !row.is_empty()) else { return Ok(()) };
        let grant: Grant = read_json(&grant, "json")?;
        let registered = key(scope_pk(&grant.scope), connection);
        Write::delete(&self.table, registered).send(&self.client).await.map(drop)
    }

    /// The sockets that get the updates of a scope. Read consistently: what a socket that is not
    /// among them yet misses, it reads when it registers.
    pub async fn registered(&self, scope: &Scope, now: Timestamp) -> Result<Vec<String>, IoError> {
        let rows = query(&self.client, &self.table, attr("pk").equals(text(scope_pk(scope))));
        let rows = all_rows(rows.consistent_read(true)).await?;
        let open = rows.iter().filter(|row| is_open(row, now));
        open.map(|row| read_text(row, "sk").map(str::to_owned)).collect()
    }

    /// Notes that an account may have sockets.
    pub async fn watch(&self, account: &AccountCode, until: Timestamp) -> Result<(), IoError> {
        let mut row = watch_key(account);
        row.insert("until".to_owned(), number(until.millis()));
        row.insert("ttl".to_owned(), number(until.seconds()));
        Write::put(&self.table, row).send(&self.client).await.map(drop)
    }

    /// Whether an account may have sockets. Not read consistently: half the price, and the answer is
    /// cached anyway.
    pub async fn is_watched(&self, account: &AccountCode, now: Timestamp) -> Result<bool, IoError> {
        let request = self.client.get_item().table_name(&self.table);
        let request = request.set_key(Some(watch_key(account)));
        let answer = request.send().await.map_err(|error| IoError::of("dynamodb:GetItem", &error));
        let until = answer?.item.and_then(|row| read_number::<i64>(&row, "until"));
        Ok(until.is_some_and(|until| now.millis() < until))
    }
}

fn socket_key(connection: &str) -> Item {
    key(format!("socket:{connection}"), "socket")
}

fn scope_pk(scope: &Scope) -> String {
    match scope.order() {
        Some(order) => order_pk(&order),
        None => format!("account:{}", tenant(&scope.account)),
    }
}

fn watch_key(account: &AccountCode) -> Item {
    key(format!("watch:{}", tenant(account)), "watch")
}

/// DynamoDB deletes an expired row within days, so readers check it.
fn lifetime(now: Timestamp) -> Item {
    let end = now.after(SOCKET_LIFE);
    item([("open_until", number(end.millis())), ("ttl", number(end.seconds()))])
}

fn is_open(row: &Item, now: Timestamp) -> bool {
    read_number::<i64>(row, "open_until").is_some_and(|until| now.millis() < until)
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::client::fake::{FakeAws, clients};

    fn scope(account: &str, order: Option<&str>) -> Scope {
        let scope = serde_json::json!({"account": account, "order": order});
        serde_json::from_value(scope).unwrap()
    }

    #[test]
    fn keys_of_different_tenants_differ() {
        let scopes = [
            scope("A", None),
            scope("A", Some("B")),
            scope("A:B", None),
            scope("A", Some("B:C")),
            scope("A:B", Some("C")),
            scope("1:A", Some("B")),
        ];
        let keys: std::collections::BTreeSet<String> = scopes.iter().map(scope_pk).collect();
        assert_eq!(keys.len(), scopes.len());
    }

    #[tokio::test]
    async fn rows_that_outlive_their_socket_do_not_count() {
        let row = r#"{"Items":[
            {"pk":{"S":"account:1:A"},"sk":{"S":"old"},"open_until":{"N":"5000"}},
            {"pk":{"S":"account:1:A"},"sk":{"S":"new"},"open_until":{"N":"5001"}}]}"#;
        let fake = FakeAws::sequence(&[(200, row)]);
        let connections =
            Connections::new(clients(fake.edge()).dynamodb(), "connections".to_owned());
        let now = Timestamp::from_millis(5000).unwrap();
        let found = connections.registered(&scope("A", None), now).await.unwrap();
        assert_eq!(found, ["new"]);
    }

    #[tokio::test]
    async fn closing_an_unknown_socket_changes_nothing_else() {
        let fake = FakeAws::sequence(&[(200, "{}")]);
        let connections =
            Connections::new(clients(fake.edge()).dynamodb(), "connections".to_owned());
        connections.close("x").await.unwrap();
        assert_eq!(fake.requests().len(), 1);
    }
}
