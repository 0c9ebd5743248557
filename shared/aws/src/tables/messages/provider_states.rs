//! What the provider says about business accounts, phone numbers and templates.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::core::id::AccountCode;
use domain::messaging::provider_state::{ProviderState, Subject, TemplateId};
use domain::pagination::PageRequest;

use super::Messages;
use crate::error::IoError;
use crate::tables::attr::{Item, json, number, read_json, read_number, read_text, text};
use crate::tables::batch_get::{MAX_KEYS, batch_get};
use crate::tables::expression::{Condition, attr, no_row};
use crate::tables::keys::{key, tenant};
use crate::tables::read::{Rows, first_page, limit, query};
use crate::tables::write::Write;

/// Before the id of a business account, and the digits of a number.
const ACCOUNT: &str = "account/";
const NUMBER: &str = "number/";

/// What a state is about, at one tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateKey {
    pub account: AccountCode,
    pub about: Subject,
}

/// A state as it was read, to be changed and written back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRow {
    pub key: StateKey,
    pub state: ProviderState,
    rev: u64,
}

impl Messages {
    /// The states of these, in this order; empty for an unknown one.
    pub async fn load_states(&self, keys: &[StateKey]) -> Result<Vec<StateRow>, IoError> {
        let mut rows = BTreeMap::new();
        for chunk in keys.chunks(MAX_KEYS) {
            // DynamoDB rejects a request that names a key twice.
            let keys: BTreeMap<(String, String), Item> =
                chunk.iter().map(|state| (names(state), row_key(state))).collect();
            let keys = KeysAndAttributes::builder().set_keys(Some(keys.into_values().collect()));
            for row in batch_get(&self.client, &self.table, keys.consistent_read(true)).await? {
                let name = (read_text(&row, "pk")?.to_owned(), read_text(&row, "sk")?.to_owned());
                rows.insert(name, row);
            }
        }
        keys.iter().map(|key| read(key.clone(), rows.get(&names(key)))).collect()
    }

    /// The state of one; empty if it is unknown.
    pub async fn load_state(&self, key: &StateKey) -> Result<StateRow, IoError> {
        let row = self.load_states(std::slice::from_ref(key)).await?.pop();
        row.map_or_else(|| read(key.clone(), None), Ok)
    }

    /// What is known of a template; empty if nothing is.
    pub async fn template_state(
        &self,
        account: &AccountCode,
        template: &TemplateId,
    ) -> Result<ProviderState, IoError> {
        let about = Subject::Template(template.clone());
        let key = StateKey { account: account.clone(), about };
        Ok(self.load_state(&key).await?.state)
    }

    /// `false` if the row was written since it was read, or is being written.
    pub async fn save_state(&self, row: &StateRow) -> Result<bool, IoError> {
        let write = Write::put(&self.table, item(row)?).only_if(unchanged(row));
        write.send_if_unchanged(&self.client).await
    }

    /// A page of an account's business accounts and numbers.
    pub async fn senders(
        &self,
        account: &AccountCode,
        page: &PageRequest,
    ) -> Result<Rows<StateRow>, IoError> {
        self.states(account, senders_pk(account), page).await
    }

    /// A page of an account's templates, by name.
    pub async fn templates(
        &self,
        account: &AccountCode,
        page: &PageRequest,
    ) -> Result<Rows<StateRow>, IoError> {
        self.states(account, templates_pk(account), page).await
    }

    async fn states(
        &self,
        account: &AccountCode,
        pk: String,
        page: &PageRequest,
    ) -> Result<Rows<StateRow>, IoError> {
        let mut rows = attr("pk").equals(text(&pk));
        if let Some(after) = &page.after {
            rows = rows.and(attr("sk").above(text(after)));
        }
        let query = query(&self.client, &self.table, rows).consistent_read(true);
        let found = first_page(query.limit(limit(page.limit))).await?.rows;
        Ok(Rows::of(&found, page.limit, |row| {
            let about = subject(&pk, read_text(row, "sk")?);
            let about = about.ok_or_else(|| IoError::unreadable("dynamodb", "sk"))?;
            read(StateKey { account: account.clone(), about }, Some(row))
        }))
    }
}

fn senders_pk(account: &AccountCode) -> String {
    format!("sender:{}", tenant(account))
}

