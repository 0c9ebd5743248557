//! One rate-limited call to the carrier's tracking API.

use std::sync::Arc;
use std::time::Duration;

use aws::clock::now;
use aws::error::IoError;
use aws::settings::SettingsError;
use domain::core::id::{AccountCode, Awb};
use domain::core::timestamp::Timestamp;
use domain::polling::PollItem;
use egress::HeaderMap;
use egress::policy::Target;
use sources::shipway::tracking_api::{self, MAX_ANSWER, is_pollable};

use crate::Poll;
use crate::answer::BatchAnswer;
use crate::carrier::Service;
use crate::failure::{Failure, UNREADABLE};

const TIMEOUT: Duration = Duration::from_secs(30);
/// Time reserved to record the outcome after a call.
const RECORDING: Duration = Duration::from_secs(10);

pub(crate) enum CallOutcome<'a> {
    /// Not sent: the rate limit leaves too little time before the deadline. The call is allowed
    /// after this long.
    TooLate(Duration),
    Answered(BatchAnswer<'a>),
    Failed(Failure),
}

struct Call {
    service: Arc<Service>,
    headers: Arc<HeaderMap>,
    target: Target,
}

impl Poll {
    /// Polls these orders, which belong to the credential.
    pub(crate) async fn call<'a>(
        &self,
        credential: Option<&AccountCode>,
        orders: &'a [PollItem],
        deadline: Timestamp,
    ) -> Result<CallOutcome<'a>, IoError> {
        let (pollable, others): (Vec<&PollItem>, Vec<&PollItem>) =
            orders.iter().partition(|order| is_pollable(order.awb()));
        if pollable.is_empty() {
            return Ok(CallOutcome::Answered(BatchAnswer::default().with_unpollable(others)));
        }
        let call = match self.prepare(credential, &pollable).await {
            Ok(call) => call,
            Err(SettingsError::Io(error)) => return Err(error),
            Err(SettingsError::Missing { .. } | SettingsError::Invalid { .. }) => {
                return Ok(CallOutcome::Failed(Failure::of("settings_wrong")));
            }
        };
        if let Some(wait) = self.acquire_slot(call.service.calls_per_second, deadline).await {
            return Ok(CallOutcome::TooLate(wait));
        }
        Ok(match self.fetch_tracking(&call, &pollable).await {
            Ok(answer) => CallOutcome::Answered(answer.with_unpollable(others)),
            Err(failure) => CallOutcome::Failed(failure),
        })
    }

    async fn prepare(
        &self,
        credential: Option<&AccountCode>,
        pollable: &[&PollItem],
    ) -> Result<Call, SettingsError> {
        let service = self.carrier.service(now()).await?;
        let awbs: Vec<Awb> = pollable.iter().map(|order| order.awb().clone()).collect();
        let target = service.target(&awbs)?;
        Ok(Call { headers: self.carrier.headers(credential, now()).await?, service, target })
    }

    /// Waits for the rate limit. Returns the wait instead if the call could then end after the
    /// deadline.
    async fn acquire_slot(&self, calls_per_second: f64, deadline: Timestamp) -> Option<Duration> {
        // The lock is held while waiting: records processed concurrently share one rate limit.
        let mut limiter = self.limiter.lock().await;
        let wait = limiter.wait(now(), calls_per_second);
        if now().after(wait).after(TIMEOUT).after(RECORDING) > deadline {
            return Some(wait);
        }
        tokio::time::sleep(wait).await;
        limiter.begin(now());
        None
    }

    async fn fetch_tracking<'a>(
        &self,
        call: &Call,
        orders: &[&'a PollItem],
    ) -> Result<BatchAnswer<'a>, Failure> {
        let response = self.http.get(&call.target, &call.headers, TIMEOUT, MAX_ANSWER).await?;
        let at = now();
        if response.status != 200 {
            return Err(Failure::refusal(response.status, response.retry_after.as_deref(), at));
        }
        let queries: Vec<tracking_api::TrackingQuery<'_>> = orders
            .iter()
            .map(|order| tracking_api::TrackingQuery {
                account: &order.account,
                order_id: &order.order_id,
                awb: order.awb(),
            })
            .collect();
        let parcels =
            tracking_api::read(&queries, &response.body).map_err(|_| Failure::of(UNREADABLE))?;
        Ok(BatchAnswer::of(orders.iter().copied().zip(parcels), at, call.service.stalled_after))
    }
}
