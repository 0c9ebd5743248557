//! One call of the AWS SDK: what it asks for, and the answer.

use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::sandbox::SandboxId;
use crate::survey::Effect;
use crate::world::State;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    DynamoDb,
    Sqs,
    Ssm,
    /// `@connections` of the WebSocket API.
    Sockets,
    Other,
}

#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) request: Value,
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// A header by which SQS repeats its error code.
    pub(crate) query_error: Option<String>,
}

impl Call {
    pub(crate) fn read(request: &HttpRequest) -> Self {
        if let Some(call) = Self::of_sockets(request) {
            return call;
        }
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let (service, operation) = target.split_once('.').unwrap_or_default();
        let service = match service {
            "DynamoDB_20120810" => Service::DynamoDb,
            "AmazonSQS" => Service::Sqs,
            "AmazonSSM" => Service::Ssm,
            _ => Service::Other,
        };
        let body = request.body().bytes().unwrap_or_default();
        let request = serde_json::from_slice(body).unwrap_or_default();
        Self { service, operation: operation.to_owned(), request }
    }

    fn of_sockets(request: &HttpRequest) -> Option<Self> {
        let (_, connection) = request.uri().split_once("/@connections/")?;
        let data = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
        let request = json!({ "connection": connection.replace("%3D", "="), "data": data });
        let operation = "PostToConnection".to_owned();
        Some(Self { service: Service::Sockets, operation, request })
    }

    pub(crate) fn is_write_of_dynamodb(&self) -> bool {
        let is_read = matches!(self.operation.as_str(), "GetItem" | "Query" | "BatchGetItem");
        self.service == Service::DynamoDb && !is_read
    }

    pub(crate) fn effect(&self) -> Effect {
        let is_read = match self.service {
            Service::DynamoDb => !self.is_write_of_dynamodb(),
            Service::Sqs => self.operation.starts_with("Get"),
            Service::Ssm => true,
            Service::Sockets | Service::Other => false,
        };
        if is_read { Effect::Reads } else { Effect::Writes }
    }

    /// A query of one of the sixteen shards of due deliveries, but the first. `sweep` asks all of them
    /// at once, and nearly always in vain: a kill at the first one strikes at the same point.
    pub(crate) fn is_of_further_shard(&self) -> bool {
        self.operation == "Query"
            && self.request["IndexName"] == "due"
            && self.request["ExpressionAttributeValues"]
                .as_object()
                .is_some_and(|values| values.values().any(is_further_shard))
    }

    /// The name of the queue.
    pub(crate) fn queue(&self) -> &str {
        self.request["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default()
    }

    pub(crate) fn throttled(&self) -> Answer {
        let code = match self.service {
            Service::DynamoDb => "com.amazonaws.dynamodb.v20120810#ThrottlingException",
            Service::Sqs => "com.amazonaws.sqs#RequestThrottled",
            Service::Sockets => {
                return Answer::error(429, json!({ "__type": "LimitExceededException" }));
            }
            Service::Ssm | Service::Other => "ThrottlingException",
        };
        Answer::error(400, json!({ "__type": code, "message": "Rate exceeded" }))
    }

    /// The row is not as the write requires.
    pub(crate) fn condition_failed(&self) -> Answer {
        let code = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
        Answer::error(400, json!({ "__type": code, "message": "failed" }))
    }

    /// Another transaction writes the same row.
    pub(crate) fn conflict(&self) -> Answer {
        if self.operation != "TransactWriteItems" {
            let code = "com.amazonaws.dynamodb.v20120810#TransactionConflictException";
            return Answer::error(400, json!({ "__type": code, "message": "conflict" }));
        }
        let items = self.request["TransactItems"].as_array().map_or(0, Vec::len);
        let reason = |index| {
            let code = if index == 0 { "TransactionConflict" } else { "None" };
            json!({ "Code": code })
        };
        let reasons: Vec<Value> = (0..items).map(reason).collect();
        Answer::error(
            400,
            json!({
                "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                "message": "Transaction cancelled", "CancellationReasons": reasons,
            }),
        )
    }
}

impl Answer {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: 200, body, query_error: None }
    }

    /// Keeps some of the rows of a query, and takes those after them from a later answer.
    pub(crate) fn read_on_in(&mut self, later: Self, random: &mut Rng) {
        let rows = |answer: &Self| answer.body["Items"].as_array().cloned().unwrap_or_default();
        let (mut read, later_rows) = (rows(self), rows(&later));
        let is_whole = |answer: &Self| answer.body["LastEvaluatedKey"].is_null();
        if read.is_empty() || !is_whole(self) || !is_whole(&later) {
            return;
        }
        read.truncate(random.usize(..=read.len()));
        // Both are in key order, which a descending query reverses.
        let last = read.last().cloned().unwrap_or_default();
        // The rows of an index have one sort key, those of a table one partition key.
        let is_read = |row: &Value| row["pk"] == last["pk"] && row["sk"] == last["sk"];
        let rest = match later_rows.iter().position(is_read) {
            Some(place) => &later_rows[place + 1..],
            None if read.is_empty() => &later_rows[..],
            // The last row is gone: what follows is not known.
            None => return,
        };
        read.extend_from_slice(rest);
        self.body["Count"] = read.len().into();
        self.body["ScannedCount"] = read.len().into();
        self.body["Items"] = read.into();
    }

    fn error(status: u16, body: Value) -> Self {
        Self { status, body, query_error: None }
    }
}

