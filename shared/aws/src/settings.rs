//! Settings from SSM Parameter Store, cached in memory.

use std::collections::{BTreeMap, HashMap};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::operation::get_parameters_by_path::builders::GetParametersByPathFluentBuilder;
use aws_sdk_ssm::types::{ParameterStringFilter, ParameterType};
use domain::core::timestamp::Timestamp;
use tokio::sync::Mutex;

use crate::entropy;
use crate::env::{BadEnvironment, Environment};
use crate::error::IoError;
use crate::telemetry::Metrics;

/// Limit of `GetParameters`.
const MAX_NAMES: usize = 10;

/// Values by parameter path without the prefix.
pub type Values = BTreeMap<String, String>;

/// The parameters below `/waypost/{stage}/`.
#[derive(Debug, Clone)]
pub struct Settings {
    client: Client,
    prefix: String,
    ttl: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error(transparent)]
    Io(#[from] IoError),
    /// The setting was deleted or never written, so no earlier value stays in force.
    #[error("setting {parameter} is missing")]
    Missing {
        /// Path without the prefix.
        parameter: String,
    },
    #[error("setting {parameter} is wrong: {problem}")]
    Invalid {
        /// Path without the prefix.
        parameter: String,
        /// Never contains the value, which may be a secret.
        problem: String,
    },
}

impl SettingsError {
    pub fn missing(parameter: impl Into<String>) -> Self {
        Self::Missing { parameter: parameter.into() }
    }

    pub fn invalid(parameter: impl Into<String>, problem: impl std::fmt::Display) -> Self {
        Self::Invalid { parameter: parameter.into(), problem: problem.to_string() }
    }
}

impl From<SettingsError> for IoError {
    /// Work that needs a missing or invalid setting is retried until an operator corrects it.
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Io(error) => error,
            SettingsError::Missing { parameter } | SettingsError::Invalid { parameter, .. } => {
                Self::UnusableSetting { parameter }
            }
        }
    }
}

impl Settings {
    /// Reads `SETTINGS_PREFIX` and `CONFIG_TTL_SECONDS`. Adds up to a tenth of jitter to the TTL,
    /// so that functions that started together do not call SSM together.
    pub fn from_environment(
        client: Client,
        environment: &Environment,
    ) -> Result<Self, BadEnvironment> {
        let seconds = environment.variable("CONFIG_TTL_SECONDS")?.parse();
        let ttl = Duration::from_secs(seconds.map_err(|_| BadEnvironment("CONFIG_TTL_SECONDS"))?);
        let prefix = environment.variable("SETTINGS_PREFIX")?;
        Ok(Self::new(client, prefix, ttl + entropy::jitter(ttl / 10)))
    }

    pub fn new(client: Client, prefix: String, ttl: Duration) -> Self {
        Self { client, prefix, ttl }
    }

    /// Reads parameters, decrypted. The result omits those that do not exist.
    pub async fn read(&self, names: &[String]) -> Result<Values, IoError> {
        self.get(names, true).await
    }

    /// As [`Settings::read`], but secrets stay encrypted.
    pub async fn read_encrypted(&self, names: &[String]) -> Result<Values, IoError> {
        self.get(names, false).await
    }

    async fn get(&self, names: &[String], decrypted: bool) -> Result<Values, IoError> {
        let mut values = Values::new();
        for chunk in names.chunks(MAX_NAMES) {
            let paths = chunk.iter().map(|name| format!("{}/{name}", self.prefix)).collect();
            let request =
                self.client.get_parameters().set_names(Some(paths)).with_decryption(decrypted);
            let output =
                request.send().await.map_err(|error| IoError::of("ssm:GetParameters", &error))?;
            values
                .extend(output.parameters().iter().filter_map(|p| self.pair(p.name(), p.value())));
        }
        Ok(values)
    }

    /// Writes a parameter of the type `SecureString`, also over another value.
    pub async fn replace_secret(&self, name: &str, value: &str) -> Result<(), IoError> {
        let request = self.client.put_parameter().name(format!("{}/{name}", self.prefix));
        let request = request.value(value).r#type(ParameterType::SecureString).overwrite(true);
        let written = request.send().await;
        written.map(drop).map_err(|error| IoError::of("ssm:PutParameter", &error))
    }

