//! One call of the carrier: at its time, with its credentials, and what its answer says.

use std::sync::Arc;
use std::time::Duration;

use aws::clock::now;
use aws::error::IoError;
use aws::settings::SettingsError;
use domain::core::id::Awb;
use domain::core::timestamp::Timestamp;
use domain::polling::{BatchMessage, PollItem};
use egress::HeaderMap;
use egress::policy::Target;
use sources::shipway::pull::{self, MAX_ANSWER, can_be_asked};

use crate::Poll;
use crate::carrier::Service;
use crate::failure::Failure;
use crate::findings::Findings;

/// What a call may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// What writing down what came of it may take.
const RECORDING: Duration = Duration::from_secs(10);

/// What came of asking about a batch.
pub(crate) enum Called<'a> {
    /// It could not have ended in time: not begun. It may be in so long.
    TooLate(Duration),
    /// The carrier answered.
    Answered(Findings<'a>),
    /// There is no answer, or none that can be read.
    Failed(Failure),
}

/// A call that can be made.
struct Call {
    service: Arc<Service>,
    headers: Arc<HeaderMap>,
    target: Target,
}

impl Poll {
    pub(crate) async fn call<'a>(
        &self,
        batch: &'a BatchMessage,
        deadline: Timestamp,
    ) -> Result<Called<'a>, IoError> {
        let (askable, others): (Vec<&PollItem>, Vec<&PollItem>) =
            batch.orders.iter().partition(|order| can_be_asked(order.awb()));
        if askable.is_empty() {
            return Ok(Called::Answered(Findings::default().and_unasked(others)));
        }
        let call = match self.prepare(batch, &askable).await {
            Ok(call) => call,
            Err(SettingsError::Io(error)) => return Err(error),
            Err(SettingsError::Invalid { .. }) => {
                return Ok(Called::Failed(Failure::of("settings_wrong")));
            }
        };
        if let Some(wait) = self.acquire(call.service.calls_per_second, deadline).await {
            return Ok(Called::TooLate(wait));
        }
        Ok(match self.ask(&call, &askable).await {
            Ok(findings) => Called::Answered(findings.and_unasked(others)),
            Err(failure) => Called::Failed(failure),
        })
    }

    async fn prepare(
        &self,
        batch: &BatchMessage,
        askable: &[&PollItem],
    ) -> Result<Call, SettingsError> {
        let service = self.carrier.service(now()).await?;
        let awbs: Vec<Awb> = askable.iter().map(|order| order.awb().clone()).collect();
        let target = service.target(&awbs)?;
        Ok(Call {
            headers: self.carrier.headers(batch.credential.as_ref(), now()).await?,
            service,
            target,
        })
    }

    /// Waits until this worker may call again. Where that is too late for a call to end in time, how late it is.
    async fn acquire(&self, calls_per_second: f64, deadline: Timestamp) -> Option<Duration> {
        // Held while waiting, so that side by side records keep the limiter together.
        let mut limiter = self.limiter.lock().await;
        let wait = limiter.wait(now(), calls_per_second);
        if now().after(wait).after(TIMEOUT).after(RECORDING) > deadline {
            return Some(wait);
        }
        tokio::time::sleep(wait).await;
        limiter.begin(now());
        None
    }

    async fn ask<'a>(&self, call: &Call, orders: &[&'a PollItem]) -> Result<Findings<'a>, Failure> {
        let answer = self.http.get(&call.target, &call.headers, TIMEOUT, MAX_ANSWER).await?;
        let at = now();
        if answer.status != 200 {
            return Err(Failure::refusal(answer.status, answer.retry_after.as_deref(), at));
        }
        let asked: Vec<pull::TrackingQuery<'_>> = orders
            .iter()
            .map(|order| pull::TrackingQuery {
                account: &order.account,
                order_id: &order.order_id,
                awb: order.awb(),
            })
            .collect();
        let found =
            pull::read(&asked, &answer.body).map_err(|_| Failure::of("unreadable_answer"))?;
        Ok(Findings::of(orders.iter().copied().zip(found), at, call.service.stalled_after))
    }
}
