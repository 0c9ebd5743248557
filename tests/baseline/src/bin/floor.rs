//! Makes only the calls that its event lists, one after another. Its argument is where
//! the servers of others are.
//!
//! The clients are those of the functions; requests are the listed bytes, those to AWS signed here.

use std::time::Duration;

use aws::client::{CallTimeouts, Clients, Edge};
use aws::clock::system_time;
use egress::policy::Target;
use egress::{HeaderMap, HeaderName, HeaderValue, Http, LOOPBACK};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    calls: Vec<Call>,
}

#[derive(Deserialize)]
struct Call {
    service: String,
    operation: String,
    body: String,
    headers: Vec<(String, String)>,
}

struct Floor {
    dynamodb: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
    ssm: aws_sdk_ssm::Client,
    http: Http,
    url: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let http = Http::new(system_time)?;
    let clients = Clients::from_environment(Edge::system(), CallTimeouts::Queue)?;
    let floor = Floor {
        dynamodb: clients.dynamodb(),
        sqs: clients.sqs(),
        ssm: clients.ssm(),
        http: http.clone(),
        url: std::env::args().nth(1).unwrap_or_default(),
    };
    clients.open_connections().await;
    http.wait()?;
    run(service_fn(|event: LambdaEvent<Event>| floor.invoke(event.payload))).await
}

/// An operation with this body. The answer may be an error, as it was for the function.
macro_rules! send {
    ($operation:expr, $body:expr) => {{
        let body = $body;
        let sent = $operation.customize().mutate_request(move |request| {
            request.headers_mut().insert("content-length", body.len().to_string());
            *request.body_mut() = body.clone().into_bytes().into();
        });
        drop(sent.send().await);
    }};
}

impl Floor {
    async fn invoke(&self, event: Event) -> Result<Value, Error> {
        for Call { service, operation, body, headers } in event.calls {
            match (service.as_str(), operation.as_str()) {
                ("others", path) => self.post(path, headers, body).await?,
                ("DynamoDB_20120810", operation) => self.dynamodb(operation, body).await?,
                ("AmazonSQS", "SendMessage") => {
                    send!(self.sqs.send_message().message_body("none"), body);
                }
                ("AmazonSQS", "SendMessageBatch") => send!(self.sqs.send_message_batch(), body),
                ("AmazonSSM", "GetParameters") => send!(self.ssm.get_parameters(), body),
                ("AmazonSSM", "GetParametersByPath") => {
                    send!(self.ssm.get_parameters_by_path().path("/none"), body);
                }
                (_, other) => return Err(format!("no call {other}").into()),
            }
        }
        Ok(json!({}))
    }

    async fn dynamodb(&self, operation: &str, body: String) -> Result<(), Error> {
        let client = &self.dynamodb;
        match operation {
            "GetItem" => send!(client.get_item().table_name("none"), body),
            "BatchGetItem" => send!(client.batch_get_item(), body),
            "Query" => send!(client.query().table_name("none"), body),
            "PutItem" => send!(client.put_item().table_name("none"), body),
            "UpdateItem" => send!(client.update_item().table_name("none"), body),
            "TransactWriteItems" => send!(client.transact_write_items(), body),
            other => return Err(format!("no call {other}").into()),
        }
        Ok(())
    }

    async fn post(
        &self,
        path: &str,
        headers: Vec<(String, String)>,
        body: String,
    ) -> Result<(), Error> {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
        let target = Target::parse(&format!("{}{path}", self.url), LOOPBACK)?;
        self.http.post(&target, all, body.into_bytes(), TIMEOUT).await?;
        Ok(())
    }
}
