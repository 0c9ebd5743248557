//! DEFLATE (RFC 1951) after a preset dictionary: the common parts of small texts, known to
//! both sides. The compressed data goes on as if the dictionary had been compressed before it.
//!
//! A dictionary is part of the format of stored rows, and never changes.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

pub(crate) fn deflate_after(dictionary: &[u8], content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    // Writing to memory cannot fail. A flush ends the dictionary's block at a whole byte.
    let _ = encoder.write_all(dictionary).and_then(|()| encoder.flush());
    let begin = encoder.get_ref().len();
    let _ = encoder.write_all(content);
    encoder.finish().unwrap_or_default().get(begin..).unwrap_or_default().to_vec()
}

/// `None` if it cannot be read. A dictionary has at most 64 KB.
pub(crate) fn inflate_after(dictionary: &[u8], packed: &[u8]) -> Option<Vec<u8>> {
    // A block without compression (RFC 1951, 3.2.4) is a valid beginning of the stream.
    let size = u16::try_from(dictionary.len()).ok()?;
    let [[low, high], [not_low, not_high]] = [size, !size].map(u16::to_le_bytes);
    let header = [0, low, high, not_low, not_high];
    let mut decoder = DeflateDecoder::new(header.chain(dictionary).chain(packed));
    decoder.read_exact(&mut vec![0; dictionary.len()]).ok()?;
    let mut content = Vec::new();
    decoder.read_to_end(&mut content).ok()?;
    Some(content)
}
