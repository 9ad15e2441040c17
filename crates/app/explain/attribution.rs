//! Who wrote a change, family by family, with every trace of it.

use std::collections::BTreeSet;

use review::attribution::{Attribution, AuthorState, Evidence, Role, Share};
use review::lineage::EdgeKind;
use review::packet::{attribution as attribution_v1, family_words};
use review::panel::list;
use review::text::visible;
use review::{Change, Families, Family};
use serde_json::json;
use service::authorship::Authorship;

use super::{as_json, line, pretty};
use crate::Failure;
use crate::args::Format;

/// Who wrote a change, and every trace of it.
pub(crate) fn attribution(
    authorship: &Authorship,
    change: &Change,
    families: &Families,
    format: Format,
) -> Result<String, Failure> {
    let Authorship { attribution, shares } = authorship;
    if as_json(format)? {
        return Ok(pretty(&json!(attribution_v1(attribution, shares))));
    }
    let mut text = String::new();
    line(&mut text, "author", &author_words(attribution));
    line(&mut text, "recused", &recused_words(attribution, families));
    if attribution.unknown_agent {
        line(
            &mut text,
            "",
            "and, whatever the unknown model was, one reviewer of each lens must be unrelated to it",
        );
    }
    if shares.len() > 1 {
        for share in shares {
            line(&mut text, "lines", &share_words(share, change));
        }
    }
    if attribution.evidence.is_empty() {
        line(&mut text, "evidence", "none; that does not mean that a person wrote it");
    }
    for (who, evidence) in by_family(attribution) {
        text.push_str(&format!("\n{who}\n"));
        for (evidence, places) in alike(&evidence) {
            text.push_str(&format!("  {}\n", evidence_words(evidence, &places)));
        }
        let models: BTreeSet<&str> = evidence.iter().filter_map(|seen| seen.model.as_deref()).collect();
        for model in models {
            // That a name is its maker's needs no saying.
            let steps =
                families.resolve(model).edges.into_iter().filter(|edge| edge.kind != EdgeKind::MadeBy);
            for step in steps {
                let counts = if step.kind.is_descent() { "" } else { "; not counted as descent" };
                let doubt = if step.certain { "" } else { ", uncertain" };
                text.push_str(&format!(
                    "  {} {} {} ({}, {}{doubt}{counts})\n",
                    visible(&step.model),
                    step.kind.words(),
                    step.from,
                    step.source,
                    step.date
                ));
            }
        }
    }
    Ok(text)
}

/// `mixed: anthropic and openai (by its own account; nobody vouches for it)`.
pub(super) fn author_words(attribution: &Attribution) -> String {
    let mut words = match attribution.state() {
        AuthorState::Human => "people, as somebody with write access declares",
        AuthorState::Ai => "AI",
        AuthorState::Mixed => "partly AI",
        AuthorState::UnknownAi => "an AI tool; nobody knows with which model",
        AuthorState::NoEvidence => "no trace of who wrote it",
        AuthorState::Bot => "a bot that is no model",
        AuthorState::Conflict => "people as declared, and yet there are traces of AI",
    }
    .to_owned();
    if !attribution.families.is_empty() {
        words.push_str(&format!(": {}", list(attribution.families.iter().map(Family::as_str))));
        if attribution.unknown_agent {
            words.push_str(", and a model that nobody knows");
        }
        if !attribution.vouched {
            words.push_str(" (the author's word; nobody vouches for it)");
        }
    }
    words
}

fn recused_words(attribution: &Attribution, families: &Families) -> String {
    let recused = attribution.recused();
    if recused.is_empty() {
        return "nobody".to_owned();
    }
    let names: Vec<String> = recused.iter().map(|family| families.display(family)).collect();
    let only = attribution.suggested_by.difference(&attribution.families).map(Family::as_str);
    let only = list(only);
    let suggested = if only == "nobody" { String::new() } else { format!("; {only} for suggestions only") };
    format!("models of {}, and what descends from them{suggested}", list(names.iter().map(String::as_str)))
}

