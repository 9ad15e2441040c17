//! In which order files are shown, and how they are split into prompts.

use std::cmp::Reverse;

use super::{Material, lines};
use crate::change::{FileChange, Hunk};
use crate::classify::FileClass;
use crate::engine::estimate_tokens;
use crate::panel::{LensWish, Scope};

/// A run of lines of one hunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Piece {
    /// The changed file, by its index.
    pub file: usize,
    /// The hunk in it, by its index.
    pub hunk: usize,
    /// The first line of the hunk, by its index.
    pub first: usize,
    /// One past the last line.
    pub end: usize,
}

/// How a seat's files are split into prompts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// What each prompt shows.
    pub parts: Vec<Vec<Piece>>,
}

/// The order in which every lens is shown its files.
///
/// Files that most lenses look at come first and together, so that the prompts of these lenses begin alike; among
/// them those where a mistake does most harm, so that what a budget or a deadline cuts off is the least of it.
pub fn reading_order(wishes: &[LensWish], classes: &[FileClass]) -> Vec<usize> {
    let lenses =
        |file: usize| -> Vec<bool> { wishes.iter().map(|wish| !wish.model_files.contains(&file)).collect() };
    let mut order: Vec<_> = (0..classes.len())
        .map(|file| {
            let without = lenses(file);
            let count = without.iter().filter(|without| **without).count();
            (count, without, Reverse(classes[file].risk), file)
        })
        .collect();
    order.sort();
    order.into_iter().map(|(_, _, _, file)| file).collect()
}

/// Splits the files' hunks that are in scope into prompts of at most `budget_tokens` each, in the order given.
///
/// How a part is cut depends only on what stands before it, so that two lists of files that begin alike give parts
/// that begin alike. A file or a hunk that would fit into a prompt of its own is not cut where the one before it is
/// at least half full.
pub fn plan(material: &Material<'_>, files: &[usize], scope: &Scope, budget_tokens: u32) -> Plan {
    let mut planning = Planning { parts: Vec::new(), current: Vec::new(), used: 0, budget: budget_tokens };
    for &index in files {
        let file = &material.change.files[index];
        let hunks = (0..file.hunks().len()).filter(|hunk| scope.holds((index, *hunk)));
        let costs: Vec<(usize, HunkCost)> =
            hunks.map(|hunk| (hunk, HunkCost::of(material, index, hunk))).collect();
        let whole = costs.iter().fold(file_tokens(file), |sum, (_, cost)| sum.saturating_add(cost.whole()));
        if whole <= budget_tokens && !planning.has_room_for(whole) && planning.is_half_full() {
            planning.close();
        }
        for (hunk, cost) in costs {
            planning.add(file, Piece { file: index, hunk, first: 0, end: 0 }, &cost);
        }
    }
    planning.close();
    Plan { parts: planning.parts }
}

/// What a hunk costs: above its lines, each line, and below them.
struct HunkCost {
    before: u32,
    lines: Vec<u32>,
    after: u32,
}

impl HunkCost {
    fn of(material: &Material<'_>, file: usize, index: usize) -> Self {
        let hunk: &Hunk = &material.change.files[file].hunks()[index];
        let context = |lines: &[super::ContextLine]| -> u32 {
            lines.iter().map(|line| lines::text_tokens(&line.text) + 1).sum()
        };
        Self {
            before: estimate_tokens(hunk.heading.len() + 4)
                + context(material.surroundings.before(file, index)),
            lines: hunk.lines().map(|line| lines::tokens(&line)).collect(),
            after: context(material.surroundings.after(file, index)),
        }
    }

    fn whole(&self) -> u32 {
        self.lines.iter().fold(self.before.saturating_add(self.after), |sum, line| sum.saturating_add(*line))
    }
}

struct Planning {
    parts: Vec<Vec<Piece>>,
    current: Vec<Piece>,
    used: u32,
    budget: u32,
}

impl Planning {
    fn has_room_for(&self, tokens: u32) -> bool {
        self.used.saturating_add(tokens) <= self.budget
    }

    fn is_half_full(&self) -> bool {
        self.used >= self.budget / 2
    }

    fn close(&mut self) {
        if !self.current.is_empty() {
            self.parts.push(std::mem::take(&mut self.current));
        }
        self.used = 0;
    }

    /// Adds a hunk whole where there is room, or else line by line.
    fn add(&mut self, file: &FileChange, mut piece: Piece, cost: &HunkCost) {
        let header = file_tokens(file);
        let with_header = |current: &[Piece]| {
            if current.last().is_none_or(|last| last.file != piece.file) { header } else { 0 }
        };
        let whole = cost.whole();
        if !self.has_room_for(whole.saturating_add(with_header(&self.current)))
            && whole.saturating_add(header) <= self.budget
        {
            self.close();
        }
        self.used = self.used.saturating_add(with_header(&self.current)).saturating_add(cost.before);
        for (line, &tokens) in cost.lines.iter().enumerate() {
            let is_last = line + 1 == cost.lines.len();
            let tokens = if is_last { tokens.saturating_add(cost.after) } else { tokens };
            let is_empty = self.current.is_empty() && piece.first == line;
            if !is_empty && !self.has_room_for(tokens) {
                self.push(Piece { end: line, ..piece });
                self.close();
                piece.first = line;
                self.used = header.saturating_add(cost.before);
            }
            self.used = self.used.saturating_add(tokens);
        }
        self.push(Piece { end: cost.lines.len(), ..piece });
    }

