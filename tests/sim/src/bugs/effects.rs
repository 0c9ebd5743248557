//! Calls whose effect comes too late, or never, and answers that a bug misreads.

use serde_json::{Value, json};

use super::{Bug, calls};
use crate::call::{Answer, Call, Service};
use crate::sandbox::SandboxId;
use crate::world::State;

const TRANSACTION: &str = "TransactWriteItems";

/// A mistake of the bug itself, which no function could make for long.
pub(super) const INVALID: &str = "the bug makes an invalid request";

/// When a call has its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Now,
    /// After the call of the sandbox that it should have preceded, unless the sandbox dies.
    Held,
    Never,
}

impl State {
    /// Carries out a call as the buggy function makes it.
    pub(crate) fn execute_buggy(&mut self, bug: Bug, sandbox: SandboxId, call: &Call) -> Answer {
        let function = self.sandbox(sandbox).function.clone();
        let mut call = call.clone();
        calls::rewrite(bug, &function, &mut call, self.now());
        match effect(bug, &function, &call) {
            Effect::Now => {}
            Effect::Never => return success(&call),
            Effect::Held => {
                let answer = success(&call);
                self.bug_memory.held.push((sandbox, call));
                return answer;
            }
        }
        if bug == Bug::NoTransaction && function == "process" && call.operation == TRANSACTION {
            call = self.without_transaction(sandbox, call);
        }
        if bug == Bug::TicketOpensTwice && is_of_ticket(&call) {
            return self.look_at_ticket(sandbox, call);
        }
        if bug == Bug::ParkedWithoutSecondLook && self.is_second_look(sandbox, &function, &call) {
            return Answer::ok(json!({}));
        }
        let mut answer = self.serve(sandbox, &call);
        if answer.body["__type"].as_str().is_some_and(|it| it.ends_with("ValidationException")) {
            self.ledger.violation(INVALID.to_owned());
        }
        misread(bug, &function, &call, &mut answer);
        answer
    }

    /// Carries out what a sandbox should have done before this call.
    pub(crate) fn release(&mut self, sandbox: SandboxId, call: &Call) {
        let Some(bug) = self.bug else { return };
        if self.sandbox(sandbox).is_dead || !releases(bug, call) {
            return;
        }
        let held = std::mem::take(&mut self.bug_memory.held);
        let (due, rest) = held.into_iter().partition(|(holder, _)| *holder == sandbox);
        self.bug_memory.held = rest;
        let due: Vec<(SandboxId, Call)> = due;
        for (_, call) in due {
            let name = self.sandbox(sandbox).name.clone();
            if forgets_on_error(bug) && self.fails(sandbox, &call) {
                self.tell(&name, || format!("{call} FAILS, TOO LATE"));
                continue;
            }
            let answer = self.serve(sandbox, &call);
            self.tell(&name, || format!("{call} -> {answer}, TOO LATE"));
        }
    }

    /// Reads a ticket, and leaves it where it is.
    fn look_at_ticket(&mut self, sandbox: SandboxId, mut call: Call) -> Answer {
        call.operation = "GetItem".to_owned();
        let (table, key) = (&call.request["TableName"], &call.request["Key"]);
        call.request = json!({ "TableName": table, "Key": key, "ConsistentRead": true });
        let now = self.now();
        let read = self.dynamodb.call(&call.operation, &call.request, now, 0);
        match read {
            Ok(row) if row["Item"].is_null() => call.condition_failed(),
            Ok(row) => Answer::ok(json!({ "Attributes": row["Item"] })),
            Err(_) => self.serve(sandbox, &call),
        }
    }

    /// The first write of a transaction. The others follow.
    fn without_transaction(&mut self, sandbox: SandboxId, mut call: Call) -> Call {
        let Some(items) = call.request["TransactItems"].as_array_mut() else { return call };
        let rest = items.split_off(1.min(items.len()));
        if !rest.is_empty() {
            let mut later = call.clone();
            later.request["TransactItems"] = rest.into();
            later.request["ClientRequestToken"] = format!("{}", self.now()).into();
            self.bug_memory.held.push((sandbox, later));
        }
        call
    }

