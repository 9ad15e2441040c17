//! Who reviews a change, who is recused, and what that would cost.

use std::collections::BTreeSet;

use review::judge::plural;
use review::packet::{attribution as attribution_v1, family_words};
use review::panel::{Asked, Relation, Reviewer, Scope, Seat, UnmetKind};
use serde_json::json;
use service::preview::Preview;
use service::review_one::Decided;
use service::roster::{self, Addition};
use service::tables::Tables;

use super::attribution::author_words;
use super::{line, pretty, usd};
use crate::args::ListFormat;

/// Who reviews a change, who is recused, and why.
pub(crate) fn panel(decided: &Decided, tables: &Tables, format: ListFormat) -> String {
    let engines = &decided.basis.engines;
    let name = |reviewer: Reviewer| match reviewer {
        Reviewer::Rules => "rules".to_owned(),
        Reviewer::Model(engine) => engines[engine].id.clone(),
    };
    let hunks = |seat: &Seat| {
        let all = seat.files.iter().flat_map(|&file| {
            let hunks = decided.basis.change.files[file].hunks().len();
            (0..hunks).map(move |hunk| (file, hunk))
        });
        all.filter(|hunk| seat.scope.holds(*hunk)).count()
    };
    if format == ListFormat::Json {
        let seats: Vec<_> = decided
            .seated
            .panel
            .seats
            .iter()
            .map(|seat| {
                json!({ "lens": seat.lens, "reviewer": name(seat.reviewer), "relation": seat.relation,
                    "files": seat.files.len(), "hunks": hunks(seat), "reason": seat.reason })
            })
            .collect();
        let recused: Vec<_> = decided
            .seated
            .panel
            .recused
            .iter()
            .map(|recusal| {
                json!({ "engine": engines[recusal.engine].id, "relation": recusal.relation, "reason": recusal.reason })
            })
            .collect();
        let lenses: Vec<_> = decided
            .seated
            .panel
            .lenses
            .iter()
            .map(|lens| {
                json!({ "lens": lens.lens, "asked": lens.asked, "reason": lens.reason,
                    "unmet": lens.unmet.as_ref().map(|unmet| &unmet.reason),
                    "next_step": lens.unmet.as_ref().map(|unmet| next_step(unmet.problem, decided, tables)) })
            })
            .collect();
        let author = attribution_v1(&decided.basis.attribution, &decided.basis.shares);
        return pretty(
            &json!({ "attribution": author, "seats": seats, "recused": recused, "lenses": lenses }),
        );
    }
    let mut text = String::new();
    line(&mut text, "author", &author_words(&decided.basis.attribution));
    for recusal in &decided.seated.panel.recused {
        let engine = &engines[recusal.engine];
        let families = family_words(&engine.lineage);
        line(&mut text, "recused", &format!("{} ({families}): {}", engine.id, recusal.reason));
    }
    for lens in &decided.seated.panel.lenses {
        let asked = match lens.asked {
            Asked::Models => "asked",
            Asked::Rules => "rules only",
            Asked::Nobody => "not asked",
            Asked::NotNeeded => "not needed",
        };
        line(&mut text, "lens", &format!("{}, {asked}: {}", lens.lens.name(), lens.reason));
        for seat in decided.seated.panel.seats.iter().filter(|seat| seat.lens == lens.lens) {
            let related = match &seat.relation {
                Relation::NoLineage | Relation::Unrelated => "",
                Relation::Related { .. } => ", related",
                Relation::UnknownLineage => ", of unknown lineage",
            };
            let files = plural(seat.files.len(), "file", "files");
            let part = match seat.scope {
                Scope::AllHunks => String::new(),
                Scope::Hunks(_) => format!(", {} of them", plural(hunks(seat), "hunk", "hunks")),
            };
            line(&mut text, "", &format!("{}{related}, {files}{part}: {}", name(seat.reviewer), seat.reason));
        }
        if let Some(unmet) = &lens.unmet {
            line(&mut text, "", &format!("not enough: {}", unmet.reason));
        }
    }
    let problems: BTreeSet<UnmetKind> =
        decided.seated.panel.unmet().map(|(_, unmet)| unmet.problem).collect();
    for problem in problems {
        line(&mut text, "next step", &next_step(problem, decided, tables));
    }
    text
}