    fn push(&mut self, piece: Piece) {
        if piece.first < piece.end {
            self.current.push(piece);
        }
    }
}

fn file_tokens(file: &FileChange) -> u32 {
    let old = file.old_path.as_ref().map_or(0, |path| path.as_str().len());
    estimate_tokens(file.path.as_str().len() + old + 40)
}

#[cfg(test)]
mod tests {
    use super::super::tests::change;
    use super::super::{Material, Surroundings};
    use super::*;
    use crate::Lens;
    use crate::classify::Risk;

    fn split(files: &[(&str, &str)], order: &[usize], budget: u32) -> Plan {
        let change = change(files);
        let surroundings = Surroundings::default();
        plan(
            &Material { change: &change, surroundings: &surroundings, house_rules: &[] },
            order,
            &Scope::AllHunks,
            budget,
        )
    }

    /// Every line of every hunk, whatever the budget, is in exactly one part.
    #[test]
    fn a_plan_covers_every_line_exactly_once() {
        let long: String = (0..400).map(|n| format!("+line number {n}\n")).collect();
        let files = [("a.rs", " x\n+y\n"), ("b.rs", long.as_str()), ("c.rs", "-gone\n")];
        for budget in [1, 50, 300, 100_000] {
            let plan = split(&files, &[0, 1, 2], budget);
            assert!(plan.parts.iter().all(|part| !part.is_empty()), "budget {budget}");
            let mut seen = Vec::new();
            for piece in plan.parts.iter().flatten() {
                seen.extend((piece.first..piece.end).map(|line| (piece.file, piece.hunk, line)));
            }
            let expected: Vec<_> = (0..2)
                .map(|line| (0, 0, line))
                .chain((0..400).map(|line| (1, 0, line)))
                .chain([(2, 0, 0)])
                .collect();
            assert_eq!(seen, expected, "budget {budget}");
        }
        assert_eq!(split(&files, &[0, 1, 2], 100_000).parts.len(), 1);
        assert!(split(&files, &[0, 1, 2], 300).parts.len() > 5);
    }

    #[test]
    fn a_file_that_fits_into_a_prompt_is_not_cut_in_two() {
        let lines = |count: usize| -> String { (0..count).map(|n| format!("+line number {n}\n")).collect() };
        let (a, b) = (lines(30), lines(30));
        let files = |plan: &Plan| -> Vec<Vec<usize>> {
            plan.parts.iter().map(|part| part.iter().map(|piece| piece.file).collect()).collect()
        };
        assert_eq!(files(&split(&[("a", &a), ("b", &b)], &[0, 1], 350)), [[0], [1]]);
        // Where the part would stay nearly empty, the file is cut all the same.
        let small = lines(3);
        let large = lines(200);
        assert_eq!(files(&split(&[("a", &small), ("b", &large)], &[0, 1], 1_000))[0], [0, 1]);
    }

    #[test]
    fn lists_of_files_that_begin_alike_give_parts_that_begin_alike() {
        let text: String = (0..40).map(|n| format!("+line number {n}\n")).collect();
        let names: Vec<String> = (0..12).map(|n| format!("{n}.rs")).collect();
        let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), text.as_str())).collect();
        let (some, all) =
            (split(&files, &[0, 1, 2, 3, 4, 5, 6], 900), split(&files, &[0, 1, 2, 3, 4, 5, 6, 9, 10], 900));
        let (last, whole) = some.parts.split_last().expect("parts");
        assert!(whole.len() > 1, "{some:?}");
        assert_eq!(*whole, all.parts[..whole.len()]);
        assert!(all.parts[whole.len()].starts_with(last));
    }

    #[test]
    fn what_most_lenses_look_at_comes_first_and_the_riskiest_of_it_before_the_rest() {
        let wish = |lens, files: &[usize]| LensWish {
            lens,
            model_files: files.to_vec(),
            kept_back: Vec::new(),
            rules_files: Vec::new(),
            needed: true,
            reason: String::new(),
        };
        let wishes = [
            wish(Lens::Security, &[0, 1, 3, 4]),
            wish(Lens::Correctness, &[1, 2, 3]),
            wish(Lens::Complexity, &[1, 3]),
        ];
        let class = |risk| FileClass { path: "x".into(), labels: Vec::new(), code: true, risk };
        let classes = [Risk::Low, Risk::Medium, Risk::Low, Risk::High, Risk::High].map(class);
        assert_eq!(reading_order(&wishes, &classes), [3, 1, 4, 0, 2]);
    }
}