    /// Reads all parameters below a folder. Secrets stay encrypted unless `decrypted`.
    pub async fn read_below(&self, folder: &str, decrypted: bool) -> Result<Values, IoError> {
        self.read_pages(self.below(folder).with_decryption(decrypted)).await
    }

    /// Reads the parameters of the type `String` below a folder, so that secrets, of the type
    /// `SecureString`, cost no pages: SSM has ten parameters on each.
    pub async fn read_plain_below(&self, folder: &str) -> Result<Values, IoError> {
        let plain = ParameterStringFilter::builder().key("Type").option("Equals").values("String");
        let plain = plain.build().map_err(|_| IoError::unreadable("ssm", "filter"))?;
        self.read_pages(self.below(folder).parameter_filters(plain)).await
    }

    fn below(&self, folder: &str) -> GetParametersByPathFluentBuilder {
        let path = format!("{}/{folder}", self.prefix);
        self.client.get_parameters_by_path().path(path).recursive(true)
    }

    async fn read_pages(
        &self,
        request: GetParametersByPathFluentBuilder,
    ) -> Result<Values, IoError> {
        let mut pages = request.into_paginator().send();
        let mut values = Values::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| IoError::of("ssm:GetParametersByPath", &error))?;
            values.extend(page.parameters().iter().filter_map(|p| self.pair(p.name(), p.value())));
        }
        Ok(values)
    }

    fn pair(&self, name: Option<&str>, value: Option<&str>) -> Option<(String, String)> {
        let name = name?.strip_prefix(self.prefix.as_str())?.strip_prefix('/')?;
        Some((name.to_owned(), value?.to_owned()))
    }
}

/// How long an invalid setting's last good value stays in force after it was last read. Enough to
/// correct a mistake; a value that an operator meant to replace must not stay for days.
const LAST_GOOD: Duration = Duration::from_secs(60 * 60);

/// A value, and when its setting was last read and valid.
#[derive(Debug, Clone, PartialEq)]
pub struct Good<T> {
    value: T,
    read_at: Timestamp,
}

impl<T> Good<T> {
    pub fn new(value: T, read_at: Timestamp) -> Self {
        Self { value, read_at }
    }

    /// True while the value stays in force although the setting is invalid now.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        now < self.read_at.after(LAST_GOOD)
    }
}

impl<T> Deref for Good<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Parses each setting on its own. An invalid one keeps its last good value for an hour, a missing
/// one is omitted. Neither affects the others.
pub fn read_each<'a, T: Clone>(
    values: impl IntoIterator<Item = (&'a String, &'a String)>,
    last: Option<&BTreeMap<String, Good<T>>>,
    now: Timestamp,
    parse: impl Fn(&str, &str) -> Result<T, SettingsError>,
) -> BTreeMap<String, Good<T>> {
    let each = values.into_iter().filter_map(|(parameter, text)| {
        let last = last.and_then(|last| last.get(parameter));
        let good = good_or_last(parse(parameter, text), last, now).ok()?;
        Some((parameter.clone(), good))
    });
    each.collect()
}

/// The parsed value, or the last good one for an hour if the setting is invalid.
pub fn good_or_last<T: Clone>(
    parsed: Result<T, SettingsError>,
    last: Option<&Good<T>>,
    now: Timestamp,
) -> Result<Good<T>, SettingsError> {
    parsed.map(|value| Good::new(value, now)).or_else(|error| {
        tracing::error!(%error, "settings.wrong");
        Metrics::new().count("WrongSettings", 1).emit(now);
        let is_invalid = matches!(error, SettingsError::Invalid { .. });
        last.filter(|last| is_invalid && last.is_in_force(now)).cloned().ok_or(error)
    })
}

/// A failure is cached too: otherwise concurrent records would each wait for it in turn.
pub const FAILURE_TTL: Duration = Duration::from_secs(5);

struct Slot<T> {
    /// The last good value, or the last error when there is none in force.
    last: Result<Good<Arc<T>>, SettingsError>,
    loaded_at: Timestamp,
    fresh_until: Timestamp,
}

