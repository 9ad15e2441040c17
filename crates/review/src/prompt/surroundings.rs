//! What stands round the hunks and is no part of the change: the rest of the functions that it is in.
//!
//! Each hunk has its own lines before and after it. What reviewers may see of other places (callers, definitions)
//! has its place in [`Surroundings`] too, by the hunk that it helps to read.

use std::collections::{BTreeMap, BTreeSet};

use super::lines;
use crate::change::{FileChange, Hunk, LineKind, Side};

/// A function longer than this is not shown for its own sake: the one inside it is, or what is nearest.
const WHOLE_FUNCTION_LINES: u32 = 200;

/// Which lines of a function are shown first of all: its name and what it takes, and what is right above, which may
/// be a decorator.
const SIGNATURE_LINES: u32 = 3;
const LINES_ABOVE_SIGNATURE: u32 = 2;

/// Where a function stands in its file, by lines from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FunctionLines {
    /// Its first line, with what is written above it: decorators, attributes, comments.
    pub first: u32,
    /// The line where it begins itself.
    pub start: u32,
    /// Its last line.
    pub last: u32,
}

/// The lines round the hunks of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    hunks: BTreeMap<(usize, usize), Around>,
}

/// The lines round one hunk, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Around {
    /// Those above it.
    before: Vec<ContextLine>,
    /// Those below it.
    after: Vec<ContextLine>,
}

/// A line of a file that is no part of the diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextLine {
    /// Its number in the head, from 1.
    pub number: u32,
    /// Its text, redacted as the change is.
    pub text: String,
}

impl Surroundings {
    /// Adds what stands round the hunks of one file: lines of the functions that their changed lines are in, the
    /// nearest first, up to `budget_tokens` for each hunk.
    ///
    /// `head` is the whole file after the change, redacted as the change is; `functions` are those in it.
    pub fn add(
        &mut self,
        index: usize,
        file: &FileChange,
        head: &str,
        functions: &[FunctionLines],
        budget_tokens: u32,
    ) {
        let texts: Vec<&str> = head.lines().collect();
        let ranges: Vec<(u32, u32)> = file.hunks().iter().map(head_range).collect();
        let mut taken: BTreeSet<u32> = BTreeSet::new();
        for (hunk_index, hunk) in file.hunks().iter().enumerate() {
            let above = hunk_index.checked_sub(1).map_or(0, |previous| ranges[previous].1);
            let below = ranges.get(hunk_index + 1).map_or(u32::MAX, |next| next.0);
            let (start, end) = ranges[hunk_index];
            let is_free = |number: u32| number > above && number < below && (number < start || number > end);
            let mut chosen: BTreeSet<u32> = BTreeSet::new();
            let mut left = budget_tokens;
            for number in nearest_first(hunk, functions, (above + 1, below - 1)) {
                let text = usize::try_from(number).ok().and_then(|number| texts.get(number.checked_sub(1)?));
                let Some(text) = text.filter(|_| is_free(number) && !taken.contains(&number)) else {
                    continue;
                };
                let cost = lines::text_tokens(text);
                if cost > left {
                    break;
                }
                left -= cost;
                chosen.insert(number);
            }
            taken.extend(&chosen);
            let line = |number: u32| ContextLine {
                number,
                text: texts[number as usize - 1].trim_end_matches('\r').to_owned(),
            };
            let around = Around {
                before: chosen.range(..start).copied().map(line).collect(),
                after: chosen.range(start..).copied().map(line).collect(),
            };
            if around != Around::default() {
                self.hunks.insert((index, hunk_index), around);
            }
        }
    }

    /// Sets what stands round one hunk (file and hunk by index), as it was worked out before.
    pub(crate) fn set(&mut self, hunk: (usize, usize), before: Vec<ContextLine>, after: Vec<ContextLine>) {
        self.hunks.insert(hunk, Around { before, after });
    }

    /// The hunks round which something stands: file and hunk by index.
    pub(crate) fn hunks(&self) -> impl Iterator<Item = (usize, usize)> {
        self.hunks.keys().copied()
    }

    /// The lines above a hunk.
    pub(crate) fn before(&self, file: usize, hunk: usize) -> &[ContextLine] {
        self.hunks.get(&(file, hunk)).map_or(&[], |around| &around.before)
    }

    /// The lines below a hunk.
    pub(crate) fn after(&self, file: usize, hunk: usize) -> &[ContextLine] {
        self.hunks.get(&(file, hunk)).map_or(&[], |around| &around.after)
    }

    /// All lines, for drawing a mark that none of them holds.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> + Clone {
        let all = self.hunks.values().flat_map(|around| around.before.iter().chain(&around.after));
        all.map(|line| line.text.as_str())
    }
}

/// The lines that a hunk spans in the head; where it has none there, the gap that it leaves.
fn head_range(hunk: &Hunk) -> (u32, u32) {
    hunk.range(Side::Head).unwrap_or((hunk.new_start + 1, hunk.new_start))
}

