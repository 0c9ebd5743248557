//! How customers' servers fail: errors, refusals, odd `Retry-After`s, hostile bodies, and connections
//! that break before or after the delivery was taken.

use std::time::{Duration, SystemTime};

use egress::SendError;
use egress::simulation::Request;

use super::super::{Answer, Reply};
use crate::world::State;

/// Whether the server took the delivery, and its reply.
pub(super) type Taken = (bool, Reply);

/// Statuses that are retried, and those that are not: 410, redirects, and all others.
const RETRIED: [u16; 9] = [408, 425, 429, 500, 501, 502, 503, 504, 599];
const FINAL: [u16; 18] =
    [101, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 409, 410, 413, 422, 999];
const SUCCESS: [u16; 5] = [200, 201, 204, 206, 226];

/// Of `Retry-After`. Those that ask for more than the schedule's wait are `asked_wait`.
const WAITS: [&str; 16] = [
    "0",
    "2",
    "45",
    "-1",
    "-5",
    "+3",
    "120.5",
    "1e300",
    "inf",
    "NaN",
    "",
    " ",
    "soon",
    "Wed, 21 Oct 2015 07:28:00 GMT",
    "Wed, 99 Oct 2015 07:28:00 GMT",
    "2, 45",
];

/// Bodies that must neither break a row nor a log line.
const BODIES: [&[u8]; 6] = [
    b"",
    b"<script>alert(1)</script>",
    b"\x1b[2J\x1b]0;owned\x07\r\nlevel=error",
    b"\xff\xfe\xc0\x80\xed\xa0\x80",
    b"{\"a\":\"\\ud800\\u0000\"}",
    "\u{202e}\u{200b}gnp.exe".as_bytes(),
];

impl State {
    /// One of the ways in which a server fails.
    pub(super) fn failing_reply(&mut self, request: &Request) -> Taken {
        let ms = self.latency(50);
        match self.random.u8(..24) {
            0..=4 => (false, self.answer_any(ms, &RETRIED)),
            5..=8 => (false, self.answer_any(ms, &FINAL)),
            9..=12 => (false, self.asking_to_wait(ms)),
            13..=15 => (false, self.unreachable(ms)),
            16 => (false, Reply::after_ms(ms, Err(SendError::Protocol))),
            // The delivery is taken, but its sender cannot know.
            17 | 18 => (true, Reply::after_ms(ms, Err(SendError::Closed))),
            19 => (true, Reply::never()),
            20 => (true, Reply::after_ms(ms + 4000, Ok(Answer::new(200, "slow")))),
            21 => (true, Reply::after_ms(ms, Ok(Answer::new(200, vec![0xff; 100_000])))),
            22 => (true, Reply::after_ms(ms, Ok(Answer::new(200, echo(request))))),
            _ => (true, self.answer_any(ms, &SUCCESS)),
        }
    }

    /// A server that is down answers nothing, or its proxy does.
    pub(super) fn reply_of_down_server(&mut self) -> Taken {
        let ms = self.latency(50);
        match self.random.u8(..3) {
            0 => (false, self.answer_any(ms, &[502, 503, 504])),
            _ => (false, self.unreachable(ms)),
        }
    }

    fn unreachable(&mut self, ms: u64) -> Reply {
        let refusals = [SendError::Dns, SendError::Connect, SendError::Tls, SendError::Blocked];
        match self.random.usize(..=refusals.len()) {
            index if index < refusals.len() => Reply::after_ms(ms, Err(refusals[index])),
            _ => Reply::never(),
        }
    }

    fn answer_any(&mut self, ms: u64, statuses: &[u16]) -> Reply {
        let status = statuses[self.random.usize(..statuses.len())];
        let body = BODIES[self.random.usize(..BODIES.len())];
        Reply::after_ms(ms, Ok(Answer::new(status, body)))
    }

    fn asking_to_wait(&mut self, ms: u64) -> Reply {
        let status = [429, 503][self.random.usize(..2)];
        let value = match self.random.usize(..=WAITS.len()) {
            index if index < WAITS.len() => WAITS[index].to_owned(),
            _ => {
                let at = Duration::from_millis(self.now()) + Duration::from_secs(30);
                httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + at)
            }
        };
        let answer = Answer::new(status, "later").with_header("retry-after", value);
        Reply::after_ms(ms, Ok(answer))
    }
}

/// What the server got, with its secrets.
fn echo(request: &Request) -> Vec<u8> {
    let mut text = format!("{}\n", request.url()).into_bytes();
    for (name, value) in request.headers() {
        text.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat());
    }
    text.extend(request.body().and_then(|body| body.as_bytes()).unwrap_or_default());
    text
}

/// The wait that a reply asks for, in milliseconds.
pub(super) fn asked_wait(reply: &Reply, now: u64) -> u64 {
    let Ok(answer) = &reply.result else { return 0 };
    let value = answer.headers.iter().find(|(name, _)| *name == "retry-after");
    let Some((_, value)) = value else { return 0 };
    let seconds = value.parse::<u32>().ok().filter(|_| !value.starts_with('+'));
    let date = || {
        let at = httpdate::parse_http_date(value).ok()?;
        let at = at.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_millis();
        u64::try_from(at).ok()?.checked_sub(now)
    };
    seconds.map(|seconds| u64::from(seconds) * 1000).or_else(date).unwrap_or_default()
}
