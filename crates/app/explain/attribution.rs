//! Who wrote a change, family by family, with every trace of it.

use std::collections::BTreeSet;

use review::attribution::{Attribution, AuthorState, Channel, Evidence, Role, Share, UNNAMED_AGENT};
use review::lineage::EdgeKind;
use review::packet::attribution as attribution_v1;
use review::panel::list;
use review::text::visible;
use review::{Change, Families, Family};
use serde_json::json;
use service::authorship::Authorship;

use super::{hanging, line, pretty};
use crate::args::ListFormat;

/// Who wrote a change, and every trace of it.
pub(crate) fn attribution(
    authorship: &Authorship,
    change: &Change,
    families: &Families,
    format: ListFormat,
) -> String {
    let Authorship { attribution, shares } = authorship;
    if format == ListFormat::Json {
        return pretty(&json!(attribution_v1(attribution, shares)));
    }
    let mut text = String::new();
    line(&mut text, "author", &author_words(attribution));
    line(&mut text, "recused", &recused_words(attribution));
    if shares.len() > 1 {
        for share in shares {
            line(&mut text, "files", &share_words(share, change));
        }
    }
    if attribution.evidence.is_empty() {
        line(&mut text, "evidence", "none that recuse can read; that does not mean that a person wrote it");
    }
    for unread in &attribution.unread {
        line(&mut text, "unread", &format!("{unread}: it may name others"));
    }
    for (who, evidence) in by_family(attribution) {
        text.push_str(&format!("\n{who}\n"));
        for (evidence, places) in alike(&evidence) {
            hanging(&mut text, "  ", "    ", &evidence_words(evidence, &places));
        }
        let models: BTreeSet<&str> = evidence.iter().filter_map(|seen| seen.model.as_deref()).collect();
        for model in models {
            // That a name is its maker's needs no saying.
            let steps =
                families.resolve(model).edges.into_iter().filter(|edge| edge.kind != EdgeKind::MadeBy);
            for step in steps {
                let counts = if step.kind.is_descent() { "" } else { "; not counted as descent" };
                let doubt = if step.certain { "" } else { ", uncertain" };
                let words = format!(
                    "{} {} {} ({}, {}{doubt}{counts})",
                    visible(&step.model),
                    step.kind.words(),
                    step.from,
                    step.source,
                    step.date
                );
                hanging(&mut text, "  ", "    ", &words);
            }
        }
    }
    text
}

/// `partly AI: anthropic and openai, and a model that is not named; claimed, not verified`.
pub(super) fn author_words(attribution: &Attribution) -> String {
    let mut words = match attribution.state() {
        AuthorState::Human => "people, as declared",
        AuthorState::Ai | AuthorState::UnknownAi => "AI",
        AuthorState::Mixed => "partly AI",
        AuthorState::NoEvidence => "no trace of who wrote it",
        AuthorState::Bot => "bots that are no AI models",
        AuthorState::Conflict => "people, as declared; and yet there are traces of AI",
    }
    .to_owned();
    let mut parts: Vec<String> =
        attribution.families.iter().map(|family| family.as_str().to_owned()).collect();
    if attribution.unknown_agent {
        let tools = tools(attribution, |seen| seen.role == Role::Implementer && !seen.lineage.is_known());
        let of = if tools.is_empty() { String::new() } else { format!(" ({tools})") };
        parts.push(format!("a model that is not named{of}"));
    }
    if !parts.is_empty() {
        words.push_str(&format!(": {}", list(parts.iter().map(String::as_str))));
        if !attribution.vouched {
            words.push_str("; claimed, not verified");
        }
    }
    if attribution.evidence.iter().any(|seen| seen.role == Role::Suggester) {
        let tools = tools(attribution, |seen| seen.role == Role::Suggester);
        words.push_str(&format!("; {tools} suggested changes"));
    }
    words
}

