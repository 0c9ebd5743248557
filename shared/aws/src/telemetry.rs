//! Logging: one JSON object per line on standard output, which Lambda forwards to CloudWatch.

mod metrics;

use std::panic::{Location, PanicHookInfo};

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterFn, LevelFilter, Targets, filter_fn};
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::SubscriberExt;

pub use metrics::Metrics;

/// Crates of this workspace.
const WORKSPACE_CRATES: [&str; 17] = [
    "aws", "domain", "egress", "sources", "deliver", "inbound", "messages", "ops", "orders",
    "poll", "process", "push", "realtime", "sweep", "sync", "tester", "track",
];

/// Starts logging. `RUST_LOG` sets the level of the workspace's crates. All others stay at `warn`,
/// because their finer levels log whole requests and credentials. A panic is logged with its
/// location only, because its message may quote content. `STAGE` is the stage of the metrics.
pub fn start() {
    metrics::start(std::env::var("STAGE").ok());
    let directives = std::env::var("RUST_LOG").unwrap_or_default();
    // A second start in one process, as in tests, changes nothing.
    if tracing::subscriber::set_global_default(subscriber(&directives, std::io::stdout)).is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

fn subscriber<W>(directives: &str, writer: W) -> impl Subscriber + Send + Sync + use<W>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(writer);
    tracing_subscriber::registry().with(lines.with_filter(filter(directives)))
}

/// Takes the syntax of `RUST_LOG`. Invalid or missing directives mean `info`.
fn filter(directives: &str) -> FilterFn<impl Fn(&Metadata<'_>) -> bool + use<>> {
    let targets = directives.parse().ok().filter(|_| !directives.is_empty());
    let targets = targets.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    filter_fn(move |event| {
        if is_workspace_crate(event.target()) {
            targets.would_enable(event.target(), event.level())
        } else {
            *event.level() <= Level::WARN
        }
    })
}

fn is_workspace_crate(target: &str) -> bool {
    let name = target.split_once("::").map_or(target, |(name, _)| name);
    WORKSPACE_CRATES.contains(&name)
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    tracing::error!(location = panic.location().map(Location::to_string), "panicked");
}

#[cfg(test)]
#[expect(clippy::panic, clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Write;
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Lines {
        fn text(&self) -> String {
            String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
                .into_owned()
        }
    }

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// Returns the log of `work` under these `RUST_LOG` directives.
    fn logged(directives: &str, work: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing::subscriber::with_default(subscriber(directives, move || writer.clone()), work);
        lines.text()
    }

    #[test]
    fn other_crates_stay_at_warn_under_any_directives() {
        let work = || {
            tracing::trace!(target: "lambda_runtime", "their.trace");
            tracing::info!(target: "lambda_runtime::requests", "their.info");
            tracing::debug!(target: "aws_smithy_runtime::client", "their.debug");
            tracing::warn!(target: "lambda_runtime", "their.warning");
            tracing::info!(target: "aws::lambda::sqs_batch", "own.info");
            tracing::trace!(target: "process", "own.trace");
        };
        for (directives, own_info, own_trace) in [
            ("trace", true, true),
            ("lambda_runtime=trace,info", true, false),
            ("lambda_runtime=trace,aws_smithy_runtime=debug", false, false),
            ("process=trace,info", true, true),
            ("error", false, false),
            ("off", false, false),
            ("", true, false),
            ("no=such=rule", true, false),
        ] {
            let text = logged(directives, work);
            let seen = |name: &str| text.contains(name);
            assert!(
                !seen("their.trace") && !seen("their.info") && !seen("their.debug"),
                "{directives}: {text}"
            );
            assert!(seen("their.warning"), "{directives}: {text}");
            assert_eq!(
                (seen("own.info"), seen("own.trace")),
                (own_info, own_trace),
                "{directives}: {text}"
            );
        }
    }

    /// Lambda's log format JSON passes such lines on and filters them by `level`; it takes any other
    /// line for a text, and filters it as `INFO`.
    #[test]
    fn a_line_is_one_object_with_level_and_time_at_the_top() {
        let text = logged("info", || {
            tracing::info!(target: "process", event_id = "e\n1", count = 2, "event.settled");
            tracing::warn!(target: "process", reason = Some("x"), "event.failed");
            tracing::error!(target: "aws", "panicked");
        });
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let levels: Vec<_> = lines.iter().map(|line| line["level"].as_str().unwrap()).collect();
        assert_eq!(levels, ["INFO", "WARN", "ERROR"]);
        for line in &lines {
            assert!(
                domain::core::timestamp::Timestamp::parse(line["timestamp"].as_str().unwrap())
                    .is_ok()
            );
        }
        let [first, second] = [&lines[0], &lines[1]];
        assert_eq!(
            (&first["message"], &first["event_id"]),
            (&"event.settled".into(), &"e\n1".into())
        );
        assert_eq!((&first["count"], &second["reason"]), (&2.into(), &"x".into()));
    }

    #[test]
    fn the_list_has_every_crate_of_the_workspace() {
        let crates = |folder: &str| {
            let folder =
                std::fs::read_dir(format!("{}/../../{folder}", env!("CARGO_MANIFEST_DIR")))
                    .unwrap();
            let crates =
                folder.map(Result::unwrap).filter(|entry| entry.path().join("Cargo.toml").exists());
            crates.map(|entry| entry.file_name().into_string().unwrap()).collect::<Vec<_>>()
        };
        let all: BTreeSet<_> =
            ["functions", "shared"].iter().flat_map(|folder| crates(folder)).collect();
        assert_eq!(all, WORKSPACE_CRATES.map(str::to_owned).into());
    }

    #[test]
    fn logs_the_location_of_a_panic_but_not_its_message() {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(log_panic));
        let text = logged("info", || {
            let _ = std::panic::catch_unwind(|| panic!("canary-panic"));
        });
        std::panic::set_hook(before);
        assert!(text.contains("\"panicked\"") && text.contains("telemetry.rs:"), "{text}");
        assert!(text.contains("\"level\":\"ERROR\"") && !text.contains("canary"), "{text}");
    }
}