    /// The lookup that follows the parking of a report. Keeps what is parked in mind.
    fn is_second_look(&mut self, sandbox: SandboxId, function: &str, call: &Call) -> bool {
        if function != "process" {
            return false;
        }
        let parked = self.bug_memory.parked.entry(sandbox).or_default();
        match call.operation.as_str() {
            TRANSACTION => parked.extend(parked_names(call)),
            "GetItem" => {
                let pk = call.request["Key"]["pk"]["S"].as_str().unwrap_or_default();
                // An order's id is looked up as the order.
                let name = pk.replacen("order:", "ref:", 1);
                return parked.iter().any(|it| *it == name || it.replace(":order:", ":") == name);
            }
            "UpdateItem" => parked.clear(),
            _ => {}
        }
        false
    }
}

fn is_of_ticket(call: &Call) -> bool {
    let pk = call.request["Key"]["pk"]["S"].as_str();
    call.operation == "DeleteItem" && pk.is_some_and(|pk| pk.starts_with("ticket:"))
}

/// The names that a transaction parks a report under.
fn parked_names(call: &Call) -> Vec<String> {
    let items = call.request["TransactItems"].as_array().into_iter().flatten();
    let parked = items
        .map(|item| &item["Put"]["Item"])
        .filter(|row| row["sk"]["S"].as_str().is_some_and(|sk| sk.starts_with("wait:")));
    parked.filter_map(|row| Some(row["pk"]["S"].as_str()?.to_owned())).collect()
}

/// A transaction, or the write of an order's state alone.
pub(super) fn is_commit(call: &Call) -> bool {
    call.operation == TRANSACTION
        || call.operation == "UpdateItem"
            && call.request["TableName"] == "OrdersTable"
            && call.request["Key"]["sk"]["S"] == "state"
            && call.request["UpdateExpression"].as_str().is_some_and(|it| it.contains("#rev ="))
}

fn effect(bug: Bug, function: &str, call: &Call) -> Effect {
    let (operation, queue) = (call.operation.as_str(), call.queue());
    let is_of_events = call.request["TableName"] == "InboundTable";
    match (bug, function, operation) {
        (Bug::AnnounceBeforeCommit | Bug::CheckedBeforeCommit, "process", _) if is_commit(call) => {
            Effect::Held
        }
        (Bug::MarkBeforeAnnounce, "process", "SendMessageBatch") => Effect::Held,
        (Bug::SweepMarksBeforeSend, "sweep", "SendMessageBatch") if queue == "EventsQueue" => {
            Effect::Held
        }
        (Bug::DueNotQueued, "sweep", "SendMessageBatch") if queue == "DeliveriesQueue" => {
            Effect::Never
        }
        (Bug::QueueBeforeStore, "inbound", "PutItem") => Effect::Held,
        (Bug::CursorBeforePage, "sync", "SendMessageBatch") if queue == "BatchesQueue" => {
            Effect::Held
        }
        (Bug::CountBeforeReports, "poll", "SendMessage") if queue == "EventsQueue" => Effect::Held,
        (Bug::ResultToldAfterRecord, "deliver", "SendMessage") if queue == "EventsQueue" => {
            Effect::Held
        }
        (Bug::UnknownNotSettled, "process", "UpdateItem")
            if call.request["TableName"] == "DeliveriesTable" =>
        {
            Effect::Never
        }
        (Bug::NoRetryWait, _, "ChangeMessageVisibility") => Effect::Never,
        (Bug::DeadBeforeLetter, "deliver", "SendMessage") if queue == "DeliveriesDlq" => {
            Effect::Held
        }
        (Bug::NoDeadLetter, "deliver", "SendMessage") if queue == "DeliveriesDlq" => Effect::Never,
        (Bug::GoneNotForgotten, "push", "DeleteItem") => Effect::Never,
        (Bug::NoPendingMark, "inbound" | "orders", "UpdateItem") if is_of_events => Effect::Never,
        _ => Effect::Now,
    }
}

