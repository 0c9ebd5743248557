//! What a shopper's message says.

use domain::core::raw_json::RawJson;
use domain::messaging::channel::Content;

use super::statuses::message_id;
use super::{REMARK, TITLE, WORD, word};
use crate::text::Fields;

/// The longest text, in characters; WhatsApp's own limit.
const TEXT: usize = 4096;
/// The longest answers of a form, in characters.
const FORM: usize = 8192;
/// The most digits of a coordinate.
const COORDINATE: usize = 64;

/// The content of a message. A kind that is new to us, or whose object says nothing, is only named.
pub(super) fn read(message: &Fields) -> Content {
    let kind = word(message, "type").unwrap_or_else(|| "unknown".to_owned());
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
    let kind = word(interactive, "type")?;
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
    let says_something = id.is_some() || title.is_some() || description.is_some();
    says_something.then_some(Content::Choice { kind, id, title, description })
}

/// A form's answers. Half of a JSON text would be none, so what is too long is left out.
fn answers(form: &Fields) -> Option<String> {
    form.lines("response_json", FORM + 1).filter(|answers| answers.chars().count() <= FORM)
}

/// No emoji takes the reaction back; one that cannot be read must not seem to.
fn reaction(reaction: &Fields) -> Option<Content> {
    let (to, emoji) = (message_id(reaction, "message_id"), reaction.words("emoji", WORD));
    let taken_back = !reaction.has("emoji") || reaction.is_blank("emoji");
    (to.is_some() && taken_back || emoji.is_some()).then_some(Content::Reaction { to, emoji })
}

fn location(place: &Fields) -> Option<Content> {
    let (latitude, longitude) = (coordinate(place, "latitude"), coordinate(place, "longitude"));
    let (name, address) = (place.words("name", TITLE), place.words("address", REMARK));
    let says_something =
        latitude.is_some() || longitude.is_some() || name.is_some() || address.is_some();
    says_something.then_some(Content::Location { latitude, longitude, name, address })
}

/// A number by the digits it came with, also where they came as a string.
fn coordinate(place: &Fields, name: &str) -> Option<RawJson> {
    let digits = place.text(name).filter(|digits| digits.len() <= COORDINATE)?;
    let number = digits.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    if number { serde_json::from_str(&digits).ok() } else { None }
}

fn media(kind: &str, media: &Fields) -> Option<Content> {
    let (id, mime_type, sha256) =
        (media.words("id", REMARK), media.words("mime_type", TITLE), media.words("sha256", TITLE));
    let (filename, caption) = (media.words("filename", TITLE), media.lines("caption", REMARK));
    let said = [&id, &mime_type, &sha256, &filename, &caption];
    let says_something = said.into_iter().any(Option::is_some);
    let kind = kind.to_owned();
    says_something.then_some(Content::Media { kind, id, mime_type, sha256, filename, caption })
}
