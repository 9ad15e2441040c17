//! Who is seated, who is recused, and why (laws 1 to 3).
//!
//! Lens by lens: the engines that share a family with an author are recused, the rest are ranked (diversity
//! across the panel first, then the operator's order), and as many as are wanted are seated. What a lens
//! *needs* is a value of its own ([`Need`]), because the same question is asked again after the answers are in:
//! who really answered, as what model, and is that still enough?

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attribution::{Attribution, AuthorState};
use crate::engine::Engine;
use crate::policy::{Independence, Policy};
use crate::{Family, Lens, Lineage};

/// What a panel is chosen from.
#[derive(Debug, Clone, Copy)]
pub struct PanelInput<'a> {
    /// Who wrote the change.
    pub attribution: &'a Attribution,
    /// What each lens should look at, for all lenses.
    pub wishes: &'a [LensWish],
    /// The operator's roster, in order of preference.
    pub engines: &'a [Engine],
    /// What the operator and the base ask for.
    pub policy: &'a Policy,
    /// Every set of families that an unknown author could descend from.
    pub lineage_sets: &'a [BTreeSet<Family>],
}

/// What one lens should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LensWish {
    /// The lens.
    pub lens: Lens,
    /// The changed files (by index) that a model should look at through it.
    pub model_files: Vec<usize>,
    /// The changed files (by index) that a model should look at and may not be shown, and why.
    pub kept_back: Vec<(usize, String)>,
    /// The changed files that the rules can look at through it.
    pub rules_files: Vec<usize>,
    /// Whether anything in the change is for it.
    pub needed: bool,
    /// Why it is seated, or why not.
    pub reason: String,
}

/// The reviewers seated for a change, those recused, and the reason for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panel {
    /// What the policy asks of the answers, the same for every lens that a model looks through.
    pub need: Need,
    /// What independence would ask of them under `require`; only for saying whether it was reached.
    pub strict_need: Need,
    /// The seats; a reviewer is named by its index in here.
    pub seats: Vec<Seat>,
    /// Engines that may not review this change, or that are not counted on.
    pub recused: Vec<Recusal>,
    /// Every lens: seated or not, and why.
    pub lenses: Vec<LensPanel>,
}

impl Panel {
    /// The lenses for which no sufficient panel could be seated.
    pub fn unmet(&self) -> impl Iterator<Item = (&LensPanel, &Unmet)> {
        self.lenses.iter().filter_map(|lens| lens.unmet.as_ref().map(|unmet| (lens, unmet)))
    }
}

/// A lens seen by one engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// What it looks for.
    pub lens: Lens,
    /// Who looks.
    pub reviewer: Reviewer,
    /// The changed files (by index) that it looks at.
    pub files: Vec<usize>,
    /// How it stands to the author.
    pub relation: Relation,
    /// Why it was seated.
    pub reason: String,
}

/// Who looks through a lens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reviewer {
    /// The deterministic rules; nobody's family.
    Rules,
    /// A model, by its index in the roster.
    Model(usize),
}

/// How an engine stands to the author of the change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Relation {
    /// The rules have no lineage.
    NoLineage,
    /// It shares no family with anybody who is known to have written or suggested lines.
    Unrelated,
    /// It shares these families.
    Related {
        /// The shared families.
        families: BTreeSet<Family>,
    },
    /// Not all of its ancestry is known, so it cannot be counted as independent of a model.
    UnknownLineage,
}

/// Somebody who may not review this change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recusal {
    /// The engine, by its index in the roster.
    pub engine: usize,
    /// How it stands to the author.
    pub relation: Relation,
    /// The reason, in a sentence.
    pub reason: String,
}

/// One lens of the panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LensPanel {
    /// The lens.
    pub lens: Lens,
    /// What is asked of whom.
    pub asked: Asked,
    /// Why.
    pub reason: String,
    /// What keeps it from being enough, if anything does.
    pub unmet: Option<Unmet>,
}

/// Whether and of whom a lens is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// Models look through it, and the rules where they can.
    Models,
    /// Only the rules look through it.
    Rules,
    /// Nobody does, though something in the change is for it.
    Nobody,
    /// Nothing in the change is for it.
    NotNeeded,
}

/// Why a lens has no sufficient panel, and what would help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// What is missing.
    pub problem: UnmetKind,
    /// A sentence for people.
    pub reason: String,
}

