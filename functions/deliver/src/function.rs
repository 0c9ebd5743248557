//! The function as Lambda invokes it.

use aws::client::Clients;
use aws::clock::now;
use aws::env::{BadEnvironment, Environment};
use aws::lambda::Invocation;
use aws::lambda::sqs_batch::Worker;
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::counters::Counters;
use aws::tables::deliveries::Deliveries;
use aws::tables::endpoint_health::EndpointHealth;
use aws::tables::messages::Messages;
use aws::tables::orders::Orders;
use aws::tables::send_limits::SendLimits;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use domain::core::timestamp::Timestamp;
use egress::Http;
use lambda_runtime::LambdaEvent;

use crate::{Deliver, HEALTH_TTL, HealthMonitor, MessageSender};

pub struct Function {
    deliver: Deliver,
    worker: Worker,
    counters: Counters,
}

impl Function {
    pub fn from_environment(
        clients: &Clients,
        environment: &Environment,
        http: Http,
    ) -> Result<Self, BadEnvironment> {
        let sqs = clients.sqs();
        let queue = |name| environment.variable(name).map(|url| Queue::new(sqs.clone(), url));
        let worker = Worker {
            queue: queue("DELIVERIES_QUEUE_URL")?,
            dead_letters: queue("DELIVERIES_DLQ_URL")?,
        };
        let slow_lane = environment.optional("SLOW_DELIVERIES_QUEUE_URL");
        let slow_lane = slow_lane.map(|url| Queue::new(sqs.clone(), url));
        let state = environment.variable("STATE_TABLE")?;
        let counters = Counters::new(clients.dynamodb(), state.clone());
        let settings = Settings::from_environment(clients.ssm(), environment)?;
        let results = environment.optional("EVENTS_QUEUE_URL");
        let messages = environment.optional("MESSAGES_TABLE");
        let orders = environment.optional("ORDERS_TABLE");
        let sender = results.zip(messages).zip(orders).map(|((results, messages), orders)| {
            let results = Queue::new(sqs.clone(), results);
            let limits = SendLimits::new(clients.dynamodb(), state.clone());
            let messages = Messages::new(clients.dynamodb(), messages);
            let orders = Orders::new(clients.dynamodb(), orders);
            MessageSender::new(results, limits, messages, orders, settings.clone())
        });
        let health = EndpointHealth::new(clients.dynamodb(), state);
        let deliver = Deliver::new(
            Deliveries::new(clients.dynamodb(), environment.variable("DELIVERIES_TABLE")?),
            HealthMonitor::new(health, HEALTH_TTL),
            worker.dead_letters.clone(),
            slow_lane,
            sender,
            settings,
            http,
        );
        Ok(Self { deliver, worker, counters })
    }

    /// Never fails; the runtime requires the type.
    pub fn invoke(&self, event: LambdaEvent<SqsEvent>) -> Invocation<'_, SqsBatchResponse> {
        Box::pin(async move {
            let deadline = Timestamp::from_system(event.context.deadline());
            let handle = async |message: &str| self.deliver.handle(message, deadline).await;
            let response = self.worker.run(event.payload, handle).await;
            self.deliver.report(&self.counters, now()).await;
            Ok(response)
        })
    }
}
