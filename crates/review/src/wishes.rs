//! What each lens should look at: what the classification asks for, less what path rules take away.

use crate::classify::LensDecision;
use crate::panel::LensWish;
use crate::policy::{PathRule, Policy};
use crate::{Change, Lens};

/// What the wishes are made from.
#[derive(Debug, Clone, Copy)]
pub struct WishInput<'a> {
    /// The change.
    pub change: &'a Change,
    /// What the classification asks of models, for all lenses.
    pub decisions: &'a [LensDecision],
    /// Per lens of the rules, the files (by index) that they can look at.
    pub rules: &'a [(Lens, Vec<usize>)],
    /// Files (by index) in which not every secret may have been found.
    pub unsafe_to_send: &'a [usize],
    /// What the operator and the base ask for.
    pub policy: &'a Policy,
}

/// Makes the wishes, one for each lens.
///
/// The rules of the security lens look at every file that they can read, whatever lenses were asked for and
/// whatever is exempt: redaction rests on them.
pub fn wishes(input: &WishInput<'_>) -> Vec<LensWish> {
    Lens::ALL.into_iter().map(|lens| wish(lens, input)).collect()
}

fn wish(lens: Lens, input: &WishInput<'_>) -> LensWish {
    let wanted = input.policy.lenses.contains(&lens);
    let supported = input.rules.iter().find(|(of, _)| *of == lens).map(|(_, files)| files.as_slice());
    let rules_files: Vec<usize> = supported
        .unwrap_or_default()
        .iter()
        .copied()
        .filter(|file| lens == Lens::Security || (wanted && applies(lens, *file, input)))
        .collect();
    let mut wish = LensWish {
        lens,
        model_files: Vec::new(),
        kept_back: Vec::new(),
        rules_files,
        needed: false,
        reason: String::new(),
    };
    let Some(decision) = input.decisions.iter().find(|decision| decision.lens == lens) else {
        return wish;
    };
    wish.reason.clone_from(&decision.reason);
    wish.needed = decision.seated;
    if !wanted {
        wish.reason = "it was not asked for".to_owned();
        return wish;
    }
    for &file in &decision.files {
        let path = &input.change.files[file].path;
        if !applies(lens, file, input) {
            continue;
        }
        if let Some(rule) = input.policy.paths.keeps_from_models(path) {
            wish.kept_back.push((file, kept_from_models(rule)));
        } else if input.unsafe_to_send.contains(&file) {
            let reason = "kept from models, because not every secret in it may have been found";
            wish.kept_back.push((file, reason.to_owned()));
        } else {
            wish.model_files.push(file);
        }
    }
    if decision.seated && wish.model_files.is_empty() && wish.kept_back.is_empty() {
        wish.reason = "path rules take it off every file that it would look at".to_owned();
    }
    wish
}

/// Whether no path rule takes a lens off a file.
fn applies(lens: Lens, file: usize, input: &WishInput<'_>) -> bool {
    let path = &input.change.files[file].path;
    input.policy.paths.exempts(path).is_none() && input.policy.paths.without(path, lens).is_none()
}

fn kept_from_models(rule: &PathRule) -> String {
    format!("kept from models by {} rule: {}", rule.origin.possessive(), rule.reason)
}
