//! Every state of the page, as HTML.
#![expect(clippy::unwrap_used)]

use domain::core::id::Awb;
use domain::core::timestamp::Timestamp;
use domain::page::{
    Checkpoint, Colour, Headline, Link, MessageLine, Notice, PageDate, ParcelCard, Progress,
    ShopPage, Tick, TrackingPage, Way,
};
use domain::tracking::entry::Direction;
use lambda_http::Request;

use crate::assets::PAGE;
use crate::html::{Form, Frame, Plain, error_page, order_page};
use crate::languages::{LANGUAGES, Language};
use crate::response::html_response;

/// Hours after 2026-01-20T00:00:00+05:30.
fn hour(hours: i64) -> Timestamp {
    Timestamp::from_millis(1_768_847_400_000 + hours * 3_600_000).unwrap()
}

const NOW: i64 = 38;

fn shop() -> ShopPage {
    let page = r##"{"name":"Chai & Co","colour":"#0a5d23","zone":"Asia/Kolkata",
        "links":[{"text":"Help","url":"https://shop.example/help"},
                 {"text":"Contact the shop","url":"mailto:help@shop.example"}]}"##;
    ShopPage::parse(page, &[]).unwrap()
}

fn checkpoint(at: i64, headline: Option<Headline>, words: &str, place: &str) -> Checkpoint {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Checkpoint { at: hour(at), headline, words: text(words), place: text(place) }
}

/// A parcel that is out for delivery.
fn card() -> ParcelCard {
    ParcelCard {
        awb: Awb::parse("19000501").ok(),
        direction: Direction::Forward,
        carrier: Some("Delhivery".to_owned()),
        headline: Headline::OutForDelivery,
        date: Some(PageDate::Expected(hour(44))),
        place: Some("Andheri East".to_owned()),
        progress: Progress { way: Way::Outbound, reached: 3, is_in_trouble: false },
        notice: None,
        checkpoints: vec![
            checkpoint(33, Some(Headline::OutForDelivery), "", "Andheri East"),
            checkpoint(31, None, "Reached the local hub", "Mumbai"),
            checkpoint(21, Some(Headline::OnTheWay), "Bag received", "Pune"),
            checkpoint(9, Some(Headline::Shipped), "", "Pune"),
            checkpoint(8, Some(Headline::Received), "", ""),
        ],
    }
}

fn page(card: ParcelCard) -> TrackingPage {
    TrackingPage {
        order_id: "#1001".to_owned(),
        version: 7,
        first_name: Some("Zoë".to_owned()),
        items: 2,
        headline: card.headline,
        parcels: vec![card],
        replaced: Vec::new(),
        messages: Vec::new(),
    }
}

fn at(headline: Headline, reached: usize, trouble: bool, notice: Option<Notice>) -> TrackingPage {
    let progress = Progress { way: Way::Outbound, reached, is_in_trouble: trouble };
    let mut card = ParcelCard { headline, progress, notice, date: None, ..card() };
    if reached < 3 {
        card.checkpoints.drain(..3 - reached);
        card.place = card.checkpoints.iter().find_map(|it| it.place.clone());
    }
    page(card)
}

fn attempt(number: u32) -> TrackingPage {
    let reason = Some("Door locked".to_owned());
    let notice = match number {
        3 => Notice::LastAttemptFailed { number, reason },
        number => Notice::AttemptFailed { number, reason },
    };
    at(Headline::AttemptFailed, 3, true, Some(notice))
}

fn returning(headline: Headline, reached: usize, notice: Notice) -> TrackingPage {
    let progress = Progress { way: Way::Back, reached, is_in_trouble: false };
    page(ParcelCard { headline, progress, notice: Some(notice), date: None, ..card() })
}

fn delivered() -> TrackingPage {
    let mut page = at(Headline::Delivered, 4, false, None);
    page.parcels[0].date = Some(PageDate::Ended(hour(37)));
    page.messages = [
        (Headline::Delivered, Tick::Sending),
        (Headline::OutForDelivery, Tick::Read),
        (Headline::OnTheWay, Tick::Delivered),
        (Headline::Shipped, Tick::Sent),
    ]
    .into_iter()
    .zip([37, 33, 21, 9])
    .map(|((about, tick), at)| MessageLine { at: hour(at), about: Some(about), tick })
    .collect();
    page.messages.push(MessageLine { at: hour(8), about: None, tick: Tick::Failed });
    page
}

