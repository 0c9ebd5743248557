//! How many messages went out in a time, in the table `state`: a row for each half of a second of a
//! phone number, and for 150 seconds of a shopper.
//!
//! | partition | sort key | row |
//! |---|---|---|
//! | `sends:{number}`, `sends:{number}:{hash of the shopper}` | number of the time since 1970 | `count`; a day |

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use domain::core::hash::Fingerprint;
use domain::core::timestamp::Timestamp;
use domain::messaging::conversation::Contact;

use super::attr::{number, ttl};
use super::expression::attr;
use super::keys::key;
use super::update::Changes;
use super::write::Write;
use crate::error::IoError;

const RETENTION_DAYS: u64 = 1;
/// One message every six seconds, and 45 at once (WhatsApp Cloud API, "Throughput"): two windows in a
/// row have fewer.
const PAIR_WINDOW: Duration = Duration::from_secs(150);
const PAIR_LIMIT: u32 = 22;
/// Any second touches three halves at most. Shorter times would let more through in all, but fewer at
/// once: SQS makes messages wait for whole seconds, so those that came together come back together.
const HALF: Duration = Duration::from_millis(500);
const HALVES: u32 = 3;
/// From this limit on, halves are not too coarse.
const FAST: u32 = 12;

pub struct SendLimits {
    client: Client,
    table: String,
}

impl SendLimits {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Counts a message of a phone number, which sends at most `limit` in any second. Otherwise, the
    /// time until it may send another one.
    pub async fn take_number(
        &self,
        number: &str,
        limit: u32,
        now: Timestamp,
    ) -> Result<Result<(), Duration>, IoError> {
        let (window, limit) = number_window(limit);
        self.take(format!("sends:{number}"), window, limit, now).await
    }

    /// As [`Self::take_number`], for a message to one shopper.
    pub async fn take_pair(
        &self,
        number: &str,
        to: &Contact,
        now: Timestamp,
    ) -> Result<Result<(), Duration>, IoError> {
        let to = Fingerprint::of("contact").with(to.as_str()).finish();
        self.take(format!("sends:{number}:{to}"), PAIR_WINDOW, PAIR_LIMIT, now).await
    }

    async fn take(
        &self,
        pk: String,
        window: Duration,
        limit: u32,
        now: Timestamp,
    ) -> Result<Result<(), Duration>, IoError> {
        let (begin, left) = window_of(now, window);
        let changes = Changes::new().add("count", number(1)).set("ttl", ttl(now, RETENTION_DAYS));
        let count = attr("count");
        let has_room = count.absent().or(count.at_most(number(limit.saturating_sub(1))));
        let update = Write::update(&self.table, key(pk, begin.to_string()), changes);
        let taken = update.only_if(has_room).send(&self.client).await?.is_applied();
        Ok(if taken { Ok(()) } else { Err(left) })
    }
}

/// A window, and how many messages it takes, so that no second has more than `limit`.
fn number_window(limit: u32) -> (Duration, u32) {
    if limit >= FAST {
        return (HALF, limit / HALVES);
    }
    let others = limit.saturating_sub(1).max(1);
    (Duration::from_millis(u64::from(1000_u32.div_ceil(others))), 1)
}

/// The number of the window, and how much of it is left.
fn window_of(now: Timestamp, window: Duration) -> (i64, Duration) {
    let length = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
    let passed = now.millis().rem_euclid(length);
    let left = u64::try_from(length - passed).unwrap_or_default();
    (now.millis().div_euclid(length), Duration::from_millis(left))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::client::fake::{FakeAws, clients};

    fn limits(fake: &FakeAws) -> SendLimits {
        SendLimits::new(clients(fake.edge()).dynamodb(), "state".to_owned())
    }

    #[tokio::test]
    async fn a_full_window_says_when_it_ends() {
        let now = Timestamp::from_millis(61_275).unwrap();
        let full = r#"{"__type":"ConditionalCheckFailedException"}"#;
        let fake = FakeAws::sequence(&[(200, "{}"), (400, full)]);
        let limits = limits(&fake);
        assert_eq!(limits.take_number("7", 80, now).await.unwrap(), Ok(()));
        let wait = limits.take_number("7", 80, now).await.unwrap();
        assert_eq!(wait, Err(Duration::from_millis(225)));
    }

    #[test]
    fn no_second_has_more_messages_than_the_limit() {
        for limit in 2..=1000 {
            let (window, in_window) = number_window(limit);
            let millis = u32::try_from(window.as_millis()).unwrap();
            let windows = 1000_u32.div_ceil(millis) + 1;
            assert!(windows * in_window <= limit, "{limit}: {windows} windows of {in_window}");
        }
    }

    #[test]
    fn a_third_of_the_limit_may_leave_at_once() {
        for (limit, expected) in [(12, 4), (20, 6), (80, 26), (1000, 333)] {
            assert_eq!(number_window(limit), (HALF, expected));
        }
        assert_eq!(number_window(11), (Duration::from_millis(100), 1));
        assert_eq!(number_window(2), (Duration::from_secs(1), 1));
    }

    #[tokio::test]
    async fn the_phone_number_of_a_shopper_is_not_stored() {
        let fake = FakeAws::sequence(&[(200, "{}")]);
        let to = Contact::parse("919876543210").unwrap();
        limits(&fake).take_pair("7", &to, Timestamp::EPOCH).await.unwrap().unwrap();
        let request = fake.requests()[0].body().bytes().unwrap().to_vec();
        let request = String::from_utf8(request).unwrap();
        assert!(request.contains("sends:7:") && !request.contains("9198"), "{request}");
    }
}
