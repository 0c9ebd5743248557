//! When failed authentications are too many. They are counted by user and address, and by address,
//! in windows of a quarter of an hour.
//!
//! Only failures are refused by this, never valid credentials: those are generated, so guessing is
//! hopeless, and nobody can lock a user out.

use std::net::IpAddr;
use std::time::Duration;

use crate::core::timestamp::Timestamp;

const WINDOW: Duration = Duration::from_secs(15 * 60);
const MAX_OF_USER: u64 = 10;
/// Failures of an address in a window before it is refused.
pub const MAX_OF_ADDRESS: u64 = 100;

/// The failures in this window, the last one included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureCounts {
    /// Of the user, from the address.
    pub user: u64,
    /// Of all users, from the address.
    pub address: u64,
}

impl FailureCounts {
    pub fn are_too_many(self) -> bool {
        self.user > MAX_OF_USER || self.address > MAX_OF_ADDRESS
    }
}

/// Beginning and end of the window of a time.
pub fn window(now: Timestamp) -> (Timestamp, Timestamp) {
    let window = i64::try_from(WINDOW.as_millis()).unwrap_or(i64::MAX);
    let begin = Timestamp::from_millis(now.millis().div_euclid(window) * window).unwrap_or(now);
    (begin, begin.after(WINDOW))
}

/// One address; of IPv6 the network, as its owner has all 2^64 addresses in it.
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ten_failures_of_a_user_and_a_hundred_of_an_address_are_enough() {
        for (user, address, expected) in
            [(1, 1, false), (10, 100, false), (11, 11, true), (1, 101, true)]
        {
            assert_eq!(FailureCounts { user, address }.are_too_many(), expected);
        }
    }

    #[test]
    fn a_window_lasts_a_quarter_of_an_hour() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let quarter = (at("2026-03-02T06:15:00Z"), at("2026-03-02T06:30:00Z"));
        for now in ["2026-03-02T06:15:00Z", "2026-03-02T06:29:59.999Z"] {
            assert_eq!(window(at(now)), quarter, "{now}");
        }
        assert_eq!(window(at("2026-03-02T06:30:00Z")).0, quarter.1);
    }

    #[test]
    fn the_addresses_of_an_ipv6_network_count_as_one() {
        for (address, expected) in [
            ("203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::", "2001:db8:1:2::"),
        ] {
            assert_eq!(network(address.parse().unwrap()).to_string(), expected);
        }
    }
}
