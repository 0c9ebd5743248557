//! Content hashes: the same facts always give the same id (dedup, idempotency).

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

/// SHA-256 over length-prefixed parts, so that `ab` + `c` and `a` + `bc` differ.
#[derive(Clone, Default)]
pub struct Fingerprint(Sha256);

impl Fingerprint {
    /// `kind` separates the id spaces: ids of two kinds never collide.
    pub fn of(kind: &str) -> Self {
        Self::default().with(kind)
    }

    #[must_use]
    pub fn with(mut self, part: impl AsRef<[u8]>) -> Self {
        let part = part.as_ref();
        self.0.update((part.len() as u64).to_be_bytes());
        self.0.update(part);
        self
    }

    /// Missing and empty differ.
    #[must_use]
    pub fn with_option(self, part: Option<impl AsRef<[u8]>>) -> Self {
        match part {
            Some(part) => self.with("some").with(part),
            None => self.with("none"),
        }
    }

    /// The first 160 bits as 32 lower-case base32 characters (RFC 4648, no padding).
    pub fn finish(self) -> String {
        let digest = self.0.finalize();
        BASE32_NOPAD.encode(&digest[..20]).to_ascii_lowercase()
    }

    /// The first 64 bits, big-endian: a uniformly distributed number for shards and jitter.
    pub fn number(self) -> u64 {
        let digest = self.0.finalize();
        digest[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        let a = Fingerprint::of("x").with("ab").with("c").finish();
        let b = Fingerprint::of("x").with("a").with("bc").finish();
        assert_ne!(a, b);
        assert_eq!(a, Fingerprint::of("x").with("ab").with("c").finish());
        assert_eq!(a.len(), 32);
    }

    #[test]
    fn the_number_and_the_text_start_with_the_same_bits() {
        let hash = || Fingerprint::of("x").with("ab");
        let bytes = BASE32_NOPAD.decode(hash().finish().to_ascii_uppercase().as_bytes()).unwrap();
        assert_eq!(hash().number().to_be_bytes(), bytes[..8]);
    }

    #[test]
    fn missing_and_empty_differ() {
        let missing = Fingerprint::of("x").with_option(None::<&str>).finish();
        assert_ne!(missing, Fingerprint::of("x").with_option(Some("")).finish());
    }
}
