//! Which deliveries a newer one supersedes at an endpoint with `latest_only`.

/// True for a retry, and for a delivery that was parked. The first attempt is always made: the newer
/// delivery may lack its news. So is every attempt of a later run, which an operator asked for.
pub fn can_be_superseded(run: u32, attempt: u32, was_parked: bool) -> bool {
    run == 1 && (attempt > 1 || was_parked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_is_not_superseded() {
        for (run, attempt, was_parked, expected) in [
            (1, 1, false, false),
            (1, 2, false, true),
            (1, 1, true, true),
            (2, 2, false, false),
            (2, 1, true, false),
        ] {
            assert_eq!(can_be_superseded(run, attempt, was_parked), expected, "{run} {attempt}");
        }
    }
}
