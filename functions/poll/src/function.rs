//! The function as Lambda invokes it.

use aws::client::Clients;
use aws::env::{BadEnvironment, Environment};
use aws::lambda::Invocation;
use aws::lambda::sqs_batch::Worker;
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::orders::Orders;
use aws::tables::runs::Runs;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use domain::core::timestamp::Timestamp;
use egress::Http;
use lambda_runtime::LambdaEvent;

use crate::Poll;

pub struct Function {
    poll: Poll,
    worker: Worker,
}

impl Function {
    pub fn from_environment(
        clients: &Clients,
        environment: &Environment,
        http: Http,
    ) -> Result<Self, BadEnvironment> {
        let (dynamodb, sqs) = (clients.dynamodb(), clients.sqs());
        let queue = |name| environment.variable(name).map(|url| Queue::new(sqs.clone(), url));
        let worker = Worker {
            queue: queue("BATCHES_QUEUE_URL")?.with_long_retry_waits(),
            dead_letters: queue("BATCHES_DLQ_URL")?,
        };
        let poll = Poll::new(
            Runs::new(dynamodb.clone(), environment.variable("STATE_TABLE")?),
            Orders::new(dynamodb, environment.variable("ORDERS_TABLE")?),
            queue("EVENTS_QUEUE_URL")?,
            Settings::from_environment(clients.ssm(), environment)?,
            http,
        );
        Ok(Self { poll, worker })
    }

    /// Never fails; the runtime requires the type.
    pub fn invoke(&self, event: LambdaEvent<SqsEvent>) -> Invocation<'_, SqsBatchResponse> {
        Box::pin(async move {
            let deadline = Timestamp::from_system(event.context.deadline());
            let handle = async |message: &str| self.poll.handle(message, deadline).await;
            let set_aside =
                async |message: &str, reason| self.poll.record_dead_letter(message, reason).await;
            Ok(self.worker.run_with(event.payload, handle, set_aside).await)
        })
    }
}
