//! Who is seated, who is recused, and why (laws 1 to 3).
//!
//! Lens by lens: the engines that share a family with an author are recused, the rest are ranked (diversity
//! across the panel first, then the operator's order, price and context), and as many as are wanted are seated.
//! Where nobody is unrelated to all authors and it is known who wrote which hunks, the hunks are split between
//! panels. What a hunk *needs* is a value of its own ([`Need`]), because the same question is asked again after the
//! answers are in: who really answered, as what model, and is that still enough?

mod rank;
mod relief;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attribution::{Attribution, AuthorState, Authors, HunkIndex, Share};
use crate::engine::Engine;
use crate::lineage::{Edge, EdgeKind};
use crate::policy::{Independence, Policy};
use crate::{Family, Lens, Lineage};
use rank::ranked;

pub use relief::{Examiner, Substitution, examiner, substitute};
pub(crate) use relief::{examiner_reason, stand_in_reason};

/// What a panel is chosen from.
#[derive(Debug, Clone, Copy)]
pub struct PanelInput<'a> {
    /// Who wrote the change.
    pub attribution: &'a Attribution,
    /// Who wrote which of its hunks.
    pub shares: &'a [Share],
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
    /// What the policy asks of the answers, for the hunks of each share.
    pub needs: Vec<ShareNeed>,
    /// The seats; a reviewer is named by its index in here.
    pub seats: Vec<Seat>,
    /// Engines that may not review this change, or that are not counted on.
    pub recused: Vec<Recusal>,
    /// Every lens: seated or not, and why.
    pub lenses: Vec<LensPanel>,
}

/// What is asked of the answers about the hunks that the same authors wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareNeed {
    /// The hunks.
    pub hunks: BTreeSet<HunkIndex>,
    /// Who wrote them.
    pub authors: Authors,
    /// What the policy asks.
    pub need: Need,
    /// What independence would ask under `require`; only for saying whether it was reached.
    pub strict: Need,
}

impl Panel {
    /// The lenses for which no sufficient panel could be seated.
    pub fn unmet(&self) -> impl Iterator<Item = (&LensPanel, &Unmet)> {
        self.lenses.iter().filter_map(|lens| lens.unmet.as_ref().map(|unmet| (lens, unmet)))
    }

    /// What is asked of the answers about one hunk; `None` for a hunk that the change does not have.
    pub fn need_of(&self, hunk: HunkIndex) -> Option<&ShareNeed> {
        self.needs.iter().find(|share| share.hunks.contains(&hunk))
    }

    /// Whether some seats look only at the lines of others.
    pub fn is_split(&self) -> bool {
        self.seats.iter().any(|seat| seat.scope != Scope::AllHunks)
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
    /// Which of their hunks.
    pub scope: Scope,
    /// Who wrote those.
    pub authors: Authors,
    /// How it stands to them.
    pub relation: Relation,
    /// The seat (by index) for which it stands in.
    pub stands_in_for: Option<usize>,
    /// Why it was seated.
    pub reason: String,
}

/// Which hunks of its files a reviewer looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    AllHunks,
    /// These, because their authors are others than those of the rest.
    Hunks(BTreeSet<HunkIndex>),
}

impl Scope {
    /// Whether a hunk is among them.
    pub fn holds(&self, hunk: HunkIndex) -> bool {
        match self {
            Self::AllHunks => true,
            Self::Hunks(hunks) => hunks.contains(&hunk),
        }
    }
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

impl UnmetKind {
    /// What would help; `no_model` says what to set where no model is configured at all.
    pub fn remedy(self, no_model: &str) -> String {
        match self {
            Self::NoModel => no_model.to_owned(),
            Self::AllRelated => {
                "add a key or a local server of another family, or allow it with `--independence prefer`"
                    .to_owned()
            }
            Self::NotDiverseEnough => {
                "add a model of one more family, declare the author with `--written-by`, or allow it with \
                 `--independence prefer`"
                    .to_owned()
            }
        }
    }
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
    /// What independence asks for under `require`, given who wrote the lines.
    pub fn strict(authors: &Authors, lineage_sets: &[BTreeSet<Family>]) -> Self {
        let recused = authors.families.clone();
        if authors.unknown_agent {
            Self::Transversal { recused, lineage_sets: lineage_sets.to_vec() }
        } else if recused.is_empty() {
            Self::Any
        } else {
            Self::Unrelated { recused }
        }
    }

