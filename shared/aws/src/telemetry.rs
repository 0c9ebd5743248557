//! Logs: one JSON object a line on standard output, which Lambda hands to CloudWatch.

use tracing_subscriber::EnvFilter;

/// Starts logging. `RUST_LOG` sets the level; the SDK's own events stay at warnings, because finer ones show
/// credentials.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let quiet = ["aws=info", "hyper=warn", "aws_config=warn", "aws_smithy_runtime=warn", "rustls=warn"];
    let filter = quiet.iter().filter_map(|rule| rule.parse().ok()).fold(filter, EnvFilter::add_directive);
    // A second start in one process, as in tests, changes nothing.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_env_filter(filter)
        .try_init();
}
