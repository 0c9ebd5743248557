//! What a worker knows before a call: the state of its batch, and the pause of its credential in
//! the run.

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use domain::core::timestamp::Timestamp;
use domain::polling::{BatchMessage, Halving, Pause};

use super::batches::{batch_key, is_answer_to};
use super::{Runs, parts_pk};
use crate::error::IoError;
use crate::tables::attr::{Item, number, read_as, read_json, read_number, text, ttl};
use crate::tables::batch_get::batch_get;
use crate::tables::expression::attr;
use crate::tables::keys::key;
use crate::tables::update::Changes;
use crate::tables::write::WriteOutcome;

/// As long as batches.
const RETENTION_DAYS: u64 = 2;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchState {
    /// The carrier has answered exactly this batch, and the answer is counted.
    pub is_answered: bool,
    /// The number of failed calls in a row.
    pub attempts: u32,
    /// Set while the batch is polled in parts.
    pub halving: Option<Halving>,
    /// The last pause of the batch's credential, if no answer came since.
    pub pause: Option<Pause>,
}

impl Runs {
    pub async fn batch_state(&self, batch: &BatchMessage) -> Result<BatchState, IoError> {
        let (of_batch, of_pause) = (batch_key(batch), pause_key(batch));
        let keys = KeysAndAttributes::builder()
            .keys(of_batch.clone())
            .keys(of_pause.clone())
            .consistent_read(true);
        let rows = batch_get(&self.client, &self.table, keys).await?;
        let find = |key: &Item| rows.iter().find(|row| row.get("sk") == key.get("sk"));
        let row = find(&of_batch);
        let halving = row.and_then(|row| read_json::<Halving>(row, "halving").ok());
        Ok(BatchState {
            is_answered: row.is_some_and(|row| is_answer_to(row, &batch.fingerprint())),
            attempts: row.and_then(|row| read_number(row, "attempts")).unwrap_or_default(),
            halving: halving.filter(|halving| halving.is_of(batch)),
            pause: find(&of_pause).map(read_pause).transpose()?.flatten(),
        })
    }

    /// Pauses the credential of a batch, unless another worker has changed its pause since `before`
    /// was read. Returns the pause that is in force.
    pub async fn pause(
        &self,
        batch: &BatchMessage,
        before: Option<&Pause>,
        pause: Pause,
        now: Timestamp,
    ) -> Result<Pause, IoError> {
        let changes = Changes::new()
            .set("kind", text(<&str>::from(pause.refusal)))
            .set("refusals", number(pause.refusals))
            .set("since", text(pause.since.to_string()))
            .set("until", text(pause.until.to_string()))
            .set("given_up", AttributeValue::Bool(pause.given_up))
            .set("ttl", ttl(now, RETENTION_DAYS));
        let unchanged = match before {
            Some(before) => attr("until").equals(text(before.until.to_string())),
            None => attr("refusals").absent().or(attr("refusals").equals(number(0))),
        };
        let write = self.update(pause_key(batch), changes).only_if(unchanged);
        match write.returning_existing().send(&self.client).await? {
            WriteOutcome::Applied(_) => Ok(pause),
            WriteOutcome::ConditionFailed(row) => Ok(read_pause(&row)?.unwrap_or(pause)),
        }
    }

    /// Ends the refusals of a credential, after an answer.
    pub async fn end_pause(&self, batch: &BatchMessage, pause: &Pause) -> Result<(), IoError> {
        let changes = Changes::new().set("refusals", number(0));
        let unchanged = attr("until").equals(text(pause.until.to_string()));
        let write = self.update(pause_key(batch), changes).only_if(unchanged);
        write.send(&self.client).await.map(drop)
    }
}

/// The source's credentials have an empty name.
fn pause_key(batch: &BatchMessage) -> Item {
    let credential = batch.credential.as_ref().map_or("", |account| account.as_str());
    key(parts_pk(&batch.run.id), format!("pause:{credential}"))
}

/// `None` after an answer.
fn read_pause(row: &Item) -> Result<Option<Pause>, IoError> {
    let refusals = read_number(row, "refusals").unwrap_or_default();
    if refusals == 0 {
        return Ok(None);
    }
    Ok(Some(Pause {
        refusal: read_as(row, "kind", str::parse)?,
        refusals,
        since: read_as(row, "since", Timestamp::parse)?,
        until: read_as(row, "until", Timestamp::parse)?,
        given_up: row.get("given_up").is_some_and(|given_up| given_up.as_bool() == Ok(&true)),
    }))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::polling::{Batch, PlanMessage, Refusal, Run};

    use super::*;
    use crate::tables::attr::item;

    #[test]
    fn each_credential_of_a_run_has_a_row() {
        let plan = PlanMessage::new(Run::hourly(Timestamp::EPOCH), 0, 1, 5.0);
        let account = domain::core::id::AccountCode::parse("STORE001").ok();
        let sort_key = |credential| {
            let batch = Batch { credential, orders: Vec::new() };
            let key = pause_key(&BatchMessage::new(&plan, 0, 0, batch));
            assert_eq!(key["pk"], text("run:hourly-1970-01-01T00"));
            key["sk"].clone()
        };
        assert_eq!([sort_key(None), sort_key(account)], ["pause:", "pause:STORE001"].map(text));
    }

    #[test]
    fn a_pause_ends_with_an_answer() {
        let time = |seconds: i64| Timestamp::from_millis(seconds * 1000).unwrap();
        let mut row = item([
            ("kind", text("rate_limit")),
            ("refusals", number(5)),
            ("since", text(time(10).to_string())),
            ("until", text(time(90).to_string())),
            ("given_up", AttributeValue::Bool(true)),
        ]);
        let pause = Pause {
            refusal: Refusal::RateLimit,
            refusals: 5,
            since: time(10),
            until: time(90),
            given_up: true,
        };
        assert_eq!(read_pause(&row).unwrap(), Some(pause));
        row.insert("refusals".to_owned(), number(0));
        assert_eq!(read_pause(&row).unwrap(), None);
        row.extend([("refusals".to_owned(), number(1)), ("until".to_owned(), text("soon"))]);
        assert!(read_pause(&row).is_err());
    }
}
