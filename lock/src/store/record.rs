//! One file of the daemon's folder: an update, when it came and when it was purged.

use crate::aum::{Aum, AumHash};
use crate::cbor::{self, DecodeError, Decoded, Field, Presence, Reader, Wire, Writer};

/// The content of a file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Record {
    /// The update; kept when it is purged. A file without one is a placeholder.
    pub aum: Option<Aum>,
    /// When it was committed first, in seconds since 1970; 0 in files older than this field.
    pub created: i64,
    /// When it was purged, or 0.
    pub purged: i64,
}

impl Record {
    /// Reads a file. What follows the record is ignored, as the daemon does.
    pub fn decode(bytes: &[u8]) -> Result<Decoded<Self>, DecodeError> {
        cbor::decode_first(bytes)
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Whether the update is there and in use.
    pub fn is_live(&self) -> bool {
        self.aum.is_some() && self.purged <= 0
    }

    /// Where the daemon keeps an update, below its folder: two characters, `/`, the whole hash.
    pub fn path(hash: &AumHash) -> String {
        let name = hash.to_string();
        let folder: String = name.chars().take(2).collect();
        format!("{folder}/{name}")
    }
}

const FIELDS: &[Field] = &[
    // Field 1 listed children, once. It is passed over like any other that is not known.
    Field { key: 2, presence: Presence::Always },
    Field { key: 3, presence: Presence::UnlessEmpty },
    Field { key: 4, presence: Presence::UnlessEmpty },
];

impl Wire for Record {
    fn write(&self, writer: &mut Writer) {
        writer.map(1 + [self.created, self.purged].iter().filter(|it| **it != 0).count());
        writer.unsigned(2);
        match &self.aum {
            Some(aum) => aum.write(writer),
            None => writer.null(),
        }
        for (field, time) in [(3, self.created), (4, self.purged)] {
            if time != 0 {
                writer.unsigned(field);
                writer.signed(time);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut record = Self::default();
        reader.structure(FIELDS, |reader, field| {
            match field {
                2 => record.aum = reader.optional()?,
                3 => record.created = reader.signed()?,
                _ => record.purged = reader.signed()?,
            }
            Ok(())
        })?;
        Ok(record)
    }
}
