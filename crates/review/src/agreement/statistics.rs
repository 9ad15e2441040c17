//! What counts come to: shares with their intervals, and how alike the errors of two reviewers are.

/// A share of a count: so many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// So many.
    pub hits: u64,
    /// Of so many.
    pub of: u64,
}

impl Share {
    /// The share; `None` of nothing.
    pub fn value(self) -> Option<f64> {
        (self.of > 0).then(|| ratio(self.hits, self.of))
    }

    /// The 95 % interval by Wilson's score; `None` of nothing.
    ///
    /// Unlike the usual one it is right for few trials and near 0 and 1. It takes trials for independent; findings
    /// of one change are not quite, so the truth is a little less certain.
    pub fn interval(self) -> Option<(f64, f64)> {
        /// The normal distribution's 97.5 % point.
        const Z: f64 = 1.959_963_984_540_054;
        let share = self.value()?;
        let n = count(self.of);
        let square = Z * Z;
        let centre = share + square / (2.0 * n);
        let spread = Z * (share * (1.0 - share) / n + square / (4.0 * n * n)).sqrt();
        let scale = 1.0 + square / n;
        Some((((centre - spread) / scale).max(0.0), ((centre + spread) / scale).min(1.0)))
    }
}

/// What a reviewer's findings came to against what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Issues that were found.
    pub found: u64,
    /// Issues that are known.
    pub known: u64,
    /// Findings that match no known issue.
    pub false_alarms: u64,
}

impl Tally {
    /// Adds another one.
    pub fn add(&mut self, other: Self) {
        self.found += other.found;
        self.known += other.known;
        self.false_alarms += other.false_alarms;
    }

    /// How many findings are right.
    pub fn precision(self) -> Share {
        Share { hits: self.found, of: self.found + self.false_alarms }
    }

    /// How many issues were found.
    pub fn recall(self) -> Share {
        Share { hits: self.found, of: self.known }
    }

    /// The harmonic mean of both; `None` where one of them is of nothing, 0 where nothing was found.
    pub fn f1(self) -> Option<f64> {
        self.f(1.0)
    }

    /// The same with precision weighing twice as much: for reviewers whose noise costs more than their silence.
    pub fn f05(self) -> Option<f64> {
        self.f(0.5)
    }

    fn f(self, beta: f64) -> Option<f64> {
        let (precision, recall) = (self.precision().value()?, self.recall().value()?);
        let square = beta * beta;
        let scale = square * precision + recall;
        Some(if scale > 0.0 { (1.0 + square) * precision * recall / scale } else { 0.0 })
    }
}

/// Which issues two reviewers found, counted over issues that both were asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pair {
    /// Both found it.
    pub both: u64,
    /// Only the first.
    pub only_first: u64,
    /// Only the second.
    pub only_second: u64,
    /// Neither: a double fault.
    pub neither: u64,
}

impl Pair {
    /// Counts one issue.
    pub fn count(&mut self, first: bool, second: bool) {
        let cell = match (first, second) {
            (true, true) => &mut self.both,
            (true, false) => &mut self.only_first,
            (false, true) => &mut self.only_second,
            (false, false) => &mut self.neither,
        };
        *cell += 1;
    }

    /// How many issues.
    pub fn of(self) -> u64 {
        self.both + self.only_first + self.only_second + self.neither
    }

    /// The correlation of hits, -1 to 1; `None` where one of them found all or nothing.
    pub fn phi(self) -> Option<f64> {
        let [both, first, second, neither] =
            [self.both, self.only_first, self.only_second, self.neither].map(count);
        let scale = ((both + first) * (second + neither) * (both + second) * (first + neither)).sqrt();
        (scale > 0.0).then(|| (both * neither - first * second) / scale)
    }

    /// Cohen's kappa: agreement above what chance gives, 1 for full; `None` where chance alone would give full
    /// agreement, or of nothing.
    pub fn kappa(self) -> Option<f64> {
        let observed = Share { hits: self.both + self.neither, of: self.of() }.value()?;
        let (first, second) = self.shares()?;
        let by_chance = first * second + (1.0 - first) * (1.0 - second);
        // Shares of exact counts: chance is exactly 1 where both found all, or both nothing.
        (by_chance < 1.0).then(|| (observed - by_chance) / (1.0 - by_chance))
    }

    /// How often both miss.
    pub fn double_faults(self) -> Share {
        Share { hits: self.neither, of: self.of() }
    }

    /// By how much that is above what two independent reviewers of these recalls would miss; `None` of nothing.
    pub fn double_faults_over_chance(self) -> Option<f64> {
        let (first, second) = self.shares()?;
        Some(self.double_faults().value()? - (1.0 - first) * (1.0 - second))
    }

    /// Of what either found, what both found (Jaccard).
    pub fn overlap(self) -> Share {
        Share { hits: self.both, of: self.both + self.only_first + self.only_second }
    }

    /// The recall of each.
    fn shares(self) -> Option<(f64, f64)> {
        let of = self.of();
        let first = Share { hits: self.both + self.only_first, of }.value()?;
        let second = Share { hits: self.both + self.only_second, of }.value()?;
        Some((first, second))
    }
}

/// For each reviewer, the issues that nobody else found, out of all: what recall would fall by without it.
///
/// `found[reviewer][issue]`: all reviewers were asked about all of these issues.
pub fn marginal_recall(found: &[Vec<bool>]) -> Vec<Share> {
    let issues = found.first().map_or(0, Vec::len);
    let alone = |reviewer: usize, issue: usize| {
        (0..found.len()).all(|other| found[other][issue] == (other == reviewer))
    };
    (0..found.len())
        .map(|reviewer| Share {
            hits: (0..issues).filter(|&issue| alone(reviewer, issue)).count() as u64,
            of: issues as u64,
        })
        .collect()
}

