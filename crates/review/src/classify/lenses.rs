//! Which lenses ask a model about which file, and why.

use super::{Classification, FileClass, Label, is_docs_only, unread};
use crate::{Change, Lens, text};

/// How many files a reason names.
const FILES_NAMED: usize = 3;

/// A lens that wants a model to look at a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LensWanted {
    /// The lens.
    pub lens: Lens,
    /// What about the file asks for it.
    pub reason: &'static str,
}

/// Whether a lens asks a model about the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LensDecision {
    /// The lens.
    pub lens: Lens,
    /// Whether it does.
    pub seated: bool,
    /// The files that it is asked about: indices into the change's files, rising. Empty if it is not seated.
    pub files: Vec<usize>,
    /// Why, or why not.
    pub reason: String,
}

/// Which lenses ask a model about a file of this kind, in the order of [`Lens::ALL`].
///
/// Every text has at least one, except documents: nothing is left out because nobody knows what it is, and
/// [`Label::Generated`] leaves nothing out. The rules look at every file in any case.
pub fn model_lenses_for(class: &FileClass) -> Vec<LensWanted> {
    if class.has(Label::Binary) {
        return Vec::new();
    }
    let mut wanted: Vec<LensWanted> = Vec::new();
    let mut want = |lenses: &[Lens], reason| {
        for &lens in lenses {
            if !wanted.iter().any(|known| known.lens == lens) {
                wanted.push(LensWanted { lens, reason });
            }
        }
    };
    let test = class.has(Label::Tests);
    if class.has(Label::Prompts) {
        want(&[Lens::PromptHealth, Lens::Security], "it instructs a model");
    }
    if class.has(Label::SecuritySensitive) {
        want(&[Lens::Security], "security rests on it");
    }
    if class.code && !test {
        want(&[Lens::Security, Lens::Correctness, Lens::Complexity], "it is source code");
    }
    if test {
        want(&[Lens::Correctness], "it is a test");
    }
    if class.has(Label::Lockfile) {
        want(&[Lens::Security], "it pins dependencies");
    }
    if class.has(Label::Ci) {
        want(
            &[Lens::Security, Lens::Correctness],
            "it sets up what runs in pipelines or on developers' machines",
        );
    }
    if class.has(Label::Infrastructure) {
        want(&[Lens::Security, Lens::Correctness], "it is infrastructure");
    }
    if class.has(Label::Dependencies) {
        want(&[Lens::Security, Lens::Correctness], "it names dependencies");
    }
    if class.has(Label::Database) {
        want(&[Lens::Database], "it is about a database");
    }
    let explained = class.has(Label::Docs) || class.has(Label::Prompts) || class.has(Label::Lockfile);
    if !explained && !test && !class.code {
        want(
            &[Lens::Security, Lens::Correctness],
            "it is neither code nor a document, and is read as configuration",
        );
    }
    wanted.sort_by_key(|known| known.lens);
    wanted
}

/// Which lenses ask a model about the change: one decision for each of [`Lens::ALL`], in that order.
///
/// A file without a changed line (renamed, or another mode) has nothing that a model could look at.
pub fn lenses(change: &Change, classification: &Classification) -> Vec<LensDecision> {
    let mut wanting: [Vec<(usize, &'static str)>; Lens::ALL.len()] = Default::default();
    for (index, (file, class)) in change.files.iter().zip(&classification.files).enumerate() {
        if file.hunks().is_empty() {
            continue;
        }
        for wanted in model_lenses_for(class) {
            for (lens, files) in Lens::ALL.iter().zip(&mut wanting) {
                if *lens == wanted.lens {
                    files.push((index, wanted.reason));
                }
            }
        }
    }
    Lens::ALL
        .into_iter()
        .zip(wanting)
        .map(|(lens, files)| LensDecision {
            lens,
            seated: !files.is_empty(),
            reason: match files.is_empty() {
                true => why_not(lens, change, classification),
                false => why(change, &files),
            },
            files: files.into_iter().map(|(index, _)| index).collect(),
        })
        .collect()
}

/// `src/a.rs: it is source code; 4 files in all`.
fn why(change: &Change, files: &[(usize, &'static str)]) -> String {
    let mut named: Vec<(usize, &'static str)> = Vec::new();
    for &(index, reason) in files {
        if named.len() < FILES_NAMED && !named.iter().any(|(_, known)| *known == reason) {
            named.push((index, reason));
        }
    }
    let mut sentence = named
        .iter()
        .map(|(index, reason)| format!("{}: {reason}", text::visible(change.files[*index].path.as_str())))
        .collect::<Vec<_>>()
        .join("; ");
    if files.len() > named.len() {
        sentence.push_str(&format!("; {} files in all", files.len()));
    }
    sentence
}

fn why_not(lens: Lens, change: &Change, classification: &Classification) -> String {
    if !unread(change).is_empty() && change.files.is_empty() {
        return "nothing of the change could be read".to_owned();
    }
    if change.files.is_empty() {
        return "no file changed".to_owned();
    }
    if is_docs_only(change, classification) {
        return "only documentation changed: no model is asked about it, the rules look at all of it"
            .to_owned();
    }
    if change.files.iter().all(|file| file.hunks().is_empty()) {
        return "no line of text changed: only names, modes or binary files".to_owned();
    }
    match lens {
        Lens::Security => "only tests and documentation changed, and no security rests on those tests",
        Lens::Correctness => "no code, test or configuration changed",
        Lens::Complexity => "no source code changed outside tests",
        Lens::PromptHealth => "no prompt and no instruction for agents changed",
        Lens::Database => "no schema, migration or query changed",
    }
    .to_owned()
}
