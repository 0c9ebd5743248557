//! The messages about the order, with ticks as messengers have them.

use domain::page::MessageLine;
use maud::{Markup, html};

use super::{Frame, icons};

pub(super) fn list(frame: &Frame<'_>, messages: &[MessageLine]) -> Markup {
    let texts = &frame.language.texts;
    html! {
        @if !messages.is_empty() {
            section {
                h2 { (texts.messages) }
                ul.messages part="messages" { @for message in messages { li { (line(frame, message)) } } }
            }
        }
    }
}

fn line(frame: &Frame<'_>, message: &MessageLine) -> Markup {
    let about = message.about.map(|headline| frame.language.headline(headline));
    html! {
        span.what {
            @match about {
                Some(about) => { q { (about) } }
                None => { (frame.language.texts.message) }
            }
        }
        span.tick { (icons::tick(message.tick)) (frame.language.tick(message.tick)) }
        (frame.moment(message.at))
    }
}
