//! Authentication of API callers (Basic auth, vendor secrets) and their permissions. Secrets are
//! compared in constant time.

pub mod failures;
pub mod session;

use std::collections::BTreeSet;

use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::core::id::{AccountCode, InvalidId};

/// Accounts (tenants) with access: a list of codes in settings, or `["*"]` for all.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "BTreeSet<String>", into = "BTreeSet<String>")]
pub enum Accounts {
    All,
    Only(BTreeSet<AccountCode>),
}

impl Default for Accounts {
    fn default() -> Self {
        Self::Only(BTreeSet::new())
    }
}

impl Accounts {
    pub fn include(&self, account: &AccountCode) -> bool {
        match self {
            Self::All => true,
            Self::Only(list) => list.contains(account),
        }
    }

    /// Access to all accounts includes rows of no account.
    pub fn can_see(&self, account: Option<&AccountCode>) -> bool {
        account.map_or(*self == Self::All, |account| self.include(account))
    }

    pub fn include_all(&self, others: &Self) -> bool {
        match (self, others) {
            (Self::All, _) => true,
            (Self::Only(_), Self::All) => false,
            (Self::Only(own), Self::Only(others)) => others.is_subset(own),
        }
    }
}

impl TryFrom<BTreeSet<String>> for Accounts {
    type Error = InvalidId;
    fn try_from(list: BTreeSet<String>) -> Result<Self, InvalidId> {
        if list.contains("*") {
            return Ok(Self::All);
        }
        list.iter().map(|code| AccountCode::parse(code)).collect::<Result<_, _>>().map(Self::Only)
    }
}

impl From<Accounts> for BTreeSet<String> {
    fn from(accounts: Accounts) -> Self {
        match accounts {
            Accounts::All => Self::from(["*".to_owned()]),
            Accounts::Only(list) => list.iter().map(ToString::to_string).collect(),
        }
    }
}

/// The role of a Basic auth user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Admin,
    /// Reads the inbound log and deliveries.
    Viewer,
    /// Works on orders and messages of its accounts.
    Partner,
}

/// The setting `users/{name}`. `Debug` omits the password hash.
#[derive(Clone, Deserialize)]
pub struct User {
    password_sha256: String,
    pub role: Role,
    accounts: Accounts,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("role", &self.role).finish_non_exhaustive()
    }
}

impl User {
    fn caller(&self, name: &str) -> Caller {
        Caller {
            principal: Principal::User(self.role),
            name: Some(name.to_owned()),
            accounts: self.accounts.clone(),
        }
    }
}

/// The setting `vendors/{name}`: a shared secret for one account.
#[derive(Clone, Deserialize)]
pub struct Vendor {
    secret: String,
    account: AccountCode,
}

impl std::fmt::Debug for Vendor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vendor").field("account", &self.account).finish_non_exhaustive()
    }
}

/// The authenticated identity of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal {
    /// Basic auth.
    User(Role),
    /// Vendor secret.
    Vendor,
}

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub principal: Principal,
    /// Of the user; a vendor is known by its secret only.
    pub name: Option<String>,
    accounts: Accounts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAccount {
    #[error("this account is not accessible with these credentials")]
    Inaccessible,
    /// The request names no account, and the caller does not have exactly one.
    #[error("is required unless the credentials have access to exactly one account")]
    Missing,
}

impl Caller {
    /// A job that an admin of these accounts has started.
    pub fn job(accounts: Accounts) -> Self {
        Self { principal: Principal::User(Role::Admin), name: None, accounts }
    }

    pub fn can_use_orders(&self) -> bool {
        !matches!(self.principal, Principal::User(Role::Viewer))
    }

    pub fn can_use_messages(&self) -> bool {
        matches!(self.principal, Principal::User(Role::Admin | Role::Partner))
    }

    /// Reports through the API.
    pub fn can_withdraw_reports(&self) -> bool {
        matches!(self.principal, Principal::User(Role::Admin | Role::Partner))
    }

    /// The inbound log, deliveries.
    pub fn can_read_log(&self) -> bool {
        matches!(self.principal, Principal::User(Role::Admin | Role::Viewer))
    }

    /// Live updates.
    pub fn can_watch(&self) -> bool {
        matches!(self.principal, Principal::User(_))
    }

