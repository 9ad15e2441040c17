//! Who wrote a change, by all that is at hand: its commits, its branch, notes, and what people declare.

use std::collections::BTreeSet;

use anyhow::Result;
use git::{GitError, Repository};
use github::repository::Access;
use github::{ApiError, RepositoryApi};
use review::attribution::{
    Attribution, AuthorshipInput, Declaration, Login, Note, Share, ShareInput, TRACE_FOLDER, attribute,
    declared_in, noted_files, shares, trace_notes,
};
use review::{Change, CommitId};

use crate::review_one::Tables;

/// The most files of trace records that are read; the hook writes one.
const MAX_TRACE_FILES: usize = 20;

/// The most bytes of one of them: some ten thousand records. A longer one is told as unread.
const MAX_TRACE_BYTES: usize = 8 << 20;

/// What tells who wrote a change.
#[derive(Clone, Copy)]
pub struct AuthorshipRequest<'a> {
    /// The change.
    pub change: &'a Change,
    /// Where noted versions of files can be compared; `None` where only a diff is at hand.
    pub repository: Option<&'a Repository>,
    /// The git-ai notes and trace records of the range's commits.
    pub notes: &'a [Note],
    /// What those with write access say.
    pub declarations: &'a [Declaration],
    /// What the platform says; `None` where the change is no pull request.
    pub opened: Option<&'a Opened>,
    /// The tables.
    pub tables: &'a Tables,
}

/// What the platform says of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Who opened it.
    pub login: Login,
    /// Its labels.
    pub labels: Vec<String>,
}

/// Who wrote a change.
pub struct Authorship {
    /// The change as a whole.
    pub attribution: Attribution,
    /// Its hunks.
    pub shares: Vec<Share>,
}

/// The notes on the commits of a change, and the trace records that its head carries.
///
/// # Errors
/// They are there, and the repository cannot read them.
pub fn notes(repository: &Repository, change: &Change) -> Result<Vec<Note>, GitError> {
    let commits: Vec<CommitId> = change.commits.iter().map(|commit| commit.id.clone()).collect();
    let noted = repository.ai_notes(&commits)?;
    let mut notes: Vec<Note> = noted.into_iter().map(|(commit, text)| Note { commit, text }).collect();
    let Some(head) = change.subject.head.as_ref().filter(|head| commits.contains(head)) else {
        return Ok(notes);
    };
    let mut paths = repository.files_in(head, &TRACE_FOLDER.into())?;
    paths.retain(|path| path.to_bytes().ends_with(b".jsonl"));
    if paths.len() > MAX_TRACE_FILES {
        paths.truncate(MAX_TRACE_FILES);
        notes.push(Note::unreadable(head));
    }
    for file in repository.read_all_at(head, &paths)? {
        match file.into_bytes() {
            Some(bytes) if bytes.len() <= MAX_TRACE_BYTES => {
                notes.extend(trace_notes(&String::from_utf8_lossy(&bytes), change));
            }
            Some(_) | None => notes.push(Note::unreadable(head)),
        }
    }
    Ok(notes)
}

/// Works out who wrote a change. Secrets in what is quoted as evidence are redacted, so that whoever asks again is
/// told the same.
///
/// # Errors
/// A noted version of a file cannot be read.
pub fn who_wrote(request: &AuthorshipRequest<'_>) -> Result<Authorship> {
    let (change, tables) = (request.change, request.tables);
    // Title and body of a range are its commits' own words, and those are read with the commits.
    let (title, body) = match request.opened {
        Some(_) => (change.title.as_str(), change.body.as_str()),
        None => ("", ""),
    };
    let input = AuthorshipInput {
        title,
        body,
        author_login: request.opened.map(|opened| &opened.login),
        labels: request.opened.map_or(&[], |opened| &opened.labels),
        commits: &change.commits,
        branch: change.branch.as_deref(),
        notes: request.notes,
        declarations: request.declarations,
    };
    let mut attribution = attribute(&input, &tables.agents, &tables.families);
    let same_as_head = same_as_head(request)?;
    let input =
        ShareInput { change, attribution: &attribution, notes: request.notes, same_as_head: &same_as_head };
    let shares = shares(&input, &tables.agents, &tables.families);
    for seen in &mut attribution.evidence {
        let named = [&mut seen.agent, &mut seen.model].into_iter().flatten();
        for text in named.chain([&mut seen.text]) {
            *text = rules::redact_text(text).0;
        }
    }
    Ok(Authorship { attribution, shares })
}

/// The noted files whose text is still the head's.
fn same_as_head(request: &AuthorshipRequest<'_>) -> Result<BTreeSet<(CommitId, review::RepoPath)>> {
    let mut same = BTreeSet::new();
    let (Some(repository), Some(head)) = (request.repository, &request.change.subject.head) else {
        return Ok(same);
    };
    for (commit, path) in noted_files(request.notes, &request.tables.agents, &request.tables.families) {
        let is_changed = request.change.files.iter().any(|file| file.path == path);
        // The head's own notes need no comparison, and most notes are the head's.
        let is_same = || -> Result<bool> {
            Ok(commit == *head || repository.read_at(&commit, &path)? == repository.read_at(head, &path)?)
        };
        if is_changed && is_same()? {
            same.insert((commit, path));
        }
    }
    Ok(same)
}

/// What a declaration in one word says: `human`, or a model or a family that the table knows, or else a tool.
pub fn declaration(who: &str, tables: &Tables) -> Declaration {
    let is_model = !tables.families.resolve(who).lineage.families.is_empty();
    match who {
        "human" => Declaration::Human,
        _ if is_model => Declaration::Model(who.to_owned()),
        _ => Declaration::Agent(who.to_owned()),
    }
}

/// What a description declares, if only people with write access can edit it: those whom it belongs to, and whoever opened it.
///
/// Nobody is asked about where the description names nobody.
///
/// # Errors
/// GitHub does not say what the account may do.
pub async fn declared_in_description(
    api: &RepositoryApi,
    opened: &Opened,
    description: &str,
    tables: &Tables,
) -> Result<Vec<Declaration>, ApiError> {
    let names = declared_in(description, &tables.agents, &tables.families);
    if names.is_empty() || api.permission(&opened.login.login).await? < Access::Write {
        return Ok(Vec::new());
    }
    Ok(names.iter().map(|who| declaration(who, tables)).collect())
}
