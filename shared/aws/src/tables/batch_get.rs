//! Rows read by their keys, up to a hundred at once.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::builders::KeysAndAttributesBuilder;

use crate::error::IoError;
use crate::tables::attr::Item;

const CALL: &str = "dynamodb:BatchGetItem";
/// BatchGetItem takes so many keys.
pub(crate) const MAX_KEYS: usize = 100;
/// So often rows are asked for in vain, at once and then after ever longer pauses.
const ROUNDS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// The rows with these keys, in no order. What is not there is left out.
///
/// # Errors
/// The table cannot be read, or does not give all of them.
pub(crate) async fn batch_get(
    client: &Client,
    table: &str,
    asked: KeysAndAttributesBuilder,
) -> Result<Vec<Item>, IoError> {
    let asked = asked.build().map_err(|_| IoError::unreadable(CALL, "keys"))?;
    let mut open = HashMap::from([(table.to_owned(), asked)]);
    let mut found = Vec::new();
    let mut in_vain = 0;
    while in_vain < ROUNDS {
        tokio::time::sleep(FIRST_PAUSE * (2_u32.pow(in_vain) - 1)).await;
        let before = found.len();
        let answer = client.batch_get_item().set_request_items(Some(open)).send().await;
        let answer = answer.map_err(|error| IoError::of(CALL, &error))?;
        found.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items));
        // What was too much for one answer, or for the table just now.
        open = answer.unprocessed_keys.unwrap_or_default();
        if open.is_empty() {
            return Ok(found);
        }
        in_vain += u32::from(found.len() == before);
    }
    Err(IoError::Transient { call: CALL, code: "unprocessed_keys".to_owned() })
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
    use aws_sdk_dynamodb::types::KeysAndAttributes;
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::tables::attr::text;

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
            let answer =
                serde_json::json!({"Responses": {}, "UnprocessedKeys": asked["RequestItems"]})
                    .to_string();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len());
            stream.write_all(format!("{head}{answer}").as_bytes()).await.unwrap();
        }
        unreachable!()
    }

    fn client(endpoint: String) -> Client {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("ap-south-1"));
        let config = config.credentials_provider(Credentials::new("a", "b", None, None, "test"));
        Client::from_conf(config.endpoint_url(endpoint).build())
    }

    #[tokio::test]
    async fn a_table_that_never_answers_fully_is_asked_five_times() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = client(format!("http://{}", listener.local_addr().unwrap()));
        let asked =
            tokio::spawn(async move { answer_nothing(listener.accept().await.unwrap().0).await });
        let keys = KeysAndAttributes::builder().keys(Item::from([("pk".to_owned(), text("1"))]));
        let error = batch_get(&client, "orders", keys).await.unwrap_err();
        assert!(matches!(error, IoError::Transient { .. }), "{error}");
        drop(client);
        assert_eq!(asked.await.unwrap(), ROUNDS);
    }
}
