//! One set of icons: 24 by 24, lines of 1.5. A word always stands beside an icon.

use domain::page::{Headline, Tick};
use maud::{Markup, PreEscaped};

fn icon(class: &str, paths: &str) -> Markup {
    PreEscaped(format!(
        "<svg class=\"{class}\" viewBox=\"0 0 24 24\" width=\"24\" height=\"24\" fill=\"none\" \
         stroke=\"currentColor\" stroke-width=\"1.5\" stroke-linecap=\"round\" \
         stroke-linejoin=\"round\" aria-hidden=\"true\">{paths}</svg>"
    ))
}

const BOX: &str = r#"<path d="M4 8l8-4 8 4v8l-8 4-8-4zM4 8l8 4 8-4M12 12v8"/>"#;
const TRUCK: &str = r#"<path d="M3 6h11v10H3zM14 10h4l3 3v3h-7z"/><circle cx="7.5" cy="17.5" r="1.8"/><circle cx="17" cy="17.5" r="1.8"/>"#;
const CLOCK: &str = r#"<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5l3 2"/>"#;
const ALERT: &str = r#"<path d="M12 4l9 16H3zM12 10v4M12 17v.1"/>"#;
const HOUSE: &str = r#"<path d="M4 11l8-7 8 7v9H4zM10 20v-6h4v6"/>"#;
const CHECKED: &str = r#"<circle cx="12" cy="12" r="8.5"/><path d="M8 12.5l2.8 2.8L16 9.5"/>"#;
const CROSS: &str = r#"<circle cx="12" cy="12" r="8.5"/><path d="M9 9l6 6M15 9l-6 6"/>"#;
const BACK: &str = r#"<path d="M9 7L4 12l5 5M4 12h11a5 5 0 010 10"/>"#;
const CARD: &str = r#"<path d="M3 6h18v12H3zM3 10h18M7 15h3"/>"#;
const CHECK: &str = r#"<path d="M5 12.5l4.5 4.5L19 7.5"/>"#;
const CHECKS: &str = r#"<path d="M2 12.5l4.5 4.5L16 7.5M11 16l1 1 9.5-9.5"/>"#;
const MARK: &str = r#"<path d="M12 5v9M12 18v.1"/>"#;
const OUT: &str = r#"<path d="M9 5h10v10M19 5L6 18"/>"#;
const PLACE: &str = r#"<path d="M12 21s7-6.2 7-11.5a7 7 0 10-14 0C5 14.8 12 21 12 21z"/><circle cx="12" cy="9.5" r="2.5"/>"#;
const GLOBE: &str = r#"<circle cx="12" cy="12" r="8.5"/><path d="M3.5 12h17M12 3.5c5 5 5 12 0 17c-5-5-5-12 0-17"/>"#;
const LINK: &str = r#"<path d="M10 14a4 4 0 006 0l3-3a4 4 0 00-6-6l-1 1M14 10a4 4 0 00-6 0l-3 3a4 4 0 006 6l1-1"/>"#;

pub(super) fn of(headline: Headline) -> Markup {
    match headline {
        Headline::Received
        | Headline::Preparing
        | Headline::AwaitingPickup
        | Headline::Replaced => icon("icon", BOX),
        Headline::PaymentDue => icon("icon", CARD),
        Headline::Shipped | Headline::OnTheWay => icon("icon", TRUCK),
        Headline::Delayed => icon("icon warn", CLOCK),
        Headline::Problem | Headline::AttemptFailed | Headline::Lost => icon("icon bad", ALERT),
        Headline::OutForDelivery => icon("icon", HOUSE),
        Headline::Completed | Headline::Delivered => icon("icon good", CHECKED),
        Headline::Cancelled => icon("icon bad", CROSS),
        Headline::ReturnStarted
        | Headline::Returning
        | Headline::ReturnArriving
        | Headline::Returned => icon("icon", BACK),
    }
}

pub(super) fn tick(tick: Tick) -> Markup {
    match tick {
        Tick::Sending => icon("icon small", CLOCK),
        Tick::Sent => icon("icon small", CHECK),
        Tick::Delivered => icon("icon small", CHECKS),
        Tick::Read => icon("icon small read", CHECKS),
        Tick::Failed => icon("icon small bad", MARK),
    }
}

pub(super) fn check() -> Markup {
    icon("icon small", CHECK)
}

pub(super) fn trouble() -> Markup {
    icon("icon small", MARK)
}

pub(super) fn out() -> Markup {
    icon("icon small", OUT)
}

pub(super) fn place() -> Markup {
    icon("icon small", PLACE)
}

pub(super) fn globe() -> Markup {
    icon("icon small", GLOBE)
}

pub(super) fn link() -> Markup {
    icon("icon", LINK)
}
