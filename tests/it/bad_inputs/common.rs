//! What may be odd in the request of any source.

use aws::tables::inbound::EventState;
use data_encoding::BASE64;
use serde_json::Value;

use super::case::{Case, Outcome, check};
use super::post::{Door, Post};
use super::surface::Surface;
use crate::support::{Calls, stack, unique};

/// Where a request is odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// All of the body, which is no JSON object or too deep.
    Body,
    /// Its size.
    Size,
    /// The id at this pointer.
    Id(&'static str),
    Words,
    Time,
    /// Something that nobody reads.
    Aside,
    /// What is around the body.
    Headers,
}

/// A request that is good but for one thing.
pub struct Odd {
    pub name: &'static str,
    pub place: Place,
    pub post: Post,
    /// Of its body.
    pub tag: String,
}

/// `gzip` of `{}`.
const GZIP: [u8; 22] =
    [31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 174, 5, 0, 67, 191, 166, 163, 2, 0, 0, 0];

/// Tries them all. What is taken is about an order, or a message, that it moves; what is no envelope would be about one
/// that all the time nothing moves.
pub async fn check_all(surface: &Surface, expected: fn(&Odd) -> Outcome) {
    let (inbound, tag) = (stack().inbound(&Calls::default()), unique(""));
    let bystander = surface.subject(&tag);
    bystander.make().await;
    let case = |odd: Odd| {
        // API Gateway, or what stands for it here, has limits of its own.
        let too_much = matches!(odd.name, "10 MB" | "20 KB of headers");
        let door = if too_much { Door::Function(&inbound, Some("127.0.0.1")) } else { Door::Front };
        let outcome = expected(&odd);
        let finds_none = matches!(outcome.kept, Some(EventState::Ignored | EventState::Unmatched));
        let subject = (odd.place != Place::Body && !finds_none).then(|| surface.subject(&odd.tag));
        Case {
            subject,
            ..Case::new(format!("{} ({:?})", odd.name, odd.place), odd.post, outcome).by(door)
        }
    };
    let odd =
        [bodies(surface, &tag), sizes(surface), ids(surface), values(surface), headers(surface)];
    check(surface, &odd.into_iter().flatten().map(case).collect::<Vec<_>>()).await;
    assert!(!bystander.has_moved().await);
}

fn odd(name: &'static str, place: Place, tag: &str, post: Post) -> Odd {
    Odd { name, place, post, tag: tag.to_owned() }
}

fn bodies(surface: &Surface, tag: &str) -> Vec<Odd> {
    type Make = fn(&str) -> Vec<u8>;
    let makes: [(&str, Make); 13] = [
        ("empty", |_| Vec::new()),
        ("null", |_| b"null".to_vec()),
        ("[]", |_| b"[]".to_vec()),
        ("\"x\"", |_| b"\"x\"".to_vec()),
        ("{", |good| good.as_bytes()[..good.len() - 1].to_vec()),
        ("{}x", |good| format!("{good}x").into_bytes()),
        ("BOM", |good| format!("\u{feff}{good}").into_bytes()),
        ("ff fe", |_| vec![0xff, 0xfe]),
        ("UTF-16", |good| {
            "\u{feff}"
                .encode_utf16()
                .chain(good.encode_utf16())
                .flat_map(u16::to_le_bytes)
                .collect()
        }),
        ("depth 33", |good| nested(good, 33)),
        ("depth 129", |good| nested(good, 129)),
        ("gzip", |_| GZIP.to_vec()),
        ("multipart", |good| {
            format!(
                "--b\r\ncontent-disposition: form-data; name=\"body\"\r\n\r\n{good}\r\n--b--\r\n"
            )
            .into_bytes()
        }),
    ];
    let good = (surface.good)(tag).to_string();
    let make = |(name, make): (&'static str, Make)| {
        let post = surface.post(make(&good));
        let post = match name {
            // As text, API Gateway would hand over something else.
            "ff fe" | "UTF-16" => post.with("content-type", "application/octet-stream"),
            "gzip" => post
                .with("content-type", "application/octet-stream")
                .with("content-encoding", "gzip"),
            "multipart" => post.with("content-type", "multipart/form-data; boundary=b"),
            _ => post,
        };
        odd(name, Place::Body, tag, post)
    };
    makes.into_iter().map(make).collect()
}

/// A good body with a field so deep.
fn nested(good: &str, depth: usize) -> Vec<u8> {
    let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
    format!("{{\"aside\":{open}{close},{}", &good[1..]).into_bytes()
}

fn sizes(surface: &Surface) -> Vec<Odd> {
    let sized = |name, size| {
        let tag = unique("");
        odd(name, Place::Size, &tag, surface.of_size(&tag, size))
    };
    vec![sized("1 MiB + 1", 1024 * 1024 + 1), sized("10 MB", 10_000_000)]
}

fn ids(surface: &Surface) -> Vec<Odd> {
    let each = |pointer: &&'static str| id_texts(surface, pointer);
    surface.fields.ids.iter().flat_map(each).collect()
}