/// The reviewers in the order in which each adds most, with the recall of all up to and with it. Ties go to the first.
pub fn greedy_union(found: &[Vec<bool>]) -> Vec<(usize, Share)> {
    let issues = found.first().map_or(0, Vec::len);
    let mut union = vec![false; issues];
    let mut left: Vec<usize> = (0..found.len()).collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let adds = |reviewer: &usize| (0..issues).filter(|&i| found[*reviewer][i] && !union[i]).count();
        let best = left.iter().map(adds).max().unwrap_or(0);
        let at = left.iter().position(|reviewer| adds(reviewer) == best).expect("the largest is one of them");
        let reviewer = left.remove(at);
        union.iter_mut().zip(&found[reviewer]).for_each(|(union, found)| *union |= *found);
        let hits = union.iter().filter(|found| **found).count() as u64;
        order.push((reviewer, Share { hits, of: issues as u64 }));
    }
    order
}

/// A count as a number to divide with.
fn count(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of findings are far below 2^52")]
    let count = count as f64;
    count
}

fn ratio(hits: u64, of: u64) -> f64 {
    count(hits) / count(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, expected: f64) {
        assert!((got - expected).abs() < 5e-4, "{got} is not {expected}");
    }

    #[test]
    fn intervals_are_wilson_s() {
        // Checked against the closed form by hand and against published tables.
        for (hits, of, low, high) in [
            (0, 10, 0.0, 0.2775),
            (1, 10, 0.0179, 0.4042),
            (5, 10, 0.2366, 0.7634),
            (10, 10, 0.7225, 1.0),
            (81, 263, 0.2553, 0.3662),
        ] {
            let (got_low, got_high) = Share { hits, of }.interval().expect("of something");
            near(got_low, low);
            near(got_high, high);
        }
        assert_eq!(Share { hits: 0, of: 0 }.interval(), None);
        assert_eq!(Share { hits: 0, of: 0 }.value(), None);
    }

    #[test]
    fn precision_recall_and_their_means() {
        let tally = Tally { found: 3, known: 4, false_alarms: 9 };
        assert_eq!(tally.precision().value(), Some(0.25));
        assert_eq!(tally.recall().value(), Some(0.75));
        near(tally.f1().expect("some"), 0.375);
        near(tally.f05().expect("some"), 0.288_46);
        assert_eq!(Tally { found: 0, known: 4, false_alarms: 9 }.f1(), Some(0.0));
        assert_eq!(Tally { found: 0, known: 4, false_alarms: 0 }.f1(), None, "nothing was said");
        assert_eq!(Tally { found: 0, known: 0, false_alarms: 9 }.f1(), None, "nothing is known");
    }

    #[test]
    fn phi_kappa_and_double_faults_by_hand() {
        let pair = Pair { both: 20, only_first: 10, only_second: 5, neither: 15 };
        // (20·15 - 10·5) / sqrt(30·20·25·25)
        near(pair.phi().expect("some"), 0.408_25);
        // Observed 0.7; by chance 0.6·0.5 + 0.4·0.5 = 0.5.
        near(pair.kappa().expect("some"), 0.4);
        // 0.3 observed, 0.4·0.5 = 0.2 by chance.
        near(pair.double_faults_over_chance().expect("some"), 0.1);
        near(pair.overlap().value().expect("some"), 20.0 / 35.0);
        let independent = Pair { both: 25, only_first: 25, only_second: 25, neither: 25 };
        near(independent.phi().expect("some"), 0.0);
        near(independent.kappa().expect("some"), 0.0);
        near(independent.double_faults_over_chance().expect("some"), 0.0);
        let same = Pair { both: 5, neither: 5, ..Pair::default() };
        near(same.phi().expect("some"), 1.0);
        near(same.kappa().expect("some"), 1.0);
        let opposite = Pair { only_first: 5, only_second: 5, ..Pair::default() };
        near(opposite.phi().expect("some"), -1.0);
        near(opposite.kappa().expect("some"), -1.0);
    }

    #[test]
    fn what_cannot_be_told_is_not_told() {
        let nothing = Pair { neither: 9, ..Pair::default() };
        assert_eq!((nothing.phi(), nothing.kappa()), (None, None));
        near(nothing.double_faults_over_chance().expect("some"), 0.0);
        let all_and_some = Pair { both: 4, only_first: 4, ..Pair::default() };
        assert_eq!(all_and_some.phi(), None);
        near(all_and_some.kappa().expect("some"), 0.0);
        let none = Pair::default();
        assert_eq!((none.phi(), none.kappa(), none.double_faults_over_chance()), (None, None, None));
        assert_eq!(none.overlap().value(), None);
    }

    #[test]
    fn marginal_recall_is_what_nobody_else_found() {
        let found =
            [vec![true, true, false, false], vec![false, true, true, false], vec![false, true, false, false]];
        let alone: Vec<u64> = marginal_recall(&found).iter().map(|share| share.hits).collect();
        assert_eq!(alone, [1, 1, 0]);
        let order: Vec<(usize, u64)> =
            greedy_union(&found).iter().map(|(reviewer, share)| (*reviewer, share.hits)).collect();
        assert_eq!(order, [(0, 2), (1, 3), (2, 3)]);
        assert_eq!(marginal_recall(&[]), []);
        assert_eq!(greedy_union(&[vec![]]), [(0, Share { hits: 0, of: 0 })]);
    }
}
