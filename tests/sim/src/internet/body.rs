//! Bodies that never end, or break off.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use egress::simulation::Body;
use egress::simulation::{BodyStream, Bytes, Frame};

/// What happens to the body of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum BodyFate {
    #[default]
    Whole,
    /// The connection ends in the middle.
    BreaksOff,
    /// The second half never comes.
    Stalls,
}

impl BodyFate {
    pub(super) fn body(self, mut bytes: Vec<u8>) -> Body {
        if self == Self::Whole {
            return Body::from(bytes);
        }
        bytes.truncate(bytes.len() / 2);
        Body::wrap(HalfBody { fate: self, first: Some(bytes) })
    }
}

struct HalfBody {
    fate: BodyFate,
    first: Option<Vec<u8>>,
}

impl BodyStream for HalfBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match (self.first.take(), self.fate) {
            (Some(first), _) => Poll::Ready(Some(Ok(Frame::data(first.into())))),
            // Nobody wakes the reader: it gives up by its timeout.
            (None, BodyFate::Stalls) => Poll::Pending,
            (None, _) => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
        }
    }
}
