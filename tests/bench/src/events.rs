//! Events of each function, made by the functions before it.

use serde_json::{Value, json};

use crate::Error;
use crate::installation::Installation;
use crate::installation::requests::{
    self, STEPS, creation, message, page, polled_creation, socket, ticket, webhook,
};
use crate::sandbox::Sandbox;

/// Orders that one request of the carrier asks about.
const POLLED: u64 = 50;

/// Two events of a function, of the same kind, in an empty account. `name` is the function's, or
/// says which of its events.
pub(crate) fn pair(installation: &Installation, name: &str) -> Result<[Value; 2], Error> {
    installation.account.reset();
    let made = Made { installation };
    match name {
        "inbound" => {
            made.orders(2)?;
            Ok([0, 1].map(|order| webhook(order, STEPS[1])))
        }
        "messages" => {
            made.orders(2)?;
            Ok([0, 1].map(message))
        }
        "messages to deliver" => {
            made.send_messages()?;
            made.queued("deliver")
        }
        "results of messages" => {
            made.send_messages()?;
            made.drain("deliver")?;
            made.queued("process")
        }
        "process" => {
            made.picked_up(2)?;
            made.run("inbound", (0..2).map(|order| webhook(order, STEPS[1])))?;
            made.queued("process")
        }
        "deliver" => {
            made.picked_up(2)?;
            made.run("inbound", (0..2).map(|order| webhook(order, STEPS[1])))?;
            made.drain("process")?;
            made.queued("deliver")
        }
        "track" => {
            made.picked_up(2)?;
            Ok([page(0)?, page(1)?])
        }
        "ops" => {
            made.picked_up(2)?;
            Ok([requests::log(), requests::log()])
        }
        "sweep" => Ok([json!({}), json!({})]),
        "sync" => {
            made.polled_orders()?;
            Ok([json!({ "kind": "hourly" }), json!({ "kind": "hourly" })])
        }
        "poll" => {
            made.polled_orders()?;
            made.plan_runs()?;
            made.queued("poll")
        }
        "polls without news" => {
            made.polled_orders()?;
            made.plan_runs()?;
            made.drain("poll")?;
            made.drain("process")?;
            made.plan_runs()?;
            made.queued("poll")
        }
        "tester" => Ok([requests::test(), requests::test()]),
        "realtime" => {
            made.orders(2)?;
            Ok([0, 1].map(ticket))
        }
        "push" => {
            made.picked_up(2)?;
            (0..2).try_for_each(|order| made.watch(order))?;
            made.run("inbound", (0..2).map(|order| webhook(order, STEPS[1])))?;
            made.drain("process")?;
            made.queued("push")
        }
        "orders" | "bare-http" => Ok([0, 1].map(creation)),
        _ => Ok([json!({}), json!({})]),
    }
}

/// Creates orders that have had their first webhook.
pub(crate) fn pick_up(installation: &Installation, count: u64) -> Result<(), Error> {
    Made { installation }.picked_up(count)
}

/// So many changes of these orders, up to the queue of `deliver`. Each order can change three times
/// after its first webhook.
pub(crate) fn changes(installation: &Installation, orders: u64, count: u64) -> Result<(), Error> {
    let made = Made { installation };
    made.picked_up(orders)?;
    let webhooks = (0..count).filter_map(|number| {
        let step = STEPS.get(1 + usize::try_from(number / orders).ok()?)?;
        Some(webhook(number % orders, *step))
    });
    made.run("inbound", webhooks)?;
    made.drain("process")
}

/// Events of a function, in an empty account.
pub(crate) fn several(
    installation: &Installation,
    name: &str,
    count: u64,
) -> Result<Vec<Value>, Error> {
    installation.account.reset();
    let made = Made { installation };
    made.picked_up(count)?;
    let webhooks = (0..count).map(|order| webhook(order, STEPS[1]));
    if name == "inbound" {
        return Ok(webhooks.collect());
    }
    made.run("inbound", webhooks)?;
    if name == "deliver" {
        made.drain("process")?;
    }
    (0..count).map(|_| made.next(name)).collect()
}

struct Made<'a> {
    installation: &'a Installation,
}

impl Made<'_> {
    fn run(&self, name: &str, events: impl Iterator<Item = Value>) -> Result<(), Error> {
        let sandbox = self.installation.warm(name)?;
        for event in events {
            sandbox.invoke(event)?;
        }
        Ok(())
    }

    fn orders(&self, count: u64) -> Result<(), Error> {
        self.run("orders", (0..count).map(creation))?;
        self.drain("process")
    }

    /// Orders that have had their first webhook, which costs more than the next ones.
    fn picked_up(&self, count: u64) -> Result<(), Error> {
        self.orders(count)?;
        self.run("inbound", (0..count).map(|order| webhook(order, STEPS[0])))?;
        self.drain("process")?;
        self.drain("deliver")
    }

    fn send_messages(&self) -> Result<(), Error> {
        self.orders(2)?;
        self.run("messages", (0..2).map(message))
    }

    fn polled_orders(&self) -> Result<(), Error> {
        self.run("orders", (0..POLLED).map(polled_creation))
    }

    /// Plans two runs, of one batch each.
    fn plan_runs(&self) -> Result<(), Error> {
        let sandbox = self.installation.warm("sync")?;
        for _ in 0..2 {
            sandbox.invoke(json!({}))?;
            self.work("sync", &sandbox)?;
        }
        Ok(())
    }

    /// Opens a socket that shows an order.
    fn watch(&self, order: u64) -> Result<(), Error> {
        let sandbox = self.installation.warm("realtime")?;
        let answer = sandbox.invoke(ticket(order))?.body;
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap_or_default())?;
        let ticket = body["ticket"].as_str().ok_or("no ticket")?;
        let connection = self.installation.account.open_socket();
        sandbox.invoke(socket(&connection, "CONNECT", ticket, ""))?;
        sandbox.invoke(socket(&connection, "MESSAGE", "", r#"{"type":"register"}"#))?;
        Ok(())
    }

    /// Has a function work on all messages of its queue.
    fn drain(&self, name: &str) -> Result<(), Error> {
        self.work(name, &self.installation.warm(name)?)
    }

    fn work(&self, name: &str, sandbox: &Sandbox) -> Result<(), Error> {
        let (account, queue) = (&self.installation.account, self.installation.queue(name)?);
        let batch = account.function(name)?.queues.first().map_or(1, |queue| queue.batch_size);
        loop {
            let records = account.take(queue, batch);
            if records.is_empty() {
                return Ok(());
            }
            sandbox.invoke(json!({ "Records": records }))?;
        }
    }

    /// The next two messages of a function's queue, as events.
    fn queued(&self, name: &str) -> Result<[Value; 2], Error> {
        Ok([self.next(name)?, self.next(name)?])
    }

    fn next(&self, name: &str) -> Result<Value, Error> {
        let queue = self.installation.queue(name)?;
        let records = self.installation.account.take(queue, 1);
        if records.is_empty() {
            return Err(format!("no message in {queue}").into());
        }
        Ok(json!({ "Records": records }))
    }
}
