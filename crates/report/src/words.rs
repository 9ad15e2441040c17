//! The packet's enums in words, the same in every view.
//!
//! Everything in here is our own text, as its type says: a view may show it without a wrapper.

use review::attribution::{AuthorState, Channel, Role, Strength};
use review::classify::{Label, Reversibility, Risk};
use review::judge::{CheckSource, CheckState, Standing};
use review::outcome::EndingKind;
use review::packet::{PacketV1, SeatV1};
use review::panel::{Asked, Relation};

/// Who wrote the change, in a sentence.
pub(crate) fn author_words(packet: &PacketV1) -> &'static str {
    match packet.attribution.state {
        AuthorState::Human => "people, by the word of someone with write access",
        AuthorState::Ai | AuthorState::Mixed if packet.attribution.unknown_agent => {
            "AI, in part by a tool whose model nobody knows"
        }
        AuthorState::Ai => "AI of known families",
        AuthorState::Mixed => "partly AI: not all of the change carries a trace of it",
        AuthorState::UnknownAi => "an AI tool whose model nobody knows",
        AuthorState::NoEvidence => "unknown: no trace of who wrote it, which is not taken for a human",
        AuthorState::Bot => "a bot that is no model",
        AuthorState::Conflict => "disputed: declared human, with traces of AI",
    }
}

/// How independent of the author the reviewers were, in a sentence without names.
pub(crate) fn standing_words(packet: &PacketV1) -> &'static str {
    match packet.judgement.independence {
        Standing::NoModelAsked => "no model was asked",
        Standing::NotNeeded => "nobody had to be recused",
        Standing::NotEstablished => "independence not established",
        Standing::Established if packet.attribution.unknown_agent => {
            "whichever model it was, one reviewer of each lens is unrelated to it"
        }
        Standing::Established => "reviewed by other families",
        Standing::NotIndependent if packet.panel.seats.iter().any(is_related) => {
            "not independent: reviewers share a family with the author"
        }
        Standing::NotIndependent => "not independent, as far as is known",
        Standing::NotReached => "independence was asked for and not reached",
    }
}

fn is_related(seat: &SeatV1) -> bool {
    matches!(seat.relation, Relation::Related { .. })
}

/// Where a trace of authorship was.
pub fn channel_words(channel: Channel) -> &'static str {
    match channel {
        Channel::Declaration => "declaration",
        Channel::PlatformLogin => "account",
        Channel::CommitAuthor => "commit author",
        Channel::CommitCommitter => "committer",
        Channel::Trailer => "trailer",
        Channel::Footer => "commit message",
        Channel::Note => "note",
        Channel::Branch => "branch",
        Channel::Body => "title or body",
        Channel::Label => "label",
    }
}

/// How much a trace says.
pub(crate) fn strength_words(strength: Strength) -> &'static str {
    match strength {
        Strength::Weak => "a weak sign",
        Strength::Claimed => "by its own account",
        Strength::Vouched => "vouched for",
    }
}

/// What somebody did for the change.
pub(crate) fn role_words(role: Role) -> &'static str {
    match role {
        Role::Implementer => "wrote lines",
        Role::Suggester => "suggested changes",
        Role::Bot => "a bot, no model",
        Role::Human => "a person",
    }
}

/// How a reviewer stands to the author; what it shares is shown by the view.
pub(crate) fn relation_words(relation: &Relation) -> &'static str {
    match relation {
        Relation::NoLineage => "nobody's family",
        Relation::Unrelated => "unrelated",
        Relation::Related { .. } => "related",
        Relation::UnknownLineage => "lineage not known",
    }
}

/// How a reviewer ended, in a word or two.
pub(crate) fn ending_words(kind: EndingKind) -> &'static str {
    match kind {
        EndingKind::Answered => "answered",
        EndingKind::Refused => "refused",
        EndingKind::Truncated => "cut off",
        EndingKind::Unreadable => "unreadable",
        EndingKind::TimedOut => "timed out",
        EndingKind::Failed => "failed",
        EndingKind::OverBudget => "over budget",
    }
}

/// Of whom a lens was asked.
pub(crate) fn asked_words(asked: Asked) -> &'static str {
    match asked {
        Asked::Models => "models",
        Asked::Rules => "rules",
        Asked::Nobody => "nobody",
        Asked::NotNeeded => "nobody: nothing is for it",
    }
}

/// How much harm a mistake could do.
pub(crate) fn risk_words(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "low risk",
        Risk::Medium => "medium risk",
        Risk::High => "high risk",
    }
}

/// Whether the change can be undone.
pub(crate) fn reversibility_words(reversibility: Reversibility) -> &'static str {
    match reversibility {
        Reversibility::Reversible => "reversible",
        Reversibility::Costly => "costly to undo",
        Reversibility::Irreversible => "irreversible",
    }
}

/// What a change is.
pub(crate) fn label_words(label: Label) -> &'static str {
    match label {
        Label::SecuritySensitive => "security-sensitive",
        Label::Database => "database",
        Label::Prompts => "prompts",
        Label::Ci => "ci",
        Label::Dependencies => "dependencies",
        Label::Lockfile => "lockfile",
        Label::Infrastructure => "infrastructure",
        Label::PublicApi => "public-api",
        Label::Tests => "tests",
        Label::Docs => "docs",
        Label::Generated => "generated",
        Label::Binary => "binary",
    }
}

/// How a check ended.
pub(crate) fn check_words(state: CheckState) -> &'static str {
    match state {
        CheckState::Passed => "passed",
        CheckState::Failed => "failed",
        CheckState::Stale => "does not count",
        CheckState::Altered => "altered, does not count",
        CheckState::Refused => "refused",
        CheckState::Pending => "has not ended",
        CheckState::NotRun => "did not run, does not count",
    }
}

/// Who says how a check ended.
pub(crate) fn check_source_words(source: CheckSource) -> &'static str {
    match source {
        CheckSource::Platform => "as the platform says",
        CheckSource::SelfReported => "self-reported",
    }
}
