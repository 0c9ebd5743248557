#![expect(clippy::unwrap_used)]

use domain::core::id::{AccountCode, Awb, OrderId};
use domain::core::timestamp::Timestamp;
use domain::polling::{Batch, PlanMessage, PollCounts, PollState, Run};

use super::*;

fn batch(orders: usize) -> BatchMessage {
    let item = |n: usize| PollItem {
        account: AccountCode::parse("STORE001").unwrap(),
        order_id: OrderId::parse(&format!("ORD{n}")).unwrap(),
        active: PollState::new(Awb::parse(&format!("A{n}")).unwrap(), Timestamp::EPOCH),
    };
    let plan = PlanMessage::new(Run::hourly(Timestamp::EPOCH), 0, 1, 5.0);
    let orders = (0..orders).map(item).collect();
    BatchMessage::new(&plan, 0, 0, Batch { credential: None, orders })
}

fn refusal(status: u16) -> Failure {
    Failure::refusal(status, None, Timestamp::EPOCH)
}

#[derive(Debug, Default)]
struct End {
    state: BatchState,
    answered: Vec<usize>,
    calls: usize,
    waits: Vec<u64>,
    is_given_up: bool,
}

impl End {
    fn blamed(&self) -> Vec<usize> {
        let halving = self.state.halving.as_ref();
        let mut blamed = halving.map_or(Vec::new(), Halving::unanswerable);
        blamed.sort_unstable();
        blamed
    }
}

/// Polls a batch until it ends, as [`Poll::handle`] does. `call` fails with an error, or answers;
/// it gets the orders and the seconds since the first call.
fn poll(orders: usize, call: impl Fn(&[usize], u64) -> Option<Failure>) -> End {
    let (batch, mut end) = (batch(orders), End::default());
    loop {
        let halving = end.state.halving.as_ref();
        let Some(part) = halving.map_or(Some(0..orders), Halving::next) else { return end };
        let part: Vec<usize> = part.collect();
        end.calls += 1;
        let Some(failure) = call(&part, end.waits.iter().sum()) else {
            end.answered.extend(&part);
            end.answered.sort_unstable();
            let Some(halving) = &mut end.state.halving else { return end };
            halving.answered(PollCounts { asked: part.len() as u64, ..PollCounts::default() });
            end.state.attempts = 0;
            continue;
        };
        if next_step(&batch, &mut end.state, &failure) == NextStep::NextPart {
            end.state.attempts = 0;
            continue;
        }
        end.state.attempts += 1;
        match wait(end.state.halving.as_ref(), end.state.attempts, &failure) {
            Some(wait) => end.waits.push(wait.as_secs()),
            None => {
                end.is_given_up = true;
                return end;
            }
        }
    }
}

fn poll_broken(orders: usize, broken: &[usize], status: u16) -> End {
    let is_broken = |part: &[usize]| part.iter().any(|order| broken.contains(order));
    poll(orders, |part, _| is_broken(part).then(|| refusal(status)))
}

#[test]
fn finds_any_two_orders_that_break_their_batch() {
    for orders in [2, 3, 20, 50] {
        for one in 0..orders {
            for other in one..orders {
                let mut broken = vec![one, other];
                broken.dedup();
                let mut others: Vec<usize> = (0..orders).collect();
                others.retain(|order| !broken.contains(order));
                // The carrier does not blame the request: each call may fail because of an outage.
                for (status, most_seconds) in [(400, 315), (500, 15 * 60)] {
                    let end = poll_broken(orders, &broken, status);
                    let seconds = end.waits.iter().sum::<u64>();
                    assert!(!end.is_given_up && seconds <= most_seconds, "{end:?}");
                    assert_eq!(end.answered, others);
                    let blamed = if others.is_empty() { vec![] } else { broken.clone() };
                    assert_eq!(end.blamed(), blamed);
                }
            }
        }
    }
}

#[test]
fn finds_an_order_that_makes_the_carrier_time_out() {
    let end = poll(50, |part, _| part.contains(&7).then(|| Failure::of("timeout")));
    assert_eq!((end.answered.len(), end.blamed(), &end.waits[..2]), (49, vec![7], &[5, 10][..]));
}

#[test]
fn gives_up_a_batch_while_the_carrier_answers_nothing() {
    for (orders, calls) in [(1, 5), (2, 4), (20, 12), (50, 12)] {
        let end = poll(orders, |_, _| Some(refusal(500)));
        assert_eq!((end.answered.len(), end.blamed().len(), end.calls), (0, 0, calls));
    }
}

#[test]
fn an_outage_blames_no_other_order() {
    for broken in [0, 13, 49] {
        for begin in 0..150 {
            let end = poll(50, |part, at| {
                let is_out = (begin..begin + 55).contains(&at);
                (is_out || part.contains(&broken)).then(|| refusal(503))
            });
            assert!(!end.is_given_up);
            assert_eq!((end.answered.len(), end.blamed()), (49, vec![broken]), "{begin}");
        }
    }
}

/// Half of the orders break every batch; each run finds some of them.
#[test]
fn a_hopeless_batch_is_answered_after_some_runs() {
    for status in [400, 500] {
        let mut are_broken: Vec<bool> = (0..50).map(|n| n % 2 == 0).collect();
        let mut runs = 0;
        while are_broken.contains(&true) {
            let end = poll(are_broken.len(), |part, _| {
                part.iter().any(|n| are_broken[*n]).then(|| refusal(status))
            });
            let blamed = end.blamed();
            assert!(!blamed.is_empty() && blamed.iter().all(|n| are_broken[*n]), "{end:?}");
            let mut n = 0..;
            are_broken.retain(|_| !n.next().is_some_and(|n| blamed.contains(&n)));
            runs += 1;
        }
        assert_eq!((are_broken.len(), runs <= 5), (25, true), "{status}: {runs}");
    }
}
