//! Cursors of lists with rows of several accounts. A page may end at a row of another account, so its
//! position is encrypted.

use aes_siv::KeyInit;
use aes_siv::siv::Aes128Siv;
use aws::error::IoError;
use data_encoding::BASE64URL_NOPAD;

/// What else is sealed with the key must have another purpose.
const PURPOSE: &[u8] = b"cursor of the operators' API";

/// AES-SIV (RFC 5297) takes no nonce: the same position has the same cursor.
pub(crate) fn seal(key: &[u8; 32], position: &str) -> Result<String, IoError> {
    let sealed = Aes128Siv::new(key.into()).encrypt([PURPOSE], position.as_bytes());
    let sealed = sealed.map_err(|_| IoError::unreadable("ops", "a cursor"))?;
    Ok(BASE64URL_NOPAD.encode(&sealed))
}

/// `None` for a cursor that [`seal`] did not make with this key.
pub(crate) fn open(key: &[u8; 32], cursor: &str) -> Option<String> {
    let sealed = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
    let position = Aes128Siv::new(key.into()).decrypt([PURPOSE], &sealed).ok()?;
    String::from_utf8(position).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_shows_nothing_and_cannot_be_altered() {
        let (key, text) = ([7; 32], "2026-01-20T04:45:30.000Z/bz3j7sm75row3p77r2akuogigizang7x");
        let cursor = seal(&key, text).unwrap();
        assert_eq!(open(&key, &cursor).as_deref(), Some(text));
        assert_eq!(open(&[8; 32], &cursor), None);
        let sealed = BASE64URL_NOPAD.decode(cursor.as_bytes()).unwrap();
        for part in ["2026", "T04:45", "bz3j7"] {
            assert!(!sealed.windows(part.len()).any(|bytes| bytes == part.as_bytes()), "{part}");
        }
        for bit in 0..sealed.len() * 8 {
            let mut altered = sealed.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&key, &BASE64URL_NOPAD.encode(&altered)), None, "{bit}");
        }
        for other in ["", "!", "AA", &cursor[1..], text, &BASE64URL_NOPAD.encode(text.as_bytes())] {
            assert_eq!(open(&key, other), None, "{other}");
        }
    }
}
