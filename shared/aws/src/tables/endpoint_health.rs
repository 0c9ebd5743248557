//! The health of endpoints, in the state table: a row for each endpoint that failed, was paused or
//! disabled. Partition `endpoints`, sort key the endpoint's name.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ReturnValue;
use domain::core::id::EndpointName;
use domain::core::timestamp::Timestamp;
use domain::webhooks::health::{EndpointState, Health, probe_wait};

use crate::error::IoError;
use crate::tables::attr::{Item, number, read_as, read_number, read_optional, read_text, text};
use crate::tables::expression::{Condition, attr};
use crate::tables::keys::key;
use crate::tables::read::{all_rows, get, query};
use crate::tables::update::Changes;
use crate::tables::write::{Write, WriteOutcome};

const PARTITION: &str = "endpoints";

#[derive(Debug, Clone)]
pub struct EndpointHealth {
    client: Client,
    table: String,
}

/// Why an endpoint is paused or disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum HealthReason {
    /// Too many failures in a row.
    Failing,
    /// 410, or the response header `webhook-delivery: disable`.
    DisabledByReceiver,
    PausedByAdmin,
    /// The Cloud API refuses the access token, or its permissions. A phone number has no probes,
    /// which would be messages: an admin enables it.
    CredentialsRefused,
    /// The Cloud API refuses the number, or its business account. As above.
    NumberRefused,
}

impl HealthReason {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A row, for `sweep` and operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthRow {
    pub endpoint: EndpointName,
    pub health: Health,
    /// [`HealthReason`].
    pub reason: Option<String>,
    /// The provider's code, if it refuses the number.
    pub error_code: Option<String>,
    /// True if other endpoints were notified of the state.
    pub is_told: bool,
    /// Since when `sweep` finds no settings of it.
    pub missing_since: Option<Timestamp>,
}

impl EndpointHealth {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    pub async fn read(&self, endpoint: &EndpointName) -> Result<Health, IoError> {
        let row = get(&self.client, &self.table, health_key(endpoint), &[]).await?;
        row.as_ref().map_or(Ok(Health::default()), read_health)
    }

    /// All rows, read consistently, by endpoint. Unreadable rows are errors of their own.
    pub async fn list(&self) -> Result<Vec<Result<HealthRow, IoError>>, IoError> {
        let rows = query(&self.client, &self.table, attr("pk").equals(text(PARTITION)));
        Ok(all_rows(rows.consistent_read(true)).await?.iter().map(read_row).collect())
    }

    /// Counts a failed attempt, and returns the health after it.
    pub async fn count_failure(
        &self,
        endpoint: &EndpointName,
        is_timeout: bool,
    ) -> Result<Health, IoError> {
        let changes = Changes::new().add("failures", number(1));
        let changes = if is_timeout {
            changes.add("timeouts", number(1))
        } else {
            changes.set("timeouts", number(0))
        };
        let update = Write::update(&self.table, health_key(endpoint), changes);
        match update.returning(ReturnValue::AllNew).send(&self.client).await? {
            WriteOutcome::Applied(row) => read_health(&row),
            WriteOutcome::ConditionFailed(_) => Ok(Health::default()),
        }
    }

    /// Ends the failures in a row.
    pub async fn clear_failures(&self, endpoint: &EndpointName) -> Result<(), IoError> {
        let changes = Changes::new().set("failures", number(0)).set("timeouts", number(0));
        self.update(endpoint, changes, attr("pk").exists()).await.map(drop)
    }

    /// Moves an endpoint to the slow lane, or back. `false` if it was there.
    pub async fn set_slow(
        &self,
        endpoint: &EndpointName,
        is_slow: bool,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let since = is_slow.then(|| text(now.to_string()));
        let changes = Changes::new().set_or_remove("slow_since", since);
        let slow_since = attr("slow_since");
        let condition = if is_slow { slow_since.absent() } else { slow_since.exists() };
        self.update(endpoint, changes, condition).await
    }

