//! The ids of one contact: a conversation is one, whichever of them a message names.
//!
//! | partition | sort key | row |
//! |---|---|---|
//! | `talk:…` | `id:{other id}` | one message named both ids, or followed such a message |
//! | | `id-before:{other id}` | one of the ids took the other's place |
//!
//! There is a row for each direction. As long as messages come, links of the first kind are renewed:
//! a shopper's messages may name now the phone number, now the user id. Those of the second kind are
//! not: the former id gets no more messages of theirs, and a phone number may become another's.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::messaging::conversation::Contact;

use super::Messages;
use super::conversations::conversation_pk;
use crate::error::IoError;
use crate::tables::attr::{Item, read_number, read_text, text, ttl};
use crate::tables::batch_get::{MAX_KEYS, batch_get};
use crate::tables::concurrency::run_all;
use crate::tables::expression::attr;
use crate::tables::keys::key;
use crate::tables::read::{all_rows, query};
use crate::tables::write::Write;

/// Longer than messages are kept: one may come a week after the link that it needs.
const LINK_DAYS: u64 = 100;
/// A link that lasts for so long is not renewed.
const ENOUGH_DAYS: u64 = 95;
/// Maximum number of ids of one contact that are read.
const MAX_IDS: usize = 32;

/// Of both kinds.
const PREFIX: &str = "id";
pub(super) const SAME: &str = "id:";
const BEFORE: &str = "id-before:";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkKind {
    /// Both are in use.
    Same,
    /// One took the other's place.
    Before,
}

impl LinkKind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Same => SAME,
            Self::Before => BEFORE,
        }
    }
}

/// Two ids of one contact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContactLink {
    pub account: AccountCode,
    ids: [Contact; 2],
    kind: LinkKind,
}

impl ContactLink {
    /// `None` if they are the same id.
    pub fn new(
        account: &AccountCode,
        one: &Contact,
        other: &Contact,
        kind: LinkKind,
    ) -> Option<Self> {
        let mut ids = [one.clone(), other.clone()];
        ids.sort();
        (one != other).then(|| Self { account: account.clone(), ids, kind })
    }

    fn keys(&self) -> [(String, String); 2] {
        let [one, other] = &self.ids;
        [(one, other), (other, one)].map(|(from, to)| {
            let sk = format!("{}{}", self.kind.prefix(), to.as_str());
            (conversation_pk(&self.account, from), sk)
        })
    }
}

impl Messages {
    /// Notes that ids are of one contact, for longer than a message of now is kept. Most are noted
    /// already: reading costs less than writing.
    pub async fn link_contacts(
        &self,
        links: &BTreeSet<ContactLink>,
        received_at: Timestamp,
    ) -> Result<(), IoError> {
        let keys: BTreeSet<(String, String)> = links.iter().flat_map(ContactLink::keys).collect();
        let keys: Vec<(String, String)> = keys.into_iter().collect();
        for chunk in keys.chunks(MAX_KEYS) {
            let rows = chunk.iter().map(|(pk, sk)| key(pk.clone(), sk.clone())).collect();
            let rows = KeysAndAttributes::builder().set_keys(Some(rows));
            let rows = batch_get(&self.client, &self.table, rows).await?;
            let known: BTreeMap<_, _> =
                rows.iter().filter_map(|row| Some((position(row)?, row))).collect();
            let lasts = |(pk, sk): &&(String, String)| {
                known
                    .get(&(pk.as_str(), sk.as_str()))
                    .is_some_and(|row| !is_ending(row, received_at))
            };
            let writes = chunk.iter().filter(|key| !lasts(key));
            let writes = writes.map(async |(pk, sk)| self.prolong(pk, sk, received_at).await);
            run_all(writes).await?;
        }
        Ok(())
    }

    /// Renews a contact's links, for a message of now.
    pub async fn renew_links(
        &self,
        account: &AccountCode,
        contact: &Contact,
        received_at: Timestamp,
    ) -> Result<(), IoError> {
        let rows = self.links(account, contact, SAME, false).await?;
        let ending = rows.iter().filter(|row| is_ending(row, received_at));
        let others = ending.filter_map(other_id);
        let links = others.filter_map(|it| ContactLink::new(account, contact, &it, LinkKind::Same));
        let links: BTreeSet<ContactLink> = links.collect();
        if links.is_empty() { Ok(()) } else { self.link_contacts(&links, received_at).await }
    }

    /// Writes a link, unless there is one that lasts longer.
    async fn prolong(&self, pk: &str, sk: &str, received_at: Timestamp) -> Result<(), IoError> {
        let expires_at = ttl(received_at, LINK_DAYS);
        let mut row = key(pk.to_owned(), sk.to_owned());
        row.insert("ttl".to_owned(), expires_at.clone());
        let is_longer = attr("ttl").absent().or(attr("ttl").at_most(expires_at));
        Write::put(&self.table, row).only_if(is_longer).send(&self.client).await.map(drop)
    }

    /// All known ids of a contact, former ones too.
    pub(super) async fn ids_of(
        &self,
        account: &AccountCode,
        contact: &Contact,
    ) -> Result<Vec<Contact>, IoError> {
        self.linked(account, contact, PREFIX).await
    }

    /// The ids of a contact that are in use.
    pub(super) async fn current_ids_of(
        &self,
        account: &AccountCode,
        contact: &Contact,
    ) -> Result<Vec<Contact>, IoError> {
        self.linked(account, contact, SAME).await
    }

    /// At most [`MAX_IDS`]. A link may lead to further links.
    async fn linked(
        &self,
        account: &AccountCode,
        contact: &Contact,
        prefix: &str,
    ) -> Result<Vec<Contact>, IoError> {
        let mut ids = vec![contact.clone()];
        let mut next = 0;
        while let Some(id) = ids.get(next) {
            for row in self.links(account, id, prefix, true).await? {
                let is_new = |id: &Contact| ids.len() < MAX_IDS && !ids.contains(id);
                ids.extend(other_id(&row).filter(is_new));
            }
            next += 1;
        }
        Ok(ids)
    }

    async fn links(
        &self,
        account: &AccountCode,
        id: &Contact,
        prefix: &str,
        consistent: bool,
    ) -> Result<Vec<Item>, IoError> {
        let partition = attr("pk").equals(text(conversation_pk(account, id)));
        let links = partition.and(attr("sk").begins_with(text(prefix)));
        all_rows(query(&self.client, &self.table, links).consistent_read(consistent)).await
    }
}

fn position(row: &Item) -> Option<(&str, &str)> {
    read_text(row, "pk").ok().zip(read_text(row, "sk").ok())
}

fn other_id(row: &Item) -> Option<Contact> {
    let sk = read_text(row, "sk").ok()?;
    Contact::parse(sk.strip_prefix(SAME).or_else(|| sk.strip_prefix(BEFORE))?)
}

fn is_ending(row: &Item, received_at: Timestamp) -> bool {
    let enough = received_at.after(std::time::Duration::from_secs(ENOUGH_DAYS * 24 * 60 * 60));
    read_number::<i64>(row, "ttl").is_none_or(|ttl| ttl < enough.seconds())
}