/// `openai: src/a.rs hunks 1 and 3`.
fn share_words(share: &Share, change: &Change) -> String {
    let unknown = share.authors.unknown_agent.then_some("an unknown model");
    let who = share.authors.families.iter().map(Family::as_str).chain(unknown);
    let who = match list(who) {
        nobody if nobody == "nobody" => "no trace".to_owned(),
        who => who,
    };
    let files = change.files.iter().enumerate().filter_map(|(index, file)| {
        let numbers: Vec<String> = share
            .hunks
            .iter()
            .filter(|(of, _)| *of == index)
            .map(|(_, hunk)| (hunk + 1).to_string())
            .collect();
        let hunks = match numbers.len() {
            0 => return None,
            all if all == file.hunks().len() => String::new(),
            1 => format!(" hunk {}", numbers[0]),
            _ => format!(" hunks {}", list(numbers.iter().map(String::as_str))),
        };
        Some(format!("{}{hunks}", visible(file.path.as_str())))
    });
    let files: Vec<String> = files.collect();
    let shown = files.iter().take(MOST_FILES).cloned().collect::<Vec<_>>().join(", ");
    let more = files.len().saturating_sub(MOST_FILES);
    if more > 0 { format!("{who}: {shown} and {more} more files") } else { format!("{who}: {shown}") }
}

/// The most files that are named for one author.
const MOST_FILES: usize = 12;

/// The evidence by what it says: each family, unknown models, suggestions, bots, people.
fn by_family(attribution: &Attribution) -> Vec<(String, Vec<&Evidence>)> {
    let mut groups: Vec<(String, Vec<&Evidence>)> = Vec::new();
    for seen in &attribution.evidence {
        let who = match seen.role {
            Role::Implementer if seen.lineage.families.is_empty() => "an unknown model wrote it".to_owned(),
            Role::Implementer => format!("{} wrote it", family_words(&seen.lineage)),
            Role::Suggester => format!("{} suggested changes", family_words(&seen.lineage)),
            Role::Bot => "a bot that is no model".to_owned(),
            Role::Human => "people wrote it".to_owned(),
        };
        match groups.iter_mut().find(|(known, _)| *known == who) {
            Some((_, evidence)) => evidence.push(seen),
            None => groups.push((who, vec![seen])),
        }
    }
    groups
}

/// Traces that say the same at several places are told once.
fn alike<'a>(evidence: &[&'a Evidence]) -> Vec<(&'a Evidence, Vec<&'a str>)> {
    let mut told: Vec<(&Evidence, Vec<&str>)> = Vec::new();
    for seen in evidence {
        let same = |known: &Evidence| {
            (&known.agent, &known.model, known.channel, known.strength, &known.text)
                == (&seen.agent, &seen.model, seen.channel, seen.strength, &seen.text)
        };
        match told.iter_mut().find(|(known, _)| same(known)) {
            Some((_, places)) => places.push(&seen.place),
            None => told.push((seen, vec![&seen.place])),
        }
    }
    told
}

/// `claude-code, claimed by a trailer of commit 1a2b3c4 and 3 others: Co-authored-by: Claude`.
fn evidence_words(evidence: &Evidence, places: &[&str]) -> String {
    let who = match (&evidence.agent, &evidence.model) {
        (Some(agent), Some(model)) => format!("{agent} with {}", visible(model)),
        (Some(agent), None) => agent.clone(),
        (None, Some(model)) => visible(model),
        (None, None) => "somebody".to_owned(),
    };
    let others = match places.len() {
        1 => String::new(),
        2 => " and 1 other".to_owned(),
        count => format!(" and {} others", count - 1),
    };
    let channel = report::channel_words(evidence.channel);
    format!(
        "{who}: {}, {channel} ({}{others}): {}",
        evidence.strength.name(),
        visible(places[0]),
        visible(&evidence.text)
    )
}