    /// Pauses an endpoint that is sent deliveries; an admin pauses one that fails, too, and ends its
    /// probes by that. `false` if the row is unchanged.
    pub async fn pause(
        &self,
        endpoint: &EndpointName,
        reason: HealthReason,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        self.pause_with_code(endpoint, reason, None, now).await
    }

    /// Pauses a phone number that its provider refuses, with the provider's code. `false` if the row
    /// is unchanged.
    pub async fn pause_with_code(
        &self,
        endpoint: &EndpointName,
        reason: HealthReason,
        code: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let (probe_at, condition) = match reason {
            HealthReason::PausedByAdmin => (None, is_sent_deliveries().or(is_failing())),
            HealthReason::CredentialsRefused | HealthReason::NumberRefused => {
                (None, is_sent_deliveries())
            }
            _ => (Some(text(now.after(probe_wait(0)).to_string())), is_sent_deliveries()),
        };
        let changes = state(EndpointState::Paused, now)
            .set("reason", text(reason.as_str()))
            .set("probes", number(0))
            .set_or_remove("error_code", code.map(text))
            .set_or_remove("probe_at", probe_at);
        self.update(endpoint, changes, condition).await
    }

    /// Disables an endpoint, paused or not. `false` if it is disabled.
    pub async fn disable(&self, endpoint: &EndpointName, now: Timestamp) -> Result<bool, IoError> {
        let changes = state(EndpointState::Disabled, now)
            .set("reason", text(HealthReason::DisabledByReceiver.as_str()))
            .remove("error_code")
            .remove("probe_at");
        let is_new = attr("state").absent().or(is(EndpointState::Disabled).negated());
        self.update(endpoint, changes, is_new).await
    }

    /// Lets an endpoint recover that is paused or disabled, as an admin wants it. `false` if it is
    /// neither.
    pub async fn enable(&self, endpoint: &EndpointName, now: Timestamp) -> Result<bool, IoError> {
        self.update(endpoint, recovering(now), is_stopped()).await
    }

    /// Records since when the endpoint has no settings, or that it has some.
    pub async fn note_missing(
        &self,
        endpoint: &EndpointName,
        since: Option<Timestamp>,
    ) -> Result<(), IoError> {
        let since = since.map(|since| text(since.to_string()));
        let changes = Changes::new().set_or_remove("missing_since", since);
        self.update(endpoint, changes, attr("pk").exists()).await.map(drop)
    }

    /// Deletes the row of an active endpoint without settings. `false` if it changed since.
    pub async fn delete(&self, row: &HealthRow) -> Result<bool, IoError> {
        let Some(since) = row.missing_since else { return Ok(false) };
        let is_unchanged = attr("missing_since").equals(text(since.to_string()));
        let delete = Write::delete(&self.table, health_key(&row.endpoint))
            .only_if(attr("state").absent().and(is_unchanged));
        Ok(delete.send(&self.client).await?.is_applied())
    }

    /// As [`Self::enable`], for an endpoint without settings: one that is added under its name is new.
    pub async fn end_removed(
        &self,
        endpoint: &EndpointName,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let changes = recovering(now).remove("slow_since").remove("missing_since");
        self.update(endpoint, changes, is_stopped()).await
    }

    /// Lets an endpoint recover that is paused because it failed. `false` if it is not: a probe
    /// does not undo a decision of an admin or the receiver.
    pub async fn recover(&self, endpoint: &EndpointName, now: Timestamp) -> Result<bool, IoError> {
        self.update(endpoint, recovering(now), is_failing()).await
    }

    /// Records that a probe was queued, and when the next one is due. `false` if another run did.
    pub async fn mark_probed(&self, row: &HealthRow, now: Timestamp) -> Result<bool, IoError> {
        let Some(probe_at) = row.health.probe_at else { return Ok(false) };
        let probes = row.health.probes.saturating_add(1);
        let changes = Changes::new()
            .set("probes", number(probes))
            .set("probe_at", text(now.after(probe_wait(probes)).to_string()));
        let is_unchanged =
            is(EndpointState::Paused).and(attr("probe_at").equals(text(probe_at.to_string())));
        self.update(&row.endpoint, changes, is_unchanged).await
    }

