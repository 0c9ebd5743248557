//! The card of a parcel: status, expected date, next step.

use domain::page::{Headline, Notice, PageDate, ParcelCard, Progress, TrackingPage, courier_url};
use domain::tracking::entry::Direction;
use maud::{Markup, html};

use super::history::history;
use super::tracker::top;
use super::{Frame, icons};

/// The parcels that count. One alone is the page; several have headings of their own.
pub(super) fn leading(frame: &Frame<'_>, page: &TrackingPage) -> Markup {
    html! {
        (top(frame, &headline(frame, page.headline)))
        @if let [only] = page.parcels.as_slice() {
            (date(frame, only))
            (body(frame, only))
            @if !frame.form.is_compact() { section { (history(frame, only, true)) } }
        } @else {
            @for (index, card) in page.parcels.iter().enumerate() {
                section.parcel {
                    h2 { (title(frame, card, index + 1, page.parcels.len())) }
                    p.headline part="headline" { (headline(frame, card.headline)) }
                    (date(frame, card))
                    (body(frame, card))
                    @if !frame.form.is_compact() { (history(frame, card, false)) }
                }
            }
        }
    }
}

fn headline(frame: &Frame<'_>, headline: Headline) -> Markup {
    html! { (icons::of(headline)) (frame.language.headline(headline)) }
}

/// A parcel that another one replaced.
pub(super) fn replaced(frame: &Frame<'_>, card: &ParcelCard) -> Markup {
    html! {
        section.parcel {
            h2 { (frame.language.headline(Headline::Replaced)) }
            (courier(frame, card))
            (history(frame, card, false))
        }
    }
}

fn title(frame: &Frame<'_>, card: &ParcelCard, number: usize, total: usize) -> String {
    let texts = &frame.language.texts;
    let text = |value: usize| frame.language.number(u64::try_from(value).unwrap_or(u64::MAX));
    match card.direction {
        Direction::Return => texts.return_parcel.to_owned(),
        Direction::Forward => {
            texts.parcel_of.replace("{n}", &text(number)).replace("{total}", &text(total))
        }
    }
}

fn body(frame: &Frame<'_>, card: &ParcelCard) -> Markup {
    html! {
        (progress(frame, card))
        @if !frame.form.is_compact() {
            @if let Some(notice) = &card.notice { (notice_of(frame, notice)) }
            (courier(frame, card))
        }
    }
}

/// The date, and the place where the parcel was seen last.
fn date(frame: &Frame<'_>, card: &ParcelCard) -> Markup {
    let texts = &frame.language.texts;
    let expected = |at, text: &str| {
        let time = frame.language.time(frame.local(at));
        text.replace("{date}", &frame.day_text(at)).replace("{time}", &time)
    };
    html! {
        @match card.date {
            Some(PageDate::Expected(at)) => {
                @let is_date = frame.local(at).is_date_only();
                @let text = if is_date { texts.expected } else { texts.expected_by };
                p.date { time datetime=(at) title=(frame.full_text(at)) { (expected(at, text)) } }
            }
            Some(PageDate::Overdue(at)) => {
                p.date { time datetime=(at) title=(frame.full_text(at)) { (expected(at, texts.overdue)) } }
            }
            Some(PageDate::Ended(at)) => { p.date { (frame.moment(at)) } }
            None => {}
        }
        @if let Some(place) = &card.place {
            @let has_ended = matches!(card.date, Some(PageDate::Ended(_)));
            @let text = if has_ended { "{place}" } else { texts.seen_in };
            p.place { (icons::place()) span { (text.replace("{place}", place)) } }
        }
    }
}

fn progress(frame: &Frame<'_>, card: &ParcelCard) -> Markup {
    let Progress { way, reached, is_in_trouble } = card.progress;
    html! {
        ol.stages part="bar" aria-label=(frame.language.texts.progress) {
            @for (index, stage) in frame.language.stages(way).iter().enumerate() {
                @let is_current = index == reached;
                li.done[index < reached || is_current && !is_in_trouble]
                    .current[is_current]
                    .trouble[is_current && is_in_trouble]
                    aria-current=[is_current.then_some("step")] {
                    span.dot {
                        @if is_current && is_in_trouble { (icons::trouble()) }
                        @else if index <= reached { (icons::check()) }
                    }
                    span.stage { (stage) }
                }
            }
        }
    }
}

fn courier(frame: &Frame<'_>, card: &ParcelCard) -> Markup {
    let texts = &frame.language.texts;
    let url = card.carrier.as_ref().zip(card.awb.as_ref());
    let url = url.and_then(|(carrier, awb)| courier_url(carrier, awb));
    html! {
        @if let Some(awb) = &card.awb {
            dl.courier {
                dt { (card.carrier.as_deref().unwrap_or(texts.tracking_number)) }
                dd { span.awb translate="no" { (awb) } }
            }
            @if let Some(url) = url {
                p { a.button href=(url) rel="noopener noreferrer" { (texts.at_courier) (icons::out()) } }
            }
        }
    }
}

fn notice_of(frame: &Frame<'_>, notice: &Notice) -> Markup {
    let texts = &frame.language.texts;
    let attempt = |number: u32, next: &str| {
        let failed = texts.attempt_failed.replace("{n}", &frame.language.number(number.into()));
        format!("{failed} {next}")
    };
    let (text, reason) = match notice {
        Notice::NothingYet => (texts.nothing_yet.to_owned(), &None),
        Notice::PaymentDue => (texts.payment_due.to_owned(), &None),
        Notice::PickupFailed => (texts.pickup_failed.to_owned(), &None),
        Notice::Delayed => (texts.delayed.to_owned(), &None),
        Notice::Problem { reason } => (texts.problem.to_owned(), reason),
        Notice::AttemptFailed { number, reason } => (attempt(*number, texts.next_attempt), reason),
        Notice::LastAttemptFailed { number, reason } => {
            (attempt(*number, texts.last_attempt), reason)
        }
        Notice::AnotherAttempt { failed } => {
            (frame.language.plural(texts.another_attempt, u64::from(*failed)), &None)
        }
        Notice::Lost => (texts.lost.to_owned(), &None),
        Notice::Cancelled => (texts.cancelled.to_owned(), &None),
        Notice::GoingBack => (texts.going_back.to_owned(), &None),
        Notice::Returned => (texts.returned.to_owned(), &None),
    };
    html! {
        div.notice {
            p { (text) }
            @if let Some(reason) = reason {
                p { (texts.courier_says) " " q lang="en" { (reason) } }
            }
        }
    }
}
