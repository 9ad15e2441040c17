//! The laws over generated authors and rosters, and what a panel looks like in the cases that people meet.

use proptest::prelude::*;

use super::*;
use crate::engine::LineageSource;
use crate::outcome::EndingKind;

const FAMILIES: [&str; 6] = ["anthropic", "openai", "google", "qwen", "deepseek", "meta"];

fn engine(families: &BTreeSet<usize>) -> Engine {
    let lineage = Lineage::of(families.iter().map(|family| FAMILIES[*family]));
    Engine {
        id: "p/m".into(),
        preference: 0,
        provider: "p".into(),
        model: "m".into(),
        lineage: if families.is_empty() { Lineage::unknown() } else { lineage },
        lineage_source: LineageSource::Declared,
        edges: Vec::new(),
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
    let whole = Share { authors: attribution.authors(), hunks: BTreeSet::from([(0, 0), (0, 1)]) };
    seat_shares(attribution, &[whole], engines, independence)
}

fn seat_shares(
    attribution: &Attribution,
    shares: &[Share],
    engines: &[Engine],
    independence: Independence,
) -> Panel {
    with_input(attribution, shares, engines, independence, choose)
}

/// Calls something with what a panel of two lenses on one file is chosen from.
fn with_input<T>(
    attribution: &Attribution,
    shares: &[Share],
    engines: &[Engine],
    independence: Independence,
    call: impl FnOnce(&PanelInput<'_>) -> T,
) -> T {
    let wish = |lens| LensWish {
        lens,
        model_files: vec![0],
        kept_back: Vec::new(),
        rules_files: Vec::new(),
        needed: true,
        reason: String::new(),
    };
    call(&PanelInput {
        attribution,
        shares,
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
    (families, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(families, unknown, human, vouched)| {
        Attribution {
            families: named(&families),
            unknown_agent: unknown,
            human_declared: human,
            vouched,
            ..Attribution::default()
        }
    })
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
        let meets = |picked: &[usize]| panel.needs[0].need.is_met_by(&lineages(picked));
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
            prop_assert_eq!(&seat.relation, &relation(&engines[engine].lineage, &author.authors()));
        }
    }
}

/// An engine of one family; the id is the family's name.
fn of(family: &str) -> Engine {
    let mut engine = engine(&BTreeSet::new());
    engine.lineage = Lineage::of([family]);
    engine.id = family.to_owned();
    engine
}

fn by(families: &[&str]) -> Authors {
    Authors { families: families.iter().map(|family| Family::new(family)).collect(), unknown_agent: false }
}

fn attribution(families: &[&str]) -> Attribution {
    Attribution { families: by(families).families, ..Attribution::default() }
}

/// Two hunks of one file by different authors.
fn two_shares(first: Authors, second: Authors) -> Vec<Share> {
    let share = |authors, hunk| Share { authors, hunks: BTreeSet::from([(0, hunk)]) };
    vec![share(first, 0), share(second, 1)]
}

/// `engine: hunks`, for the seats of one lens.
fn scopes(panel: &Panel, engines: &[Engine]) -> Vec<String> {
    let of_lens = panel.seats.iter().filter(|seat| seat.lens == Lens::Security);
    of_lens
        .map(|seat| {
            let Reviewer::Model(engine) = seat.reviewer else { panic!("only models are seated") };
            let hunks = match &seat.scope {
                Scope::AllHunks => "all".to_owned(),
                Scope::Hunks(hunks) => hunks.iter().map(|(_, hunk)| hunk.to_string()).collect(),
            };
            format!("{}: {hunks}", engines[engine].id)
        })
        .collect()
}

#[test]
fn the_lines_of_two_families_are_split_where_nobody_may_see_both() {
    let engines = [of("anthropic"), of("openai")];
    let author = attribution(&["anthropic", "openai"]);
    let shares = two_shares(by(&["anthropic"]), by(&["openai"]));
    let panel = seat_shares(&author, &shares, &engines, Independence::Require);
    assert_eq!(scopes(&panel, &engines), ["openai: 0", "anthropic: 1"]);
    assert!(panel.unmet().next().is_none() && panel.is_split());
    assert!(
        panel.recused.iter().all(|recusal| recusal.reason.ends_with("it looks at the lines of others only"))
    );
    // Somebody unrelated to both looks at everything instead.
    let engines = [of("anthropic"), of("openai"), of("google")];
    let panel = seat_shares(&author, &shares, &engines, Independence::Require);
    assert_eq!(scopes(&panel, &engines), ["google: all"]);
    // Lines of both are for neither.
    let engines = [of("anthropic"), of("openai")];
    let shares = two_shares(by(&["anthropic"]), by(&["anthropic", "openai"]));
    let panel = seat_shares(&author, &shares, &engines, Independence::Require);
    assert_eq!(scopes(&panel, &engines), ["openai: 0"]);
    assert_eq!(panel.unmet().count(), 2);
}

#[test]
fn preference_then_price_then_context_decide_between_families_that_are_seated_as_often() {
    let engines = |change: fn(&mut Engine)| {
        let mut engines = [of("openai"), of("google")];
        change(&mut engines[1]);
        engines
    };
    let first = |engines: &[Engine]| {
        let panel = seat(&attribution(&["anthropic"]), engines, Independence::Require);
        scopes(&panel, engines)[0].clone()
    };
    assert_eq!(first(&engines(|_| ())), "openai: all");
    assert_eq!(first(&engines(|engine| engine.context_tokens = 2)), "google: all");
    assert_eq!(
        first(&engines(|engine| engine.price = Some(crate::engine::Price::flat(1, 1)))),
        "google: all"
    );
    let mut ordered = engines(|engine| engine.price = Some(crate::engine::Price::flat(1, 1)));
    ordered[1].preference = 1;
    assert_eq!(first(&ordered), "openai: all");
    // The second lens goes to the family that has no seat yet, whatever it costs.
    let engines = engines(|engine| engine.preference = 7);
    let policy = Policy { reviewers_per_lens: 1, ..Policy::default() };
    let author = attribution(&["anthropic"]);
    let share = Share { authors: author.authors(), hunks: BTreeSet::from([(0, 0)]) };
    let panel = with_input(&author, &[share], &engines, Independence::Require, |input| {
        choose(&PanelInput { policy: &policy, ..*input })
    });
    assert_eq!((seated(&panel, Lens::Security), seated(&panel, Lens::Correctness)), (vec![0], vec![1]));
}

#[test]
fn a_substitute_is_somebody_who_could_have_been_seated() {
    let engines = [of("openai"), of("google"), of("anthropic"), of("qwen"), of("openai")];
    let author = attribution(&["anthropic"]);
    let share = Share { authors: author.authors(), hunks: BTreeSet::from([(0, 0)]) };
    let policy = Policy { reviewers_per_lens: 1, ..Policy::default() };
    with_input(&author, &[share], &engines, Independence::Require, |input| {
        let input = PanelInput { policy: &policy, ..*input };
        let panel = choose(&input);
        let wanted = |down: &[usize], needed_tokens| {
            let down = down.iter().copied().collect();
            let wanted = Substitution { seat: 0, ending: EndingKind::TimedOut, down: &down, needed_tokens };
            substitute(&input, &panel, &wanted).map(|seat| (seat.reviewer, seat.stands_in_for, seat.reason))
        };
        assert_eq!(panel.seats[0].reviewer, Reviewer::Model(0));
        let (reviewer, stands_in_for, reason) = wanted(&[], 1).expect("others are there");
        // Google has the second lens already, so the other of no seat stands first; never the author's family.
        assert_eq!((reviewer, stands_in_for), (Reviewer::Model(3), Some(0)));
        assert_eq!(reason, "stands in for openai, which timed out; shares no family with anthropic");
        assert_eq!(wanted(&[3], 1).map(|it| it.0), Some(Reviewer::Model(1)));
        assert_eq!(wanted(&[3, 1], 1).map(|it| it.0), Some(Reviewer::Model(4)));
        assert_eq!(wanted(&[3, 1, 4], 1), None);
        assert_eq!(wanted(&[], 2), None);
    });
}

#[test]
fn a_finding_is_examined_by_a_family_of_neither_finder_nor_author_where_there_is_one() {
    let engines = [of("openai"), of("anthropic"), of("google")];
    let author = attribution(&["anthropic"]);
    let share = Share { authors: author.authors(), hunks: BTreeSet::from([(0, 0)]) };
    with_input(&author, std::slice::from_ref(&share), &engines, Independence::Require, |input| {
        let panel = choose(input);
        let asked = |finder: &str, down: &[usize]| {
            let (lineage, down) = (Lineage::of([finder]), down.iter().copied().collect());
            let found = examiner(input, &panel, &share.authors, &[&lineage], &down)?;
            Some((engines[found.engine].id.as_str(), found.unrelated_to_finder))
        };
        assert_eq!(asked("openai", &[]), Some(("google", true)));
        assert_eq!(asked("google", &[]), Some(("openai", true)));
        // Nobody else is left but the finder's own family, which is weaker; the author's never.
        assert_eq!(asked("openai", &[2]), Some(("openai", false)));
        assert_eq!(asked("openai", &[0, 2]), None);
    });
}

proptest! {
    /// Law 1 for split panels: whoever is seated for a hunk shares no family with those who are evidenced there, and
    /// every family added to a hunk only takes seats away from it.
    #[test]
    fn nobody_reviews_lines_of_kin(
        first in authors(), second in authors(), engines in rosters(), forged in 0..FAMILIES.len(),
    ) {
        let mut whole = first.clone();
        whole.families.extend(second.families.iter().cloned());
        whole.unknown_agent |= second.unknown_agent;
        whole.human_declared = false;
        let mut shares = two_shares(first.authors(), second.authors());
        let before = seat_shares(&whole, &shares, &engines, Independence::Require);
        shares[1].authors.families.insert(Family::new(FAMILIES[forged]));
        whole.families.insert(Family::new(FAMILIES[forged]));
        let after = seat_shares(&whole, &shares, &engines, Independence::Require);
        for (panel, share) in [(&before, &shares[0]), (&after, &shares[0]), (&after, &shares[1])] {
            for seat in panel.seats.iter().filter(|seat| share.hunks.iter().all(|hunk| seat.scope.holds(*hunk))) {
                let Reviewer::Model(engine) = seat.reviewer else { continue };
                prop_assert!(engines[engine].lineage.families.is_disjoint(&share.authors.families));
            }
        }
        prop_assert!(before.unmet().count() <= after.unmet().count());
    }

    /// A substitute is under the bar of whoever it stands in for, under every policy.
    #[test]
    fn a_substitute_never_lowers_the_bar(author in authors(), engines in rosters(), down in 0..7_usize) {
        let share = Share { authors: author.authors(), hunks: BTreeSet::from([(0, 0)]) };
        with_input(&author, std::slice::from_ref(&share), &engines, Independence::Require, |input| {
            let panel = choose(input);
            for seat in 0..panel.seats.len() {
                let down = BTreeSet::from([down]);
                let wanted = Substitution { seat, ending: EndingKind::Failed, down: &down, needed_tokens: 1 };
                let Some(substitute) = substitute(input, &panel, &wanted) else { continue };
                let Reviewer::Model(engine) = substitute.reviewer else { panic!("a model") };
                prop_assert!(engines[engine].lineage.families.is_disjoint(&share.authors.families));
                prop_assert!(!down.contains(&engine));
                prop_assert!(!seated(&panel, panel.seats[seat].lens).contains(&engine));
            }
            Ok(())
        })?;
    }
}