    /// Sets the time of the next probe of an endpoint that is paused because it failed.
    pub async fn probe_at(&self, endpoint: &EndpointName, at: Timestamp) -> Result<(), IoError> {
        let changes = Changes::new().set("probe_at", text(at.to_string()));
        self.update(endpoint, changes, is_failing()).await.map(drop)
    }

    /// Records that other endpoints were notified of the state. `false` if it changed since.
    pub async fn mark_told(&self, row: &HealthRow) -> Result<bool, IoError> {
        let Some(since) = row.health.since else { return Ok(false) };
        let changes = Changes::new().set("told", text(told(row.health.state, since)));
        let is_unchanged = is(row.health.state).and(attr("since").equals(text(since.to_string())));
        self.update(&row.endpoint, changes, is_unchanged).await
    }

    /// Ends a recovery. `false` if the endpoint was paused again, or has recovered since.
    pub async fn end_recovery(&self, row: &HealthRow) -> Result<bool, IoError> {
        let Some(since) = row.health.since else { return Ok(false) };
        let changes =
            Changes::new().remove("state").remove("since").remove("told").remove("probes");
        let is_unchanged =
            is(EndpointState::Recovering).and(attr("since").equals(text(since.to_string())));
        self.update(&row.endpoint, changes, is_unchanged).await
    }

    async fn update(
        &self,
        endpoint: &EndpointName,
        changes: Changes,
        condition: Condition,
    ) -> Result<bool, IoError> {
        let update = Write::update(&self.table, health_key(endpoint), changes).only_if(condition);
        Ok(update.send(&self.client).await?.is_applied())
    }
}

fn state(state: EndpointState, now: Timestamp) -> Changes {
    Changes::new().set("state", text(state.as_str())).set("since", text(now.to_string()))
}

fn recovering(now: Timestamp) -> Changes {
    state(EndpointState::Recovering, now)
        .set("failures", number(0))
        .set("timeouts", number(0))
        .remove("reason")
        .remove("error_code")
        .remove("probe_at")
}

fn is_stopped() -> Condition {
    is(EndpointState::Paused).or(is(EndpointState::Disabled))
}

fn is(state: EndpointState) -> Condition {
    attr("state").equals(text(state.as_str()))
}

fn is_failing() -> Condition {
    is(EndpointState::Paused).and(attr("reason").equals(text(HealthReason::Failing.as_str())))
}

fn is_sent_deliveries() -> Condition {
    attr("state").absent().or(is(EndpointState::Recovering))
}

fn health_key(endpoint: &EndpointName) -> Item {
    key(PARTITION, endpoint.as_str())
}

/// A state that others are notified of: it may come twice within a millisecond.
fn told(state: EndpointState, since: Timestamp) -> String {
    format!("{} {since}", state.as_str())
}

fn read_row(row: &Item) -> Result<HealthRow, IoError> {
    let health = read_health(row)?;
    Ok(HealthRow {
        endpoint: read_as(row, "sk", EndpointName::parse)?,
        health,
        reason: read_text(row, "reason").ok().map(str::to_owned),
        error_code: read_text(row, "error_code").ok().map(str::to_owned),
        is_told: health
            .since
            .is_some_and(|since| read_text(row, "told") == Ok(told(health.state, since).as_str())),
        missing_since: read_optional(row, "missing_since", Timestamp::parse)?,
    })
}

fn read_health(row: &Item) -> Result<Health, IoError> {
    let state = read_text(row, "state").map_or(Some(EndpointState::Active), EndpointState::parse);
    Ok(Health {
        state: state.ok_or_else(|| IoError::unreadable("dynamodb", "state"))?,
        failures: read_number(row, "failures").unwrap_or_default(),
        timeouts: read_number(row, "timeouts").unwrap_or_default(),
        since: read_optional(row, "since", Timestamp::parse)?,
        probe_at: read_optional(row, "probe_at", Timestamp::parse)?,
        probes: read_number(row, "probes").unwrap_or_default(),
        is_slow: row.contains_key("slow_since"),
    })
}
