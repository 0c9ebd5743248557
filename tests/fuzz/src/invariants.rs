//! Invariants of parsed reports and updates, and of their stored form.

use domain::core::id::{Awb, OrderId, ProviderId};
use domain::core::raw_json::RawJson;
use domain::messaging::channel::{
    ChannelError, ChannelEvent, ChannelUpdate, Content, Echo, InboundMessage,
};
use domain::tracking::report::Report;
use serde::de::IgnoredAny;

/// Longest text of a report.
const MAX_REMARK_CHARS: usize = 256;
const MAX_SCANS: usize = 50;
/// Longest id of a user.
const MAX_CONTACT_CHARS: usize = 135;
/// Longest text of a shopper's message: the answers of a form.
const MAX_TEXT_CHARS: usize = 8192;

pub(crate) fn report(report: &Report) {
    assert!(report.scans.len() <= MAX_SCANS, "{} scans", report.scans.len());
    let scans = report.scans.iter().flat_map(|scan| [&scan.activity, &scan.location]);
    for text in
        [&report.source_status, &report.location, &report.note].into_iter().chain(scans).flatten()
    {
        line(text, MAX_REMARK_CHARS);
    }
    assert!(
        report
            .awb
            .iter()
            .chain(&report.return_awb)
            .all(|id| Awb::parse(id.as_str()).as_ref() == Ok(id))
    );
    assert!(report.provider_id.iter().all(|id| ProviderId::parse(id.as_str()).as_ref() == Ok(id)));
    assert!(report.order_id.iter().all(|id| OrderId::parse(id.as_str()).as_ref() == Ok(id)));
    assert!(!report.refs().is_empty(), "a report without parcel and order");
    let stored = serde_json::to_string(report).expect("reports and updates serialise");
    assert_eq!(
        &serde_json::from_str::<Report>(&stored).expect("stored reports deserialise"),
        report
    );
}

pub(crate) fn update(update: &ChannelUpdate) {
    assert!(update.number.iter().all(|number| number.bytes().all(|byte| byte.is_ascii_digit())));
    match &update.event {
        ChannelEvent::Status(status) => {
            line(&status.status, 64);
            status.error.iter().for_each(error);
        }
        ChannelEvent::InboundMessage(message) => inbound_message(message),
        ChannelEvent::Echo(message) => echo(message),
        ChannelEvent::NumberError(number_error) => error(number_error),
        ChannelEvent::Statement(told) => {
            let further = [Some(&told.value), told.reason.as_ref(), told.subject.as_ref()];
            further.into_iter().flatten().for_each(|text| line(text, 1024));
        }
        ChannelEvent::Preference(preference) => {
            line(&preference.user, MAX_CONTACT_CHARS);
            preference.other_id.iter().for_each(|id| line(id, MAX_CONTACT_CHARS));
        }
        ChannelEvent::Call(call) => {
            line(&call.with, MAX_CONTACT_CHARS);
            call.other_id.iter().for_each(|id| line(id, MAX_CONTACT_CHARS));
            call.name.iter().for_each(|name| line(name, MAX_REMARK_CHARS));
            content(&call.content);
        }
        ChannelEvent::OtherField(name) => line(name, 64),
        ChannelEvent::Other(_) => {}
    }
    let json = serde_json::to_string(update).expect("reports and updates serialise");
    assert!(serde_json::from_str::<IgnoredAny>(&json).is_ok(), "not valid JSON");
}

fn error(error: &ChannelError) {
    [&error.code, &error.title, &error.details]
        .into_iter()
        .flatten()
        .for_each(|text| line(text, 1024));
}

fn inbound_message(message: &InboundMessage) {
    line(&message.from, MAX_CONTACT_CHARS);
    message.other_id.iter().for_each(|id| line(id, MAX_CONTACT_CHARS));
    message.name.iter().for_each(|name| line(name, MAX_REMARK_CHARS));
    message.group.iter().for_each(|group| line(group, 1024));
    content(&message.content);
}

fn echo(echo: &Echo) {
    line(&echo.to, MAX_CONTACT_CHARS);
    echo.other_id.iter().for_each(|id| line(id, MAX_CONTACT_CHARS));
    echo.from.iter().for_each(|from| line(from, MAX_CONTACT_CHARS));
    echo.name.iter().for_each(|name| line(name, MAX_REMARK_CHARS));
    content(&echo.content);
}

fn content(message: &Content) {
    match message {
        Content::Text { text } => lines(text),
        Content::Button { text, payload } => optional_lines([text, payload]),
        Content::Choice { kind, id, title, description } => {
            line(kind, 64);
            optional_lines([id, title, description]);
        }
        Content::Reaction { to: _, emoji } => optional_lines([emoji]),
        Content::Location { latitude, longitude, name, address } => {
            numbers([latitude, longitude]);
            optional_lines([name, address]);
        }
        Content::Media { kind, id, mime_type, sha256, filename, caption } => {
            line(kind, 64);
            optional_lines([id, mime_type, sha256, filename, caption]);
        }
        Content::Order { catalog_id, text, items } => {
            optional_lines([catalog_id, text]);
            assert!(items.len() <= 200, "{} items", items.len());
            for item in items {
                optional_lines([&item.product_retailer_id, &item.currency]);
                numbers([&item.quantity, &item.item_price]);
            }
        }
        Content::Contacts { contacts } => {
            assert!((1..=50).contains(&contacts.len()), "{} contacts", contacts.len());
            for contact in contacts {
                optional_lines([&contact.name, &contact.origin]);
                contact.phones.iter().for_each(|it| optional_lines([&it.phone, &it.contact]));
            }
        }
        Content::Edit { original_message_id: _, content: new } => {
            assert!(!matches!(**new, Content::Edit { .. }), "an edit of an edit");
            content(new);
        }
        Content::Revoke { original_message_id } => assert!(original_message_id.is_some()),
        Content::System { kind, text, previous_id, new_id } => {
            line(kind, 64);
            optional_lines([text, previous_id, new_id]);
        }
        Content::Template { .. } => unreachable!("only Waypost writes it"),
        Content::Call { event, status, duration: _ } => {
            line(event, 64);
            status.iter().for_each(|status| line(status, 64));
        }
        Content::Other { kind } => line(kind, 64),
    }
}

fn numbers<const N: usize>(numbers: [&Option<RawJson>; N]) {
    for number in numbers.into_iter().flatten() {
        assert!(number.as_str().len() <= 64 && number.to_text().is_some(), "no number");
    }
}

fn line(text: &str, longest: usize) {
    assert!(!text.contains(char::is_control), "control characters");
    bounded(text, longest);
}

/// Messages may have line breaks, but no other control characters.
fn lines(text: &str) {
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "control characters");
    bounded(text, MAX_TEXT_CHARS);
}

fn optional_lines<const N: usize>(texts: [&Option<String>; N]) {
    texts.into_iter().flatten().for_each(|text| lines(text));
}

fn bounded(text: &str, longest: usize) {
    assert!((1..=longest).contains(&text.chars().count()), "{} characters", text.chars().count());
}