    /// Retries, replays, triggered webhooks, endpoints, stale orders, runs.
    pub fn can_operate(&self) -> bool {
        self.principal == Principal::User(Role::Admin)
    }

    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Rows without an account are visible to callers with access to all accounts only.
    pub fn can_see(&self, account: Option<&AccountCode>) -> bool {
        self.accounts.can_see(account)
    }

    /// True if all of these accounts are accessible.
    pub fn can_see_all(&self, accounts: &Accounts) -> bool {
        self.accounts.include_all(accounts)
    }

    /// The account of a request: the named one, or the caller's only one.
    pub fn account(&self, named: Option<&AccountCode>) -> Result<AccountCode, NoAccount> {
        if let Some(account) = named {
            return self
                .accounts
                .include(account)
                .then(|| account.clone())
                .ok_or(NoAccount::Inaccessible);
        }
        match &self.accounts {
            Accounts::Only(list) if list.len() == 1 => {
                list.first().cloned().ok_or(NoAccount::Inaccessible)
            }
            _ => Err(NoAccount::Missing),
        }
    }
}

/// Fewest bytes of a password. Passwords are generated: a shorter one is somebody's own choice, and
/// its SHA-256 could be guessed from.
const MIN_PASSWORD: usize = 20;

/// `Authorization: Basic` (RFC 7617).
#[derive(Clone, PartialEq, Eq)]
pub struct BasicCredentials {
    pub name: String,
    password: Vec<u8>,
}

impl std::fmt::Debug for BasicCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BasicCredentials([REDACTED])")
    }
}

impl BasicCredentials {
    /// Parses the header value. A password that is too short parses, so that its user's failures
    /// are counted, and not those of everybody at the address.
    pub fn parse(header: &str) -> Option<Self> {
        let (scheme, encoded) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = BASE64.decode(encoded.trim().as_bytes()).ok()?;
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        let (name, password) =
            (std::str::from_utf8(&decoded[..colon]).ok()?, &decoded[colon + 1..]);
        is_user_name(name).then(|| Self { name: name.to_owned(), password: password.to_vec() })
    }

    /// `None` if the password is wrong, or too short to be a generated one.
    pub fn check(&self, user: &User) -> Option<Caller> {
        let hash = HEXLOWER.encode(&Sha256::digest(&self.password));
        let matches = hash.as_bytes().ct_eq(user.password_sha256.as_bytes());
        let is_generated = self.password.len() >= MIN_PASSWORD;
        (bool::from(matches) && is_generated).then(|| user.caller(&self.name))
    }
}

/// Letters, digits, `.`, `_` and `-` only: a name becomes part of a settings path.
fn is_user_name(name: &str) -> bool {
    let is_allowed = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
    (1..=64).contains(&name.len()) && name.bytes().all(is_allowed)
}

/// A key for what callers carry but may not read. It is made of the password hashes of the users
/// with access to all accounts, so nobody has to create and keep a secret for it, and whoever knows
/// a part of it may read everything anyway. It changes with these users, and without any it is known
/// to everybody.
pub fn private_key<'a>(users: impl IntoIterator<Item = &'a User>) -> [u8; 32] {
    let key = Sha256::new_with_prefix("private key\n");
    let users = users.into_iter().filter(|user| user.accounts == Accounts::All);
    let hashes = users.map(|user| &user.password_sha256);
    hashes.fold(key, |key, hash| key.chain_update(hash).chain_update("\n")).finalize().into()
}

/// Compares all vendors, also after a match, so that the time reveals nothing.
pub fn vendor_caller<'a>(
    secret: &str,
    vendors: impl IntoIterator<Item = &'a Vendor>,
) -> Option<Caller> {
    let given = Sha256::digest(secret.as_bytes());
    let mut found = None;
    for vendor in vendors {
        let matches = bool::from(given.ct_eq(&Sha256::digest(vendor.secret.as_bytes())));
        if matches && !vendor.secret.is_empty() {
            found = Some(vendor.account.clone());
        }
    }
    found.map(|account| Caller {
        principal: Principal::Vendor,
        name: None,
        accounts: Accounts::Only(BTreeSet::from([account])),
    })
}

#[cfg(test)]
mod tests;
