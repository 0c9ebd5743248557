//! Mutations of a valid request that are tried on every source.

use std::time::Duration;

use aws::tables::inbound::EventState;
use data_encoding::BASE64;
use serde_json::Value;

use super::request::{Transport, WebhookRequest};
use super::source_fixture::SourceFixture;
use super::test_case::{Outcome, TestCase, accepted, check, rejected, unreadable};
use crate::support::{Calls, stack, unique};

/// The mutated part of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The whole body, which is no JSON object or nested too deep.
    Body,
    Size,
    /// The id at this pointer.
    Id(&'static str),
    Status,
    Time,
    /// A field that the source does not read.
    Unused,
    Headers,
}

/// A request that is valid but for one part.
pub struct Mutation {
    pub name: &'static str,
    pub part: Part,
    pub request: WebhookRequest,
    /// The tag of its body.
    pub tag: String,
}

/// `gzip` of `{}`.
const GZIP: [u8; 22] =
    [31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 174, 5, 0, 67, 191, 166, 163, 2, 0, 0, 0];

/// The outcome of a mutation for a source that ignores invalid values.
pub fn usual_outcome(mutation: &Mutation) -> Outcome {
    match (mutation.part, mutation.name) {
        (Part::Body, _) | (_, "base64 without its flag") => unreadable(),
        (Part::Size, _) => rejected(413),
        _ => accepted(EventState::Processed),
    }
}

/// Checks all mutations. Each has an order of its own if it can match one. The unreadable bodies
/// share an order, which must not change.
pub async fn check_mutations(source: &SourceFixture, expected: fn(&Mutation) -> Outcome) {
    let (inbound, tag) = (stack().inbound(&Calls::default()), unique(""));
    let unchanged = source.order(&tag);
    unchanged.create().await;
    let case = |mutation: Mutation| {
        // API Gateway and the emulator have lower limits.
        let over_limit = matches!(mutation.name, "10 MB" | "20 KB of headers");
        let transport = if over_limit {
            Transport::Function(&inbound, Some("127.0.0.1"))
        } else {
            Transport::Http
        };
        let outcome = expected(&mutation);
        let matches_no_order =
            matches!(outcome.stored, Some(EventState::Ignored | EventState::Unmatched));
        let has_order = mutation.part != Part::Body && !matches_no_order;
        let name = format!("{} ({:?})", mutation.name, mutation.part);
        TestCase {
            order: has_order.then(|| source.order(&mutation.tag)),
            ..TestCase::new(name, mutation.request, outcome).via(transport)
        }
    };
    let mutations =
        [bodies(source, &tag), sizes(source), ids(source), values(source), headers(source)];
    check(source, &mutations.into_iter().flatten().map(case).collect::<Vec<_>>()).await;
    assert!(!unchanged.has_changed().await);
}

fn mutation(name: &'static str, part: Part, tag: &str, request: WebhookRequest) -> Mutation {
    Mutation { name, part, request, tag: tag.to_owned() }
}

fn bodies(source: &SourceFixture, tag: &str) -> Vec<Mutation> {
    type Make = fn(&str) -> Vec<u8>;
    let makes: [(&str, Make); 13] = [
        ("empty", |_| Vec::new()),
        ("null", |_| b"null".to_vec()),
        ("[]", |_| b"[]".to_vec()),
        ("\"x\"", |_| b"\"x\"".to_vec()),
        ("{", |body| body.as_bytes()[..body.len() - 1].to_vec()),
        ("{}x", |body| format!("{body}x").into_bytes()),
        ("BOM", |body| format!("\u{feff}{body}").into_bytes()),
        ("ff fe", |_| vec![0xff, 0xfe]),
        ("UTF-16", |body| {
            "\u{feff}"
                .encode_utf16()
                .chain(body.encode_utf16())
                .flat_map(u16::to_le_bytes)
                .collect()
        }),
        ("depth 33", |body| nested(body, 33)),
        ("depth 129", |body| nested(body, 129)),
        ("gzip", |_| GZIP.to_vec()),
        ("multipart", |body| {
            format!(
                "--b\r\ncontent-disposition: form-data; name=\"body\"\r\n\r\n{body}\r\n--b--\r\n"
            )
            .into_bytes()
        }),
    ];
    let body = (source.valid_body)(tag).to_string();
    let make = |(name, make): (&'static str, Make)| {
        let request = source.request(make(&body));
        let request = match name {
            // API Gateway decodes text bodies to UTF-8.
            "ff fe" | "UTF-16" => request.with_header("content-type", "application/octet-stream"),
            "gzip" => request
                .with_header("content-type", "application/octet-stream")
                .with_header("content-encoding", "gzip"),
            "multipart" => request.with_header("content-type", "multipart/form-data; boundary=b"),
            _ => request,
        };
        mutation(name, Part::Body, tag, request)
    };
    makes.into_iter().map(make).collect()
}