/// What a lens is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnmetKind {
    /// No model is configured at all.
    NoModel,
    /// Every configured model is related to the author.
    AllRelated,
    /// The author is unknown, and the configured models do not differ enough.
    NotDiverseEnough,
}

/// What the answers to a lens must fulfil for it to count as answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// One answer, whoever gave it.
    Any,
    /// One answer of a model whose lineage is known and shares nothing with these families.
    Unrelated {
        /// Who is recused.
        recused: BTreeSet<Family>,
    },
    /// Answers such that, whichever of these lineages the author has, one is unrelated to it; and none of them
    /// related to the recused.
    Transversal {
        /// Who is recused.
        recused: BTreeSet<Family>,
        /// What the author could descend from.
        lineage_sets: Vec<BTreeSet<Family>>,
    },
}

impl Need {
    /// What independence asks for under `require`, given who wrote the change.
    pub fn strict(attribution: &Attribution, lineage_sets: &[BTreeSet<Family>]) -> Self {
        let recused = attribution.recused();
        if attribution.unknown_agent {
            Self::Transversal { recused, lineage_sets: lineage_sets.to_vec() }
        } else if recused.is_empty() {
            Self::Any
        } else {
            Self::Unrelated { recused }
        }
    }

    /// Whether answers from models of these lineages are enough.
    pub fn is_met_by(&self, answered: &[&Lineage]) -> bool {
        match self {
            Self::Any => !answered.is_empty(),
            Self::Unrelated { recused } => answered.iter().any(|lineage| is_unrelated(lineage, recused)),
            Self::Transversal { recused, lineage_sets } => {
                let counted: Vec<_> =
                    answered.iter().filter(|lineage| is_unrelated(lineage, recused)).collect();
                !counted.is_empty()
                    && lineage_sets
                        .iter()
                        .all(|set| counted.iter().any(|lineage| lineage.families.is_disjoint(set)))
            }
        }
    }
}

fn is_unrelated(lineage: &Lineage, recused: &BTreeSet<Family>) -> bool {
    lineage.is_known() && lineage.families.is_disjoint(recused)
}

/// How a lineage stands to the author of a change.
pub fn relation(lineage: &Lineage, attribution: &Attribution) -> Relation {
    let recused = attribution.recused();
    let shared: BTreeSet<Family> = lineage.shared_with(&recused).cloned().collect();
    if !shared.is_empty() {
        return Relation::Related { families: shared };
    }
    if !lineage.is_known() {
        return Relation::UnknownLineage;
    }
    Relation::Unrelated
}

/// Chooses the panel.
pub fn choose(input: &PanelInput<'_>) -> Panel {
    let strict_need = Need::strict(input.attribution, input.lineage_sets);
    let need = match input.policy.independence {
        Independence::Off | Independence::Prefer => Need::Any,
        Independence::Require => strict_need.clone(),
    };
    let relations: Vec<Relation> =
        input.engines.iter().map(|engine| relation(&engine.lineage, input.attribution)).collect();
    let recused = recusals(input, &relations);
    let mut seats = Vec::new();
    let mut lenses = Vec::new();
    let mut times_seated: BTreeMap<usize, usize> = BTreeMap::new();
    for wish in input.wishes {
        let rules_seat = (!wish.rules_files.is_empty()).then(|| Seat {
            lens: wish.lens,
            reviewer: Reviewer::Rules,
            files: wish.rules_files.clone(),
            relation: Relation::NoLineage,
            reason: "deterministic, nobody's family".to_owned(),
        });
        if input.policy.offline {
            let (asked, reason) = match &rules_seat {
                Some(_) => (Asked::Rules, "rules only, as asked".to_owned()),
                None if !wish.needed => (Asked::NotNeeded, wish.reason.clone()),
                None if wish.model_files.is_empty() => (Asked::Nobody, wish.reason.clone()),
                None => (Asked::Nobody, "only a model can look through it, and none was asked".to_owned()),
            };
            lenses.push(LensPanel { lens: wish.lens, asked, reason, unmet: None });
            seats.extend(rules_seat);
            continue;
        }
        seats.extend(rules_seat.clone());
        if wish.model_files.is_empty() && wish.kept_back.is_empty() {
            let asked = match (&rules_seat, wish.needed) {
                (Some(_), _) => Asked::Rules,
                (None, true) => Asked::Nobody,
                (None, false) => Asked::NotNeeded,
            };
            lenses.push(LensPanel { lens: wish.lens, asked, reason: wish.reason.clone(), unmet: None });
            continue;
        }
        let chosen = seat_models(input, (&need, &strict_need), &relations, &recused, &times_seated);
        for &(engine, ref reason) in &chosen.engines {
            *times_seated.entry(engine).or_default() += 1;
            seats.push(Seat {
                lens: wish.lens,
                reviewer: Reviewer::Model(engine),
                files: wish.model_files.clone(),
                relation: relations[engine].clone(),
                reason: reason.clone(),
            });
        }
        lenses.push(LensPanel {
            lens: wish.lens,
            asked: Asked::Models,
            reason: wish.reason.clone(),
            unmet: chosen.unmet,
        });
    }
    Panel { need, strict_need, seats, recused, lenses }
}

