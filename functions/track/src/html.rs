//! The markup. Whatever is not ours is escaped by maud.

mod card;
mod history;
mod icons;
mod messages;
mod tracker;

use domain::core::timestamp::Timestamp;
use domain::page::{LocalTime, ShopPage, TrackingPage};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::assets::PAGE_SCRIPT;
use crate::languages::Language;
use crate::style;

/// Where an order is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// On its own page.
    Page,
    /// There, in place of what the page shows.
    Update,
    /// In the page of a shop.
    Embedded,
    /// There, without what has happened so far.
    Compact,
}

impl Form {
    /// Without the page of a shop.
    pub(crate) fn is_own(self) -> bool {
        matches!(self, Self::Page | Self::Update)
    }

    pub(crate) fn is_compact(self) -> bool {
        self == Self::Compact
    }
}

/// Common to all pages.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) form: Form,
    pub(crate) language: &'static Language,
    /// The stage has live updates.
    pub(crate) has_sockets: bool,
    pub(crate) shop: &'a ShopPage,
    /// As given: it may be wrong.
    pub(crate) token: &'a str,
    pub(crate) now: Timestamp,
}

/// A page without an order.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Plain {
    NotFound,
    Expired,
    Unavailable,
}

impl Frame<'_> {
    fn local(&self, at: Timestamp) -> LocalTime {
        LocalTime::of(at, &self.shop.zone)
    }

    fn day_text(&self, at: Timestamp) -> String {
        self.language.day(self.local(at).day, self.local(self.now).day)
    }

    /// Always with the date.
    fn full_text(&self, at: Timestamp) -> String {
        let (time, today) = (self.local(at), self.local(self.now).day);
        format!("{}, {}", self.language.date(time.day, today), self.language.time(time))
    }

    /// A point in time. The script turns it into the viewer's zone.
    fn moment(&self, at: Timestamp) -> Markup {
        let (day, time) = (self.day_text(at), self.language.time(self.local(at)));
        let text = self.language.texts.ended.replace("{date}", &day).replace("{time}", &time);
        html! { time.moment datetime=(at) title=(self.full_text(at)) { (text) } }
    }
}

pub(crate) fn order_page(frame: &Frame<'_>, page: &TrackingPage) -> Markup {
    let texts = &frame.language.texts;
    let order = texts.order.replace("{id}", &page.order_id);
    let title = format!("{} · {order}", frame.language.headline(page.headline));
    let content = html! {
        (card::leading(frame, page))
        @if !frame.form.is_compact() {
            @for replaced in &page.replaced { (card::replaced(frame, replaced)) }
            (messages::list(frame, &page.messages))
            @if frame.form.is_own() { (about(frame, &order, page)) }
            p.times { (texts.times.replace("{zone}", frame.shop.zone.name())) }
        }
    };
    shell(frame, &title, &tracker::tracker(frame, &title, Some(page.version), &content))
}

fn about(frame: &Frame<'_>, order: &str, page: &TrackingPage) -> Markup {
    html! {
        p.order {
            span translate="no" { (order) }
            @if page.items > 0 { " · " (frame.language.plural(frame.language.texts.items, page.items)) }
            @if let Some(name) = &page.first_name { " · " span translate="no" { (name) } }
        }
    }
}

pub(crate) fn error_page(frame: &Frame<'_>, kind: Plain) -> Markup {
    let texts = &frame.language.texts;
    let [title, text] = match kind {
        Plain::NotFound => texts.not_found,
        Plain::Expired => texts.expired,
        Plain::Unavailable => texts.unavailable,
    };
    let content = html! {
        (tracker::top(frame, &html! { (icons::link()) (title) }))
        p { (text) }
    };
    shell(frame, title, &tracker::tracker(frame, title, None, &content))
}

/// The page around it. A part of another page has none.
fn shell(frame: &Frame<'_>, title: &str, tracker: &Markup) -> Markup {
    if frame.form != Form::Page {
        return tracker.clone();
    }
    html! {
        (DOCTYPE)
        html lang=(frame.language.code) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(style::sheet(frame.shop))) }
                script src={ "../../assets/" (*PAGE_SCRIPT) } defer {}
            }
            body {
                header { (shop(frame.shop)) (switch(frame)) }
                main { (tracker) }
                (links(frame.shop))
            }
        }
    }
}

fn shop(shop: &ShopPage) -> Markup {
    html! {
        p.shop translate="no" {
            @if let Some(url) = &shop.logo_url {
                img src=(url) alt="" height="40" referrerpolicy="no-referrer";
            }
            @if let Some(name) = &shop.name { span { (name) } }
        }
    }
}

fn links(shop: &ShopPage) -> Markup {
    html! {
        @if !shop.links.is_empty() {
            footer {
                ul { @for link in &shop.links { li { a href=(link.url) { (link.text) } } } }
            }
        }
    }
}

/// The other languages as links, which need no script.
fn switch(frame: &Frame<'_>) -> Markup {
    let offered = Language::offered(&frame.shop.languages);
    // A token is short and plain; anything else was never one.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_token = frame.token.len() <= 40 && frame.token.bytes().all(is_plain);
    let token = if is_token { frame.token } else { "" };
    html! {
        @if offered.len() > 1 {
            details.languages {
                summary aria-label={ (frame.language.texts.language) ": " (frame.language.name) } {
                    (icons::globe()) (frame.language.name)
                }
                ul {
                    @for language in offered {
                        li {
                            a href={ "?t=" (token) "&lang=" (language.code) } hreflang=(language.code)
                                lang=(language.code)
                                aria-current=[(language.code == frame.language.code).then_some("true")]
                                { (language.name) }
                        }
                    }
                }
            }
        }
    }
}