/// Adds a field to a body that nests it to this depth.
fn nested(body: &str, depth: usize) -> Vec<u8> {
    let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
    format!("{{\"aside\":{open}{close},{}", &body[1..]).into_bytes()
}

fn sizes(source: &SourceFixture) -> Vec<Mutation> {
    let sized = |name, size| {
        let tag = unique("");
        mutation(name, Part::Size, &tag, source.request_of_size(&tag, size))
    };
    vec![sized("1 MiB + 1", 1024 * 1024 + 1), sized("10 MB", 10_000_000)]
}

fn ids(source: &SourceFixture) -> Vec<Mutation> {
    let each = |pointer: &&'static str| id_mutations(source, pointer);
    source.fields.ids.iter().flat_map(each).collect()
}

fn id_mutations(source: &SourceFixture, pointer: &'static str) -> Vec<Mutation> {
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
        mutation(
            name,
            Part::Id(pointer),
            &tag,
            source.request(source.body_with_text(&tag, pointer, &make(&tag, key))),
        )
    };
    makes.into_iter().map(make).collect()
}

fn values(source: &SourceFixture) -> Vec<Mutation> {
    let fields = &source.fields;
    let hour_ahead = aws::clock::now().after(Duration::from_secs(3600));
    let time = |seconds: i64, date: &str| {
        if fields.epoch_seconds { format!("\"{seconds}\"") } else { format!("\"{date}\"") }
    };
    let list = || Value::from(vec![0; 100_000]).to_string();
    let texts = [
        ("number for string", Part::Status, fields.status, "7".to_owned()),
        ("bool for string", Part::Status, fields.status, "true".to_owned()),
        ("object for string", Part::Status, fields.status, r#"{"a":[1]}"#.to_owned()),
        ("year 9999", Part::Time, fields.time, time(253_402_300_799, "9999-12-31T23:59:59Z")),
        ("1970", Part::Time, fields.time, time(1, "1970-01-01T00:00:01Z")),
        ("Invalid Date", Part::Time, fields.time, r#""Invalid Date""#.to_owned()),
        ("no offset", Part::Time, fields.time, r#""2026-01-20T10:15:30""#.to_owned()),
        ("ms for s", Part::Time, fields.time, "1768882530000".to_owned()),
        ("negative epoch", Part::Time, fields.time, "-1".to_owned()),
        ("+1 h", Part::Time, fields.time, time(hour_ahead.seconds(), &hour_ahead.to_string())),
        ("100k elements", Part::Unused, fields.list, list()),
        (
            "emoji phone",
            Part::Unused,
            fields.person,
            "\"\u{1f4de}canary-phone\u{1f468}\u{200d}\u{1f469}\"".to_owned(),
        ),
        ("1 MB string", Part::Unused, "/aside", format!("\"{}\"", "x".repeat(1_000_000))),
        ("64 KB key", Part::Unused, "/aside", format!("0,\"{}\":0", "k".repeat(65_536))),
    ];
    let make = |(name, part, pointer, text): (&'static str, Part, &str, String)| {
        let tag = unique("");
        mutation(name, part, &tag, source.request(source.body_with_text(&tag, pointer, &text)))
    };
    texts.into_iter().map(make).collect()
}

fn headers(source: &SourceFixture) -> Vec<Mutation> {
    type Make = fn(&SourceFixture, WebhookRequest) -> WebhookRequest;
    let makes: [(&str, Make); 5] = [
        ("text/plain", |_, request| request.with_header("content-type", "text/plain")),
        ("base64 without its flag", |_, request| WebhookRequest {
            body: BASE64.encode(&request.body).into_bytes(),
            ..request
        }),
        ("signature of base64", |source, request| {
            let signed = (source.credentials)(BASE64.encode(&request.body).as_bytes()).into_iter();
            signed.fold(request, |request, (name, value)| request.with_header(name, value))
        }),
        ("signature \"a,b\"", |source, request| {
            let signed = (source.credentials)(&request.body).into_iter();
            let request = request.with_header("x-webhook-signature", "a,b");
            signed.fold(request, |request, (name, value)| {
                request.with_header(name, format!("{value},{value}"))
            })
        }),
        ("20 KB of headers", |_, request| request.with_header("x-aside", "x".repeat(20_000))),
    ];
    let make = |(name, make): (&'static str, Make)| {
        let tag = unique("");
        mutation(name, Part::Headers, &tag, make(source, source.valid_request(&tag)))
    };
    makes.into_iter().map(make).collect()
}