/// The tools of some of the evidence, each once.
fn tools(attribution: &Attribution, of: impl Fn(&Evidence) -> bool) -> String {
    let some = attribution.evidence.iter().filter(|seen| of(seen));
    let names = some.filter_map(|seen| seen.agent.as_deref()).filter(|agent| *agent != UNNAMED_AGENT);
    let names: BTreeSet<&str> = names.collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

fn recused_words(attribution: &Attribution) -> String {
    let recused = attribution.recused();
    let names = list(recused.iter().map(Family::as_str));
    let mut words = match (recused.is_empty(), attribution.unknown_agent) {
        (true, false) => return "nobody".to_owned(),
        (true, true) => "nobody by name".to_owned(),
        (false, _) => format!("models of {names}, and what descends from them"),
    };
    let mut only = attribution.suggested_by.difference(&attribution.families).map(Family::as_str).peekable();
    if only.peek().is_some() {
        words.push_str(&format!("; {} for suggestions only", list(only)));
    }
    if attribution.unknown_agent {
        words.push_str(
            "; and each lens needs a reviewer unrelated to the model that is not named, whichever it was",
        );
    }
    words
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

/// The evidence by what it says: families, unnamed models, suggestions, people, bots.
fn by_family(attribution: &Attribution) -> Vec<(String, Vec<&Evidence>)> {
    let mut groups: Vec<((u8, String), Vec<&Evidence>)> = Vec::new();
    for seen in &attribution.evidence {
        let families = || list(seen.lineage.families.iter().map(Family::as_str));
        let who = match seen.role {
            Role::Implementer if seen.lineage.families.is_empty() => {
                (1, "a model that is not named was at work, by these traces".to_owned())
            }
            Role::Implementer => (0, format!("models of {} were at work, by these traces", families())),
            Role::Suggester if seen.lineage.families.is_empty() => {
                (2, "a model that is not named suggested changes, by these traces".to_owned())
            }
            Role::Suggester => (2, format!("models of {} suggested changes, by these traces", families())),
            Role::Human => (3, "people wrote it".to_owned()),
            Role::Bot => (4, "bots that are no AI models".to_owned()),
        };
        match groups.iter_mut().find(|(known, _)| *known == who) {
            Some((_, evidence)) => evidence.push(seen),
            None => groups.push((who, vec![seen])),
        }
    }
    groups.sort_by_key(|((order, _), _)| *order);
    groups.into_iter().map(|((_, who), evidence)| (who, evidence)).collect()
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

/// `claude-code with claude-opus-4-5: claimed, trailer (commit 1a2b3c4 and 3 others): Co-authored-by: Claude`.
fn evidence_words(evidence: &Evidence, places: &[&str]) -> String {
    let agent = evidence.agent.as_deref().filter(|agent| *agent != UNNAMED_AGENT);
    let who = match (agent, &evidence.model) {
        (Some(agent), Some(model)) => format!("{agent} with {}", visible(model)),
        (Some(agent), None) if evidence.role == Role::Implementer => format!("{agent}, model not named"),
        (Some(agent), None) => agent.to_owned(),
        (None, Some(model)) => visible(model),
        (None, None) => "an AI tool without a name".to_owned(),
    };
    let others = match places.len() {
        0 | 1 => String::new(),
        2 => " and 1 other".to_owned(),
        count => format!(" and {} others", count - 1),
    };
    let (strength, place) = (evidence.strength.name(), visible(places[0]));
    match evidence.channel {
        Channel::Declaration => format!("declared by the operator or the base: {}", visible(&evidence.text)),
        // What stands in a note is not a line that could be quoted.
        Channel::Note => format!("{who}: {strength}, note on lines ({place}{others})"),
        Channel::PlatformLogin
        | Channel::CommitAuthor
        | Channel::CommitCommitter
        | Channel::Trailer
        | Channel::Footer
        | Channel::Branch
        | Channel::Body
        | Channel::Label => {
            let channel = report::channel_words(evidence.channel);
            format!("{who}: {strength}, {channel} ({place}{others}): {}", visible(&evidence.text))
        }
    }
}
