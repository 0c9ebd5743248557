//! The processor time of a process, as the kernel counts it.

use std::fs;
use std::time::Duration;

/// Of `/proc`, in all kernels for x86_64 and arm64.
const TICK: Duration = Duration::from_millis(10);

/// User and system time so far, of all threads. Zero if the process has ended.
pub(crate) fn time_of(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    TICK * ticks(&stat).unwrap_or_default()
}

/// The name of the program, in parentheses, may have spaces.
fn ticks(stat: &str) -> Option<u32> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    Some(user + fields.next()?.parse::<u32>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_user_and_system_time() {
        let stat = "7 (a b) S 1 7 7 0 -1 4194560 100 0 0 0 25 17 3 4 20 0 1 0 5 6 7";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(ticks(""), None);
    }
}
