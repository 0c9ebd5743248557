//! Results of sending messages. They have no row in the inbound log: the message of the queue is the
//! only copy.

use std::time::Duration;

use aws::error::IoError;
use aws::lambda::sqs_batch::RecordOutcome;
use domain::messaging::channel::{ChannelError, ProviderMessageId, StatusUpdate};
use domain::messaging::message_status::ProviderStatus;
use domain::messaging::send::{SendOutcome, SendResult};

use crate::Process;

/// Until a worker has recorded the attempt of which it has told.
const SOON: Duration = Duration::from_secs(5);

impl Process {
    /// Notes how sending a message of ours ended, like a status of its provider.
    pub(crate) async fn apply_send_result(
        &self,
        result: &SendResult,
    ) -> Result<RecordOutcome, IoError> {
        let key = result.send.tracking_key(&result.account);
        let row = self.messages.load_tracking(&key).await?;
        if row.tracked.record.is_none() {
            tracing::info!(message_id = result.send.as_str(), "message.gone");
            return Ok(RecordOutcome::Ack);
        }
        let status = status_of(result, key.message);
        let recorded = self.record_message_statuses(row, &[&status], None).await?;
        tracing::info!(
            message_id = result.send.as_str(),
            status = status.status,
            changed = recorded.has_changed,
            settled = recorded.is_settled,
            "message.send_ended"
        );
        Ok(if recorded.is_settled { RecordOutcome::Ack } else { RecordOutcome::RetryAfter(SOON) })
    }
}

fn status_of(result: &SendResult, own_id: ProviderMessageId) -> StatusUpdate {
    let (status, message, error): (_, _, Option<ChannelError>) = match &result.outcome {
        SendOutcome::Accepted { provider_id } => {
            (ProviderStatus::Accepted, provider_id.clone(), None)
        }
        SendOutcome::Failed { error } => (ProviderStatus::NotSent, own_id, Some(error.clone())),
        SendOutcome::Unknown => (ProviderStatus::Unknown, own_id, None),
    };
    let (status, at) = (status.as_str().to_owned(), Some(result.at));
    StatusUpdate { message, status, at, error, callback_data: None, pricing: None, recipient: None }
}
