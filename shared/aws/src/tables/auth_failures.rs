//! Failed authentications: a row for each address and quarter of an hour, retained for a day.
//!
//! | partition | sort key | row |
//! |---|---|---|
//! | `auth:{address}` | beginning of the quarter | `failures`, and `of_{hash}` for each user |

use std::net::IpAddr;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ReturnValue;
use domain::auth::failures::{FailureCounts, MAX_OF_ADDRESS, network, window};
use domain::core::hash::Fingerprint;
use domain::core::timestamp::Timestamp;

use super::attr::{number, read_number, ttl};
use super::expression::attr;
use super::keys::key;
use super::update::Changes;
use super::write::{Write, WriteOutcome};
use crate::error::IoError;

const RETENTION_DAYS: u64 = 1;

/// In the table `state`.
pub struct AuthFailures {
    client: Client,
    table: String,
}

impl AuthFailures {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Counts a failure, in one write. `user` is what the request claims to be: the row has its hash,
    /// and no more users than an address can try.
    pub async fn count(
        &self,
        user: &str,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<FailureCounts, IoError> {
        let user = format!("of_{}", Fingerprint::of("user").with(user).finish());
        let changes = Changes::new()
            .add("failures", number(1))
            .add(user.clone(), number(1))
            .set("ttl", ttl(now, RETENTION_DAYS));
        let row = key(format!("auth:{}", network(address)), window(now).0.to_string());
        // The row of an address that is refused grows no further.
        let failures = attr("failures");
        let counts = failures.absent().or(failures.at_most(number(MAX_OF_ADDRESS)));
        let update = Write::update(&self.table, row, changes)
            .only_if(counts)
            .returning(ReturnValue::UpdatedNew)
            .returning_existing();
        let (WriteOutcome::Applied(counts) | WriteOutcome::ConditionFailed(counts)) =
            update.send(&self.client).await?;
        let read = |name: &str| read_number(&counts, name).unwrap_or_default();
        Ok(FailureCounts { user: read(&user), address: read("failures") })
    }
}
