//! Kill points: a process may die before or after each of its AWS calls. The redelivery must end
//! in the same state as a run without a fault.

use std::fmt::Debug;

use aws::lambda::sqs_batch::RecordOutcome;
use aws::tables::inbound::EventMessage;
use domain::core::id::EventId;

use super::{Calls, Fault, seconds_from_now, stack};

/// Runs a scenario without a fault, then once for each kill point, and compares the outcomes.
/// A scenario takes the fault, recovers from it and returns its outcome and the calls of the step
/// that was killed. Returns the calls of the run without a fault.
pub async fn survives_kill_points<T: Debug + PartialEq>(
    scenario: impl AsyncFn(Option<Fault>) -> (T, Vec<String>),
) -> Vec<String> {
    let (expected, calls) = scenario(None).await;
    for fault in kill_points(&calls) {
        let (outcome, _) = scenario(Some(fault)).await;
        assert_eq!(outcome, expected, "killed at {fault:?} of {calls:?}");
    }
    calls
}

/// Both sides of each call. Further pages of the same settings request are left out.
fn kill_points(calls: &[String]) -> Vec<Fault> {
    let is_next_page =
        |call: usize| call > 0 && calls[call] == calls[call - 1] && calls[call].starts_with("ssm:");
    (0..calls.len())
        .filter(|call| !is_next_page(*call))
        .flat_map(|call| [Fault::Before(call), Fault::After(call)])
        .collect()
}

/// Has `process` handle an event once. Returns whether it succeeded, and its calls.
pub async fn process_event(id: &EventId, fault: Option<Fault>) -> (bool, Vec<String>) {
    let calls = Calls::killed(fault);
    let deadline = seconds_from_now(60);
    let result = stack().process(&calls).handle(&EventMessage::write(id), deadline).await;
    assert!(matches!(result, Ok(RecordOutcome::Ack) | Err(_)), "{result:?}");
    (result.is_ok(), calls.names())
}
