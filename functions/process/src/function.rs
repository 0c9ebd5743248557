//! The function as Lambda invokes it.

use std::time::Duration;

use aws::client::Clients;
use aws::clock::now;
use aws::env::{BadEnvironment, Environment};
use aws::lambda::Invocation;
use aws::lambda::sqs_batch::Worker;
use aws::pusher::PusherPresence;
use aws::settings::{FAILURE_TTL, Settings};
use aws::sqs::Queue;
use aws::tables::connections::Connections;
use aws::tables::counters::Counters;
use aws::tables::deliveries::Deliveries;
use aws::tables::inbound::InboundLog;
use aws::tables::messages::Messages;
use aws::tables::orders::Orders;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use domain::core::timestamp::Timestamp;
use lambda_runtime::LambdaEvent;
use tokio::time::timeout;

use crate::{Live, Process, REMEMBERED};

/// Time left to return what was stopped to the queue.
const RETURNING: Duration = Duration::from_secs(10);
/// Time left for the report in work, the fan-out and the mark.
const FINISHING: Duration = Duration::from_secs(10);

/// Lambda gives a start ten seconds.
const LOADING: Duration = Duration::from_secs(2);

pub struct Function {
    process: Process,
    worker: Worker,
    counters: Counters,
}

impl Function {
    pub fn from_environment(
        clients: &Clients,
        environment: &Environment,
    ) -> Result<Self, BadEnvironment> {
        let (dynamodb, sqs) = (clients.dynamodb(), clients.sqs());
        let queue = |name| environment.variable(name).map(|url| Queue::new(sqs.clone(), url));
        let settings = Settings::from_environment(clients.ssm(), environment)?;
        let counters = Counters::new(dynamodb.clone(), environment.variable("STATE_TABLE")?);
        let process = Process::new(
            InboundLog::new(dynamodb.clone(), environment.variable("INBOUND_TABLE")?),
            queue("EVENTS_QUEUE_URL")?,
            Orders::new(dynamodb.clone(), environment.variable("ORDERS_TABLE")?)
                .with_retention(environment)?,
            Messages::new(dynamodb.clone(), environment.variable("MESSAGES_TABLE")?),
            queue("DELIVERIES_QUEUE_URL")?,
            Deliveries::new(dynamodb, environment.variable("DELIVERIES_TABLE")?),
            settings.clone(),
        );
        // Empty in a stage without live updates.
        let live = match environment.optional("LIVE_QUEUE_URL") {
            Some(url) => {
                let table = environment.variable("CONNECTIONS_TABLE")?;
                let connections = Connections::new(clients.dynamodb(), table);
                let live = Live::new(Queue::new(sqs.clone(), url), connections, REMEMBERED);
                Some(live.with_pusher(PusherPresence::new(settings)))
            }
            None => None,
        };
        let process = process.with_live(live);
        let worker =
            Worker { queue: queue("EVENTS_QUEUE_URL")?, dead_letters: queue("EVENTS_DLQ_URL")? };
        Ok(Self { process, worker, counters })
    }

    /// Reads settings, in a short time: Lambda has a full processor until the first event is asked
    /// for, and a share of one afterwards.
    pub async fn load_settings(&self) {
        // A failure is remembered for a while. It is over by then: the first event tries again.
        let earlier = now().before(FAILURE_TTL);
        let _ = timeout(LOADING, self.process.load_settings(earlier)).await;
    }

    /// Never fails; the runtime requires the type.
    pub fn invoke(&self, event: LambdaEvent<SqsEvent>) -> Invocation<'_, SqsBatchResponse> {
        Box::pin(async move {
            let end = event.context.deadline() - RETURNING;
            let last_start = Timestamp::from_system(end - FINISHING);
            let handle = async |message: &str| self.process.handle(message, last_start).await;
            let set_aside = async |message: &str, reason| {
                self.process.record_dead_letter(message, reason).await
            };
            let end = Timestamp::from_system(end);
            let response = self.worker.run_isolated(event.payload, end, handle, set_aside).await;
            self.process.report(&self.counters, now()).await;
            Ok(response)
        })
    }
}
