//! The content of a message.

use domain::core::raw_json::RawJson;
use domain::messaging::channel::{CartItem, Content, SharedContact, SharedPhone};

use super::ids::{message_id, phone, phone_or_user, user};
use super::{IDENTIFIER, REMARK, TITLE, identifier};
use crate::text::{Fields, LABEL};

/// Longest text, in characters; WhatsApp's own limit.
const TEXT: usize = 4096;
/// Longest JSON of a form's answers, in characters.
const FORM: usize = 8192;
/// Longest number, in characters.
const NUMBER: usize = 64;
/// Maximum number of items kept of a cart. A conversation's row has at most 400 KB.
const MAX_ITEMS: usize = 200;
/// Maximum number of contacts, and of the phone numbers of each.
const MAX_CONTACTS: usize = 50;
const MAX_PHONES: usize = 10;

/// Falls back to [`Content::Other`] for an unknown type, or for a known type without valid fields.
pub(super) fn read(message: &Fields) -> Content {
    let kind = kind(message);
    match kind.as_str() {
        "edit" => edit(&message.object(&kind)),
        "revoke" => revoke(&message.object(&kind)),
        "system" => system(&message.object(&kind)),
        _ => return read_plain(message),
    }
    .unwrap_or(Content::Other { kind })
}

fn kind(message: &Fields) -> String {
    identifier(message, "type").unwrap_or_else(|| "unknown".to_owned())
}

/// A content that an edit may replace another one by.
fn read_plain(message: &Fields) -> Content {
    let kind = kind(message);
    let object = message.object(&kind);
    let content = match kind.as_str() {
        "text" => object.lines("body", TEXT).map(|text| Content::Text { text }),
        "button" => button(&object),
        "interactive" => choice(&object),
        "reaction" => reaction(&object),
        "location" => location(&object),
        "order" => cart(&object),
        "contacts" => contacts(message),
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
    let (latitude, longitude) = (number(place, "latitude"), number(place, "longitude"));
    let (name, address) = (place.words("name", TITLE), place.words("address", REMARK));
    let has_content =
        latitude.is_some() || longitude.is_some() || name.is_some() || address.is_some();
    has_content.then_some(Content::Location { latitude, longitude, name, address })
}

/// Keeps all digits of a number, which may come as a string.
fn number(fields: &Fields, name: &str) -> Option<RawJson> {
    let digits = fields.text(name).filter(|digits| digits.len() <= NUMBER)?;
    let number = digits.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    if number { serde_json::from_str(&digits).ok() } else { None }
}

fn cart(order: &Fields) -> Option<Content> {
    let (catalog_id, text) = (order.words("catalog_id", LABEL), order.lines("text", TEXT));
    let items: Vec<CartItem> =
        order.list("product_items").iter().filter_map(cart_item).take(MAX_ITEMS).collect();
    let has_content = catalog_id.is_some() || text.is_some() || !items.is_empty();
    has_content.then_some(Content::Order { catalog_id, text, items })
}

fn cart_item(item: &Fields) -> Option<CartItem> {
    let product_retailer_id = item.words("product_retailer_id", LABEL);
    let quantity = number(item, "quantity");
    (product_retailer_id.is_some() || quantity.is_some()).then(|| CartItem {
        product_retailer_id,
        quantity,
        item_price: number(item, "item_price"),
        currency: item.words("currency", IDENTIFIER),
    })
}

fn contacts(message: &Fields) -> Option<Content> {
    let contacts = message.list("contacts");
    let contacts: Vec<SharedContact> =
        contacts.iter().filter_map(shared_contact).take(MAX_CONTACTS).collect();
    (!contacts.is_empty()).then_some(Content::Contacts { contacts })
}

fn shared_contact(contact: &Fields) -> Option<SharedContact> {
    let names = contact.object("name");
    let name = names.words("formatted_name", TITLE).or_else(|| names.words("first_name", TITLE));
    let phones: Vec<SharedPhone> =
        contact.list("phones").iter().filter_map(shared_phone).take(MAX_PHONES).collect();
    let origin = identifier(contact, "origin");
    (name.is_some() || !phones.is_empty()).then_some(SharedContact { name, origin, phones })
}

fn shared_phone(fields: &Fields) -> Option<SharedPhone> {
    let phone = fields.words("phone", IDENTIFIER);
    let contact = phone_or_user(fields, "wa_id").or_else(|| user(fields, "user_id"));
    (phone.is_some() || contact.is_some()).then_some(SharedPhone { phone, contact })
}

/// The new message is in `message`. An edit of an edit would be no content.
fn edit(edit: &Fields) -> Option<Content> {
    let original_message_id = message_id(edit, "original_message_id");
    let message = edit.object("message");
    let content = Box::new(read_plain(&message));
    (original_message_id.is_some() || message.has("type"))
        .then_some(Content::Edit { original_message_id, content })
}

fn revoke(revoke: &Fields) -> Option<Content> {
    let original_message_id = message_id(revoke, "original_message_id");
    original_message_id.is_some().then_some(Content::Revoke { original_message_id })
}

/// `user_changed_number` gives the new number, `user_changed_user_id` the new user id.
fn system(note: &Fields) -> Option<Content> {
    let kind = identifier(note, "type")?;
    let number = || phone(note, "wa_id").or_else(|| phone(note, "new_wa_id"));
    let user_id = || user(note, "user_id").or_else(|| phone_or_user(note, "wa_id"));
    let new_id = match kind.as_str() {
        "user_changed_number" => number().or_else(user_id),
        _ => user_id().or_else(number),
    };
    let previous_id = user(note, "previous_user_id").or_else(|| phone_or_user(note, "customer"));
    let text = note.words("body", REMARK);
    let has_content = new_id.is_some() || previous_id.is_some() || text.is_some();
    has_content.then_some(Content::System { kind, text, previous_id, new_id })
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
