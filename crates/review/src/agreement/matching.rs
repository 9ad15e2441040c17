//! Which known issue a finding is about.
//!
//! The rule, in full. A finding and a known issue are the same when
//! 1. *place*: the finding is in one of the issue's files, and its lines and the issue's overlap when both are
//!    stretched by [`NEAR_LINES`]; where one of them names no lines, the file decides;
//! 2. *lens*: where the issue names one of our categories or lenses, the finding is of that lens;
//! 3. *words*: where the issue is described, the wordings are alike ([`crate::wording`]): a little where the lines
//!    agree, more where only the file or nothing does. An issue that is not described is matched by its place alone.
//!
//! Each issue matches at most one finding and each finding at most one issue, such that as many as possible match.

use crate::Lens;
use crate::wording::{SAME_ISSUE, SAME_ISSUE_AT_A_PLACE, Wording};

/// How many lines apart a finding and a known issue may be. People and models point at the line of the cause or of
/// the effect; published scorers allow three to ten.
pub const NEAR_LINES: u32 = 3;

/// A place in the version after the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// First and last line, from 1; `None` for the file as a whole.
    pub lines: Option<(u32, u32)>,
}

/// An issue that is known to be in a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Where it is: any of these. Empty where nobody says.
    pub places: Vec<Place>,
    /// The lens that it belongs to, where it names one of ours.
    pub lens: Option<Lens>,
    /// What it is; `None` where nobody says.
    pub text: Option<Wording>,
}

/// What a reviewer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Where.
    pub place: Place,
    /// Through which lens.
    pub lens: Lens,
    /// In which words.
    pub text: Wording,
}

/// How the known issues of a change are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoldMode {
    /// Each is an issue of its own.
    Each,
    /// All are places of one issue; whoever names one of them has found it.
    AnyOf,
}

/// Whether a finding is about a known issue.
pub fn same_issue(said: &Said, known: &Known) -> bool {
    let nearness = known.places.iter().map(|place| nearness(&said.place, place)).max();
    let nearness = nearness.unwrap_or(Nearness::Unknown);
    let lens_agrees = known.lens.is_none_or(|lens| lens == said.lens);
    if nearness == Nearness::Apart || !lens_agrees {
        return false;
    }
    let Some(text) = &known.text else { return nearness != Nearness::Unknown };
    let needed = match nearness {
        Nearness::SameLines => SAME_ISSUE_AT_A_PLACE,
        Nearness::SameFile | Nearness::Unknown | Nearness::Apart => SAME_ISSUE,
    };
    said.text.likeness(text) >= needed
}

/// How near two places are, from far to near.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    /// In other files, or too many lines apart.
    Apart,
    /// The issue names no place.
    Unknown,
    /// In one file, and one of them names no lines.
    SameFile,
    /// At the same lines or nearly so.
    SameLines,
}

fn nearness(said: &Place, known: &Place) -> Nearness {
    if said.file != known.file {
        return Nearness::Apart;
    }
    let (Some(said), Some(known)) = (said.lines, known.lines) else { return Nearness::SameFile };
    let overlap =
        said.0.saturating_sub(NEAR_LINES) <= known.1 && known.0.saturating_sub(NEAR_LINES) <= said.1;
    if overlap { Nearness::SameLines } else { Nearness::Apart }
}

/// Who matches whom in one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// For each issue, whether it was found. One entry in all where the issues are places of one.
    pub found: Vec<bool>,
    /// The findings (by index) that match no issue, or one that another finding matches already.
    pub false_alarms: Vec<usize>,
}

