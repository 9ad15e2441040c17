//! The packet for a shell: the verdict, what was not reviewed, who wrote it and who was recused, the claims, and
//! how the review went.

mod claims;
mod missing;
mod people;
mod proceedings;
mod screen;

use review::packet::PacketV1;

use screen::{Ink, Piece, Screen};

use crate::amount::{Amount, plural};
use crate::text::short;
use crate::{PacketName, Seal};

/// How the packet is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalOptions {
    /// Whether escape sequences for colours are written; `NO_COLOR` and terminals are the caller's to know.
    pub colour: Colour,
    /// How many columns a line may have. Places and other words that are longer stay whole, to be copied.
    pub width: usize,
    /// How much is shown.
    pub verbosity: Verbosity,
}

/// Whether colours are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// They are.
    Always,
    /// Not one escape sequence is.
    Never,
}

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// The headline and the claims.
    Quiet,
    /// What a maintainer reads.
    Normal,
    /// All that the packet lists.
    Verbose,
}

/// The packet for a shell.
pub fn terminal(packet: &PacketV1, name: &PacketName, options: &TerminalOptions) -> String {
    let verbosity = options.verbosity;
    let mut screen = Screen::new(options.colour, options.width);
    headline(&mut screen, packet);
    match verbosity {
        Verbosity::Quiet => claims::claims(&mut screen, packet, verbosity),
        Verbosity::Normal | Verbosity::Verbose => {
            missing::missing(&mut screen, packet, verbosity);
            people::people(&mut screen, packet, verbosity);
            claims::claims(&mut screen, packet, verbosity);
            claims::unanchored(&mut screen, packet, verbosity);
            claims::beside(&mut screen, packet, verbosity);
            proceedings::proceedings(&mut screen, packet, verbosity);
            screen.gap();
            let digest = name.digest.as_str();
            let seal = match &name.seal {
                Seal::Unsigned => {
                    " unsigned; `recuse keygen` makes a key, `--packet FILE --sign KEY` signs".to_owned()
                }
                Seal::SignedBy(id) => format!(" signed by {id}; `recuse verify FILE --key KEY` checks it"),
            };
            screen.flow(0, 7, &[(Ink::Dim, "packet "), (Ink::Dim, digest), (Ink::Dim, &seal)]);
        }
    }
    screen.into_text()
}

fn headline(screen: &mut Screen, packet: &PacketV1) {
    let headline = &packet.judgement.headline;
    let verdict = packet.verdict.name();
    let pieces: Vec<Piece<'_>> = match headline.split_once(verdict) {
        Some((before, after)) => {
            vec![(Ink::Strong, before), (Ink::Verdict(packet.verdict), verdict), (Ink::Plain, after)]
        }
        None => vec![(Ink::Verdict(packet.verdict), verdict), (Ink::Plain, ": "), (Ink::Plain, headline)],
    };
    screen.flow(0, 2, &pieces);
    let subject = &packet.subject;
    let reviewed = match &subject.head {
        Some(head) => format!("head {}", head.as_str()),
        None => format!("diff {}", short(subject.diff_digest.as_str())),
    };
    let size = format!(
        "{}, +{} -{}",
        plural(subject.files.len(), "file", "files"),
        Amount::Count(packet.classification.added),
        Amount::Count(packet.classification.removed)
    );
    screen.flow(0, 2, &[(Ink::Dim, &reviewed), (Ink::Dim, ", "), (Ink::Dim, &size)]);
    let gated = packet.judgement.gated as usize;
    if gated > 0 {
        let words = format!(
            "{} {} or worse, which fails the run",
            plural(gated, "claim is", "claims are"),
            packet.judgement.fail_on.name()
        );
        screen.flow(0, 2, &[(Ink::Dim, &words)]);
    }
}
