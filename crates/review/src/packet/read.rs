//! Reading a packet that somebody hands over: the one place that knows which versions there are.
//!
//! The bytes are anybody's. What cannot be read in full is refused with one line that says why: a field that is
//! ignored would be a field that nobody checks.

use serde_json::Value;
use thiserror::Error;

use super::{PacketV1, SCHEMA};
use crate::Digest;

/// The most bytes of a packet: a hundred times that of a review of 5,000 lines.
pub const MAX_PACKET_BYTES: u64 = 64 * 1024 * 1024;

/// The largest integer that every JSON reader keeps exactly (2^53 - 1); canonical numbers are no larger.
const MAX_INTEGER: u64 = (1 << 53) - 1;

/// A packet, and what its bytes say of themselves.
#[derive(Debug, Clone)]
pub struct ReadPacket {
    /// The packet.
    pub packet: PacketV1,
    /// The canonical form of what was read.
    pub canonical: Vec<u8>,
    /// Its name: SHA-256 of its canonical form.
    pub digest: Digest,
    /// Whether the bytes that were read are that form.
    pub is_canonical: bool,
    /// Fields of this version that are not there, by their paths: those that came later than the packet.
    pub absent: Vec<String>,
}

/// Why bytes are no packet that can be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadError {
    /// More than [`MAX_PACKET_BYTES`].
    #[error("it has {bytes} bytes, and a packet has at most {MAX_PACKET_BYTES}")]
    TooLarge {
        /// How many bytes there are.
        bytes: u64,
    },
    /// No JSON.
    #[error("it is no JSON: {0}")]
    NoJson(String),
    /// JSON, and no packet.
    #[error("it is no packet: it has no `schema` that begins with `recuse/packet/`")]
    NoPacket,
    /// A packet of a version that this program does not know.
    #[error("it is a packet of the version `{0}`, and this program reads `{SCHEMA}`")]
    OtherVersion(String),
    /// It says that it is of this version, and is not.
    #[error("it does not follow `{SCHEMA}`: {0}")]
    NotOfItsVersion(String),
}

/// Reads a packet of any known version, strictly.
///
/// # Errors
/// Why it cannot be read: too large, no JSON, another version, a field that is unknown, missing, twice there or of
/// another kind, a set with an item twice or out of order, a number that is no exact integer.
pub fn read(bytes: &[u8]) -> Result<ReadPacket, ReadError> {
    if bytes.len() as u64 > MAX_PACKET_BYTES {
        return Err(ReadError::TooLarge { bytes: bytes.len() as u64 });
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|error| ReadError::NoJson(error.to_string()))?;
    match value.get("schema").and_then(Value::as_str) {
        Some(SCHEMA) => {}
        Some(other) if other.starts_with("recuse/packet/") => {
            return Err(ReadError::OtherVersion(crate::text::visible_line(&crate::text::shorten(other, 60))));
        }
        Some(_) | None => return Err(ReadError::NoPacket),
    }
    let not_of_it = |why: String| ReadError::NotOfItsVersion(crate::text::visible_line(&why));
    if let Some(number) = first_inexact(&value) {
        return Err(not_of_it(format!("the number {number} is no integer that every reader keeps exactly")));
    }
    // From the bytes and not from the value, in which a key that is there twice is there once.
    let packet: PacketV1 = serde_json::from_slice(bytes).map_err(|error| not_of_it(error.to_string()))?;
    let written = serde_json::to_value(&packet).expect("strings, integers and lists always serialize");
    if let Some(path) = keys_beyond(&value, &written, "").into_iter().next() {
        return Err(not_of_it(format!("unknown field `{path}`")));
    }
    if let Some(path) = first_rewritten(&value, &written, "") {
        return Err(not_of_it(format!("at `{path}`, a list has an item twice or is not in order")));
    }
    let canonical =
        serde_json_canonicalizer::to_vec(&value).expect("a value that was read has a canonical form");
    Ok(ReadPacket {
        packet,
        digest: Digest::of(&canonical),
        is_canonical: canonical == bytes,
        canonical,
        absent: keys_beyond(&written, &value, ""),
    })
}

fn first_inexact(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => {
            let is_exact = number.as_u64().is_some_and(|number| number <= MAX_INTEGER)
                || number.as_i64().is_some_and(|number| number.unsigned_abs() <= MAX_INTEGER);
            (!is_exact).then(|| number.to_string())
        }
        Value::Array(items) => items.iter().find_map(first_inexact),
        Value::Object(fields) => fields.values().find_map(first_inexact),
        Value::Null | Value::Bool(_) | Value::String(_) => None,
    }
}

/// The first place where what was read is written as something else: items of a set that are there twice, or out of order.
fn first_rewritten(value: &Value, written: &Value, path: &str) -> Option<String> {
    match (value, written) {
        (Value::Object(fields), Value::Object(others)) => fields.iter().find_map(|(key, field)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            first_rewritten(field, others.get(key)?, &path)
        }),
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => items
            .iter()
            .zip(others)
            .enumerate()
            .find_map(|(index, (item, other))| first_rewritten(item, other, &format!("{path}[{index}]"))),
        (
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
            _,
        ) => (value != written).then(|| path.to_owned()),
    }
}

/// The paths of keys that the first value has and the second has not.
fn keys_beyond(value: &Value, other: &Value, path: &str) -> Vec<String> {
    match (value, other) {
        (Value::Object(fields), Value::Object(others)) => fields
            .iter()
            .flat_map(|(key, field)| {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match others.get(key) {
                    Some(other) => keys_beyond(field, other, &path),
                    None => vec![path],
                }
            })
            .collect(),
        (Value::Array(items), Value::Array(others)) => {
            let pairs = items.iter().zip(others).enumerate();
            pairs
                .flat_map(|(index, (item, other))| keys_beyond(item, other, &format!("{path}[{index}]")))
                .collect()
        }
        (
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
            _,
        ) => Vec::new(),
    }
}