fn two_parcels() -> TrackingPage {
    let mut page = at(Headline::OnTheWay, 2, false, None);
    let other = delivered().parcels.remove(0);
    page.parcels.push(ParcelCard { awb: Awb::parse("19000502").ok(), ..other });
    page
}

fn replaced() -> TrackingPage {
    let mut page = page(card());
    let awb = Awb::parse("19000499").ok();
    page.replaced.push(ParcelCard { awb, headline: Headline::Replaced, ..card() });
    page
}

/// Long words, many checkpoints.
fn long() -> TrackingPage {
    let mut page = page(card());
    let place = "Thiruvananthapuramcentralsortingfacility";
    let scans =
        (0..60_i64).map(|scan| checkpoint(30 - scan, None, "Bag scanned at the hub", place));
    page.parcels[0].checkpoints.extend(scans);
    page.parcels[0].awb = Awb::parse(&"9".repeat(60)).ok();
    page
}

fn states() -> Vec<(&'static str, TrackingPage)> {
    let new = ParcelCard { awb: None, carrier: None, place: None, ..card() };
    let new = ParcelCard {
        headline: Headline::Received,
        date: None,
        progress: Progress { way: Way::Outbound, reached: 0, is_in_trouble: false },
        notice: Some(Notice::NothingYet),
        checkpoints: vec![checkpoint(8, Some(Headline::Received), "", "")],
        ..new
    };
    let problem = Notice::Problem { reason: Some("Address incomplete".to_owned()) };
    vec![
        ("out-for-delivery", page(card())),
        ("nothing-yet", page(new)),
        ("awaiting-pickup", at(Headline::AwaitingPickup, 0, false, None)),
        ("pickup-failed", at(Headline::AwaitingPickup, 0, true, Some(Notice::PickupFailed))),
        ("delayed", at(Headline::Delayed, 2, true, Some(Notice::Delayed))),
        ("problem", at(Headline::Problem, 2, true, Some(problem))),
        ("attempt-1", attempt(1)),
        ("attempt-2", attempt(2)),
        ("attempt-3", attempt(3)),
        ("delivered", delivered()),
        ("returning", returning(Headline::Returning, 1, Notice::GoingBack)),
        ("returned", returning(Headline::Returned, 3, Notice::Returned)),
        ("cancelled", at(Headline::Cancelled, 0, true, Some(Notice::Cancelled))),
        ("lost", at(Headline::Lost, 2, true, Some(Notice::Lost))),
        ("two-parcels", two_parcels()),
        ("replaced", replaced()),
        ("long", long()),
    ]
}

fn frame<'a>(shop: &'a ShopPage, code: &str) -> Frame<'a> {
    let token = "20573-NTTM9drHj2VsX2R2pYuoiQ";
    Frame {
        form: Form::Page,
        language: Language::choose(Some(code), None, &[]),
        has_sockets: true,
        shop,
        token,
        now: hour(NOW),
    }
}

/// One element a line.
fn readable(html: &str) -> String {
    let (head, body) = html.split_once("<body").unwrap();
    assert!(head.contains("<title>"));
    format!("<body{body}").replace("><", ">\n<")
}

#[test]
fn writes_every_state() {
    let shop = shop();
    for (name, page) in states() {
        let html = order_page(&frame(&shop, "en"), &page).into_string();
        insta::assert_snapshot!(name, readable(&html));
    }
    for (name, kind) in [
        ("not-found", Plain::NotFound),
        ("expired", Plain::Expired),
        ("unavailable", Plain::Unavailable),
    ] {
        let html = error_page(&frame(&shop, "en"), kind).into_string();
        insta::assert_snapshot!(name, readable(&html));
    }
}