/// Assigns findings to known issues: as many as possible, each at most once.
pub fn assign(said: &[Said], known: &[Known], mode: GoldMode) -> Assignment {
    let candidates: Vec<Vec<usize>> = known
        .iter()
        .map(|issue| (0..said.len()).filter(|&index| same_issue(&said[index], issue)).collect())
        .collect();
    match mode {
        GoldMode::Each => {
            let issue_of = maximum_matching(&candidates, said.len());
            let mut found = vec![false; known.len()];
            issue_of.iter().flatten().for_each(|&issue| found[issue] = true);
            let false_alarms = (0..said.len()).filter(|&index| issue_of[index].is_none()).collect();
            Assignment { found, false_alarms }
        }
        GoldMode::AnyOf => {
            let hits: Vec<usize> = candidates.into_iter().flatten().collect();
            let false_alarms = (0..said.len()).filter(|index| !hits.contains(index)).collect();
            let found = if known.is_empty() { Vec::new() } else { vec![!hits.is_empty()] };
            Assignment { found, false_alarms }
        }
    }
}

/// For each finding the issue that it is matched to: augmenting paths (Kuhn), issue by issue in their order.
fn maximum_matching(candidates: &[Vec<usize>], findings: usize) -> Vec<Option<usize>> {
    let mut issue_of = vec![None; findings];
    for issue in 0..candidates.len() {
        let mut tried = vec![false; findings];
        augment(issue, candidates, &mut issue_of, &mut tried);
    }
    issue_of
}