fn templates_pk(account: &AccountCode) -> String {
    format!("template:{}", tenant(account))
}

/// Partition and sort key.
fn names(StateKey { account, about }: &StateKey) -> (String, String) {
    match about {
        Subject::BusinessAccount(id) => (senders_pk(account), format!("{ACCOUNT}{id}")),
        Subject::Number(digits) => (senders_pk(account), format!("{NUMBER}{digits}")),
        Subject::Template(id) => {
            (templates_pk(account), format!("{}/{}", id.name(), id.language()))
        }
    }
}

fn row_key(state: &StateKey) -> Item {
    let (pk, sk) = names(state);
    key(pk, sk)
}

fn subject(pk: &str, sk: &str) -> Option<Subject> {
    if pk.starts_with("template:") {
        let (name, language) = sk.split_once('/')?;
        return TemplateId::new(name, language).map(Subject::Template);
    }
    let account = sk.strip_prefix(ACCOUNT).map(|id| Subject::BusinessAccount(id.to_owned()));
    account.or_else(|| sk.strip_prefix(NUMBER).map(|digits| Subject::Number(digits.to_owned())))
}

fn item(row: &StateRow) -> Result<Item, IoError> {
    let mut item = row_key(&row.key);
    item.insert("rev".to_owned(), number(row.rev + 1));
    item.insert("json".to_owned(), json(&row.state)?);
    Ok(item)
}

fn unchanged(row: &StateRow) -> Condition {
    if row.rev == 0 { no_row() } else { attr("rev").equals(number(row.rev)) }
}

fn read(key: StateKey, item: Option<&Item>) -> Result<StateRow, IoError> {
    let Some(item) = item else {
        return Ok(StateRow { key, state: ProviderState::default(), rev: 0 });
    };
    let rev = read_number(item, "rev").ok_or_else(|| IoError::unreadable("dynamodb", "rev"))?;
    Ok(StateRow { key, state: read_json(item, "json")?, rev })
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::timestamp::Timestamp;
    use domain::messaging::provider_state::{Aspect, Statement};

    use super::*;

    fn key(account: &str, about: Subject) -> StateKey {
        StateKey { account: AccountCode::parse(account).unwrap(), about }
    }

    fn number_of(digits: &str) -> Subject {
        Subject::Number(digits.to_owned())
    }

    fn template(name: &str) -> Subject {
        Subject::Template(TemplateId::new(name, "en_US").unwrap())
    }

    #[test]
    fn keys_of_different_tenants_and_subjects_differ() {
        let account = Subject::BusinessAccount("7".to_owned());
        let keys = [
            key("A", number_of("7")),
            key("A", account),
            key("A", template("7")),
            key("A:7", number_of("7")),
            key("1:A", number_of("7")),
            key("1:A", template("7")),
        ];
        let names: std::collections::BTreeSet<_> = keys.iter().map(names).collect();
        assert_eq!(names.len(), keys.len(), "{names:?}");
    }

    #[test]
    fn a_row_names_its_subject() {
        let account = Subject::BusinessAccount("7".to_owned());
        for about in [account, number_of("15550783881"), template("order_update")] {
            let (pk, sk) = names(&key("A", about.clone()));
            assert_eq!(subject(&pk, &sk), Some(about));
        }
        assert_eq!(subject("sender:1:A", "7"), None);
        assert_eq!(subject("template:1:A", "order_update"), None);
    }

    #[test]
    fn replaces_only_the_row_that_was_read() {
        let about = number_of("15550783881");
        let mut row = read(key("A", about.clone()), None).unwrap();
        assert_eq!(unchanged(&row), no_row());
        let flagged = Statement {
            about,
            aspect: Aspect::Flag,
            at: None,
            value: "FLAGGED".to_owned(),
            reason: None,
            subject: None,
            until: None,
        };
        row.state.merge(&flagged, Timestamp::EPOCH);
        let stored = item(&row).unwrap();
        assert!(!stored.contains_key("ttl"));
        let again = read(row.key.clone(), Some(&stored)).unwrap();
        assert_eq!((&again.state, again.rev), (&row.state, 1));
        assert_eq!(unchanged(&again), attr("rev").equals(number(1)));
    }
}