/// `WAYPOST_PAGES=folder cargo test -p track writes` keeps the pages for a look at them.
#[test]
fn writes_every_state_in_every_language() {
    let folder = std::env::var_os("WAYPOST_PAGES").map(std::path::PathBuf::from);
    let shop = shop();
    for language in LANGUAGES {
        let frame = frame(&shop, language.code);
        let mut pages: Vec<(&str, String)> = states()
            .iter()
            .map(|(name, page)| (*name, order_page(&frame, page).into_string()))
            .collect();
        for (name, kind) in [("not-found", Plain::NotFound), ("expired", Plain::Expired)] {
            pages.push((name, error_page(&frame, kind).into_string()));
        }
        for (name, html) in pages {
            assert!(html.contains(&format!("<html lang=\"{}\">", language.code)));
            let body = html.split_once("</head>").unwrap().1;
            let visible = body.replace(language.texts.times, "");
            assert!(!visible.contains(['{', '}']), "{name}: a placeholder is left");
            let size = html.len() + PAGE.len();
            assert!(size <= 60_000, "{name}: {size}");
            if let Some(folder) = &folder {
                let file = folder.join(format!("{}-{name}.html", language.code));
                std::fs::write(file, html).unwrap();
            }
        }
    }
}

#[test]
fn markup_in_every_field_stays_text() {
    const EVIL: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    let text = || Some(EVIL.to_owned());
    let mut card = card();
    card.awb = Awb::parse(EVIL.replace('/', "").as_str()).ok();
    card.carrier = text();
    card.place = text();
    card.notice = Some(Notice::Problem { reason: text() });
    card.checkpoints =
        vec![Checkpoint { words: text(), place: text(), ..checkpoint(1, None, "", "") }];
    let mut page = page(card);
    page.order_id = EVIL.to_owned();
    page.first_name = text();
    page.replaced = page.parcels.clone();
    let shop = ShopPage {
        name: text(),
        logo_url: Some(format!("https://shop.example/{EVIL}")),
        links: vec![Link { text: EVIL.to_owned(), url: format!("https://shop.example/{EVIL}") }],
        ..ShopPage::default()
    };
    let frame = Frame { token: EVIL, ..frame(&shop, "en") };
    for html in [order_page(&frame, &page), error_page(&frame, Plain::NotFound)] {
        let html = html.into_string();
        assert!(!html.contains("<script>") && !html.contains("<img src=x"), "{html}");
        assert_eq!(html.matches("<script").count(), 1, "our own");
    }
}

#[test]
fn a_page_is_kept_nowhere_and_loads_nothing_from_elsewhere() {
    let shop = ShopPage {
        logo_url: Some("https://cdn.shop.example/a/logo.png".to_owned()),
        colour: Some(Colour::new(10, 93, 35)),
        ..shop()
    };
    let frame = frame(&shop, "hi");
    let sockets = Some("wss://sockets.example/live");
    let markup = order_page(&frame, &page(card()));
    let response = html_response(&Request::default(), 200, &frame, markup, sockets);
    let header = |name: &str| response.headers().get(name).unwrap().to_str().unwrap().to_owned();
    let policy = header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'sha256-"));
    assert!(policy.contains("img-src https://cdn.shop.example;"), "{policy}");
    assert!(policy.contains("connect-src 'self' wss://sockets.example;"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(header("cache-control"), "private, no-store");
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("content-language"), "hi");
}

#[test]
fn a_part_of_another_page_has_no_page_around_it() {
    let shop = shop();
    for (form, name) in [(Form::Embedded, "embedded"), (Form::Compact, "compact")] {
        let frame = Frame { form, ..frame(&shop, "en") };
        let html = order_page(&frame, &delivered()).into_string();
        insta::assert_snapshot!(name, html.replace("><", ">\n<"));
        for absent in ["<!DOCTYPE", "<script", "<style", "style=", "Chai", "Zoë", "#1001"] {
            assert!(!html.contains(absent), "{absent}: {html}");
        }
        let error = error_page(&frame, Plain::Expired).into_string();
        assert!(error.starts_with("<div class=\"tracker\"") && !error.contains("data-version"));
    }
}

#[test]
fn an_update_is_what_the_page_shows() {
    let shop = shop();
    let page = frame(&shop, "ta");
    let update = Frame { form: Form::Update, ..page };
    for shown in [delivered(), two_parcels()] {
        let whole = order_page(&page, &shown).into_string();
        let title = whole.split_once("<title>").unwrap().1.split_once("</title>").unwrap().0;
        let part = order_page(&update, &shown).into_string();
        assert!(part.contains(title));
        assert!(whole.contains(&part.replace(&format!(" data-title=\"{title}\""), "")));
    }
}
