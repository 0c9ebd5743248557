//! Requests that a bug makes differently.

use domain::webhooks::delivery::Delivery;
use serde_json::Value;

use super::Bug;
use super::edits::{
    change_number, drop_absence, drop_comparison, drop_condition, drop_existence, writes,
};
use super::effects::is_commit;
use crate::call::Call;

/// The request as the buggy function makes it.
pub(super) fn rewrite(bug: Bug, function: &str, call: &mut Call, now: u64) {
    match (bug, function, call.operation.as_str()) {
        (Bug::OutcomeWithoutOwner, "deliver", "UpdateItem") => {
            drop_comparison(&mut call.request, "owner", "=");
        }
        (Bug::ClaimIgnoresLease, "deliver", "UpdateItem") => {
            drop_comparison(&mut call.request, "lease_until", "<=");
        }
        (Bug::ClaimIgnoresSchedule, "deliver", "UpdateItem") => {
            drop_comparison(&mut call.request, "next_attempt_at", "<=");
        }
        (Bug::MessageResentAfterLease, "deliver", "UpdateItem") => {
            drop_absence(&mut call.request, "owner");
        }
        (Bug::LeaseInSeconds, "deliver", "UpdateItem") => {
            change_number(&mut call.request, "lease_until", |ms| ms / 1000);
        }
        (Bug::CommitIgnoresRev, "process", _) | (Bug::PatchIgnoresRev, "orders", _)
            if is_commit(call) =>
        {
            writes(call).into_iter().for_each(|write| drop_comparison(write, "rev", "="));
        }
        (Bug::NameTakenOver, "orders" | "process", "TransactWriteItems") => {
            let claims = writes(call).into_iter().filter(|it| it["Item"]["sk"]["S"] == "order");
            claims.for_each(drop_condition);
        }
        (Bug::TouchUpserts, "process", "UpdateItem") => {
            let key = &call.request["Key"]["pk"]["S"];
            if key.as_str().is_some_and(|pk| pk.starts_with("active:")) {
                drop_existence(&mut call.request);
            }
        }
        (Bug::KeysWithoutTenant, "orders" | "process", _) => {
            let request = call.request.to_string().replace("8:STORE002:", "8:STORE001:");
            call.request = serde_json::from_str(&request).unwrap_or_default();
        }
        (Bug::RunOpenedTwice, "sync", "PutItem") => drop_condition(&mut call.request),
        (
            Bug::MessageStatusOverwritten,
            "process" | "messages",
            "PutItem" | "TransactWriteItems",
        ) => drop_rev_of_messages(call),
        (Bug::MessageCountedWithoutRev, "process" | "messages", "TransactWriteItems") => {
            drop_rev_of_counted(call);
        }
        (Bug::BatchCountedTwice, "poll", "TransactWriteItems") => {
            writes(call).into_iter().for_each(drop_condition);
        }
        (Bug::StaleLookup, "process", "GetItem") => call.request["ConsistentRead"] = false.into(),
        (Bug::NoReconciliation, "orders", "TransactWriteItems") => {
            if let Some(items) = call.request["TransactItems"].as_array_mut() {
                items.retain(|item| item["Put"]["TableName"] != "InboundTable");
            }
        }
        (Bug::ExpiryInMilliseconds, "process" | "deliver" | "inbound", _) => {
            let writes = writes(call).into_iter();
            writes.for_each(|write| change_number(write, "ttl", |seconds| seconds * 1000));
        }
        (Bug::ScopeWidened, "realtime", "PutItem") => widen_scope(&mut call.request),
        (Bug::DailyCapIgnored, "process", "TransactWriteItems" | "BatchGetItem") => {
            ignore_cap(call);
        }
        (Bug::RuleCheckedTwice, "process", "TransactWriteItems" | "BatchGetItem") => {
            forget_checks(call);
        }
        (_, "process", "SendMessageBatch") if call.queue() == "DeliveriesQueue" => {
            rewrite_deliveries(bug, call, now);
        }
        _ => {}
    }
}

/// A socket of one order registers for the account of the order.
fn widen_scope(put: &mut Value) {
    let pk = put["Item"]["pk"]["S"].as_str().and_then(|pk| pk.strip_prefix("order:"));
    // The length of the account, the account, the order.
    let account = pk.and_then(|pk| Some(pk.rsplit_once(':')?.0.to_owned()));
    if let Some(account) = account {
        put["Item"]["pk"]["S"] = format!("account:{account}").into();
    }
}

fn ignore_cap(call: &mut Call) {
    let is_of_day = |key: &Value| key["sk"]["S"].as_str().is_some_and(|sk| sk.starts_with("sent:"));
    let keys = keys_of_batch(call);
    for key in keys.into_iter().flatten().filter(|key| is_of_day(key)) {
        key["sk"]["S"] = "none".into();
    }
    writes(call).into_iter().filter(|write| is_of_day(&write["Key"])).for_each(drop_condition);
}

fn keys_of_batch(call: &mut Call) -> Option<&mut Vec<Value>> {
    call.request.pointer_mut("/RequestItems/MessagesTable/Keys")?.as_array_mut()
}

/// A check does not find what an earlier one made, and writes it again.
fn forget_checks(call: &mut Call) {
    let is_of_rule =
        |key: &Value| key["sk"]["S"].as_str().is_some_and(|sk| sk.starts_with("id:wa_"));
    let keys = keys_of_batch(call);
    for key in keys.into_iter().flatten().filter(|key| is_of_rule(key)) {
        key["sk"]["S"] = "none".into();
    }
    let mut writes = writes(call);
    if writes.iter().any(|write| is_of_rule(&write["Item"])) {
        writes.iter_mut().for_each(|write| {
            if write.get("Item").is_some() {
                drop_condition(write);
            }
        });
    }
}

fn drop_rev_of_messages(call: &mut Call) {
    let messages = writes(call).into_iter().filter(|it| it["Item"]["sk"]["S"] == "track");
    messages.for_each(drop_condition);
}

fn drop_rev_of_counted(call: &mut Call) {
    if writes(call).iter().any(|write| is_of_figures(write)) {
        drop_rev_of_messages(call);
    }
}

fn is_of_figures(write: &Value) -> bool {
    write["Key"]["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("stats:"))
}

fn rewrite_deliveries(bug: Bug, call: &mut Call, now: u64) {
    let Some(entries) = call.request["Entries"].as_array_mut() else { return };
    for (index, entry) in entries.iter_mut().enumerate() {
        rewrite_delivery(entry, |delivery| match bug {
            Bug::FreshDeliveryId => delivery.id = format!("{}x{now}", delivery.id),
            Bug::DeliveryIdByNumber => {
                let order = delivery.order_id.as_ref().map_or("many", |id| id.as_str());
                delivery.id = format!("msg_{:?}_{order}_{index}", delivery.account);
            }
            _ => {}
        });
    }
}

fn rewrite_delivery(entry: &mut Value, change: impl FnOnce(&mut Delivery)) {
    let body = entry["MessageBody"].as_str().unwrap_or_default();
    if let Some(mut delivery) = Delivery::from_message(body) {
        change(&mut delivery);
        entry["MessageBody"] = delivery.to_message().into();
    }
}
