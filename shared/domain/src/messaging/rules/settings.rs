//! Reads the parameter `accounts/{code}/messages`.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::components::Components;
use super::quiet_hours::QuietHours;
use super::words::{InvalidWords, OptOutWords};
use super::{MessageRules, MessageSettingError, Rule, Zone};
use crate::core::deserialize::{Object, object};
use crate::core::raw_json::RawJson;
use crate::core::request_body::{MAX_DEPTH, depth, field_path};
use crate::messaging::cloud_api::LanguageCode;
use crate::messaging::message_details::TemplateName;
use crate::messaging::recipient::CountryCode;
use crate::tracking::status::Status;

/// Of an advanced parameter of SSM.
const MAX_BYTES: usize = 8 * 1024;
const DEFAULT_MAX_AGE_MINUTES: u64 = 24 * 60;
/// Within the time for which rows of sent messages are kept: a retry must find them.
const MAX_AGE_MINUTES: std::ops::RangeInclusive<u64> = 1..=7 * 24 * 60;
const DAILY_CAP: std::ops::RangeInclusive<u32> = 1..=1000;
const MAX_NUMBER_ID_DIGITS: usize = 32;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSettings {
    phone_number_id: String,
    #[serde(default)]
    rules: Vec<Object<RawRule>>,
    #[serde(default, deserialize_with = "object")]
    quiet_hours: Option<RawQuietHours>,
    daily_cap: Option<u32>,
    stop_words: Option<Vec<String>>,
    start_words: Option<Vec<String>>,
    country_code: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    on: Status,
    template: TemplateName,
    language: LanguageCode,
    components: Option<RawJson>,
    max_age_minutes: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuietHours {
    from: String,
    to: String,
    zone: String,
}

fn invalid<T>(field: impl Into<String>, message: &str) -> Result<T, MessageSettingError> {
    Err(MessageSettingError::new(field, message))
}

pub(super) fn parse(text: &str) -> Result<MessageRules, MessageSettingError> {
    let raw = read(text)?;
    let id = &raw.phone_number_id;
    let is_id = (1..=MAX_NUMBER_ID_DIGITS).contains(&id.len());
    if !is_id || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return invalid("phone_number_id", "must be 1 to 32 digits");
    }
    if raw.daily_cap.is_some_and(|cap| !DAILY_CAP.contains(&cap)) {
        return invalid("daily_cap", "must be 1 to 1000");
    }
    let words = OptOutWords::new(raw.stop_words.as_deref(), raw.start_words.as_deref())
        .map_err(|InvalidWords(field, message)| MessageSettingError::new(field, message))?;
    let (zone, quiet_hours) = match &raw.quiet_hours {
        Some(raw) => (zone(&raw.zone)?, Some(quiet_hours(raw)?)),
        None => (Zone::india(), None),
    };
    Ok(MessageRules {
        rules: rules(raw.rules)?,
        quiet_hours,
        zone,
        daily_cap: raw.daily_cap,
        words,
        country_code: country_code(raw.country_code.as_deref())?,
        dry_run: raw.dry_run,
        phone_number_id: raw.phone_number_id,
    })
}

fn read(text: &str) -> Result<RawSettings, MessageSettingError> {
    if text.len() > MAX_BYTES || depth(text) > MAX_DEPTH {
        return invalid(".", "must not have over 8192 bytes or 32 levels");
    }
    if serde_json::from_str::<&RawValue>(text).is_err() {
        return invalid(".", "must be JSON");
    }
    let reader = &mut serde_json::Deserializer::from_str(text);
    let Object(raw) = serde_path_to_error::deserialize(reader).map_err(|error| {
        MessageSettingError::new(field_path(&error), "is missing, or has the wrong type or value")
    })?;
    Ok(raw)
}

fn rules(raw: Vec<Object<RawRule>>) -> Result<Vec<Rule>, MessageSettingError> {
    let mut rules: Vec<Rule> = vec![];
    for (index, Object(raw)) in raw.into_iter().enumerate() {
        let rule = rule(raw, &format!("rules[{index}]"))?;
        if rules.iter().any(|other| other.on == rule.on) {
            return invalid(format!("rules[{index}].on"), "has another rule already");
        }
        rules.push(rule);
    }
    Ok(rules)
}

fn rule(raw: RawRule, path: &str) -> Result<Rule, MessageSettingError> {
    if raw.on == Status::Unknown {
        return invalid(format!("{path}.on"), "must be a status that orders have");
    }
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if !raw.template.as_str().bytes().all(is_name) {
        let message = "must be lower-case letters, digits and `_`";
        return invalid(format!("{path}.template"), message);
    }
    let max_age = raw.max_age_minutes.unwrap_or(DEFAULT_MAX_AGE_MINUTES);
    if !MAX_AGE_MINUTES.contains(&max_age) {
        return invalid(format!("{path}.max_age_minutes"), "must be 1 to 10080 (7 days)");
    }
    let components = raw.components.as_ref().map(Components::parse).transpose();
    Ok(Rule {
        on: raw.on,
        template: raw.template,
        language: raw.language,
        components: components
            .map_err(|message| MessageSettingError::new(format!("{path}.components"), message))?,
        max_age: Duration::from_secs(max_age * 60),
    })
}

fn zone(name: &str) -> Result<Zone, MessageSettingError> {
    Zone::parse(name).map_or_else(
        || invalid("quiet_hours.zone", "must be an IANA time zone such as Asia/Kolkata"),
        Ok,
    )
}

fn quiet_hours(raw: &RawQuietHours) -> Result<QuietHours, MessageSettingError> {
    let time = |field: &str, text: &str| {
        QuietHours::parse_time(text).ok_or_else(|| {
            MessageSettingError::new(format!("quiet_hours.{field}"), "must be a time such as 21:00")
        })
    };
    let (from, to) = (time("from", &raw.from)?, time("to", &raw.to)?);
    QuietHours::new(from, to)
        .map_or_else(|| invalid("quiet_hours", "must leave at least three hours of a day"), Ok)
}

fn country_code(text: Option<&str>) -> Result<CountryCode, MessageSettingError> {
    let Some(text) = text else { return Ok(CountryCode::default()) };
    CountryCode::parse(text).map_or_else(
        || invalid("country_code", "must be 1 to 3 digits, without `+` and leading zeros"),
        Ok,
    )
}