fn recusals(input: &PanelInput<'_>, relations: &[Relation]) -> Vec<Recusal> {
    if input.policy.offline {
        return Vec::new();
    }
    let strict = input.policy.independence == Independence::Require;
    let author_may_be_a_model = !matches!(Need::strict(input.attribution, &[]), Need::Any);
    let mut recused = Vec::new();
    for (engine, relation) in relations.iter().enumerate() {
        let reason = match relation {
            Relation::NoLineage | Relation::Unrelated => continue,
            Relation::Related { families } => {
                let names = list(families.iter().map(Family::as_str));
                format!("shares {names} with the author of this change")
            }
            Relation::UnknownLineage if author_may_be_a_model => {
                "nobody knows all that it descends from, so it cannot be counted as independent".to_owned()
            }
            Relation::UnknownLineage => continue,
        };
        if strict {
            recused.push(Recusal { engine, relation: relation.clone(), reason });
        }
    }
    recused
}

struct Chosen {
    engines: Vec<(usize, String)>,
    unmet: Option<Unmet>,
}

/// Seats models for one lens.
fn seat_models(
    input: &PanelInput<'_>,
    (need, strict_need): (&Need, &Need),
    relations: &[Relation],
    recused: &[Recusal],
    times_seated: &BTreeMap<usize, usize>,
) -> Chosen {
    if input.engines.is_empty() {
        let reason = "no model is configured".to_owned();
        return Chosen { engines: Vec::new(), unmet: Some(Unmet { problem: UnmetKind::NoModel, reason }) };
    }
    let prefer_unrelated = input.policy.independence != Independence::Off;
    let mut candidates: Vec<usize> = (0..input.engines.len())
        .filter(|engine| recused.iter().all(|recusal| recusal.engine != *engine))
        .collect();
    candidates.sort_by_key(|engine| {
        let tainted = prefer_unrelated && relations[*engine] != Relation::Unrelated;
        (tainted, times_seated.get(engine).copied().unwrap_or(0), *engine)
    });
    if candidates.is_empty() {
        let unknown = recused.iter().any(|recusal| recusal.relation == Relation::UnknownLineage);
        let or_unknown = if unknown { ", or nobody knows what it descends from" } else { "" };
        let reason = format!("every configured model is related to the author of this change{or_unknown}");
        return Chosen { engines: Vec::new(), unmet: Some(Unmet { problem: UnmetKind::AllRelated, reason }) };
    }
    let wanted = input.policy.reviewers_per_lens.max(1);
    let diverse = pick_diverse(input, relations, &candidates, wanted);
    let lineages = |engines: &[usize]| -> Vec<&Lineage> {
        engines.iter().map(|engine| &input.engines[*engine].lineage).collect()
    };
    // The first choice is the most diverse one; an unknown author may need another combination.
    let picked = if strict_need.is_met_by(&lineages(&diverse)) {
        diverse
    } else {
        combination(&candidates, &|engines| strict_need.is_met_by(&lineages(engines))).unwrap_or(diverse)
    };
    let unmet = (!need.is_met_by(&lineages(&picked))).then(|| Unmet {
        problem: UnmetKind::NotDiverseEnough,
        reason: "an unknown model wrote this change, and the configured models do not differ enough for one \
                 of them to be unrelated to it whatever it was"
            .to_owned(),
    });
    let engines = picked.into_iter().map(|engine| (engine, seat_reason(&relations[engine], input))).collect();
    Chosen { engines, unmet }
}

