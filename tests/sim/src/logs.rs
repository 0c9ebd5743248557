//! The logs of the functions: no line has personal data or a secret.

use std::fmt::{Debug, Write};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::setup::CANARIES;
use crate::world::World;

/// Lines of functions that lose updates for sockets, as they may.
const LOSSES: [&str; 4] =
    ["live.not_told ", "live.not_pushed ", "live.not_posted ", "live.unreadable "];

/// Logs of this run. Nothing else is logged on this thread.
pub(crate) fn subscriber(world: World) -> impl Subscriber {
    tracing_subscriber::registry().with(Logs(world).with_filter(LevelFilter::INFO))
}

struct Logs(World);

impl<S: Subscriber> Layer<S> for Logs {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        // A library at its finer levels quotes requests; `aws::telemetry` drops these lines.
        let target = event.metadata().target();
        if target.starts_with("aws_") || target.starts_with("lambda_") {
            return;
        }
        let Line(line) = line;
        let mut state = self.0.lock();
        if CANARIES.iter().any(|canary| line.contains(canary)) {
            state.ledger.violation(format!("a log line of {target} has personal data: {line}"));
        }
        if let Some(run) = finished_run(&line)
            && !state.ledger.finished_runs.insert(run.to_owned())
        {
            state.ledger.violation(format!("{run} finishes twice"));
        }
        if LOSSES.iter().any(|loss| line.starts_with(loss)) {
            let now = state.now();
            state.ledger.sockets.lost_at.push(now);
        }
        state.tell("log", || line);
    }
}

/// Metrics are counted from these lines.
fn finished_run(line: &str) -> Option<&str> {
    let words = line.strip_prefix("sync.finished ")?;
    words.split_whitespace().find(|word| word.starts_with("run="))
}

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?} "),
            // Measured by the machine's own clock.
            name => write!(self.0, "{name}={value:?} "),
        };
    }
}
