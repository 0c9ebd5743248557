//! Cold starts: from the start of a function's process to its first request for an event, and on to
//! its first and second answer.
//!
//! After its start a process is held to the processor share of its memory, as Lambda does.

mod report;

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

pub(crate) use self::report::Cold;
use self::report::{Row, Times};
use crate::Error;
use crate::events::pair;
use crate::installation::{Call, Installation};
use crate::share::Share;

/// Starts of each program.
const STARTS: usize = 20;

/// Programs without work of their own, to compare with.
const BARE: [&str; 2] = ["bare-runtime", "bare-http"];
const FUNCTIONS: [&str; 13] = [
    "inbound", "orders", "messages", "track", "ops", "tester", "realtime", "process", "deliver",
    "sweep", "sync", "poll", "push",
];
/// Functions that are compared with [`FLOOR`].
const WITH_FLOOR: [&str; 2] = ["process", "deliver"];
/// Makes the calls of a function, and nothing else.
const FLOOR: &str = "floor";

/// The programs take turns, so that whatever else the machine does meets all of them.
pub(crate) fn measure(installation: &Installation) -> Result<Cold, Error> {
    let mut rows: Vec<Row> = Vec::new();
    for _ in 0..STARTS {
        for name in BARE.into_iter().chain(FUNCTIONS) {
            let (times, calls) = measure_once(installation, name)?;
            let counts = calls.each_ref().map(Vec::len);
            if WITH_FLOOR.contains(&name) {
                let floor = measure_floor(installation, name, &calls)?;
                add(&mut rows, installation, (FLOOR, Some(name)), floor, counts)?;
            }
            add(&mut rows, installation, (name, None), times, counts)?;
        }
    }
    Ok(Cold { rows })
}

fn add(
    rows: &mut Vec<Row>,
    installation: &Installation,
    (program, floor_of): (&str, Option<&'static str>),
    times: Times,
    calls: [usize; 2],
) -> Result<(), Error> {
    let known = rows.iter_mut().find(|row| row.program == program && row.floor_of == floor_of);
    match known {
        Some(row) => row.times.push(times),
        None => {
            let bytes = fs::metadata(installation.program(program))?.len();
            let program = program.to_owned();
            rows.push(Row { program, floor_of, times: vec![times], bytes, calls });
        }
    }
    Ok(())
}

/// Also the calls of both events.
fn measure_once(installation: &Installation, name: &str) -> Result<(Times, [Vec<Call>; 2]), Error> {
    let events = pair(installation, name)?;
    let account = &installation.account;
    let share = Share::of_memory(installation.memory(name))?;
    let sandbox = installation.start(name)?;
    let init = sandbox.initialised()?;
    sandbox.hold_to(&share)?;
    let answer = |event| -> Result<(Duration, Vec<Call>), Error> {
        account.record();
        let answered = sandbox.invoke(event)?;
        Ok((answered.time, account.recorded()))
    };
    let [first, second] = events.map(answer);
    let ((first, calls_of_first), (second, calls_of_second)) = (first?, second?);
    let times = Times { init, first, second, peak_kib: sandbox.peak_kib()? };
    Ok((times, [calls_of_first, calls_of_second]))
}

/// The doubles answer as they answered the function.
fn measure_floor(
    installation: &Installation,
    function: &str,
    calls: &[Vec<Call>; 2],
) -> Result<Times, Error> {
    let mut command = Command::new(installation.program(FLOOR));
    command.arg(installation.url());
    let share = Share::of_memory(installation.memory(function))?;
    let sandbox = installation.start_as(function, command)?;
    let init = sandbox.initialised()?;
    sandbox.hold_to(&share)?;
    let answer = |calls: &Vec<Call>| -> Result<Duration, Error> {
        installation.account.replay(calls);
        let event: Vec<Value> = calls.iter().map(for_floor).collect();
        let time = sandbox.invoke(json!({ "calls": event }))?.time;
        match installation.account.unused_answers() {
            0 => Ok(time),
            left => Err(format!("the floor of {function} left out {left} calls").into()),
        }
    };
    let (first, second) = (answer(&calls[0])?, answer(&calls[1])?);
    Ok(Times { init, first, second, peak_kib: sandbox.peak_kib()? })
}

fn for_floor(call: &Call) -> Value {
    let Call { service, operation, body, headers, .. } = call;
    json!({ "service": service, "operation": operation, "body": body, "headers": headers })
}