/// Picks in rank order, skipping what is related to somebody already picked.
///
/// A related candidate is only taken when nobody else is there, and then alone.
fn pick_diverse(
    input: &PanelInput<'_>,
    relations: &[Relation],
    candidates: &[usize],
    wanted: usize,
) -> Vec<usize> {
    let mut picked: Vec<usize> = Vec::new();
    for &engine in candidates {
        let lineage = &input.engines[engine].lineage;
        let tainted = relations[engine] != Relation::Unrelated;
        let adds = picked.iter().all(|other| input.engines[*other].lineage.is_unrelated_to(lineage));
        if picked.is_empty() || (adds && !(tainted && input.policy.independence != Independence::Off)) {
            picked.push(engine);
        }
        if picked.len() == wanted {
            break;
        }
    }
    picked
}

/// The most engines that one lens is given to cover an unknown author.
const MOST_FOR_UNKNOWN: usize = 4;

/// The most candidates that are combined; the first ones in rank order.
const MOST_CANDIDATES: usize = 14;

/// The first combination, smallest first and in rank order, that fulfils a condition.
fn combination(candidates: &[usize], fulfils: &dyn Fn(&[usize]) -> bool) -> Option<Vec<usize>> {
    let pool = &candidates[..candidates.len().min(MOST_CANDIDATES)];
    (2..=MOST_FOR_UNKNOWN.min(pool.len())).find_map(|size| extend(&mut Vec::new(), pool, size, fulfils))
}

fn extend(
    picked: &mut Vec<usize>,
    pool: &[usize],
    size: usize,
    fulfils: &dyn Fn(&[usize]) -> bool,
) -> Option<Vec<usize>> {
    if picked.len() == size {
        return fulfils(picked).then(|| picked.clone());
    }
    for (index, &engine) in pool.iter().enumerate() {
        picked.push(engine);
        let found = extend(picked, &pool[index + 1..], size, fulfils);
        picked.pop();
        if found.is_some() {
            return found;
        }
    }
    None
}

fn seat_reason(relation: &Relation, input: &PanelInput<'_>) -> String {
    match relation {
        Relation::NoLineage => "deterministic, nobody's family".to_owned(),
        Relation::Unrelated => match input.attribution.state() {
            AuthorState::Human => "people wrote this change".to_owned(),
            AuthorState::NoEvidence | AuthorState::Bot => "no trace relates it to the author".to_owned(),
            AuthorState::UnknownAi => {
                "with the others of this lens it covers every known lineage of an unknown author".to_owned()
            }
            AuthorState::Ai | AuthorState::Mixed | AuthorState::Conflict => {
                let names = list(input.attribution.recused().iter().map(Family::as_str));
                format!("shares no family with {names}")
            }
        },
        Relation::Related { families } => {
            let names = list(families.iter().map(Family::as_str));
            format!("related by {names}; the policy `{}` allows it, marked", input.policy.independence.name())
        }
        Relation::UnknownLineage => {
            "its ancestry is not known, so it is not counted as independent".to_owned()
        }
    }
}

