//! Ids of users and messages.

use domain::messaging::channel::ProviderMessageId;

use crate::text::Fields;

/// Maximum number of digits of a phone number. E.164 allows 15.
const PHONE: usize = 32;
/// Longest user id, in characters: 128 after `CC.ENT.`.
const USER: usize = 7 + 128;

pub(super) fn message_id(fields: &Fields, name: &str) -> Option<ProviderMessageId> {
    ProviderMessageId::parse(&fields.digits(name)?)
}

/// A user in a field for phone numbers: the digits of a number, or the id of a user who hides it.
pub(super) fn phone_or_user(fields: &Fields, name: &str) -> Option<String> {
    phone(fields, name).or_else(|| user(fields, name).filter(|id| has_country_prefix(id)))
}

/// The digits of a phone number.
pub(super) fn phone(fields: &Fields, name: &str) -> Option<String> {
    let text = fields.digits(name)?;
    let digits = text.strip_prefix('+').unwrap_or(&text);
    let valid =
        (1..=PHONE).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| digits.to_owned())
}

/// Meta's business-scoped user id, e.g. `US.13491208655302741918` or `US.ENT.1349`.
pub(super) fn user(fields: &Fields, name: &str) -> Option<String> {
    fields
        .digits(name)
        .filter(|id| id.len() <= USER && id.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// True for `CC.` with a country code and a further character.
fn has_country_prefix(id: &str) -> bool {
    let bytes = id.as_bytes();
    bytes.len() > 3 && bytes[..2].iter().all(u8::is_ascii_uppercase) && bytes[2] == b'.'
}
