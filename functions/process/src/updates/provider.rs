//! Keeps what the provider says about accounts, numbers and templates, and what shoppers prefer.

use std::sync::Arc;

use aws::clock::now;
use aws::error::IoError;
use aws::settings::SettingsError;
use aws::tables::concurrency::run_all;
use aws::tables::contention::{Try, retry};
use aws::tables::inbound::InboundEvent;
use aws::tables::messages::{StateKey, StateRow};
use aws::telemetry::Metrics;
use domain::core::id::AccountCode;
use domain::messaging::channel::Preference;
use domain::messaging::conversation::Contact;
use domain::messaging::opt_out::OptOutBy;
use domain::messaging::provider_state::{Merged, Statement};
use domain::messaging::rules::OptOutWords;
use domain::tracking::timeline::plausible_time;

use super::grouped::Text;
use super::{READ_BATCH, TRIES};
use crate::{Process, Run};

type About<'s, 'a> = (&'s StateKey, &'s Vec<&'a Statement>);

impl Process {
    /// Returns the number of states changed; `None` if the time did not suffice.
    pub(super) async fn keep_statements(
        &self,
        statements: &[About<'_, '_>],
        run: &Run<'_>,
    ) -> Result<Option<usize>, IoError> {
        let (mut changed, mut grave) = (0, 0);
        for batch in statements.chunks(READ_BATCH) {
            if !run.has_time() {
                return Ok(None);
            }
            let keys: Vec<StateKey> = batch.iter().map(|(key, _)| (*key).clone()).collect();
            let rows = self.messages.load_states(&keys).await?;
            let writes = rows
                .into_iter()
                .zip(batch)
                .map(async |(row, (_, statements))| self.keep(row, statements, run.event).await);
            for kept in run_all(writes).await? {
                changed += usize::from(kept.is_changed);
                grave += kept.grave;
            }
        }
        // A run that ended here is repeated, and raises the alarm then: once too often, never not.
        Metrics::new().count("WhatsAppRestricted", grave).emit(now());
        Ok(Some(changed))
    }

    async fn keep(
        &self,
        row: StateRow,
        statements: &[&Statement],
        event: &InboundEvent,
    ) -> Result<Kept, IoError> {
        let key = row.key.clone();
        let mut loaded = Some(row);
        let kept = retry(TRIES, || self.keep_once(&key, loaded.take(), statements, event));
        let kept = kept.await?.ok_or_else(|| IoError::contention("dynamodb:PutItem"))?;
        if kept.grave > 0 {
            let (account, about) = (key.account.as_str(), &key.about);
            tracing::warn!(event_id = %event.id, account, ?about, "whatsapp.restricted");
        }
        Ok(kept)
    }

    async fn keep_once(
        &self,
        key: &StateKey,
        loaded: Option<StateRow>,
        statements: &[&Statement],
        event: &InboundEvent,
    ) -> Result<Try<Kept>, IoError> {
        let mut row = match loaded {
            Some(row) => row,
            None => self.messages.load_state(key).await?,
        };
        let mut is_changed = false;
        for statement in statements {
            is_changed |= row.state.merge(statement, event.received_at) == Merged::New;
        }
        // Only what stands after all of them.
        let stands = |told: &Statement| {
            row.state.clone().merge(told, event.received_at) == Merged::Known
                && told.is_grave(event.received_at)
        };
        let grave = statements.iter().filter(|told| stands(told)).count();
        let kept = Kept { is_changed, grave: u64::try_from(grave).unwrap_or(u64::MAX) };
        if !is_changed || self.messages.save_state(&row).await? {
            return Ok(Try::Done(kept));
        }
        Ok(Try::Contended)
    }

    /// After the ids of shoppers are linked: an opt-out is noted for all of them.
    pub(super) async fn keep_preferences(
        &self,
        preferences: &[(AccountCode, Contact, &Preference)],
        event: &InboundEvent,
    ) -> Result<(), IoError> {
        let writes = preferences.iter().map(async |(account, user, preference)| {
            let messages = &self.messages;
            messages.note_event(account, user, &event.id, event.received_at).await?;
            let at = plausible_time(preference.at, event.received_at);
            let by = OptOutBy::UserPreferences;
            messages.set_opt_out(account, user, preference.stopped, at, by).await
        });
        run_all(writes).await.map(drop)
    }
}

impl Process {
    /// Stop and start words, by the rules of the account or else the usual ones. After the ids of
    /// shoppers are linked.
    pub(super) async fn keep_words(
        &self,
        texts: &[(AccountCode, Contact, Text<'_>)],
    ) -> Result<(), IoError> {
        if texts.is_empty() {
            return Ok(());
        }
        let rules = match self.rules.all(now()).await {
            Ok(rules) => rules,
            Err(SettingsError::Io(error)) => return Err(error),
            Err(SettingsError::Missing { .. } | SettingsError::Invalid { .. }) => Arc::default(),
        };
        let usual = OptOutWords::default();
        let writes = texts.iter().filter_map(|(account, contact, Text { text, at })| {
            let words = rules.of(account).map_or(&usual, |rules| &rules.words);
            let stopped = words.is_stop(text);
            (stopped || words.is_start(text)).then_some((account, contact, stopped, *at))
        });
        let writes = writes.map(async |(account, contact, stopped, at)| {
            self.messages.set_opt_out(account, contact, stopped, at, OptOutBy::Word).await
        });
        run_all(writes).await.map(drop)
    }
}

/// What statements about one account, number or template did.
struct Kept {
    is_changed: bool,
    /// How many keep it from sending, or threaten to.
    grave: u64,
}