impl From<doubles::dynamodb::Failure> for Answer {
    fn from(failure: doubles::dynamodb::Failure) -> Self {
        Self::error(failure.status, failure.body())
    }
}

impl From<doubles::failure::Failure> for Answer {
    fn from(failure: doubles::failure::Failure) -> Self {
        let body = failure.body();
        Self {
            query_error: failure.query_error,
            ..Self::error(doubles::failure::Failure::STATUS, body)
        }
    }
}

impl State {
    /// Carries out a call of a sandbox.
    pub(crate) fn execute(&mut self, sandbox: SandboxId, call: &Call) -> Answer {
        match self.bug {
            Some(bug) => self.execute_buggy(bug, sandbox, call),
            None => self.serve(sandbox, call),
        }
    }

    /// Carries out a call, as it arrives at the service.
    pub(crate) fn serve(&mut self, sandbox: SandboxId, call: &Call) -> Answer {
        self.check_permissions(sandbox, call);
        let now = self.now();
        self.record_claim(sandbox, call);
        let result = match call.service {
            Service::DynamoDb => {
                let lag = self.lag();
                let result = self.dynamodb.call(&call.operation, &call.request, now, lag);
                let result = result.map(|answer| self.withhold_rows(call, answer));
                result.map_err(|failure| {
                    if failure.is_not_modelled() {
                        self.ledger.violation(failure.message.clone());
                    }
                    Answer::from(failure)
                })
            }
            Service::Sqs => self.execute_sqs(sandbox, call, now),
            Service::Ssm => {
                let result = self.ssm.call(&call.operation, &call.request, now, &mut self.random);
                if result.is_err() {
                    // Over the rate limit.
                    self.sandbox_mut(sandbox).trouble();
                }
                result.map_err(Answer::from)
            }
            Service::Sockets => self.execute_sockets(sandbox, call, now),
            Service::Other => {
                Err(Answer::error(400, json!({ "__type": "UnknownOperationException" })))
            }
        };
        result.map_or_else(|error| error, Answer::ok)
    }

    fn execute_sqs(&mut self, sandbox: SandboxId, call: &Call, now: u64) -> Result<Value, Answer> {
        let chances = doubles::sqs::Chances::default();
        let (mut request, refused) = self.refuse_entries(call);
        self.write_as_other_release(&mut request);
        let mut answer =
            self.sqs.call(&call.operation, &request, now, &chances, &mut self.random)?;
        if let Some(failed) = answer["Failed"].as_array_mut() {
            failed.extend(refused);
        } else if !refused.is_empty() {
            answer["Failed"] = refused.into();
        }
        self.check_groups(call.queue(), &request);
        self.record_deliveries(sandbox, &request);
        self.record_polling(sandbox, call.queue(), &request);
        self.record_send_results(call.queue(), &request);
        self.announce(call.queue());
        Ok(answer)
    }

    /// Takes entries that SQS refuses out of a batch. Returns the rest, and the refusals.
    fn refuse_entries(&mut self, call: &Call) -> (Value, Vec<Value>) {
        let mut request = call.request.clone();
        let chance = self.faults.refuse_entry;
        let mut refused = Vec::new();
        if let Some(entries) = request["Entries"].as_array_mut().filter(|it| it.len() > 1) {
            entries.retain(|entry| {
                let refuses = self.strikes("refuse_entry", chance);
                if refuses {
                    refused.push(json!({
                        "Id": entry["Id"], "SenderFault": false, "Code": "InternalError",
                    }));
                }
                !refuses
            });
            if entries.is_empty() {
                return (call.request.clone(), Vec::new());
            }
        }
        (request, refused)
    }

