//! What says who wrote the change, and what followed from it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::CommitId;
use crate::attribution::{Attribution, Authors, Declaration, Evidence, HunkIndex, Note, Share};
use crate::packet::{self, AttributionV1, EvidenceV1, FileHunksV1, ShareV1};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthorshipV1 {
    schema: String,
    notes: Vec<NoteV1>,
    declarations: Vec<DeclarationV1>,
    /// Its shares stand beside it, also where there is only one.
    attribution: AttributionV1,
    shares: Vec<ShareV1>,
}

const SCHEMA: &str = "recuse/authorship/v1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoteV1 {
    commit: CommitId,
    text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DeclarationV1 {
    Human,
    Model(String),
    Agent(String),
}

impl AuthorshipV1 {
    pub(super) fn of(
        notes: &[Note],
        declarations: &[Declaration],
        attribution: &Attribution,
        shares: &[Share],
    ) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            notes: notes
                .iter()
                .map(|note| NoteV1 { commit: note.commit.clone(), text: note.text.clone() })
                .collect(),
            declarations: declarations
                .iter()
                .map(|declaration| match declaration {
                    Declaration::Human => DeclarationV1::Human,
                    Declaration::Model(name) => DeclarationV1::Model(name.clone()),
                    Declaration::Agent(name) => DeclarationV1::Agent(name.clone()),
                })
                .collect(),
            attribution: packet::attribution(attribution, &[]),
            shares: shares.iter().map(packet::share).collect(),
        }
    }

    pub(super) fn notes(&self) -> Vec<Note> {
        let note = |note: &NoteV1| Note { commit: note.commit.clone(), text: note.text.clone() };
        self.notes.iter().map(note).collect()
    }

    pub(super) fn declarations(&self) -> Vec<Declaration> {
        let declaration = |declaration: &DeclarationV1| match declaration {
            DeclarationV1::Human => Declaration::Human,
            DeclarationV1::Model(name) => Declaration::Model(name.clone()),
            DeclarationV1::Agent(name) => Declaration::Agent(name.clone()),
        };
        self.declarations.iter().map(declaration).collect()
    }

    pub(super) fn into_attribution(self) -> (Attribution, Vec<Share>) {
        let kept = self.attribution;
        let attribution = Attribution {
            families: kept.families,
            suggested_by: kept.suggested_by,
            unknown_agent: kept.unknown_agent,
            human_declared: kept.human_declared,
            bot: kept.bot,
            vouched: kept.vouched,
            partial: kept.partial,
            unread: kept.unread,
            evidence: kept.evidence.into_iter().map(evidence).collect(),
        };
        let share = |share: ShareV1| Share {
            authors: Authors { families: share.families, unknown_agent: share.unknown_agent },
            hunks: hunks(&share.hunks),
        };
        (attribution, self.shares.into_iter().map(share).collect())
    }
}

fn evidence(kept: EvidenceV1) -> Evidence {
    Evidence {
        agent: kept.agent,
        model: kept.model,
        lineage: kept.lineage,
        role: kept.role,
        channel: kept.channel,
        strength: kept.strength,
        place: kept.place,
        text: kept.text,
    }
}

/// Hunks of a packet, which are counted from 1, as they are counted inside.
fn hunks(files: &[FileHunksV1]) -> BTreeSet<HunkIndex> {
    let of_file = |file: &FileHunksV1| {
        let index = file.file as usize;
        file.hunks.iter().map(move |hunk| (index, (*hunk as usize).wrapping_sub(1))).collect::<Vec<_>>()
    };
    files.iter().flat_map(of_file).collect()
}