/// What would make a panel enough, with the models and keys that would.
fn next_step(problem: UnmetKind, decided: &Decided, tables: &Tables) -> String {
    let remedy = problem.remedy(&roster::remedy(&tables.catalogue));
    let additions = match problem {
        UnmetKind::NoModel => Vec::new(),
        UnmetKind::AllRelated | UnmetKind::NotDiverseEnough => {
            roster::additions(tables, &decided.basis.engines, &decided.seated.panel.needs)
        }
    };
    let words = |addition: &Addition<'_>| format!("`--model {}` (key in {})", addition.name, addition.key);
    let ways: Vec<String> = additions
        .iter()
        .take(MOST_MODELS)
        .map(|together| together.iter().map(words).collect::<Vec<_>>().join(" together with "))
        .collect();
    match ways.as_slice() {
        [] => remedy,
        [only] => format!("{remedy}; {only} would be enough"),
        [some @ .., last] => format!("{remedy}; {} or {last} would be enough", some.join(", ")),
    }
}

/// The most models that are named as a next step.
const MOST_MODELS: usize = 3;

/// Who would be asked how much, and what it could cost.
pub(crate) fn preview(preview: &Preview, tables: &Tables, format: ListFormat) -> String {
    let engines = &preview.decided.basis.engines;
    if format == ListFormat::Json {
        let calls: Vec<_> = preview
            .calls
            .iter()
            .map(|call| {
                json!({ "lens": call.lens, "engine": engines[call.engine].id, "part": call.part + 1,
                    "input_tokens": call.input_tokens, "max_output_tokens": call.max_output_tokens,
                    "max_micro_usd": call.max_micro_usd, "price_as_of": engines[call.engine].price_as_of })
            })
            .collect();
        return pretty(&json!({
            "calls": calls, "max_micro_usd": preview.max_micro_usd, "unpriced_calls": preview.unpriced_calls,
            "examination_max_micro_usd": preview.examination_max_micro_usd, "cap_micro_usd": preview.cap_micro_usd,
        }));
    }
    let mut text = panel(&preview.decided, tables, format);
    text.push('\n');
    for (index, engine) in engines.iter().enumerate() {
        let of_engine = || preview.calls.iter().filter(|call| call.engine == index);
        let calls = of_engine().count();
        if calls == 0 {
            continue;
        }
        let tokens: u64 = of_engine().map(|call| call.input_tokens).sum();
        let cost: Option<u64> = of_engine().map(|call| call.max_micro_usd).sum();
        let cost = match (cost, &engine.price_as_of) {
            (Some(0), _) => "free".to_owned(),
            (Some(cost), Some(month)) => format!("at most {} by prices of {month}", usd(cost)),
            (Some(cost), None) => format!("at most {}", usd(cost)),
            (None, _) => "at a price that nobody knows".to_owned(),
        };
        let calls = plural(calls, "call", "calls");
        line(&mut text, "calls", &format!("{}: {calls}, about {tokens} tokens in, {cost}", engine.id));
    }
    let total = match (preview.calls.len(), preview.unpriced_calls) {
        (0, _) => "nothing: no model is asked".to_owned(),
        (_, 0) => format!("at most {}, if every answer is as long as it may be", usd(preview.max_micro_usd)),
        (_, unpriced) => {
            let without = plural(unpriced, "call", "calls");
            format!("at most {}, and {without} of unknown price", usd(preview.max_micro_usd))
        }
    };
    line(&mut text, "cost", &total);
    if let Some(most) = preview.examination_max_micro_usd.filter(|_| !preview.calls.is_empty()) {
        let each = if most == 0 { "nothing".to_owned() } else { format!("at most {}", usd(most)) };
        let what = "for each finding that only one reviewer makes, which is then examined once more";
        line(&mut text, "", &format!("and {each} {what}"));
    }
    if let Some(cap) = preview.cap_micro_usd {
        line(&mut text, "cap", &format!("{}; what would pass it is not asked, and told", usd(cap)));
    }
    text
}
