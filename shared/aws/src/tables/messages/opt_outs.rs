//! Whether shoppers want no more messages, by contact. Kept until their conversation is erased.

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use domain::messaging::conversation::Contact;
use domain::messaging::opt_out::{OptOut, OptOutBy};

use super::Messages;
use super::conversations::{EVENT_PREFIX, RETENTION_DAYS, conversation_pk};
use crate::error::IoError;
use crate::tables::attr::{Item, item, json, read_json, text, ttl};
use crate::tables::batch_get::batch_get;
use crate::tables::concurrency::run_all;
use crate::tables::expression::{Condition, attr, no_row};
use crate::tables::keys::key;
use crate::tables::write::Write;

const SORT_KEY: &str = "optout";
/// [`OptOut::rank`]: conditions compare it.
const RANK: &str = "rank";

impl Messages {
    /// Notes that a contact stopped or resumed messages, for all their ids that are in use: links of
    /// ids end, opt-outs do not, and a former phone number may become another's. Has no effect if
    /// something later is known.
    pub async fn set_opt_out(
        &self,
        account: &AccountCode,
        contact: &Contact,
        stopped: bool,
        at: Timestamp,
        by: OptOutBy,
    ) -> Result<(), IoError> {
        let opt_out = OptOut { at, stopped, by };
        let ids = self.current_ids_of(account, contact).await?;
        let writes = ids.iter().map(async |id| {
            let write = Write::put(&self.table, row(account, id, &opt_out)?);
            write.only_if(is_news(&opt_out)).send(&self.client).await.map(drop)
        });
        run_all(writes).await.map(drop)
    }

    /// True if the last that a contact said, by any of their ids, was that they want no messages.
    pub async fn is_opted_out(
        &self,
        account: &AccountCode,
        contact: &Contact,
    ) -> Result<bool, IoError> {
        let ids = self.ids_of(account, contact).await?;
        let keys = ids.iter().map(|id| key(conversation_pk(account, id), SORT_KEY)).collect();
        let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
        let rows = batch_get(&self.client, &self.table, keys).await?;
        let opt_outs = rows.iter().map(|row| read_json::<OptOut>(row, "json"));
        let opt_outs = opt_outs.collect::<Result<Vec<_>, _>>()?;
        Ok(opt_outs.into_iter().max().is_some_and(|latest| latest.stopped))
    }

    /// Notes an event whose body names a contact, so that erasing finds it.
    pub async fn note_event(
        &self,
        account: &AccountCode,
        contact: &Contact,
        event: &EventId,
        received_at: Timestamp,
    ) -> Result<(), IoError> {
        let mut row = key(conversation_pk(account, contact), format!("{EVENT_PREFIX}{event}"));
        row.insert("ttl".to_owned(), ttl(received_at, RETENTION_DAYS));
        Write::put(&self.table, row).send(&self.client).await.map(drop)
    }
}

fn row(account: &AccountCode, contact: &Contact, opt_out: &OptOut) -> Result<Item, IoError> {
    Ok(item([
        ("pk", text(conversation_pk(account, contact))),
        ("sk", text(SORT_KEY)),
        (RANK, text(opt_out.rank())),
        ("json", json(opt_out)?),
    ]))
}

fn is_news(opt_out: &OptOut) -> Condition {
    no_row().or(attr(RANK).below(text(opt_out.rank())))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use super::*;
    use crate::client::fake::{FakeAws, clients};
    use crate::tables::messages::contacts::SAME;

    fn contact(id: &str) -> Contact {
        Contact::parse(id).unwrap()
    }

    /// Answers to a query of links for each id, then to a batch of opt-outs.
    async fn is_opted_out(links: &[&str], rows: &[(i64, bool)]) -> bool {
        let link = |id: &str| serde_json::json!({"sk": {"S": format!("id:{id}")}});
        let of = |rows: Vec<serde_json::Value>| serde_json::json!({"Items": rows}).to_string();
        let mut answers = vec![of(links.iter().map(|id| link(id)).collect())];
        answers.extend(links.iter().map(|_| of(vec![])));
        let by = OptOutBy::UserPreferences;
        let row = |(at, stopped): &(i64, bool)| {
            let at = Timestamp::from_millis(*at).unwrap();
            let json = serde_json::to_string(&OptOut { at, stopped: *stopped, by }).unwrap();
            serde_json::json!({"json": {"S": json}})
        };
        let rows: Vec<_> = rows.iter().map(row).collect();
        answers.push(serde_json::json!({"Responses": {"messages": rows}}).to_string());
        let answers = Mutex::new(VecDeque::from(answers));
        let fake = FakeAws::new(move |_| (200, answers.lock().unwrap().pop_front().unwrap()));
        let messages = Messages::new(clients(fake.edge()).dynamodb(), "messages".to_owned());
        let account = AccountCode::parse("STORE001").unwrap();
        messages.is_opted_out(&account, &contact("919876543210")).await.unwrap()
    }

    #[tokio::test]
    async fn the_latest_of_all_ids_counts() {
        assert!(!is_opted_out(&[], &[]).await);
        assert!(is_opted_out(&[], &[(1, true)]).await);
        assert!(!is_opted_out(&["IN.1"], &[(2, false), (1, true)]).await);
        assert!(is_opted_out(&["IN.1", "IN.2"], &[(1, false), (2, true), (0, false)]).await);
        assert!(is_opted_out(&["IN.1"], &[(1, true), (1, false)]).await);
    }

    #[tokio::test]
    async fn a_former_id_is_not_stopped_for_ever() {
        let fake = FakeAws::new(|_| (200, r#"{"Items": []}"#.to_owned()));
        let messages = Messages::new(clients(fake.edge()).dynamodb(), "messages".to_owned());
        let (account, by) = (AccountCode::parse("STORE001").unwrap(), OptOutBy::Word);
        let at = Timestamp::from_millis(0).unwrap();
        messages.set_opt_out(&account, &contact("1650"), true, at, by).await.unwrap();
        let query: serde_json::Value =
            serde_json::from_slice(fake.requests()[0].body().bytes().unwrap()).unwrap();
        let mut values = query["ExpressionAttributeValues"].as_object().unwrap().values();
        assert!(values.any(|value| value["S"] == SAME), "{query}");
    }

    #[test]
    fn a_row_does_not_expire_and_gives_way_to_a_later_one_only() {
        let account = AccountCode::parse("STORE001").unwrap();
        let at = Timestamp::from_millis(1_768_903_200_000).unwrap();
        let stop = OptOut { at, stopped: true, by: OptOutBy::Word };
        let row = row(&account, &contact("1650"), &stop).unwrap();
        assert!(!row.contains_key("ttl"));
        assert_eq!(row[RANK], text("2026-01-20T10:00:00.000Z/1/1"));
        assert_eq!(is_news(&stop), no_row().or(attr(RANK).below(row[RANK].clone())));
        let expected = r#"{"at":"2026-01-20T10:00:00.000Z","stopped":true,"by":"word"}"#;
        assert_eq!(row["json"], text(expected));
    }
}