/// Writes names as a list: `a`, `a and b`, `a, b and c`.
pub fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match names.as_slice() {
        [] => "nobody".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::LineageSource;

    const FAMILIES: [&str; 6] = ["anthropic", "openai", "google", "qwen", "deepseek", "meta"];

    fn engine(families: &BTreeSet<usize>) -> Engine {
        let lineage = Lineage::of(families.iter().map(|family| FAMILIES[*family]));
        Engine {
            id: "p/m".into(),
            provider: "p".into(),
            model: "m".into(),
            lineage: if families.is_empty() { Lineage::unknown() } else { lineage },
            lineage_source: LineageSource::Declared,
            context_tokens: 1,
            max_output_tokens: 1,
            price: None,
            price_as_of: None,
        }
    }

    fn named(families: &BTreeSet<usize>) -> BTreeSet<Family> {
        families.iter().map(|family| Family::new(FAMILIES[*family])).collect()
    }

    /// Each family alone, and two that descend from two.
    fn lineage_sets() -> Vec<BTreeSet<Family>> {
        let mut sets: Vec<_> = (0..FAMILIES.len()).map(|family| named(&BTreeSet::from([family]))).collect();
        sets.push(named(&BTreeSet::from([3, 4])));
        sets.push(named(&BTreeSet::from([4, 5])));
        sets
    }

    fn seat(attribution: &Attribution, engines: &[Engine], independence: Independence) -> Panel {
        let wish = |lens| LensWish {
            lens,
            model_files: vec![0],
            kept_back: Vec::new(),
            rules_files: Vec::new(),
            needed: true,
            reason: String::new(),
        };
        choose(&PanelInput {
            attribution,
            wishes: &[wish(Lens::Security), wish(Lens::Correctness)],
            engines,
            policy: &Policy { independence, ..Policy::default() },
            lineage_sets: &lineage_sets(),
        })
    }

    fn seated(panel: &Panel, lens: Lens) -> Vec<usize> {
        let seats = panel.seats.iter().filter(|seat| seat.lens == lens);
        seats
            .filter_map(|seat| match seat.reviewer {
                Reviewer::Rules => None,
                Reviewer::Model(engine) => Some(engine),
            })
            .collect()
    }

    fn authors() -> impl Strategy<Value = Attribution> {
        let families = proptest::collection::btree_set(0..FAMILIES.len(), 0..3);
        (families, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
            |(families, unknown, human, vouched)| Attribution {
                families: named(&families),
                unknown_agent: unknown,
                human_declared: human,
                vouched,
                ..Attribution::default()
            },
        )
    }

    fn rosters() -> impl Strategy<Value = Vec<Engine>> {
        let lineage = proptest::collection::btree_set(0..FAMILIES.len(), 0..3);
        proptest::collection::vec(lineage.prop_map(|families| engine(&families)), 0..7)
    }

    proptest! {
        /// Law 1: whatever evidence is added, nobody related to what remains evidenced is seated, and a panel that
        /// was not enough does not become enough.
        #[test]
        fn more_evidence_only_recuses(author in authors(), engines in rosters(), forged in 0..FAMILIES.len()) {
            let before = seat(&author, &engines, Independence::Require);
            let mut more = author.clone();
            more.families.insert(Family::new(FAMILIES[forged]));
            let after = seat(&more, &engines, Independence::Require);
            for (lens, before) in [Lens::Security, Lens::Correctness].map(|lens| (lens, &before)) {
                for engine in seated(&after, lens) {
                    prop_assert!(engines[engine].lineage.families.is_disjoint(&more.recused()));
                }
                let unmet = |panel: &Panel| panel.unmet().any(|(unmet, _)| unmet.lens == lens);
                prop_assert!(!unmet(before) || unmet(&after));
            }
            let recused = |panel: &Panel| panel.recused.iter().map(|it| it.engine).collect::<BTreeSet<_>>();
            prop_assert!(recused(&before).is_subset(&recused(&after)));
        }

        /// Law 3: under `require` an unknown author has, in every lens that is met, somebody unrelated whatever it
        /// was; naming a family beside it takes nothing of that away.
        #[test]
        fn an_unknown_author_is_covered_whatever_it_was(mut author in authors(), engines in rosters()) {
            author.unknown_agent = true;
            let panel = seat(&author, &engines, Independence::Require);
            for lens in [Lens::Security, Lens::Correctness] {
                if panel.unmet().any(|(unmet, _)| unmet.lens == lens) {
                    continue;
                }
                let seated = seated(&panel, lens);
                for set in lineage_sets() {
                    let unrelated = |engine: &usize| engines[*engine].lineage.families.is_disjoint(&set);
                    prop_assert!(seated.iter().any(unrelated), "{set:?}");
                }
            }
        }

        /// A panel that could be seated is: where some four of the roster would be enough, the lens is met.
        #[test]
        fn what_the_roster_can_meet_is_met(author in authors(), engines in rosters()) {
            let panel = seat(&author, &engines, Independence::Require);
            let all: Vec<usize> = (0..engines.len()).collect();
            let lineages = |picked: &[usize]| -> Vec<&Lineage> {
                picked.iter().map(|engine| &engines[*engine].lineage).collect()
            };
            let meets = |picked: &[usize]| panel.need.is_met_by(&lineages(picked));
            let possible = all.iter().any(|one| meets(&[*one])) || combination(&all, &meets).is_some();
            prop_assert_eq!(panel.unmet().next().is_none(), possible);
        }

        /// Law 3: `prefer` and `off` seat somebody wherever there is anybody, and mark who is related.
        #[test]
        fn lenient_policies_seat_and_mark(author in authors(), engines in rosters(), off in any::<bool>()) {
            let policy = if off { Independence::Off } else { Independence::Prefer };
            let panel = seat(&author, &engines, policy);
            prop_assert_eq!(panel.unmet().next().is_none(), !engines.is_empty());
            prop_assert!(panel.recused.is_empty());
            for seat in &panel.seats {
                let Reviewer::Model(engine) = seat.reviewer else { continue };
                prop_assert_eq!(&seat.relation, &relation(&engines[engine].lineage, &author));
            }
        }
    }
}
