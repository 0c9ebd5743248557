//! The function as Lambda invokes it.

use std::time::Duration;

use aws::client::Clients;
use aws::clock::now;
use aws::env::{BadEnvironment, Environment};
use aws::lambda::Invocation;
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::deliveries::Deliveries;
use aws::tables::endpoint_health::EndpointHealth;
use aws::tables::inbound::InboundLog;
use aws::tables::jobs::Jobs;
use aws::tables::orders::Orders;
use domain::core::timestamp::Timestamp;
use futures::future::join;
use lambda_runtime::LambdaEvent;
use serde_json::Value;

use crate::deliveries::DueDeliveries;
use crate::events::PendingEvents;
use crate::expired::ExpiredOrders;
use crate::parked::ParkedDeliveries;
use crate::redrives::Redrives;

/// Time left for the current batch when the function must not start another.
const RESERVE: Duration = Duration::from_secs(10);

pub struct Function {
    events: PendingEvents,
    deliveries: DueDeliveries,
    parked: ParkedDeliveries,
    expired: ExpiredOrders,
    redrives: Redrives,
}

impl Function {
    pub fn from_environment(
        clients: &Clients,
        environment: &Environment,
    ) -> Result<Self, BadEnvironment> {
        let events = InboundLog::new(clients.dynamodb(), environment.variable("INBOUND_TABLE")?);
        let deliveries =
            Deliveries::new(clients.dynamodb(), environment.variable("DELIVERIES_TABLE")?);
        let queue = |name| environment.variable(name).map(|url| Queue::new(clients.sqs(), url));
        let state = environment.variable("STATE_TABLE")?;
        let health = EndpointHealth::new(clients.dynamodb(), state.clone());
        let jobs = Jobs::new(clients.dynamodb(), state);
        let deliveries_queue = queue("DELIVERIES_QUEUE_URL")?;
        let orders = Orders::new(clients.dynamodb(), environment.variable("ORDERS_TABLE")?)
            .with_retention(environment)?;
        Ok(Self {
            expired: ExpiredOrders::new(orders, events.clone()),
            redrives: Redrives::new(jobs, deliveries.clone(), events.clone()),
            events: PendingEvents::new(events, queue("EVENTS_QUEUE_URL")?),
            deliveries: DueDeliveries::new(deliveries.clone(), deliveries_queue.clone()),
            parked: ParkedDeliveries::new(
                health,
                deliveries,
                deliveries_queue,
                Settings::from_environment(clients.ssm(), environment)?,
            ),
        })
    }

    pub fn invoke(&self, event: LambdaEvent<Value>) -> Invocation<'_, ()> {
        Box::pin(async move {
            let deadline = Timestamp::from_system(event.context.deadline() - RESERVE);
            let now = now();
            // Due deliveries come first: parked ones can wait.
            let (events, deliveries) =
                join(self.events.run(now, deadline), self.deliveries.run(now, deadline)).await;
            let parked = self.parked.run(now, deadline).await;
            let overdue = self.events.check_overdue(now, deadline).await;
            let expired = self.expired.run(now, deadline).await;
            // Redrives come last: what they restart is only due in a minute.
            let redrives = self.redrives.run(now, deadline).await;
            Ok(events.and(deliveries).and(parked).and(overdue).and(expired).and(redrives)?)
        })
    }
}
