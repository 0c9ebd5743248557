//! Bodies, compressed. A row may have 400 KB at most: larger bodies are stored in parts.

use domain::core::id::EventId;

use super::row::fingerprint;
use super::{InboundEvent, InboundLog, RETENTION_DAYS};
use crate::error::IoError;
use crate::tables::attr::{Item, bytes, item, read_bytes, read_number, read_text, text, ttl};
use crate::tables::deflate::compress;
use crate::tables::keys::key;
use crate::tables::read::get;
use crate::tables::write::Write;

pub(super) const PART_BYTES: usize = 300_000;

/// A body as its header has it.
pub(super) enum Body {
    Whole(Vec<u8>),
    /// The number of parts.
    Parts(usize),
}

impl InboundLog {
    /// Writes the parts of a large body.
    pub(super) async fn insert_body(&self, event: &InboundEvent) -> Result<Body, IoError> {
        let packed = compress(&event.body);
        if packed.len() <= PART_BYTES {
            return Ok(Body::Whole(packed));
        }
        let parts: Vec<&[u8]> = packed.chunks(PART_BYTES).collect();
        let fingerprint = fingerprint(&event.body);
        for (index, part) in parts.iter().enumerate() {
            let row = item([
                ("pk", text(event.id.as_str())),
                ("sk", text(part_sort_key(&fingerprint, index))),
                ("body", bytes(part.to_vec())),
                ("ttl", ttl(event.received_at, RETENTION_DAYS)),
            ]);
            // An existing part is of the same body: its key contains the fingerprint.
            let _ = Write::insert(&self.table, row).send(&self.client).await?;
        }
        Ok(Body::Parts(parts.len()))
    }

    /// The compressed body of a header.
    pub(super) async fn load_body(&self, id: &EventId, header: &Item) -> Result<Vec<u8>, IoError> {
        let Some(parts) = read_number::<usize>(header, "parts") else {
            return Ok(read_bytes(header, "body").unwrap_or_default().to_vec());
        };
        let fingerprint = read_text(header, "fingerprint")?;
        let mut packed = Vec::new();
        for index in 0..parts {
            let key = part_key(id, fingerprint, index);
            let part = get(&self.client, &self.table, key, &[]).await?;
            let part = part.ok_or_else(|| IoError::unreadable("dynamodb", "body"))?;
            packed.extend_from_slice(read_bytes(&part, "body").unwrap_or_default());
        }
        Ok(packed)
    }
}

pub(super) fn part_key(id: &EventId, fingerprint: &str, index: usize) -> Item {
    key(id.as_str(), part_sort_key(fingerprint, index))
}

/// With the fingerprint, so that the parts of two bodies with the same event id do not mix.
fn part_sort_key(fingerprint: &str, index: usize) -> String {
    format!("body:{fingerprint}:{index}")
}