/// Whether an issue gets a finding, others moving to their second choices if they must. As deep as there are issues
/// in one change.
fn augment(
    issue: usize,
    candidates: &[Vec<usize>],
    issue_of: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    for &finding in &candidates[issue] {
        if std::mem::replace(&mut tried[finding], true) {
            continue;
        }
        if issue_of[finding].is_none_or(|other| augment(other, candidates, issue_of, tried)) {
            issue_of[finding] = Some(issue);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(file: &str, lines: Option<(u32, u32)>) -> Place {
        Place { file: file.into(), lines }
    }

    fn said(file: &str, lines: Option<(u32, u32)>, text: &str) -> Said {
        Said { place: place(file, lines), lens: Lens::Correctness, text: Wording::of(text) }
    }

    fn known(file: &str, lines: Option<(u32, u32)>, text: Option<&str>) -> Known {
        Known { places: vec![place(file, lines)], lens: None, text: text.map(Wording::of) }
    }

    const RACE: &str = "the retry counter is read and written back, so concurrent increments are lost";
    const SAME: &str = "increments of the retry counter are lost when writers are concurrent";
    const VAGUE: &str = "the retry counter may be wrong after several attempts by concurrent writers";
    const OTHER: &str = "the file handle is never closed";

    #[test]
    fn place_lens_and_words_all_have_to_agree() {
        let at = |lines| known("a.rs", Some(lines), Some(RACE));
        let cases = [
            (said("a.rs", Some((10, 10)), SAME), at((10, 12)), true),
            (said("a.rs", Some((15, 15)), SAME), at((10, 12)), true),
            (said("a.rs", Some((16, 16)), SAME), at((10, 12)), false),
            (said("a.rs", Some((7, 7)), SAME), at((10, 12)), true),
            (said("a.rs", Some((6, 6)), SAME), at((10, 12)), false),
            (said("b.rs", Some((10, 10)), SAME), at((10, 12)), false),
            (said("a.rs", Some((10, 10)), OTHER), at((10, 12)), false),
            (said("a.rs", None, SAME), at((10, 12)), true),
            (said("a.rs", None, OTHER), at((10, 12)), false),
            (said("a.rs", Some((99, 99)), SAME), known("a.rs", None, Some(RACE)), true),
            // Without a description the place decides; without lines the file does.
            (said("a.rs", Some((10, 10)), OTHER), known("a.rs", Some((10, 10)), None), true),
            (said("a.rs", Some((99, 99)), OTHER), known("a.rs", None, None), true),
            (said("b.rs", Some((10, 10)), OTHER), known("a.rs", None, None), false),
        ];
        for (said, known, expected) in cases {
            assert_eq!(same_issue(&said, &known), expected, "{said:?} {known:?}");
        }
        let mut security = at((10, 12));
        security.lens = Some(Lens::Security);
        assert!(!same_issue(&said("a.rs", Some((10, 10)), SAME), &security));
    }

    #[test]
    fn words_have_to_agree_more_where_the_place_says_less() {
        let vague = said("a.rs", Some((10, 10)), VAGUE);
        let likeness = vague.text.likeness(&Wording::of(RACE));
        assert!((SAME_ISSUE_AT_A_PLACE..SAME_ISSUE).contains(&likeness), "{likeness}");
        assert!(same_issue(&vague, &known("a.rs", Some((10, 10)), Some(RACE))));
        assert!(!same_issue(&vague, &known("a.rs", None, Some(RACE))));
    }

    #[test]
    fn an_issue_without_a_place_is_found_by_its_words_and_one_with_several_at_any_of_them() {
        let nowhere = Known { places: Vec::new(), lens: None, text: Some(Wording::of(RACE)) };
        assert!(same_issue(&said("z.rs", Some((1, 1)), SAME), &nowhere));
        assert!(!same_issue(&said("z.rs", Some((1, 1)), OTHER), &nowhere));
        let nothing = Known { places: Vec::new(), lens: None, text: None };
        assert!(!same_issue(&said("z.rs", Some((1, 1)), SAME), &nothing), "nothing is known of it");
        let twice =
            Known { places: vec![place("a.rs", Some((1, 1))), place("b.rs", Some((9, 9)))], ..nothing };
        assert!(same_issue(&said("b.rs", Some((9, 9)), SAME), &twice));
    }

    #[test]
    fn each_issue_is_found_once_and_as_many_as_possible_are() {
        // The first finding could be either issue, the second only the first one: both are found all the same.
        let known = [known("a.rs", Some((10, 10)), None), known("a.rs", Some((14, 14)), None)];
        let both = [said("a.rs", Some((12, 12)), SAME), said("a.rs", Some((9, 9)), SAME)];
        let assigned = assign(&both, &known, GoldMode::Each);
        assert_eq!(assigned, Assignment { found: vec![true, true], false_alarms: vec![] });
        let repeated = [both[1].clone(), both[1].clone(), both[1].clone()];
        let assigned = assign(&repeated, &known, GoldMode::Each);
        assert_eq!(assigned, Assignment { found: vec![true, false], false_alarms: vec![1, 2] });
        let nothing = assign(&both, &[], GoldMode::Each);
        assert_eq!(nothing, Assignment { found: vec![], false_alarms: vec![0, 1] });
    }

    #[test]
    fn places_of_one_issue_are_one_issue() {
        let places = [known("a.rs", Some((10, 10)), None), known("a.rs", Some((90, 90)), None)];
        let said = [
            said("a.rs", Some((91, 91)), SAME),
            said("a.rs", Some((10, 10)), SAME),
            said("a.rs", Some((50, 50)), SAME),
        ];
        let assigned = assign(&said, &places, GoldMode::AnyOf);
        assert_eq!(assigned, Assignment { found: vec![true], false_alarms: vec![2] });
        assert_eq!(assign(&said, &[], GoldMode::AnyOf).found, Vec::<bool>::new());
        assert_eq!(assign(&[], &places, GoldMode::AnyOf).found, vec![false]);
    }

    /// Against every possible assignment, on small inputs.
    #[test]
    fn the_matching_is_a_maximum() {
        fn best(candidates: &[Vec<usize>], taken: u32) -> usize {
            let Some((first, rest)) = candidates.split_first() else { return 0 };
            let free = first.iter().filter(|&&finding| taken & (1 << finding) == 0);
            free.map(|&finding| 1 + best(rest, taken | (1 << finding)))
                .chain([best(rest, taken)])
                .max()
                .unwrap_or(0)
        }
        for seed in 0_u32..4_096 {
            let edge = |issue: usize, finding: usize| seed & (1 << (issue * 4 + finding)) != 0;
            let candidates: Vec<Vec<usize>> =
                (0..3).map(|issue| (0..4).filter(|&finding| edge(issue, finding)).collect()).collect();
            let issue_of = maximum_matching(&candidates, 4);
            assert_eq!(issue_of.iter().flatten().count(), best(&candidates, 0), "{candidates:?}");
            for (finding, issue) in issue_of.iter().enumerate() {
                assert!(issue.is_none_or(|issue| candidates[issue].contains(&finding)));
            }
        }
    }
}