    fn of(authors: &Authors, input: &PanelInput<'_>) -> Self {
        match input.policy.independence {
            Independence::Off | Independence::Prefer => Self::Any,
            Independence::Require => Self::strict(authors, input.lineage_sets),
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

/// How a lineage stands to the authors of some lines.
pub fn relation(lineage: &Lineage, authors: &Authors) -> Relation {
    let shared: BTreeSet<Family> = lineage.shared_with(&authors.families).cloned().collect();
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
    let need = |share: &Share| ShareNeed {
        hunks: share.hunks.clone(),
        authors: share.authors.clone(),
        need: Need::of(&share.authors, input),
        strict: Need::strict(&share.authors, input.lineage_sets),
    };
    let mut panel = Panel {
        needs: input.shares.iter().map(need).collect(),
        seats: Vec::new(),
        recused: Vec::new(),
        lenses: Vec::new(),
    };
    for wish in input.wishes {
        let rules_seat = (!wish.rules_files.is_empty()).then(|| Seat {
            lens: wish.lens,
            reviewer: Reviewer::Rules,
            files: wish.rules_files.clone(),
            scope: Scope::AllHunks,
            authors: input.attribution.authors(),
            relation: Relation::NoLineage,
            stands_in_for: None,
            reason: "deterministic, nobody's family".to_owned(),
        });
        let by_rules = rules_seat.is_some();
        panel.seats.extend(rules_seat);
        let for_models = !wish.model_files.is_empty() || !wish.kept_back.is_empty();
        let (asked, reason) = match (input.policy.offline, by_rules) {
            (false, _) if for_models => (Asked::Models, wish.reason.clone()),
            (true, true) => (Asked::Rules, "rules only, as asked".to_owned()),
            (false, true) => (Asked::Rules, wish.reason.clone()),
            (_, false) if !wish.needed => (Asked::NotNeeded, wish.reason.clone()),
            (true, false) if !wish.model_files.is_empty() => {
                (Asked::Nobody, "only a model can look through it, and none was asked".to_owned())
            }
            (_, false) => (Asked::Nobody, wish.reason.clone()),
        };
        let unmet = if asked == Asked::Models { seat_lens(input, wish, &mut panel) } else { None };
        panel.lenses.push(LensPanel { lens: wish.lens, asked, reason, unmet });
    }
    panel.recused = recusals(input, &panel);
    panel
}

/// Who of the roster is kept from the change as a whole. Who looks at the lines of others even so is told apart.
pub(crate) fn recusals(input: &PanelInput<'_>, panel: &Panel) -> Vec<Recusal> {
    if input.policy.offline {
        return Vec::new();
    }
    let is_seated = |engine: usize| panel.seats.iter().any(|seat| seat.reviewer == Reviewer::Model(engine));
    let authors = input.attribution.authors();
    let of_engine = |engine: usize| {
        let relation = relation(&input.engines[engine].lineage, &authors);
        let mut reason = bar(&relation, &authors, input)?;
        if let Relation::Related { families } = &relation {
            reason.push_str(&descent(&input.engines[engine], families));
        }
        if is_seated(engine) {
            reason.push_str("; it looks at the lines of others only");
        }
        Some(Recusal { engine, relation, reason })
    };
    (0..input.engines.len()).filter_map(of_engine).collect()
}

/// By which steps a model descends from families that are not its maker's.
fn descent(engine: &Engine, families: &BTreeSet<Family>) -> String {
    let of_kin = |edge: &&Edge| {
        let is_shared = families.iter().any(|family| family.as_str() == edge.from);
        is_shared && edge.kind.is_descent() && edge.kind != EdgeKind::MadeBy
    };
    let step = |edge: &Edge| {
        let doubt = if edge.certain { "" } else { "probably " };
        format!("{doubt}{} {} ({}, {})", edge.kind.words(), edge.from, edge.source, edge.date)
    };
    let steps: Vec<String> = engine.edges.iter().filter(of_kin).map(step).collect();
    if steps.is_empty() { String::new() } else { format!(": it {}", steps.join(", and ")) }
}

/// Why a model may not review what somebody wrote, if it may not.
fn bar(relation: &Relation, authors: &Authors, input: &PanelInput<'_>) -> Option<String> {
    if input.policy.independence != Independence::Require {
        return None;
    }
    match relation {
        Relation::NoLineage | Relation::Unrelated => None,
        Relation::Related { families } => {
            let names = list(families.iter().map(Family::as_str));
            Some(format!("shares {names} with the author of this change"))
        }
        Relation::UnknownLineage => (*authors != Authors::default()).then(|| {
            "nobody knows all that it descends from, so it cannot be counted as independent".to_owned()
        }),
    }
}

/// Seats models for one lens; what is missing if they are not enough.
fn seat_lens(input: &PanelInput<'_>, wish: &LensWish, panel: &mut Panel) -> Option<Unmet> {
    let authors = input.attribution.authors();
    let whole = seat_models(input, &authors, &panel.seats);
    // Lines are only told apart where nobody can look at all of them.
    let split = match (&whole.unmet, input.shares) {
        (Some(_), [_, _, ..]) if !input.engines.is_empty() => {
            split_lens(input, wish, panel, whole.engines.is_empty())
        }
        (Some(_) | None, _) => None,
    };
    if let Some(split) = split {
        panel.seats.extend(split.seats);
        return split.unmet;
    }
    let seats =
        whole.engines.into_iter().map(|chosen| seat(chosen, wish, Scope::AllHunks, &authors, String::new()));
    panel.seats.extend(seats);
    whole.unmet
}

/// One lens whose hunks are looked at by different models.
struct Split {
    seats: Vec<Seat>,
    unmet: Option<Unmet>,
}

/// Seats models for each share by itself; nothing where that is no better than what there is.
fn split_lens(input: &PanelInput<'_>, wish: &LensWish, panel: &Panel, nobody_else: bool) -> Option<Split> {
    let mut seats: Vec<Seat> = Vec::new();
    let mut unmet: Option<Unmet> = None;
    for share in input.shares {
        let scope: BTreeSet<HunkIndex> =
            share.hunks.iter().copied().filter(|(file, _)| wish.model_files.contains(file)).collect();
        if scope.is_empty() {
            continue;
        }
        let so_far: Vec<Seat> = panel.seats.iter().chain(&seats).cloned().collect();
        let chosen = seat_models(input, &share.authors, &so_far);
        let whose = whose(&share.authors);
        for engine in chosen.engines {
            seats.push(seat(engine, wish, Scope::Hunks(scope.clone()), &share.authors, whose.clone()));
        }
        unmet = unmet.or(chosen.unmet);
    }
    let is_better = unmet.is_none() || (nobody_else && !seats.is_empty());
    is_better.then_some(Split { seats, unmet })
}

/// Whose lines a seat looks at that does not look at all of them, before the reason for it.
pub(crate) fn whose(authors: &Authors) -> String {
    match authors.families.is_empty() && !authors.unknown_agent {
        true => "for the lines that no trace gives to a model: ".to_owned(),
        false => format!("for the lines of {}: ", author_names(authors)),
    }
}

fn author_names(authors: &Authors) -> String {
    let unknown = authors.unknown_agent.then_some("an unknown model");
    list(authors.families.iter().map(Family::as_str).chain(unknown))
}

fn seat(chosen: ChosenEngine, wish: &LensWish, scope: Scope, authors: &Authors, whose: String) -> Seat {
    Seat {
        lens: wish.lens,
        reviewer: Reviewer::Model(chosen.engine),
        files: match &scope {
            Scope::AllHunks => wish.model_files.clone(),
            Scope::Hunks(hunks) => {
                let has_some = |file: &usize| hunks.iter().any(|(of, _)| of == file);
                wish.model_files.iter().copied().filter(has_some).collect()
            }
        },
        scope,
        authors: authors.clone(),
        relation: chosen.relation,
        stands_in_for: None,
        reason: format!("{whose}{}", chosen.reason),
    }
}

struct Chosen {
    engines: Vec<ChosenEngine>,
    unmet: Option<Unmet>,
}

struct ChosenEngine {
    engine: usize,
    relation: Relation,
    reason: String,
}

/// Picks models for lines of these authors.
fn seat_models(input: &PanelInput<'_>, authors: &Authors, seats: &[Seat]) -> Chosen {
    let unmet = |problem, reason: String| Some(Unmet { problem, reason });
    if input.engines.is_empty() {
        let reason = "no model is configured".to_owned();
        return Chosen { engines: Vec::new(), unmet: unmet(UnmetKind::NoModel, reason) };
    }
    let candidates = ranked(input, authors, seats);
    if candidates.is_empty() {
        let is_unknown = |engine: &Engine| relation(&engine.lineage, authors) == Relation::UnknownLineage;
        let unknown = input.engines.iter().any(is_unknown);
        let or_unknown = if unknown { ", or nobody knows what it descends from" } else { "" };
        let reason = format!("every configured model is related to the author of this change{or_unknown}");
        return Chosen { engines: Vec::new(), unmet: unmet(UnmetKind::AllRelated, reason) };
    }
    let strict_need = Need::strict(authors, input.lineage_sets);
    let diverse = pick_diverse(input, authors, &candidates);
    let lineages = |engines: &[usize]| -> Vec<&Lineage> {
        engines.iter().map(|engine| &input.engines[*engine].lineage).collect()
    };
    // The first choice is the most diverse one; an unknown author may need another combination.
    let picked = if strict_need.is_met_by(&lineages(&diverse)) {
        diverse
    } else {
        combination(&candidates, &|engines| strict_need.is_met_by(&lineages(engines))).unwrap_or(diverse)
    };
    let is_enough = Need::of(authors, input).is_met_by(&lineages(&picked));
    let not_diverse = || {
        "a model that nobody named worked on this change, and the configured models do not differ enough for one of them to be \
         unrelated to it whatever it was"
            .to_owned()
    };
    Chosen {
        unmet: if is_enough { None } else { unmet(UnmetKind::NotDiverseEnough, not_diverse()) },
        engines: {
            let unknown = Unknown::with(&lineages(&picked), &strict_need);
            picked.into_iter().map(|engine| chosen_engine(engine, authors, unknown, input)).collect()
        },
    }
}

/// Whether a lens has somebody unrelated to an unknown author, whichever model that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    Covered,
    NotCovered,
}

impl Unknown {
    /// What models of these lineages are together.
    pub(crate) fn with(lineages: &[&Lineage], strict_need: &Need) -> Self {
        if strict_need.is_met_by(lineages) { Self::Covered } else { Self::NotCovered }
    }
}

fn chosen_engine(engine: usize, authors: &Authors, unknown: Unknown, input: &PanelInput<'_>) -> ChosenEngine {
    let relation = relation(&input.engines[engine].lineage, authors);
    let reason = seat_reason(&relation, authors, unknown, input);
    ChosenEngine { engine, relation, reason }
}

/// Picks in rank order, skipping what is related to somebody already picked; where one that ranks high stands in the way of
/// several others, those.
///
/// A related candidate is only taken when nobody else is there, and then alone.
fn pick_diverse(input: &PanelInput<'_>, authors: &Authors, candidates: &[usize]) -> Vec<usize> {
    let lineage = |engine: usize| &input.engines[engine].lineage;
    let may_sit_with_others = |engine: usize| {
        input.policy.independence == Independence::Off
            || relation(lineage(engine), authors) == Relation::Unrelated
    };
    let wanted = input.policy.reviewers_per_lens.max(1);
    let mut picked: Vec<usize> = Vec::new();
    for &engine in candidates {
        let adds = picked.iter().all(|other| lineage(*other).is_unrelated_to(lineage(engine)));
        if picked.is_empty() || (adds && may_sit_with_others(engine)) {
            picked.push(engine);
        }
        if picked.len() == wanted {
            return picked;
        }
    }
    let pool: Vec<usize> = candidates
        .iter()
        .copied()
        .filter(|&engine| may_sit_with_others(engine))
        .take(MOST_CANDIDATES)
        .collect();
    let are_diverse = |engines: &[usize]| {
        let unrelated_before = |at: usize| {
            engines[..at].iter().all(|other| lineage(*other).is_unrelated_to(lineage(engines[at])))
        };
        (1..engines.len()).all(unrelated_before)
    };
    let more = |size: usize| extend(&mut Vec::new(), &pool, size, &are_diverse);
    (picked.len() + 1..=wanted.min(pool.len())).rev().find_map(more).unwrap_or(picked)
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

/// Why a model may look at what these authors wrote.
pub(crate) fn seat_reason(
    relation: &Relation,
    authors: &Authors,
    unknown: Unknown,
    input: &PanelInput<'_>,
) -> String {
    let from = || list(authors.families.iter().map(Family::as_str));
    match relation {
        Relation::NoLineage => "deterministic, nobody's family".to_owned(),
        Relation::Unrelated if authors.unknown_agent && unknown == Unknown::Covered => {
            "whichever model the author used, one reviewer of this lens is unrelated to it".to_owned()
        }
        Relation::Unrelated if authors.unknown_agent && authors.families.is_empty() => {
            "it may be related to the unknown model".to_owned()
        }
        Relation::Unrelated if authors.unknown_agent => {
            format!("shares no family with {}; it may be related to the unknown model", from())
        }
        Relation::Unrelated if !authors.families.is_empty() => format!("shares no family with {}", from()),
        Relation::Unrelated if input.attribution.state() == AuthorState::Human => {
            "people wrote this change".to_owned()
        }
        Relation::Unrelated => "no trace relates it to the author".to_owned(),
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
mod tests;