impl<T> Slot<T> {
    fn value(&self) -> Result<Arc<T>, SettingsError> {
        self.last.clone().map(|good| good.value)
    }
}

/// Caches values parsed from settings. The last good value stays in force while SSM is unavailable,
/// and for an hour while the setting is invalid. A missing setting ends it at once.
pub struct Cached<T> {
    slots: Mutex<HashMap<String, Slot<T>>>,
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self { slots: Mutex::default() }
    }
}

impl<T> Cached<T> {
    /// Returns the cached value, or calls `load` with the last good value once the TTL has passed.
    pub async fn get<F, L>(
        &self,
        settings: &Settings,
        name: &str,
        now: Timestamp,
        load: L,
    ) -> Result<Arc<T>, SettingsError>
    where
        F: Future<Output = Result<T, SettingsError>>,
        L: FnOnce(Option<Arc<T>>) -> F,
    {
        // Held while loading, so that concurrent records call SSM once.
        let mut slots = self.slots.lock().await;
        let slot = slots.get(name);
        if let Some(slot) = slot.filter(|slot| now < slot.fresh_until) {
            return slot.value();
        }
        let good = slot.and_then(|slot| slot.last.as_ref().ok());
        let loaded = load(good.map(|good| Arc::clone(good))).await;
        let last = match (loaded, good) {
            (Err(error @ SettingsError::Io(_)), Some(good)) => {
                tracing::error!(%error, "settings.last_good_in_force");
                Ok(good.clone())
            }
            (Err(error @ SettingsError::Io(_)), None) => Err(error),
            (loaded, good) => good_or_last(loaded.map(Arc::new), good, now),
        };
        let ttl = if last.is_ok() { settings.ttl } else { FAILURE_TTL.min(settings.ttl) };
        let slot = Slot { last, loaded_at: now, fresh_until: now.after(ttl) };
        let value = slot.value();
        slots.insert(name.to_owned(), slot);
        value
    }

    /// Has the next [`Self::get`] load a value again that was loaded before `since`. Returns false
    /// for a newer one. A caller that knows of something newer than the value uses this before an act
    /// that cannot be undone.
    pub async fn expire_older(&self, name: &str, since: Timestamp) -> bool {
        let mut slots = self.slots.lock().await;
        let Some(slot) = slots.get_mut(name).filter(|slot| slot.loaded_at < since) else {
            return false;
        };
        slot.fresh_until = slot.loaded_at;
        true
    }
}

/// Returns what is wrong with a value, without quoting it.
type Parse<T> = Box<dyn Fn(&str) -> Result<T, String> + Send + Sync>;

/// One setting, cached.
pub struct CachedSetting<T> {
    settings: Settings,
    parameter: &'static str,
    parse: Parse<T>,
    decrypted: bool,
    cached: Cached<Option<T>>,
}

impl<T> CachedSetting<T> {
    /// `parse` returns what is wrong with a value, without quoting it.
    pub fn new<E: std::fmt::Display>(
        settings: Settings,
        parameter: &'static str,
        parse: impl Fn(&str) -> Result<T, E> + Send + Sync + 'static,
    ) -> Self {
        let parse = Box::new(move |text: &str| parse(text).map_err(|error| error.to_string()));
        Self { settings, parameter, parse, decrypted: false, cached: Cached::default() }
    }

    /// As [`CachedSetting::new`], for a secret.
    pub fn secret<E: std::fmt::Display>(
        settings: Settings,
        parameter: &'static str,
        parse: impl Fn(&str) -> Result<T, E> + Send + Sync + 'static,
    ) -> Self {
        Self { decrypted: true, ..Self::new(settings, parameter, parse) }
    }

    /// `None` without the setting.
    pub async fn get(&self, now: Timestamp) -> Result<Arc<Option<T>>, SettingsError> {
        let load = |_| async {
            let names = [self.parameter.to_owned()];
            let values = self.settings.get(&names, self.decrypted).await?;
            let parse = |text: &String| {
                (self.parse)(text)
                    .map_err(|problem| SettingsError::invalid(self.parameter, problem))
            };
            values.get(self.parameter).map(parse).transpose()
        };
        self.cached.get(&self.settings, self.parameter, now, load).await
    }
}

#[cfg(test)]
mod tests;
