//! An order as its page and the pages of shops show it. Their script replaces it as a whole.

use maud::{Markup, html};

use super::{Form, Frame};

/// The attributes are for the script: it has no words of its own. Without a version it shows no
/// order, and does not change.
pub(super) fn tracker(
    frame: &Frame<'_>,
    title: &str,
    version: Option<u64>,
    content: &Markup,
) -> Markup {
    let texts = &frame.language.texts;
    let title = (frame.form == Form::Update).then_some(title);
    let has_sockets = frame.has_sockets && version.is_some();
    html! {
        div.tracker lang=(frame.language.code) data-zone=(frame.shop.zone.name())
            data-title=[title] data-version=[version] data-sockets=[has_sockets.then_some("")]
            data-today=(texts.today) data-yesterday=(texts.yesterday) data-times=(texts.times)
            data-live=(texts.live) data-reconnecting=(texts.reconnecting)
            data-offline=(texts.offline) { (content) }
    }
}

/// The headline, which is told when it changes, and room for the state of the connection.
pub(super) fn top(frame: &Frame<'_>, headline: &Markup) -> Markup {
    html! {
        div.top {
            @if frame.form.is_own() {
                h1.title part="headline" aria-live="polite" { (headline) }
            } @else {
                h2.title part="headline" aria-live="polite" { (headline) }
            }
            p.connection hidden {}
        }
    }
}
