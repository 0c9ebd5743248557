//! Cold starts: from the start of a function's process to its first request for an event, and on to
//! its first and second answer.
//!
//! After its start a process is held to the processor share of its memory, as Lambda does.

mod report;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

pub(crate) use self::report::Cold;
use self::report::{Row, Times};
use crate::Error;
use crate::events::pair;
use crate::installation::{Call, Installation};
use crate::share::Share;
use crate::tool;

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
/// Makes only the calls of a function.
const FLOOR: &str = "floor";

/// The same in JavaScript, if it was built.
const NODE: &str = "tests/baseline/node/node_modules/floor.cjs";
const OLDEST_NODE: u32 = 20;

/// The programs take turns, so that whatever else the machine does meets all of them.
pub(crate) fn measure(installation: &Installation) -> Result<Cold, Error> {
    let floors = floors(installation)?;
    let mut rows: Vec<Row> = Vec::new();
    for _ in 0..STARTS {
        for name in BARE.into_iter().chain(FUNCTIONS) {
            let (times, calls) = measure_once(installation, name, Speed::Share)?;
            let bytes = fs::metadata(installation.program(name))?.len();
            row(&mut rows, name, None, bytes, &calls).times.push(times);
            if WITH_FLOOR.contains(&name) {
                let (times, calls) = measure_once(installation, name, Speed::Full)?;
                row(&mut rows, name, None, bytes, &calls).at_full_speed.push(times);
                for floor in &floors {
                    let measure = |speed| measure_floor(installation, name, floor, &calls, speed);
                    let (times, at_full_speed) = (measure(Speed::Share)?, measure(Speed::Full)?);
                    let row = row(&mut rows, floor.name, Some(name), floor.bytes, &calls);
                    row.times.push(times);
                    row.at_full_speed.push(at_full_speed);
                }
            }
        }
    }
    Ok(Cold { rows })
}

/// Of the processor, after the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speed {
    /// That of the function's memory. It comes in slices, so a little more work may take much
    /// longer.
    Share,
    /// To compare work.
    Full,
}

impl Speed {
    fn share(self, installation: &Installation, name: &str) -> Option<Share> {
        (self == Self::Share).then(|| Share::of_memory(installation.memory(name)))?
    }
}

/// A program that makes only the calls of a function.
struct Floor {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    /// Size of the program.
    bytes: u64,
}

fn floors(installation: &Installation) -> Result<Vec<Floor>, Error> {
    let program = installation.program(FLOOR);
    let bytes = fs::metadata(&program)?.len();
    let floor = Floor { name: FLOOR, program, arguments: vec![installation.url()], bytes };
    let node = tool::node(OLDEST_NODE).and_then(|program| {
        let bytes = fs::metadata(NODE).ok()?.len();
        Some(Floor { name: "node", program, arguments: vec![NODE.to_owned()], bytes })
    });
    Ok([floor].into_iter().chain(node).collect())
}

fn row<'a>(
    rows: &'a mut Vec<Row>,
    program: &str,
    floor_of: Option<&'static str>,
    bytes: u64,
    calls: &[Vec<Call>; 2],
) -> &'a mut Row {
    let is_known = |row: &Row| row.program == program && row.floor_of == floor_of;
    let place = rows.iter().position(is_known).unwrap_or_else(|| {
        let calls = calls.each_ref().map(Vec::len);
        let (program, times) = (program.to_owned(), Vec::new());
        rows.push(Row { program, floor_of, times, at_full_speed: Vec::new(), bytes, calls });
        rows.len() - 1
    });
    &mut rows[place]
}

/// Also the calls of both events.
fn measure_once(
    installation: &Installation,
    name: &str,
    speed: Speed,
) -> Result<(Times, [Vec<Call>; 2]), Error> {
    let events = pair(installation, name)?;
    let account = &installation.account;
    let share = speed.share(installation, name);
    let sandbox = installation.start(name)?;
    let init = sandbox.initialised()?;
    share.iter().try_for_each(|share| sandbox.hold_to(share))?;
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
    floor: &Floor,
    calls: &[Vec<Call>; 2],
    speed: Speed,
) -> Result<Times, Error> {
    let mut command = Command::new(&floor.program);
    command.args(&floor.arguments);
    let share = speed.share(installation, function);
    let sandbox = installation.start_as(function, command)?;
    let init = sandbox.initialised()?;
    share.iter().try_for_each(|share| sandbox.hold_to(share))?;
    let answer = |calls: &Vec<Call>| -> Result<Duration, Error> {
        installation.account.replay(calls);
        let event: Vec<Value> = calls.iter().map(for_floor).collect();
        let time = sandbox.invoke(json!({ "calls": event }))?.time;
        match installation.account.unused_answers() {
            0 => Ok(time),
            left => Err(format!("{} left out {left} calls of {function}", floor.name).into()),
        }
    };
    let (first, second) = (answer(&calls[0])?, answer(&calls[1])?);
    Ok(Times { init, first, second, peak_kib: sandbox.peak_kib()? })
}

fn for_floor(call: &Call) -> Value {
    let Call { service, operation, body, headers, .. } = call;
    json!({ "service": service, "operation": operation, "body": body, "headers": headers })
}
