//! Authentication by a header, an address list or both.

use super::{AllowList, AuthError, Authenticator, SigningKey, Tenant, Token};
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
    /// The token in any of these headers.
    Token {
        headers: Vec<&'static str>,
        token: Token,
    },
    Signature {
        header: &'static str,
        key: SigningKey,
    },
}

impl Authenticator for HeaderAuthenticator {
    fn authenticate(&self, request: &Request<'_>) -> Result<(), AuthError> {
        if let Some(allowed) = &self.allowed_ips {
            allowed.check(request.source_ip)?;
        }
        match &self.proof {
            Proof::Address(allowed) => allowed.check(request.source_ip),
            Proof::Token { headers, token } => {
                let mut values = headers.iter().map(|header| request.header(header));
                let is_right = |value| token.check(value).is_ok();
                if values.any(is_right) { Ok(()) } else { Err(AuthError::Credentials) }
            }
            Proof::Signature { header, key } => key.check(request.header(header), request.body),
        }
    }

    fn tenant(&self) -> Tenant {
        self.tenant.clone()
    }
}
