//! Where a parcel has been, by day.

use domain::page::{Checkpoint, Day, ParcelCard};
use maud::{Markup, html};

use super::Frame;

/// Of a long history, the newest are in sight.
const IN_SIGHT: usize = 5;

/// `is_alone`: the heading is of the second level.
pub(super) fn history(frame: &Frame<'_>, card: &ParcelCard, is_alone: bool) -> Markup {
    let texts = &frame.language.texts;
    let in_sight = card.checkpoints.len().min(IN_SIGHT);
    let (newest, earlier) = card.checkpoints.split_at(in_sight);
    let count = u64::try_from(earlier.len()).unwrap_or(u64::MAX);
    html! {
        @if !newest.is_empty() {
            @if is_alone { h2 { (texts.history) } } @else { h3 { (texts.history) } }
            (list(frame, newest))
        }
        @if !earlier.is_empty() {
            details {
                summary { (frame.language.plural(texts.earlier, count)) }
                (list(frame, earlier))
            }
        }
    }
}

fn list(frame: &Frame<'_>, checkpoints: &[Checkpoint]) -> Markup {
    let mut above: Option<Day> = None;
    html! {
        ol.timeline part="timeline" {
            @for checkpoint in checkpoints {
                @let day = frame.local(checkpoint.at).day;
                @let is_new_day = above.replace(day) != Some(day);
                li {
                    p.day hidden[!is_new_day] { (frame.day_text(checkpoint.at)) }
                    (entry(frame, checkpoint))
                }
            }
        }
    }
}

fn entry(frame: &Frame<'_>, checkpoint: &Checkpoint) -> Markup {
    let at = checkpoint.at;
    let headline = checkpoint.headline.map(|headline| frame.language.headline(headline));
    html! {
        div.entry {
            time datetime=(at) title=(frame.full_text(at)) {
                (frame.language.time(frame.local(at)))
            }
            div {
                @if let Some(headline) = headline { p.what { (headline) } }
                @if let Some(words) = &checkpoint.words { p lang="en" { (words) } }
                @if let Some(place) = &checkpoint.place { p.spot lang="en" { (place) } }
            }
        }
    }
}