/// Whether a call is the one that came too early.
fn releases(bug: Bug, call: &Call) -> bool {
    let is_of_events = call.request["TableName"] == "InboundTable";
    match (bug, call.operation.as_str()) {
        (Bug::AnnounceBeforeCommit, "SendMessageBatch") => true,
        (Bug::AnnounceBeforeCommit | Bug::MarkBeforeAnnounce, "UpdateItem")
        | (Bug::SweepMarksBeforeSend, "UpdateItem") => is_of_events,
        (Bug::CheckedBeforeCommit, "SendMessageBatch") => call.queue() == "EventsQueue",
        (Bug::CheckedBeforeCommit, "UpdateItem") => is_of_events,
        (Bug::NoTransaction | Bug::CountBeforeReports, TRANSACTION) => true,
        (Bug::ResultToldAfterRecord, "UpdateItem") => {
            call.request["TableName"] == "DeliveriesTable"
        }
        (Bug::CursorBeforePage, "UpdateItem") => true,
        (Bug::QueueBeforeStore, "SendMessage") | (Bug::DeadBeforeLetter, "UpdateItem") => true,
        _ => false,
    }
}

/// Whether nobody tries again if the late call fails: what came before it says that it was done.
fn forgets_on_error(bug: Bug) -> bool {
    !matches!(
        bug,
        Bug::AnnounceBeforeCommit
            | Bug::CheckedBeforeCommit
            | Bug::QueueBeforeStore
            | Bug::NoTransaction
    )
}

/// The answer of a call that had no effect.
fn success(call: &Call) -> Answer {
    let sent = |id: &Value| json!({ "Id": id, "MessageId": "m", "MD5OfMessageBody": "" });
    Answer::ok(match (call.service, call.request["Entries"].as_array()) {
        (Service::Sqs, Some(entries)) => {
            let entries: Vec<Value> = entries.iter().map(|entry| sent(&entry["Id"])).collect();
            json!({ "Successful": entries, "Failed": [] })
        }
        (Service::Sqs, None) => sent(&Value::Null),
        _ => json!({}),
    })
}

/// The answer as the buggy function takes it.
fn misread(bug: Bug, function: &str, call: &Call, answer: &mut Answer) {
    match (bug, function, call.operation.as_str()) {
        (Bug::FailedEntriesIgnored, _, "SendMessageBatch") => answer.body["Failed"] = json!([]),
        (Bug::FailedConditionIsSuccess, "process", _)
            if is_commit(call) && answer.status != 200 =>
        {
            *answer = Answer::ok(json!({}));
        }
        (Bug::RateIgnored, "poll", "GetParameters") => {
            for parameter in answer.body["Parameters"].as_array_mut().into_iter().flatten() {
                let value = parameter["Value"].as_str().unwrap_or_default();
                let mut settings: Value = serde_json::from_str(value).unwrap_or_default();
                if !settings["calls_per_second"].is_null() {
                    settings["calls_per_second"] = 50.into();
                    parameter["Value"] = settings.to_string().into();
                }
            }
        }
        (Bug::ForeignAccount, "process", "GetParametersByPath") => {
            for parameter in answer.body["Parameters"].as_array_mut().into_iter().flatten() {
                let value = parameter["Value"].as_str().unwrap_or_default();
                let mut settings: Value = serde_json::from_str(value).unwrap_or_default();
                if !settings["accounts"].is_null() {
                    settings["accounts"] = json!(["*"]);
                    parameter["Value"] = settings.to_string().into();
                }
            }
        }
        _ => {}
    }
}

/// What a function that ignores errors makes of a failed call.
pub(crate) fn ignore_error(
    bug: Option<Bug>,
    call: &Call,
    answer: Option<Answer>,
) -> Option<Answer> {
    let is_send = call.operation == "SendMessageBatch" && call.queue() == "DeliveriesQueue";
    let failed = answer.as_ref().is_none_or(|answer| answer.status != 200);
    if bug == Some(Bug::SendErrorIgnored) && is_send && failed {
        return Some(success(call));
    }
    answer
}