    /// Every delivery that is queued has to end.
    fn record_deliveries(&mut self, sandbox: SandboxId, request: &Value) {
        let (now, is_triggered) = (self.now(), self.sandbox(sandbox).function == "ops");
        let is_swept = self.sandbox(sandbox).function == "sweep";
        let entries = request["Entries"].as_array().into_iter().flatten();
        let bodies = entries.chain([request]).filter_map(|it| it["MessageBody"].as_str());
        let deliveries = bodies.filter_map(domain::webhooks::delivery::Delivery::from_message);
        for delivery in deliveries {
            if is_swept {
                self.record_swept(&delivery);
            }
            // Without a body: a message of a delivery that has a row.
            if !delivery.body.is_empty() {
                self.ledger.delivery(delivery, is_triggered, now);
            }
        }
    }

    /// DynamoDB does not read every row that a batch asks for.
    fn withhold_rows(&mut self, call: &Call, mut answer: Value) -> Value {
        let tables = call.request["RequestItems"].as_object().into_iter().flatten();
        for (table, asked) in tables.filter(|_| call.operation == "BatchGetItem") {
            let keys = asked["Keys"].as_array().map(Vec::as_slice).unwrap_or_default();
            let rows = answer["Responses"][table].as_array_mut();
            let (Some(rows), chance) = (rows, self.faults.refuse_entry) else { continue };
            if keys.len() < 2 || !self.strikes("refuse_entry", chance) {
                continue;
            }
            let withheld = &keys[self.random.usize(..keys.len())];
            // A projection may leave the keys out.
            if let Some(index) = rows.iter().position(|row| has_key(row, withheld)) {
                rows.remove(index);
                let mut rest = asked.clone();
                rest["Keys"] = json!([withheld]);
                answer["UnprocessedKeys"][table] = rest;
            }
        }
        answer
    }

    /// The time until a write is visible to indexes.
    fn lag(&mut self) -> u64 {
        let chance = self.faults.stale_reads;
        if self.strikes("stale_reads", chance) { self.random.u64(1..3000) } else { 0 }
    }

    /// A call that its role does not allow is a finding.
    fn check_permissions(&mut self, sandbox: SandboxId, call: &Call) {
        let service = match call.service {
            Service::DynamoDb => "dynamodb",
            Service::Sqs => "sqs",
            Service::Ssm => "ssm",
            Service::Sockets => "sockets",
            Service::Other => "other",
        };
        let function = self.sandbox(sandbox).function.clone();
        let topology = std::sync::Arc::clone(&self.topology);
        let Some(policy) = topology.function(&function).map(|function| &function.policy) else {
            return;
        };
        for (action, resource) in doubles::iam::calls(service, &call.operation, &call.request) {
            if !policy.allows(&action, &resource) {
                self.ledger.violation(format!("{function} may not {action} on {resource}"));
            }
        }
    }
}

fn has_key(row: &Value, key: &Value) -> bool {
    key.as_object().into_iter().flatten().all(|(name, value)| row[name] == *value)
}

impl fmt::Display for Call {
    /// Operation and target, without content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation)?;
        match self.service {
            Service::DynamoDb => crate::describe::dynamodb(f, &self.operation, &self.request),
            Service::Sqs => crate::describe::sqs(f, self.queue(), &self.request),
            Service::Sockets => write!(f, " {}", self.request["connection"]),
            Service::Ssm | Service::Other => crate::describe::ssm(f, &self.request),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.body["__type"].as_str().and_then(|code| code.rsplit('#').next());
        if self.status != 200 {
            return write!(f, "{}", code.unwrap_or("error"));
        }
        let failed = self.body["Failed"].as_array().map_or(0, Vec::len);
        match (self.body["Items"].as_array(), self.body.get("Item")) {
            _ if failed > 0 => write!(f, "{failed} entries refused"),
            (Some(items), _) => write!(f, "{} rows", items.len()),
            (None, Some(_)) => write!(f, "a row"),
            _ => write!(f, "ok"),
        }
    }
}

fn is_further_shard(value: &Value) -> bool {
    value["S"].as_str().and_then(|text| text.parse().ok()).is_some_and(|shard: u64| shard > 0)
}
