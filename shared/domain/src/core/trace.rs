//! Trace context of the W3C (<https://www.w3.org/TR/trace-context/>): the header `traceparent`, by
//! which a sender follows its request through other systems.

use std::num::{NonZeroU64, NonZeroU128};

use serde::{Deserialize, Serialize};

use crate::core::hash::Fingerprint;

/// The trace that a request belongs to, and the request itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceParent {
    trace: NonZeroU128,
    parent: NonZeroU64,
    /// The sender records the trace.
    sampled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a W3C traceparent")]
pub struct InvalidTraceParent;

impl TraceParent {
    /// From the header of a request. A version after 00 may append parts.
    pub fn parse(text: &str) -> Result<Self, InvalidTraceParent> {
        let mut parts = text.split('-');
        let mut next = |length| parts.next().and_then(|part| hex(part, length));
        let (version, trace, parent, flags) = (next(2), next(32), next(16), next(2));
        let is_known = match version {
            Some(0) => parts.next().is_none(),
            version => version.is_some_and(|version| version < 0xff),
        };
        let trace = trace.and_then(NonZeroU128::new);
        let parent = parent.and_then(|it| u64::try_from(it).ok()).and_then(NonZeroU64::new);
        match (trace, parent, flags) {
            (Some(trace), Some(parent), Some(flags)) if is_known => {
                Ok(Self { trace, parent, sampled: flags & 1 == 1 })
            }
            _ => Err(InvalidTraceParent),
        }
    }

    /// The trace of something that came without one: always the same for the same id.
    pub fn of(id: impl AsRef<[u8]>) -> Self {
        let part = |kind| Fingerprint::of(kind).with(&id).number();
        let trace = u128::from(part("trace")) << 64 | u128::from(part("trace, second half"));
        Self {
            trace: NonZeroU128::new(trace).unwrap_or(NonZeroU128::MIN),
            parent: NonZeroU64::new(part("span")).unwrap_or(NonZeroU64::MIN),
            sampled: false,
        }
    }

    /// A request of Waypost in the same trace. `id` names the request.
    #[must_use]
    pub fn child(self, id: impl AsRef<[u8]>) -> Self {
        Self { parent: Self::of(id).parent, ..self }
    }

    /// The part that the children of this request share, in 17 bytes: the trace, and whether it is
    /// sampled.
    pub fn to_bytes(self) -> Vec<u8> {
        let trace = self.trace.get().to_be_bytes();
        trace.into_iter().chain([u8::from(self.sampled)]).collect()
    }

    /// From [`TraceParent::to_bytes`]: a request of that trace, which `id` names.
    pub fn from_bytes(bytes: &[u8], id: impl AsRef<[u8]>) -> Option<Self> {
        let (trace, rest) = bytes.split_first_chunk()?;
        let trace = NonZeroU128::new(u128::from_be_bytes(*trace))?;
        Some(Self { trace, sampled: rest.first()? & 1 == 1, ..Self::of(id) })
    }

    /// 32 hexadecimal digits.
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace)
    }
}

/// Hexadecimal digits are in lower case.
fn hex(text: &str, length: usize) -> Option<u128> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_hex = text.len() == length && text.bytes().all(is_digit);
    is_hex.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

/// In version 00.
impl std::fmt::Display for TraceParent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { trace, parent, sampled } = self;
        write!(f, "00-{trace:032x}-{parent:016x}-{:02x}", u8::from(*sampled))
    }
}

impl From<TraceParent> for String {
    fn from(trace: TraceParent) -> Self {
        trace.to_string()
    }
}

impl TryFrom<String> for TraceParent {
    type Error = InvalidTraceParent;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The example of the specification.
    const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn reads_and_writes_version_00() {
        for text in [SAMPLED, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"] {
            assert_eq!(TraceParent::parse(text).unwrap().to_string(), text);
        }
        // Later versions are read as version 00, and of the flags only `sampled`.
        let later = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff-more-parts";
        assert_eq!(TraceParent::parse(later).unwrap().to_string(), SAMPLED);
    }

    #[test]
    fn refuses_what_the_specification_calls_invalid() {
        for text in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-+0f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
        ] {
            assert_eq!(TraceParent::parse(text), Err(InvalidTraceParent), "{text}");
        }
    }

    #[test]
    fn a_request_of_the_trace_has_an_id_of_its_own() {
        let trace = TraceParent::parse(SAMPLED).unwrap();
        let child = trace.child("msg_a");
        assert_eq!(child.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_ne!(child.parent, trace.parent);
        assert_ne!(child.parent, trace.child("msg_b").parent);
        assert!(child.to_string().ends_with("-01"), "{child}");
    }

    #[test]
    fn the_bytes_keep_the_trace_and_not_the_request() {
        for trace in [TraceParent::parse(SAMPLED).unwrap(), TraceParent::of("a")] {
            let bytes = trace.to_bytes();
            assert_eq!(bytes.len(), 17);
            assert_eq!(TraceParent::from_bytes(&bytes, "msg_a"), Some(trace.child("msg_a")));
            assert_eq!(TraceParent::from_bytes(&bytes[..16], "msg_a"), None);
        }
        assert_eq!(TraceParent::from_bytes(&[0; 17], "msg_a"), None);
    }

    #[test]
    fn what_came_without_a_trace_always_gets_the_same_one() {
        let [a, b] = ["a", "b"].map(TraceParent::of);
        assert_eq!(a, TraceParent::of("a"));
        assert_ne!(a.trace, b.trace);
        assert_eq!(TraceParent::parse(&a.to_string()), Ok(a));
    }
}
