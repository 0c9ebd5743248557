//! DEFLATE (RFC 1951) after a preset dictionary: the common parts of small texts, known to
//! both sides. The compressed data goes on as if the dictionary had been compressed before it.
//!
//! A dictionary is part of the format of stored rows, and never changes.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// Raw DEFLATE, without the header of zlib.
const ZLIB_HEADER: bool = false;
/// A window of 4 KB is enough for small texts, and makes the compressor's tables small.
const SMALL_WINDOW: u8 = 12;
const LARGE_WINDOW: u8 = 15;
/// Room for compressed data that is as large as its content, and for the ends of blocks.
const SPARE: usize = 64;

pub(crate) fn deflate_after(dictionary: &[u8], content: &[u8]) -> Vec<u8> {
    let is_small = dictionary.len() + content.len() <= 1 << SMALL_WINDOW;
    let window = if is_small { SMALL_WINDOW } else { LARGE_WINDOW };
    let mut encoder = Compress::new_with_window_bits(Compression::default(), ZLIB_HEADER, window);
    let mut packed = Vec::with_capacity(content.len() + SPARE);
    // Compressing to memory cannot fail.
    let _ = encoder.set_dictionary(dictionary);
    while let Some(rest) = rest_of(content, encoder.total_in())
        && let Ok(Status::Ok | Status::BufError) =
            encoder.compress_vec(rest, &mut packed, FlushCompress::Finish)
    {
        packed.reserve(SPARE);
    }
    packed
}

/// `None` if it cannot be read.
pub(crate) fn inflate_after(dictionary: &[u8], packed: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = Decompress::new(ZLIB_HEADER);
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
