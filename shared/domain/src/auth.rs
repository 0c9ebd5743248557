//! Who calls, and for which accounts. Secrets are compared in constant time.

use std::collections::BTreeSet;

use data_encoding::{BASE64, HEXLOWER};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::core::id::{AccountCode, InvalidId};

/// The accounts somebody may see: in settings a list of codes, or `["*"]` for every one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BTreeSet<String>")]
pub enum Accounts {
    /// Every one.
    All,
    /// These.
    Only(BTreeSet<AccountCode>),
}

impl Default for Accounts {
    /// None.
    fn default() -> Self {
        Self::Only(BTreeSet::new())
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

impl Accounts {
    /// Whether the account is among them.
    pub fn include(&self, account: &AccountCode) -> bool {
        match self {
            Self::All => true,
            Self::Only(list) => list.contains(account),
        }
    }
}

/// What a Basic user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Admin,
    /// Reads what ops see.
    Viewer,
    /// Its own orders and messages.
    Partner,
}

/// `users/{name}`. The password's hash is no secret of the caller's, but stays out of logs all the same.
#[derive(Clone, Deserialize)]
pub struct User {
    password_sha256: String,
    /// What it may do.
    pub role: Role,
    accounts: Accounts,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("role", &self.role).finish_non_exhaustive()
    }
}

/// `vendors/{name}`: a shared secret bound to one account.
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

/// What a caller proved to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal {
    /// A Basic user.
    User(Role),
    /// Somebody with a vendor's secret.
    Vendor,
}

/// Somebody who proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// What they proved to be.
    pub principal: Principal,
    accounts: Accounts,
}

/// Why a caller cannot work on an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAccount {
    /// The account is not theirs.
    #[error("this account is not yours")]
    NotYours,
    /// They have several and named none.
    #[error("must name one of your accounts")]
    NotNamed,
}

impl Caller {
    /// Whether they may work on orders: an admin may do everything, a viewer only look at what ops see.
    pub fn may_use_orders(&self) -> bool {
        !matches!(self.principal, Principal::User(Role::Viewer))
    }

    /// Whether they may work on messages, which vendors have no part in.
    pub fn may_use_messages(&self) -> bool {
        matches!(self.principal, Principal::User(Role::Admin | Role::Partner))
    }

    /// Whether they may look at what came in and what became of it.
    pub fn may_see_log(&self) -> bool {
        matches!(self.principal, Principal::User(Role::Admin | Role::Viewer))
    }

    /// Whether they may have things done again.
    pub fn may_operate(&self) -> bool {
        self.principal == Principal::User(Role::Admin)
    }

    /// Whether they may see what is of this account. What is nobody's is only for those who may see every account.
    pub fn sees(&self, account: Option<&AccountCode>) -> bool {
        account.map_or(self.accounts == Accounts::All, |account| self.accounts.include(account))
    }

    /// The account they work on: the one they name, or the only one they have.
    ///
    /// # Errors
    /// See [`NoAccount`].
    pub fn account(&self, named: Option<&AccountCode>) -> Result<AccountCode, NoAccount> {
        if let Some(account) = named {
            return self
                .accounts
                .include(account)
                .then(|| account.clone())
                .ok_or(NoAccount::NotYours);
        }
        match &self.accounts {
            Accounts::Only(list) if list.len() == 1 => {
                list.first().cloned().ok_or(NoAccount::NotYours)
            }
            _ => Err(NoAccount::NotNamed),
        }
    }
}

/// Name and password of an `Authorization: Basic` header (RFC 7617).
#[derive(Clone, PartialEq, Eq)]
pub struct BasicCredentials {
    /// The user's name: letters, digits, `.`, `_`, `-`, so that it can stand in a settings path.
    pub name: String,
    password: Vec<u8>,
}

impl std::fmt::Debug for BasicCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BasicCredentials([REDACTED])")
    }
}

impl BasicCredentials {
    /// Reads the header's value. `None` for whatever is no Basic credential.
    pub fn parse(header: &str) -> Option<Self> {
        let (scheme, encoded) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = BASE64.decode(encoded.trim().as_bytes()).ok()?;
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        let (name, password) =
            (std::str::from_utf8(&decoded[..colon]).ok()?, &decoded[colon + 1..]);
        let plain = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
        let named = (1..=64).contains(&name.len()) && name.bytes().all(plain);
        (named && !password.is_empty())
            .then(|| Self { name: name.to_owned(), password: password.to_vec() })
    }

    /// The caller, if the password is the user's.
    pub fn check(&self, user: &User) -> Option<Caller> {
        let hash = HEXLOWER.encode(&Sha256::digest(&self.password));
        let right = hash.as_bytes().ct_eq(user.password_sha256.as_bytes());
        bool::from(right).then(|| Caller {
            principal: Principal::User(user.role),
            accounts: user.accounts.clone(),
        })
    }
}

/// The caller whose vendor secret this is. Every vendor is compared, whichever matches.
pub fn vendor_caller<'a>(
    secret: &str,
    vendors: impl IntoIterator<Item = &'a Vendor>,
) -> Option<Caller> {
    let given = Sha256::digest(secret.as_bytes());
    let mut found = None;
    for vendor in vendors {
        let right = bool::from(given.ct_eq(&Sha256::digest(vendor.secret.as_bytes())));
        if right && !vendor.secret.is_empty() {
            found = Some(vendor.account.clone());
        }
    }
    found.map(|account| Caller {
        principal: Principal::Vendor,
        accounts: Accounts::Only(BTreeSet::from([account])),
    })
}

#[cfg(test)]
mod tests;
