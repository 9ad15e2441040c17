//! Author × roster × policy × offline → seats, verdict, exit code, first line: the whole of laws 1 to 4 in one
//! table, which is also `docs/panel.md`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::LazyLock;

use review::answer::Answer;
use review::attribution::{Attribution, AuthorState, Share};
use review::classify::{ClassifyRules, classify, lenses};
use review::coverage::{CoverageInput, compute};
use review::engine::{Engine, LineageSource};
use review::judge::{JudgeInput, Judgement, Standing, Verdict, judge};
use review::outcome::{Call, Ending, Outcome};
use review::panel::{Panel, PanelInput, Relation, Reviewer, choose};
use review::policy::{Independence, Policy};
use review::prompt::Piece;
use review::wishes::{WishInput, wishes};
use review::{Change, Families, Family, Lens, Lineage};

const X: &str = "anthropic";
const Y: &str = "openai";

/// A change of one function.
const DIFF: &str = "diff --git a/src/cache.rs b/src/cache.rs\n--- a/src/cache.rs\n+++ b/src/cache.rs\n\
    @@ -1,3 +1,3 @@\n fn size(&self) -> usize {\n-    self.entries\n+    self.entries + 1\n }\n";

fn author(state: AuthorState) -> Attribution {
    let none = Attribution::default();
    let of_x = BTreeSet::from([Family::new(X)]);
    match state {
        AuthorState::Human => Attribution { human_declared: true, vouched: true, ..none },
        AuthorState::NoEvidence => none,
        AuthorState::Ai => Attribution { families: of_x, ..none },
        AuthorState::UnknownAi => Attribution { unknown_agent: true, ..none },
        AuthorState::Mixed => Attribution { families: of_x, partial: true, ..none },
        AuthorState::Bot => Attribution { bot: true, ..none },
        AuthorState::Conflict => Attribution { families: of_x, human_declared: true, ..none },
    }
}

fn roster(families: &[&str]) -> Vec<Engine> {
    let engine = |family: &&str| Engine {
        id: format!("{family}/model"),
        preference: 0,
        provider: (*family).to_owned(),
        model: "model".to_owned(),
        lineage: Lineage::of([*family]),
        lineage_source: LineageSource::Declared,
        edges: Vec::new(),
        context_tokens: 100_000,
        max_output_tokens: 4_096,
        price: None,
        price_as_of: None,
    };
    families.iter().map(engine).collect()
}

struct Row {
    panel: Panel,
    engines: Vec<Engine>,
    judgement: Judgement,
}

/// The tables that decisions rest on; they take a while to compile.
struct Tables {
    classify: ClassifyRules,
    lineage_sets: Vec<BTreeSet<Family>>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables {
    classify: ClassifyRules::embedded(),
    lineage_sets: Families::embedded().lineage_sets(),
});

/// Decides one row, with every seated reviewer answering that it found nothing.
fn decide(state: AuthorState, roster_of: &[&str], independence: Independence, offline: bool) -> Row {
    let change: Change = review::diff::change_from_patch(DIFF.as_bytes());
    let attribution = author(state);
    let engines = roster(roster_of);
    let policy = Policy { independence, offline, ..Policy::default() };
    let classification = classify(&change, &TABLES.classify);
    let rules = [(Lens::Security, vec![0]), (Lens::Complexity, vec![0])];
    let wishes = wishes(&WishInput {
        change: &change,
        decisions: &lenses(&change, &classification),
        rules: &rules,
        unsafe_to_send: &[],
        policy: &policy,
    });
    let panel = choose(&PanelInput {
        attribution: &attribution,
        shares: &[Share::whole(&change, attribution.authors())],
        wishes: &wishes,
        engines: &engines,
        policy: &policy,
        lineage_sets: &TABLES.lineage_sets,
    });
    let answer =
        || Ending::Answered(Answer { examined: vec!["src/cache.rs".to_owned()], ..Answer::default() });
    let outcomes: Vec<Outcome> = panel
        .seats
        .iter()
        .enumerate()
        .map(|(seat, seated)| Outcome {
            seat,
            part: 0,
            pieces: vec![Piece { file: 0, hunk: 0, first: 0, end: 4 }],
            ending: answer(),
            call: match seated.reviewer {
                Reviewer::Rules => None,
                Reviewer::Model(engine) => Some(Call {
                    served_model: None,
                    lineage: engines[engine].lineage.clone(),
                    usage: None,
                    reserved_micro_usd: None,
                    micro_usd: None,
                    elapsed_ms: 0,
                    prompt: None,
                    reply: None,
                }),
            },
        })
        .collect();
    let coverage = compute(&CoverageInput {
        change: &change,
        wishes: &wishes,
        panel: &panel,
        outcomes: &outcomes,
        rules_misses: &[],
        policy: &policy,
    });
    let judgement = judge(&JudgeInput {
        attribution: &attribution,
        panel: &panel,
        coverage: &coverage,
        claims: &[],
        checks: &[],
        policy: &policy,
        no_model_remedy: "set KEY",
    });
    Row { panel, engines, judgement }
}

const AUTHORS: [AuthorState; 7] = [
    AuthorState::Human,
    AuthorState::NoEvidence,
    AuthorState::Bot,
    AuthorState::Ai,
    AuthorState::Mixed,
    AuthorState::UnknownAi,
    AuthorState::Conflict,
];
const ROSTERS: [&[&str]; 4] = [&[], &[X], &[Y], &[X, Y]];
const POLICIES: [Independence; 3] = [Independence::Require, Independence::Prefer, Independence::Off];

