//! Whose lines are whose: the hunks of a change, grouped by who is known to have written them.
//!
//! Only notes and trace records say anything about lines. What they say adds their writers to the hunks that they
//! name, and to no other hunk; every other trace counts for the whole change. So a forged note can only recuse.

use std::collections::{BTreeMap, BTreeSet};

use super::notes::{NotedLines, read_note};
use super::who::Tables;
use super::{Agents, Attribution, Channel, Evidence, Note, Role, Strength, is_answered, seen};
use crate::change::{Change, CommitId, LineKind, RepoPath};
use crate::lineage::Families;
use crate::{Family, Hunk};

/// Who has to be kept from reviewing some lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Authors {
    /// Families of those who wrote them or suggested something.
    pub families: BTreeSet<Family>,
    /// An AI tool wrote some of them, and nobody knows which model that was.
    pub unknown_agent: bool,
}

impl Attribution {
    /// Who has to be kept from reviewing the change as a whole.
    pub fn authors(&self) -> Authors {
        Authors { families: self.recused(), unknown_agent: self.unknown_agent }
    }
}

/// A hunk of a change: the file's index, and the hunk's index in it.
pub type HunkIndex = (usize, usize);

/// The hunks that the same authors wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Who.
    pub authors: Authors,
    /// Which hunks.
    pub hunks: BTreeSet<HunkIndex>,
}

impl Share {
    /// All hunks of a change as one share.
    pub fn whole(change: &Change, authors: Authors) -> Self {
        let hunks = change.files.iter().enumerate();
        let hunks =
            hunks.flat_map(|(file, it)| (0..it.hunks().len()).map(move |hunk| (file, hunk))).collect();
        Self { authors, hunks }
    }
}

/// What shares are worked out from.
#[derive(Debug, Clone, Copy)]
pub struct ShareInput<'a> {
    /// The change.
    pub change: &'a Change,
    /// Who wrote it as a whole.
    pub attribution: &'a Attribution,
    /// The notes that the attribution was made from.
    pub notes: &'a [Note],
    /// The files whose text in a noted commit is the head's text, so that the note's line numbers hold.
    pub same_as_head: &'a BTreeSet<(CommitId, RepoPath)>,
}

/// The files that notes name, by commit: what has to be compared with the head before [`shares`] is called.
pub fn noted_files(notes: &[Note], agents: &Agents, families: &Families) -> BTreeSet<(CommitId, RepoPath)> {
    let tables = Tables { agents, families };
    let files = |note: &Note| {
        let lines = read_note(&note.text, tables).lines;
        lines
            .into_iter()
            .map(|noted| (note.commit.clone(), RepoPath::from(noted.path.as_str())))
            .collect::<Vec<_>>()
    };
    notes.iter().flat_map(files).collect()
}

/// Groups the hunks of a change by who wrote them. One share where no note tells them apart.
pub fn shares(input: &ShareInput<'_>, agents: &Agents, families: &Families) -> Vec<Share> {
    let tables = Tables { agents, families };
    let mut whole = Authors::default();
    for seen in input.attribution.evidence.iter().filter(|seen| seen.channel != Channel::Note) {
        add(&mut whole, seen, &input.attribution.evidence);
    }
    let mut by_hunk: BTreeMap<HunkIndex, Authors> = BTreeMap::new();
    let commits: BTreeSet<&CommitId> = input.change.commits.iter().map(|commit| &commit.id).collect();
    for note in input.notes.iter().filter(|note| commits.contains(&note.commit)) {
        let reading = read_note(&note.text, tables);
        let writers: Vec<Evidence> = reading
            .writers
            .into_iter()
            .map(|who| seen(who, Channel::Note, Strength::Claimed, "", ""))
            .collect();
        for noted in &reading.lines {
            let writer = &writers[noted.writer];
            match hunks_of(noted, note, input) {
                Some(hunks) => {
                    for hunk in hunks {
                        add(by_hunk.entry(hunk).or_default(), writer, &input.attribution.evidence);
                    }
                }
                None => add(&mut whole, writer, &input.attribution.evidence),
            }
        }
    }
    let mut shares: BTreeMap<Authors, BTreeSet<HunkIndex>> = BTreeMap::new();
    for (file, changed) in input.change.files.iter().enumerate() {
        for hunk in 0..changed.hunks().len() {
            let mut authors = whole.clone();
            if let Some(more) = by_hunk.get(&(file, hunk)) {
                authors.families.extend(more.families.iter().cloned());
                authors.unknown_agent |= more.unknown_agent;
            }
            shares.entry(authors).or_default().insert((file, hunk));
        }
    }
    shares.into_iter().map(|(authors, hunks)| Share { authors, hunks }).collect()
}

/// The hunks that noted lines are in; `None` where that cannot be told, so that they count for the whole change.
fn hunks_of(noted: &NotedLines, note: &Note, input: &ShareInput<'_>) -> Option<Vec<HunkIndex>> {
    let path = RepoPath::from(noted.path.as_str());
    let file = input.change.files.iter().position(|file| file.path == path)?;
    let hunks = input.change.files[file].hunks();
    let exact = !noted.ranges.is_empty() && input.same_as_head.contains(&(note.commit.clone(), path));
    let is_named = |hunk: &Hunk| {
        let added: Vec<u32> =
            hunk.lines().filter(|line| line.kind == LineKind::Added).filter_map(|line| line.new).collect();
        // Who took lines away, no note says.
        let (Some(first), Some(last)) = (added.first(), added.last()) else { return true };
        !exact || noted.ranges.iter().any(|(start, end)| start <= last && first <= end)
    };
    Some((0..hunks.len()).filter(|hunk| is_named(&hunks[*hunk])).map(|hunk| (file, hunk)).collect())
}

fn add(authors: &mut Authors, seen: &Evidence, evidence: &[Evidence]) {
    match seen.role {
        Role::Implementer => {
            authors.families.extend(seen.lineage.families.iter().cloned());
            authors.unknown_agent |= !seen.lineage.is_known() && !is_answered(seen, evidence);
        }
        Role::Suggester => authors.families.extend(seen.lineage.families.iter().cloned()),
        Role::Human | Role::Bot => {}
    }
}
