//! Author × roster × policy × offline → seats, verdict, exit code, first line: the whole of laws 1 to 4 in one
//! table, which is also `docs/panel.md`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::LazyLock;

use proptest::prelude::*;
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
    families.iter().map(|family| engine(family, Lineage::of([*family]))).collect()
}

fn engine(provider: &str, lineage: Lineage) -> Engine {
    Engine {
        id: format!("{provider}/model"),
        preference: 0,
        provider: provider.to_owned(),
        model: "model".to_owned(),
        lineage,
        lineage_source: LineageSource::Declared,
        edges: Vec::new(),
        context_tokens: 100_000,
        max_output_tokens: 4_096,
        price: None,
        price_as_of: None,
    }
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

fn decide(state: AuthorState, roster_of: &[&str], independence: Independence, offline: bool) -> Row {
    let policy = Policy { independence, offline, ..Policy::default() };
    decide_for(author(state), roster(roster_of), policy)
}

/// Decides one row, with every seated reviewer answering that it found nothing.
fn decide_for(attribution: Attribution, engines: Vec<Engine>, policy: Policy) -> Row {
    let change: Change = review::diff::change_from_patch(DIFF.as_bytes());
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
         `conflict` is that against a declaration that people wrote it.\n\nTwo models look through each lens where \
         two are there that are unrelated to the author and to each other: `reviewers_per_lens`, which\nis the \
         operator's. Whatever evidence there is, or is forged, it stays the same number; a property over the families in \
         force holds that.\n",
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

/// Models of one lens.
fn seated(row: &Row, lens: Lens) -> Vec<&Lineage> {
    let seats = row.panel.seats.iter().filter(|seat| seat.lens == lens);
    seats
        .filter_map(|seat| match seat.reviewer {
            Reviewer::Rules => None,
            Reviewer::Model(engine) => Some(&row.engines[engine].lineage),
        })
        .collect()
}

/// The lenses that a change of a function is looked at through by models.
const BY_MODELS: [Lens; 3] = [Lens::Security, Lens::Correctness, Lens::Complexity];

/// One of the lineages of the table that is in force, or one that nobody knows.
fn lineages() -> impl Strategy<Value = Lineage> {
    let sets = &TABLES.lineage_sets;
    prop_oneof![
        9 => (0..sets.len()).prop_map(|set| Lineage::of(TABLES.lineage_sets[set].iter().map(Family::as_str))),
        1 => Just(Lineage::unknown()),
    ]
}

fn rosters() -> impl Strategy<Value = Vec<Engine>> {
    proptest::collection::vec(lineages(), 0..7).prop_map(|lineages| {
        let named = |(number, lineage)| engine(&format!("p{number}"), lineage);
        lineages.into_iter().enumerate().map(named).collect()
    })
}

fn authors() -> impl Strategy<Value = Attribution> {
    let families = proptest::collection::vec(lineages(), 0..3);
    let flags = proptest::array::uniform4(any::<bool>());
    (families, flags).prop_map(|(families, [unknown_agent, human_declared, vouched, bot])| Attribution {
        families: families.into_iter().flat_map(|lineage| lineage.families).collect(),
        unknown_agent,
        human_declared,
        vouched,
        bot,
        ..Attribution::default()
    })
}

fn policies() -> impl Strategy<Value = Policy> {
    (1..=4_usize).prop_map(|reviewers_per_lens| Policy { reviewers_per_lens, ..Policy::default() })
}

/// How many models that are unrelated to each other and to the author could look, at most `wanted`.
fn possible(row: &Row, author: &Attribution, wanted: usize) -> usize {
    let recused = author.recused();
    let free: Vec<&Lineage> = row
        .engines
        .iter()
        .map(|engine| &engine.lineage)
        .filter(|lineage| lineage.is_known() && lineage.families.is_disjoint(&recused))
        .collect();
    let mut best = 0;
    for choice in 0..1_u32 << free.len() {
        let chosen: Vec<&Lineage> =
            (0..free.len()).filter(|at| choice >> at & 1 == 1).map(|at| free[at]).collect();
        let diverse = chosen
            .iter()
            .enumerate()
            .all(|(at, one)| chosen[..at].iter().all(|other| other.is_unrelated_to(one)));
        if diverse {
            best = best.max(chosen.len());
        }
    }
    best.min(wanted)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Laws 1 and 3 over the table that is in force: whatever an author forges recuses more, seats as many unrelated
    /// models as the policy asks for and the roster has, and never moves a verdict towards clean.
    #[test]
    fn what_an_author_forges_helps_nobody(
        author in authors(), engines in rosters(), policy in policies(), forged in lineages(), forges_unknown in any::<bool>(),
    ) {
        let before = decide_for(author.clone(), engines.clone(), policy.clone());
        let mut more = author.clone();
        more.families.extend(forged.families);
        more.unknown_agent |= forges_unknown;
        let after = decide_for(more.clone(), engines, policy.clone());
        for (row, author) in [(&before, &author), (&after, &more)] {
            for lens in BY_MODELS {
                let seated = seated(row, lens);
                for lineage in &seated {
                    prop_assert!(lineage.families.is_disjoint(&author.recused()), "{lineage:?}");
                }
                let is_met = !row.panel.unmet().any(|(unmet, _)| unmet.lens == lens);
                if is_met && !author.unknown_agent {
                    let possible = possible(row, author, policy.reviewers_per_lens);
                    prop_assert!(seated.len() >= possible, "{} of {possible}", seated.len());
                }
                if is_met && author.unknown_agent {
                    for set in &TABLES.lineage_sets {
                        let unrelated = |lineage: &&Lineage| lineage.families.is_disjoint(set);
                        prop_assert!(seated.iter().any(unrelated), "{set:?}");
                    }
                }
            }
        }
        if before.judgement.verdict == Verdict::Inconclusive {
            prop_assert_eq!(after.judgement.verdict, Verdict::Inconclusive);
        }
        prop_assert!(before.judgement.exit_code <= after.judgement.exit_code);
    }
}
