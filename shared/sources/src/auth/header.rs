//! Authentication by a header, an address list or both.

use super::{AllowList, AuthError, Authenticator, SigningKeys, Tenant, Tokens};
use crate::request::Request;

pub(crate) struct HeaderAuthenticator {
    pub(crate) tenant: Tenant,
    /// Checked before the proof.
    pub(crate) allowed_ips: Option<AllowList>,
    pub(crate) proof: Proof,
}

pub(crate) enum Proof {
    /// The peer address alone.
    Address(AllowList),
    /// No proof is enough.
    Closed,
    /// A token in any of these headers.
    Token {
        headers: Vec<&'static str>,
        tokens: Tokens,
    },
    Signature {
        header: &'static str,
        keys: SigningKeys,
    },
}

impl Authenticator for HeaderAuthenticator {
    fn authenticate(&self, request: &Request<'_>) -> Result<(), AuthError> {
        if let Some(allowed) = &self.allowed_ips {
            allowed.check(request.source_ip)?;
        }
        match &self.proof {
            Proof::Address(allowed) => allowed.check(request.source_ip),
            Proof::Closed => Err(AuthError::Path),
            Proof::Token { headers, tokens } => {
                let mut values = headers.iter().map(|header| request.header(header));
                let is_right = |value| tokens.check(value).is_ok();
                if values.any(is_right) { Ok(()) } else { Err(AuthError::Credentials) }
            }
            Proof::Signature { header, keys } => keys.check(request.header(header), request.body),
        }
    }

    fn tenant(&self) -> Tenant {
        self.tenant.clone()
    }
}
