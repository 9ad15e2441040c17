//! What came of verifying a packet, a line for each check.

use review::Digest;
use review::packet::PacketV1;
use review::text::visible_line;
use review::verify::{Proof, ProofState};

use crate::Verbosity;
use crate::amount::plural;

/// The checks of a packet for a shell: one line each, and a last one that sums up.
///
/// Quietly, what holds is left out.
pub fn proofs(packet: &PacketV1, digest: &Digest, proofs: &[Proof], verbosity: Verbosity) -> String {
    let width = proofs.iter().map(|proof| proof.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    let is_told = |proof: &&Proof| verbosity != Verbosity::Quiet || proof.state != ProofState::Holds;
    for proof in proofs.iter().filter(is_told) {
        let state = match proof.state {
            ProofState::Holds => "ok",
            ProofState::NotChecked => "not checked",
            ProofState::Failed => "FAILED",
        };
        text.push_str(&format!("{:width$}  {state}: {}\n", proof.name, visible_line(&proof.detail)));
    }
    let count = |state: ProofState| proofs.iter().filter(|proof| proof.state == state).count();
    let (failed, open) = (count(ProofState::Failed), count(ProofState::NotChecked));
    let verdict = match (failed, open) {
        (0, 0) => "every check holds".to_owned(),
        (0, _) => format!("nothing failed; {} not be made", plural(open, "check could", "checks could")),
        (_, _) => format!("{} FAILED", plural(failed, "check", "checks")),
    };
    let subject = match (&packet.subject.base, &packet.subject.head) {
        (Some(base), Some(head)) => format!("{}..{}", base.as_str(), head.as_str()),
        (None, Some(head)) => head.as_str().to_owned(),
        (_, None) => format!("the diff {}", packet.subject.diff_digest),
    };
    let (name, said) = (digest.short(), packet.verdict.name());
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&format!("packet {name}, verdict {said} about {subject}: {verdict}\n"));
    text
}
