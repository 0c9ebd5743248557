//! Schedules of EventBridge Scheduler.

use serde::Deserialize;

use crate::names::name_of;
use crate::template::TemplateError;

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pub name: String,
    pub expression: String,
    pub timing: Timing,
    pub enabled: bool,
    /// May contain `<aws.scheduler.scheduled-time>`.
    pub input: Option<String>,
    pub max_retries: u32,
    pub max_event_age: u64,
    /// Name of the queue for events that could not be delivered.
    pub dead_letters: Option<String>,
}

/// Fires whenever the time is a multiple of `period`, plus `offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    pub period: u64,
    pub offset: u64,
}

impl Timing {
    /// The first time after `now` at which the schedule fires.
    pub fn next_after(self, now: u64) -> u64 {
        let elapsed = (now + self.period - self.offset) % self.period;
        now + self.period - elapsed
    }

    /// Reads `rate(5 minutes)`, `cron(15 * * * ? *)` (every hour, at that minute) or
    /// `cron(0/15 * * * ? *)` (every 15 minutes of the hour).
    fn read(expression: &str) -> Option<Self> {
        let argument = |kind: &str| expression.strip_prefix(kind)?.strip_suffix(')');
        if let Some(rate) = argument("rate(") {
            let (count, unit) = rate.split_once(' ')?;
            let unit = match unit.trim_end_matches('s') {
                "minute" => MINUTE,
                "hour" => HOUR,
                "day" => DAY,
                _ => return None,
            };
            let count = count.parse::<u64>().ok().filter(|count| *count > 0)?;
            return Some(Self { period: count * unit, offset: 0 });
        }
        let minutes = argument("cron(")?.strip_suffix(" * * * ? *")?;
        if let Some(every) = minutes.strip_prefix("0/") {
            let every = every.parse::<u64>().ok().filter(|every| *every > 0 && 60 % every == 0)?;
            return Some(Self { period: every * MINUTE, offset: 0 });
        }
        let minute = minutes.parse::<u64>().ok().filter(|minute| *minute < 60)?;
        Some(Self { period: HOUR, offset: minute * MINUTE })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ScheduleProperties {
    name: String,
    schedule_expression: String,
    state: Option<String>,
    input: Option<String>,
    #[serde(default)]
    retry_policy: RetryPolicy,
    dead_letter_config: Option<DeadLetterConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RetryPolicy {
    maximum_retry_attempts: u32,
    maximum_event_age_in_seconds: u64,
}

impl Default for RetryPolicy {
    /// The defaults of EventBridge Scheduler.
    fn default() -> Self {
        Self { maximum_retry_attempts: 185, maximum_event_age_in_seconds: DAY / SECOND }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeadLetterConfig {
    arn: String,
}

impl ScheduleProperties {
    pub(super) fn read(self) -> Result<Schedule, TemplateError> {
        let timing = Timing::read(&self.schedule_expression);
        let timing = timing.ok_or_else(|| TemplateError::unsupported(&self.schedule_expression))?;
        Ok(Schedule {
            name: self.name,
            timing,
            expression: self.schedule_expression,
            enabled: self.state.as_deref() != Some("DISABLED"),
            input: self.input,
            max_retries: self.retry_policy.maximum_retry_attempts,
            max_event_age: self.retry_policy.maximum_event_age_in_seconds * SECOND,
            dead_letters: self.dead_letter_config.map(|config| name_of(&config.arn).to_owned()),
        })
    }
}