fn roster_words(roster: &[&str]) -> String {
    if roster.is_empty() { "none".to_owned() } else { roster.join(" + ") }
}

fn seat_words(row: &Row) -> String {
    let of_lens = |lens: Lens| {
        let seats = row.panel.seats.iter().filter(|seat| seat.lens == lens);
        let names: Vec<String> = seats
            .map(|seat| match (seat.reviewer, &seat.relation) {
                (Reviewer::Rules, _) => "rules".to_owned(),
                (Reviewer::Model(engine), Relation::Related { .. }) => {
                    format!("{} (related)", row.engines[engine].provider)
                }
                (Reviewer::Model(engine), _) => row.engines[engine].provider.clone(),
            })
            .collect();
        (!names.is_empty()).then(|| format!("{}: {}", lens.name(), names.join(", ")))
    };
    let lenses: Vec<String> = Lens::ALL.into_iter().filter_map(of_lens).collect();
    lenses.join("<br>")
}

fn table() -> String {
    let mut page = String::from(
        "# Who is seated, and what follows\n\nGenerated by the test `panel_table`; `RECUSE_UPDATE_DOCS=1 cargo test \
         --test integration` writes it anew.\n\nThe change is one function of a Rust file. Every seated reviewer \
         answers that it found nothing. `ai` and `mixed` are\nauthored by anthropic, by the author's own account; \
         `conflict` is that against a declaration that people wrote it.\n",
    );
    for offline in [false, true] {
        let _ = writeln!(
            page,
            "\n## {}\n\n| author | roster | policy | seats | verdict | exit | first line |\n|---|---|---|---|---|---|---|",
            if offline { "With `--offline`" } else { "With models" }
        );
        for state in AUTHORS {
            if offline {
                let row = decide(state, &[], Independence::Require, true);
                let _ = writeln!(page, "| {} | any | any {}", state.name(), cells(&row));
                continue;
            }
            for roster in ROSTERS {
                for policy in POLICIES {
                    let row = decide(state, roster, policy, false);
                    let names = roster_words(roster);
                    let _ =
                        writeln!(page, "| {} | {names} | {} {}", state.name(), policy.name(), cells(&row));
                }
            }
        }
    }
    page
}

fn cells(row: &Row) -> String {
    let judgement = &row.judgement;
    let verdict = judgement.verdict.name();
    format!("| {} | {verdict} | {} | {} |", seat_words(row), judgement.exit_code, judgement.headline)
}

#[test]
fn the_table_is_the_one_in_the_docs() {
    crate::support::generated::same_as_file("docs/panel.md", &table());
}

#[test]
fn every_row_keeps_the_laws() {
    for state in AUTHORS {
        for roster in ROSTERS {
            for policy in POLICIES {
                let row = decide(state, roster, policy, false);
                check_laws(state, roster, policy, &row);
                let offline = decide(state, roster, policy, true);
                assert!(offline.panel.seats.iter().all(|seat| seat.reviewer == Reviewer::Rules));
                assert!(offline.judgement.headline.starts_with("rules only: "));
                assert_eq!((offline.judgement.verdict, offline.judgement.exit_code), (Verdict::Clean, 0));
            }
        }
    }
}

fn check_laws(state: AuthorState, roster: &[&str], policy: Independence, row: &Row) {
    let context = format!("{state:?} {roster:?} {policy:?}: {:?}", row.judgement);
    let models: Vec<&Relation> = row
        .panel
        .seats
        .iter()
        .filter(|seat| seat.reviewer != Reviewer::Rules)
        .map(|seat| &seat.relation)
        .collect();
    let by_x = matches!(state, AuthorState::Ai | AuthorState::Mixed | AuthorState::Conflict);
    let related = models.iter().any(|relation| matches!(relation, Relation::Related { .. }));
    // Law 2 and 3: nobody related is seated where independence is required, and nobody silently elsewhere.
    assert!(!(related && policy == Independence::Require), "{context}");
    // With X alone its own change has no unrelated reviewer; `off` does not look at relations when it seats.
    if related && roster == [X] {
        assert_eq!(row.judgement.independence, Standing::NotIndependent, "{context}");
        assert!(row.judgement.headline.contains("not independent"), "{context}");
    }
    // Law 4: nothing is clean unless models answered every lens.
    if roster.is_empty() {
        assert_eq!((row.judgement.verdict, row.judgement.exit_code), (Verdict::Inconclusive, 3), "{context}");
        assert!(row.judgement.headline.contains("set KEY"), "{context}");
    }
    if policy == Independence::Require {
        let enough = match state {
            AuthorState::UnknownAi => roster == [X, Y],
            _ if by_x => roster.contains(&Y),
            _ => !roster.is_empty(),
        };
        let expected = if enough { Verdict::Clean } else { Verdict::Inconclusive };
        assert_eq!(row.judgement.verdict, expected, "{context}");
    }
    // Law 3: no trace recuses nobody, and says so.
    if state == AuthorState::NoEvidence && !roster.is_empty() {
        assert!(row.judgement.headline.contains("independence not established"), "{context}");
        assert_eq!(models.len(), 3 * roster.len(), "{context}");
    }
}