/// The lines between two that belong to the functions that changed lines are in: where these begin, then by
/// distance.
fn nearest_first(hunk: &Hunk, functions: &[FunctionLines], between: (u32, u32)) -> Vec<u32> {
    let (start, end) = head_range(hunk);
    let reaches_out = |function: &&FunctionLines| {
        let FunctionLines { first, last, .. } = **function;
        first <= end && last >= start && (first < start || last > end)
    };
    let functions: Vec<FunctionLines> = functions.iter().filter(reaches_out).copied().collect();
    let changed = changed_lines(hunk);
    let round: BTreeSet<FunctionLines> =
        changed.iter().filter_map(|&line| function_round(line, &functions)).collect();
    let mut wanted: Vec<(u32, u32)> = Vec::new();
    for FunctionLines { first, start, last } in round {
        let signature = start.saturating_sub(LINES_ABOVE_SIGNATURE)..start + SIGNATURE_LINES;
        for number in first.max(between.0)..=last.min(between.1) {
            let next = changed.partition_point(|&line| line < number);
            let below = changed.get(next).map_or(u32::MAX, |line| line - number);
            let above = next.checked_sub(1).map_or(u32::MAX, |index| number - changed[index]);
            wanted.push((if signature.contains(&number) { 0 } else { below.min(above) }, number));
        }
    }
    wanted.sort_unstable();
    wanted.into_iter().map(|(_, number)| number).collect()
}

/// The lines of the head at which something was added or removed.
fn changed_lines(hunk: &Hunk) -> Vec<u32> {
    let mut next = head_range(hunk).0;
    let mut changed = Vec::new();
    for line in hunk.lines() {
        match line.kind {
            LineKind::Added => changed.push(next),
            LineKind::Removed if changed.last() != Some(&next) => changed.push(next),
            LineKind::Removed | LineKind::Context => {}
        }
        next += u32::from(line.new.is_some());
    }
    changed
}

/// The outermost function round a line that is not too long to be shown, or else the innermost one.
fn function_round(line: u32, functions: &[FunctionLines]) -> Option<FunctionLines> {
    let length = |function: &&FunctionLines| function.last - function.first;
    let round = || functions.iter().filter(|function| (function.first..=function.last).contains(&line));
    let whole = round().filter(|function| length(function) < WHOLE_FUNCTION_LINES).max_by_key(length);
    whole.or_else(|| round().min_by_key(length)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Content, Operation};

    fn file(hunks: &[(u32, &str)]) -> FileChange {
        let hunk = |&(start, body): &(u32, &str)| Hunk::new(start, start, String::new(), body.into(), false);
        FileChange {
            path: "a.rs".into(),
            old_path: None,
            operation: Operation::Modified,
            modes: (None, None),
            content: Content::Text(hunks.iter().map(hunk).collect()),
        }
    }

    fn check(hunks: &[(u32, &str)], functions: &[(u32, u32)], budget: u32, expected: &[(&[u32], &[u32])]) {
        let head: String = (1..=400).map(|n| format!("line {n}\n")).collect();
        let mut surroundings = Surroundings::default();
        let lines = |&(first, last): &(u32, u32)| FunctionLines { first, start: first, last };
        let functions: Vec<FunctionLines> = functions.iter().map(lines).collect();
        surroundings.add(7, &file(hunks), &head, &functions, budget);
        let numbers = |lines: &[ContextLine]| lines.iter().map(|line| line.number).collect::<Vec<_>>();
        for (hunk, (before, after)) in expected.iter().enumerate() {
            assert_eq!(numbers(surroundings.before(7, hunk)), *before, "before hunk {hunk}");
            assert_eq!(numbers(surroundings.after(7, hunk)), *after, "after hunk {hunk}");
        }
        assert!(surroundings.texts().all(|text| text.starts_with("line ")));
    }

    #[test]
    fn the_rest_of_the_function_stands_round_its_hunk() {
        check(&[(12, " a\n+b\n c\n")], &[(10, 17), (30, 40)], 1_000, &[(&[10, 11], &[15, 16, 17])]);
        check(&[(12, " a\n-b\n c\n")], &[(10, 16)], 1_000, &[(&[10, 11], &[14, 15, 16])]);
        check(&[(12, "+b\n")], &[(30, 40)], 1_000, &[(&[], &[])]);
    }

    #[test]
    fn two_hunks_of_one_function_share_what_is_between_them() {
        check(&[(12, "+b\n"), (15, "+c\n")], &[(11, 16)], 1_000, &[(&[11], &[13, 14]), (&[], &[16])]);
    }

    #[test]
    fn a_long_comment_does_not_stand_before_the_functions_name() {
        let head: String = (1..=400).map(|n| format!("line {n}\n")).collect();
        let mut surroundings = Surroundings::default();
        let function = FunctionLines { first: 1, start: 20, last: 400 };
        surroundings.add(0, &file(&[(200, "+b\n")]), &head, &[function], 40);
        let numbers: Vec<u32> = surroundings.before(0, 0).iter().map(|line| line.number).collect();
        assert_eq!(numbers, [18, 19, 20, 21, 22, 199]);
    }

    #[test]
    fn a_long_function_shows_its_start_and_what_is_near() {
        check(&[(200, "+b\n")], &[(1, 400)], 40, &[(&[1, 2, 3, 198, 199], &[201, 202])]);
        // A closure that is short enough stands for the function that is not.
        check(
            &[(200, "+b\n")],
            &[(1, 400), (199, 201), (198, 203)],
            1_000,
            &[(&[198, 199], &[201, 202, 203])],
        );
    }
}
