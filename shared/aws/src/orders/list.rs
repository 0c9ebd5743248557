//! An account's orders, newest first, by the index `listed`. An order enters it once, at creation.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::id::{AccountCode, OrderId, OrderKey};
use domain::order::Order;
use domain::page::PageRequest;

use super::{Orders, Read, read_order};
use crate::error::IoError;
use crate::item::{Item, order_pk, read_text, text};

/// BatchGetItem takes a hundred keys; an order has two rows.
const BATCH: usize = 50;
/// So often rows are asked for until all of them came, at once and then after ever longer pauses.
const ROUNDS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// An order's place in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The order.
    pub order_id: OrderId,
    /// Its sort key, from which a next page begins.
    pub sort_key: String,
}

impl Orders {
    /// The places after `page.after`, newest first, at most `page.limit`.
    ///
    /// # Errors
    /// The index cannot be read.
    pub async fn list(&self, account: &AccountCode, page: &PageRequest) -> Result<Vec<Listed>, IoError> {
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("listed")
            .scan_index_forward(false)
            .limit(i32::try_from(page.limit).unwrap_or(i32::MAX))
            .key_condition_expression("listed_in = :account")
            .expression_attribute_values(":account", text(account.as_str()));
        if let Some(after) = &page.after {
            query = query
                .key_condition_expression("listed_in = :account AND listed_at < :after")
                .expression_attribute_values(":after", text(after.as_str()));
        }
        let answer = query.send().await.map_err(|error| IoError::of("dynamodb:Query", &error))?;
        answer.items().iter().map(read_listed).collect()
    }

    /// Reads several orders of an account at once, in the order asked for. What is not there is left out.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn load_all(&self, account: &AccountCode, orders: &[Listed]) -> Result<Vec<Order>, IoError> {
        let mut loaded = Vec::with_capacity(orders.len());
        for some in orders.chunks(BATCH) {
            let keys = some.iter().map(|listed| OrderKey { account: account.clone(), order: listed.order_id.clone() });
            let keys: Vec<OrderKey> = keys.collect();
            let rows = self.batch(&keys).await?;
            for key in &keys {
                let pk = order_pk(key);
                let own: Vec<Item> = rows.iter().filter(|row| read_text(row, "pk") == Ok(&pk)).cloned().collect();
                loaded.extend(match read_order(key, &own)? {
                    Read::Whole(order) => Some(*order),
                    Read::Nothing => None,
                    Read::Torn => self.load(key).await?,
                });
            }
        }
        Ok(loaded)
    }

    async fn batch(&self, keys: &[OrderKey]) -> Result<Vec<Item>, IoError> {
        let call = "dynamodb:BatchGetItem";
        let row = |key: &OrderKey, sk: &str| {
            Item::from([("pk".to_owned(), text(order_pk(key))), ("sk".to_owned(), text(sk))])
        };
        let rows = keys.iter().flat_map(|key| [row(key, "state"), row(key, "profile")]);
        let asked = KeysAndAttributes::builder().set_keys(Some(rows.collect())).build();
        let asked = asked.map_err(|_| IoError::unreadable(call, "keys"))?;
        let mut open = HashMap::from([(self.table.clone(), asked)]);
        let mut found = Vec::new();
        for round in 0..ROUNDS {
            tokio::time::sleep(FIRST_PAUSE * (2_u32.pow(round) - 1)).await;
            let answer = self.client.batch_get_item().set_request_items(Some(open)).send().await;
            let answer = answer.map_err(|error| IoError::of(call, &error))?;
            found.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items));
            // What was too much for one answer, or for the table just now.
            open = answer.unprocessed_keys.unwrap_or_default();
            if open.is_empty() {
                return Ok(found);
            }
        }
        Err(IoError::Transient { call, code: "unprocessed_keys".to_owned() })
    }
}

/// An order's place in the list: `{created_at}/{order id}`; no id has a `/`.
pub fn sort_key_of(order: &Order) -> String {
    format!("{}/{}", order.state.created_at, order.key.order)
}

fn read_listed(item: &Item) -> Result<Listed, IoError> {
    let sort_key = read_text(item, "listed_at")?;
    let unreadable = || IoError::unreadable("dynamodb", "listed_at");
    let (_, order) = sort_key.split_once('/').ok_or_else(unreadable)?;
    let order_id = OrderId::parse(order).map_err(|_| unreadable())?;
    Ok(Listed { order_id, sort_key: sort_key.to_owned() })
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// Answers every request of a connection with what was asked for as unprocessed; how many there were.
    async fn answer_nothing(stream: TcpStream) -> u32 {
        let mut stream = BufReader::new(stream);
        for round in 0.. {
            let (mut length, mut line) = (0, String::new());
            while line != "\r\n" {
                line.clear();
                if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                    return round;
                }
                if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = text.trim().parse().unwrap();
                }
            }
            let mut asked = vec![0; length];
            stream.read_exact(&mut asked).await.unwrap();
            let asked: serde_json::Value = serde_json::from_slice(&asked).unwrap();
            let answer = serde_json::json!({"Responses": {}, "UnprocessedKeys": asked["RequestItems"]}).to_string();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len());
            stream.write_all(format!("{head}{answer}").as_bytes()).await.unwrap();
        }
        unreachable!()
    }

    fn client(endpoint: String) -> Client {
        let config = Config::builder().behavior_version(BehaviorVersion::latest()).region(Region::new("ap-south-1"));
        let config = config.credentials_provider(Credentials::new("a", "b", None, None, "test"));
        Client::from_conf(config.endpoint_url(endpoint).build())
    }

    #[tokio::test]
    async fn a_table_that_never_answers_fully_is_asked_five_times() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let orders = Orders::new(client(format!("http://{}", listener.local_addr().unwrap())), "orders".to_owned());
        let asked = tokio::spawn(async move { answer_nothing(listener.accept().await.unwrap().0).await });
        let account = AccountCode::parse("STORE001").unwrap();
        let listed = Listed { order_id: OrderId::parse("1").unwrap(), sort_key: String::new() };
        let error = orders.load_all(&account, &[listed]).await.unwrap_err();
        assert!(matches!(error, IoError::Transient { .. }), "{error}");
        drop(orders);
        assert_eq!(asked.await.unwrap(), ROUNDS);
    }
}
