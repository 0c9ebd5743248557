//! The content of a shopper's message.

use domain::core::raw_json::RawJson;
use domain::messaging::channel::Content;

use super::statuses::message_id;
use super::{IDENTIFIER, REMARK, TITLE, identifier};
use crate::text::Fields;

/// Longest text, in characters; WhatsApp's own limit.
const TEXT: usize = 4096;
/// Longest JSON of a form's answers, in characters.
const FORM: usize = 8192;
/// Longest coordinate, in characters.
const COORDINATE: usize = 64;

/// Falls back to [`Content::Other`] for an unknown type, or for a known type without valid fields.
pub(super) fn read(message: &Fields) -> Content {
    let kind = identifier(message, "type").unwrap_or_else(|| "unknown".to_owned());
    let object = message.object(&kind);
    let content = match kind.as_str() {
        "text" => object.lines("body", TEXT).map(|text| Content::Text { text }),
        "button" => button(&object),
        "interactive" => choice(&object),
        "reaction" => reaction(&object),
        "location" => location(&object),
        "image" | "audio" | "video" | "document" | "sticker" => media(&kind, &object),
        _ => None,
    };
    content.unwrap_or(Content::Other { kind })
}

fn button(button: &Fields) -> Option<Content> {
    let (text, payload) = (button.words("text", TITLE), button.words("payload", REMARK));
    (text.is_some() || payload.is_some()).then_some(Content::Button { text, payload })
}

fn choice(interactive: &Fields) -> Option<Content> {
    let kind = identifier(interactive, "type")?;
    let reply = interactive.object(&kind);
    let (id, title, description) = match kind.as_str() {
        "button_reply" | "list_reply" => (
            reply.words("id", REMARK),
            reply.words("title", TITLE),
            reply.words("description", REMARK),
        ),
        "nfm_reply" => (reply.words("name", REMARK), reply.words("body", TITLE), answers(&reply)),
        _ => return None,
    };
    let has_content = id.is_some() || title.is_some() || description.is_some();
    has_content.then_some(Content::Choice { kind, id, title, description })
}

/// Truncated JSON would be invalid, so answers that are too long are left out.
fn answers(form: &Fields) -> Option<String> {
    form.lines("response_json", FORM + 1).filter(|answers| answers.chars().count() <= FORM)
}

/// A reaction without an emoji was removed. An invalid emoji must not look like a removal.
fn reaction(reaction: &Fields) -> Option<Content> {
    let (to, emoji) = (message_id(reaction, "message_id"), reaction.words("emoji", IDENTIFIER));
    let removed = !reaction.has("emoji") || reaction.is_blank("emoji");
    (to.is_some() && removed || emoji.is_some()).then_some(Content::Reaction { to, emoji })
}

fn location(place: &Fields) -> Option<Content> {
    let (latitude, longitude) = (coordinate(place, "latitude"), coordinate(place, "longitude"));
    let (name, address) = (place.words("name", TITLE), place.words("address", REMARK));
    let has_content =
        latitude.is_some() || longitude.is_some() || name.is_some() || address.is_some();
    has_content.then_some(Content::Location { latitude, longitude, name, address })
}

/// Keeps all digits of a number, which may come as a string.
fn coordinate(place: &Fields, name: &str) -> Option<RawJson> {
    let digits = place.text(name).filter(|digits| digits.len() <= COORDINATE)?;
    let number = digits.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    if number { serde_json::from_str(&digits).ok() } else { None }
}

fn media(kind: &str, media: &Fields) -> Option<Content> {
    let (id, mime_type, sha256) =
        (media.words("id", REMARK), media.words("mime_type", TITLE), media.words("sha256", TITLE));
    let (filename, caption) = (media.words("filename", TITLE), media.lines("caption", REMARK));
    let has_content =
        [&id, &mime_type, &sha256, &filename, &caption].into_iter().any(Option::is_some);
    let kind = kind.to_owned();
    has_content.then_some(Content::Media { kind, id, mime_type, sha256, filename, caption })
}
