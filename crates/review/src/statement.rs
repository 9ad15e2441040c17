//! What a signature says: an in-toto Statement about the head and the diff, and the bytes that DSSE signs.
//!
//! The predicate holds the packet's digest, not the packet. The packet stays one file with one name; a copy inside of
//! an envelope would be a second one that could differ from it. The verdict stands beside the digest, so that a
//! policy engine that is only given the envelope can decide; who verifies compares all of it with the packet.

use serde::Serialize;

use crate::packet::{PacketV1, SCHEMA};
use crate::{CommitId, Digest};

/// The kind of an in-toto Statement, version 1.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// The kind of our predicate.
pub const PREDICATE: &str = "https://github.com/recuse/recuse/attestation/packet/v1";

/// What DSSE calls the kind of its payload where that is an in-toto Statement.
pub const PAYLOAD: &str = "application/vnd.in-toto+json";

#[derive(Serialize)]
struct Statement<'a> {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: Vec<Subject<'a>>,
    #[serde(rename = "predicateType")]
    predicate_type: &'static str,
    predicate: Predicate<'a>,
}

#[derive(Serialize)]
struct Subject<'a> {
    name: &'static str,
    digest: Digests<'a>,
}

#[derive(Serialize)]
enum Digests<'a> {
    #[serde(rename = "gitCommit")]
    GitCommit(&'a CommitId),
    #[serde(rename = "sha256")]
    Sha256(&'a Digest),
}

#[derive(Serialize)]
struct Predicate<'a> {
    packet: Subject<'a>,
    verdict: crate::judge::Verdict,
    independence: crate::judge::Standing,
}

/// The Statement about a packet of this name, as canonical JSON. Its subjects are the head, where there is one, and the
/// diff.
pub fn statement(packet: &PacketV1, digest: &Digest) -> Vec<u8> {
    let head = packet.subject.head.as_ref();
    let head = head.map(|head| Subject { name: "head", digest: Digests::GitCommit(head) });
    let diff = Subject { name: "diff", digest: Digests::Sha256(&packet.subject.diff_digest) };
    let statement = Statement {
        kind: STATEMENT,
        subject: head.into_iter().chain([diff]).collect(),
        predicate_type: PREDICATE,
        predicate: Predicate {
            packet: Subject { name: SCHEMA, digest: Digests::Sha256(digest) },
            verdict: packet.verdict,
            independence: packet.judgement.independence,
        },
    };
    serde_json_canonicalizer::to_vec(&statement).expect("strings and lists always serialize")
}

/// The bytes that a DSSE envelope's signatures are over: its pre-authentication encoding.
pub fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_the_type_and_the_payload_with_their_lengths() {
        // The example of the DSSE specification.
        let encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }
}