fn id_texts(surface: &Surface, pointer: &'static str) -> Vec<Odd> {
    let key = pointer.rsplit('/').next().unwrap();
    type Make = fn(&str, &str) -> String;
    let makes: [(&str, Make); 19] = [
        ("lone surrogate", |tag, _| format!(r#""\ud800{tag}""#)),
        ("NUL", |tag, _| format!(r#""a\u0000{tag}""#)),
        ("1e400", |tag, _| format!("9{tag}e400")),
        ("30 digits", |tag, _| format!("9{tag:0>29}")),
        ("duplicate keys", |tag, key| format!(r#""first-{tag}","{key}":"{tag}""#)),
        ("bool for id", |_, _| "true".to_owned()),
        ("object for id", |tag, _| format!(r#"{{"id":"{tag}"}}"#)),
        ("id \"\"", |_, _| r#""""#.to_owned()),
        ("id \" \"", |_, _| r#"" ""#.to_owned()),
        ("id 2049 B", |tag, _| format!(r#""{tag:x>2049}""#)),
        ("id with #", |tag, _| format!(r#""{tag}#state""#)),
        ("../", |tag, _| format!(r#""../{tag}""#)),
        ("CRLF", |tag, _| format!(r#""{tag}\r\nx-api-key: 1""#)),
        ("ANSI ESC", |tag, _| format!(r#""\u001b[2J{tag}""#)),
        ("<script>", |tag, _| format!(r#""<script>{tag}</script>""#)),
        ("U+202E", |tag, _| format!(r#""\u202e{tag}""#)),
        ("NFC", |tag, _| format!(r#""\u00e9{tag}""#)),
        ("NFD", |tag, _| format!(r#""e\u0301{tag}""#)),
        ("zero-width", |tag, _| format!(r#""\u200b{tag}""#)),
    ];
    let make = |(name, make): (&'static str, Make)| {
        let tag = unique("");
        odd(
            name,
            Place::Id(pointer),
            &tag,
            surface.post(surface.with(&tag, pointer, &make(&tag, key))),
        )
    };
    makes.into_iter().map(make).collect()
}

fn values(surface: &Surface) -> Vec<Odd> {
    let fields = &surface.fields;
    let hour_ahead = aws::clock::now().after(std::time::Duration::from_secs(3600));
    let time = |seconds: i64, date: &str| {
        if fields.seconds { format!("\"{seconds}\"") } else { format!("\"{date}\"") }
    };
    let list = || Value::from(vec![0; 100_000]).to_string();
    let texts = [
        ("number for string", Place::Words, fields.words, "7".to_owned()),
        ("bool for string", Place::Words, fields.words, "true".to_owned()),
        ("object for string", Place::Words, fields.words, r#"{"a":[1]}"#.to_owned()),
        ("year 9999", Place::Time, fields.time, time(253_402_300_799, "9999-12-31T23:59:59Z")),
        ("1970", Place::Time, fields.time, time(1, "1970-01-01T00:00:01Z")),
        ("Invalid Date", Place::Time, fields.time, r#""Invalid Date""#.to_owned()),
        ("no offset", Place::Time, fields.time, r#""2026-01-20T10:15:30""#.to_owned()),
        ("ms for s", Place::Time, fields.time, "1768882530000".to_owned()),
        ("negative epoch", Place::Time, fields.time, "-1".to_owned()),
        ("+1 h", Place::Time, fields.time, time(hour_ahead.seconds(), &hour_ahead.to_string())),
        ("100k elements", Place::Aside, fields.list, list()),
        (
            "emoji phone",
            Place::Aside,
            fields.person,
            "\"\u{1f4de}canary-phone\u{1f468}\u{200d}\u{1f469}\"".to_owned(),
        ),
        ("1 MB string", Place::Aside, "/aside", format!("\"{}\"", "x".repeat(1_000_000))),
        ("64 KB key", Place::Aside, "/aside", format!("0,\"{}\":0", "k".repeat(65_536))),
    ];
    let make = |(name, place, pointer, text): (&'static str, Place, &str, String)| {
        let tag = unique("");
        odd(name, place, &tag, surface.post(surface.with(&tag, pointer, &text)))
    };
    texts.into_iter().map(make).collect()
}

fn headers(surface: &Surface) -> Vec<Odd> {
    type Make = fn(&Surface, Post) -> Post;
    let makes: [(&str, Make); 5] = [
        ("text/plain", |_, post| post.with("content-type", "text/plain")),
        ("base64 without its flag", |_, post| Post {
            body: BASE64.encode(&post.body).into_bytes(),
            ..post
        }),
        ("signature of base64", |surface, post| {
            let signed = (surface.credentials)(BASE64.encode(&post.body).as_bytes()).into_iter();
            signed.fold(post, |post, (name, value)| post.with(name, value))
        }),
        ("signature \"a,b\"", |surface, post| {
            let signed = (surface.credentials)(&post.body).into_iter();
            let post = post.with("x-webhook-signature", "a,b");
            signed.fold(post, |post, (name, value)| post.with(name, format!("{value},{value}")))
        }),
        ("20 KB of headers", |_, post| post.with("x-aside", "x".repeat(20_000))),
    ];
    let make = |(name, make): (&'static str, Make)| {
        let tag = unique("");
        odd(name, Place::Headers, &tag, make(surface, surface.good(&tag)))
    };
    makes.into_iter().map(make).collect()
}
