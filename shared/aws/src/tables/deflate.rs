//! DEFLATE (RFC 1951), also after a preset dictionary: the common parts of small texts, known to
//! both sides. The compressed data goes on as if the dictionary had been compressed before it.
//!
//! A dictionary is part of the format of stored rows, and never changes.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::error::IoError;

/// Without the header of zlib.
const RAW: bool = false;
/// A window of 4 KB is enough for small texts, and makes the compressor's tables small.
const SMALL_WINDOW: u8 = 12;
const LARGE_WINDOW: u8 = 15;
/// Room for the ends of blocks.
const SPARE: usize = 64;

/// JSON bodies shrink to about a third.
pub(crate) fn compress(content: &[u8]) -> Vec<u8> {
    compress_after(&[], content)
}

pub(crate) fn decompress(packed: &[u8]) -> Result<Vec<u8>, IoError> {
    decompress_after(&[], packed).ok_or_else(|| IoError::unreadable("deflate", "body"))
}

/// Memory never fails to take the compressed data; if the compressor failed, the content would be
/// stored as it is.
pub(crate) fn compress_after(dictionary: &[u8], content: &[u8]) -> Vec<u8> {
    deflated(dictionary, content).unwrap_or_else(|| stored(content))
}

fn deflated(dictionary: &[u8], content: &[u8]) -> Option<Vec<u8>> {
    let is_small = dictionary.len() + content.len() <= 1 << SMALL_WINDOW;
    let window = if is_small { SMALL_WINDOW } else { LARGE_WINDOW };
    let mut encoder = Compress::new_with_window_bits(Compression::default(), RAW, window);
    let mut packed = Vec::with_capacity(content.len() + SPARE);
    encoder.set_dictionary(dictionary).ok()?;
    loop {
        let rest = rest_of(content, encoder.total_in())?;
        match encoder.compress_vec(rest, &mut packed, FlushCompress::Finish).ok()? {
            Status::StreamEnd => return Some(packed),
            Status::Ok | Status::BufError => packed.reserve(SPARE),
        }
    }
}

/// Blocks without compression (RFC 1951, 3.2.4), the last one marked.
fn stored(content: &[u8]) -> Vec<u8> {
    const LAST: [u8; 5] = [1, 0, 0, 0xff, 0xff];
    let blocks = content.chunks(usize::from(u16::MAX)).flat_map(|block| {
        let size = u16::try_from(block.len()).unwrap_or(u16::MAX);
        let [[low, high], [not_low, not_high]] = [size, !size].map(u16::to_le_bytes);
        [0, low, high, not_low, not_high].into_iter().chain(block.iter().copied())
    });
    blocks.chain(LAST).collect()
}

/// `None` if it cannot be read.
pub(crate) fn decompress_after(dictionary: &[u8], packed: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = Decompress::new(RAW);
    decoder.set_dictionary(dictionary).ok()?;
    let mut content = Vec::new();
    loop {
        content.reserve(packed.len() * 4 + SPARE);
        let (rest, before) = (rest_of(packed, decoder.total_in())?, content.len());
        match decoder.decompress_vec(rest, &mut content, FlushDecompress::None).ok()? {
            Status::StreamEnd => return Some(content),
            Status::Ok | Status::BufError if content.len() == before => return None,
            Status::Ok | Status::BufError => {}
        }
    }
}

fn rest_of(all: &[u8], done: u64) -> Option<&[u8]> {
    all.get(usize::try_from(done).ok()?..)
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn decompresses_what_it_compressed() {
        let body = br#"{"awb":"19000000000501"}"#;
        let noise: Vec<u8> = (1u32..200_000).map(|n| (n.wrapping_pow(5) >> 7) as u8).collect();
        for content in [&b""[..], body, &body.repeat(50), &body.repeat(100_000), &noise] {
            for dictionary in [&b""[..], body] {
                for packed in [compress_after(dictionary, content), stored(content)] {
                    assert_eq!(decompress_after(dictionary, &packed).unwrap(), content);
                }
            }
        }
        assert!(compress(&body.repeat(50)).len() < 60);
        assert!(compress(&noise).len() < noise.len() + SPARE);
    }

    #[test]
    fn refuses_what_is_damaged() {
        let packed = compress(b"in_transit");
        assert!(decompress(&packed[..packed.len() - 1]).is_err());
        for bad in [&b""[..], b"\xff\xff"] {
            assert!(decompress(bad).is_err(), "{bad:?}");
        }
    }
}
