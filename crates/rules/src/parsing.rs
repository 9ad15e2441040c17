//! How much parsing a whole change is worth.
//!
//! A parser on text of no language can take the square of its length, and a change may hold a thousand such files. All
//! files share one budget, in the order of the change. It counts work, not time, and whether a file is within it depends
//! on the files before it alone: the answer is the same whatever the number of threads.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use code::Cost;

/// Whether a file's texts may be parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsing {
    /// They may.
    Allowed,
    /// What parsing may cost was used up by the files before.
    OverBudget,
}

impl Parsing {
    /// Why a file was not parsed.
    pub const OVER_BUDGET: &'static str =
        "it was not parsed: the files before it in this change took what parsing may cost";
}

/// What parsing one change may cost: 64 megabytes of source, or eight files that drive the parser to its limit, which is
/// some sixteen seconds at worst.
const CHANGE_BUDGET: Cost = Cost(1024 * 1024 * 1024);

/// What is left for the files of a change, which several threads may take in turn.
#[derive(Debug)]
pub struct ParsingBudget {
    state: Mutex<Spent>,
}

#[derive(Debug, Default)]
struct Spent {
    /// How many files from the first on are done, and what they cost.
    done: usize,
    cost: Cost,
    /// Files that are done behind one that is not.
    waiting: BTreeMap<usize, Cost>,
}

impl Spent {
    fn parsing(&self) -> Parsing {
        if self.cost < CHANGE_BUDGET { Parsing::Allowed } else { Parsing::OverBudget }
    }
}

impl Default for ParsingBudget {
    fn default() -> Self {
        Self { state: Mutex::new(Spent::default()) }
    }
}

impl ParsingBudget {
    /// What is known so far of a file that comes behind those that are done. `OverBudget` is final; `Allowed` may turn
    /// out wrong once the files before it are done, which [`settled`](Self::settled) tells.
    pub fn ask(&self) -> Parsing {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).parsing()
    }

    /// Says what a file cost, by its index in the change.
    pub fn spend(&self, file: usize, cost: Cost) {
        let mut spent = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        spent.waiting.insert(file, cost);
        while let Some(cost) = {
            let next = spent.done;
            spent.waiting.remove(&next)
        } {
            spent.done += 1;
            spent.cost = spent.cost.and(cost);
        }
    }

    /// Of files in the change's order, by what each costs when it is parsed: whether it is within the budget.
    pub fn settled(costs: impl IntoIterator<Item = Cost>) -> impl Iterator<Item = Parsing> {
        costs.into_iter().scan(Spent::default(), |spent, cost| {
            let parsing = spent.parsing();
            if parsing == Parsing::Allowed {
                spent.cost = spent.cost.and(cost);
            }
            Some(parsing)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THIRD: Cost = Cost(CHANGE_BUDGET.0 / 3 + 1);

    #[test]
    fn the_files_share_one_budget_in_their_order() {
        let parsing: Vec<_> = ParsingBudget::settled([THIRD; 5]).collect();
        let (allowed, over) = (Parsing::Allowed, Parsing::OverBudget);
        assert_eq!(parsing, [allowed, allowed, allowed, over, over]);
    }

    #[test]
    fn a_file_is_refused_early_only_when_all_before_it_are_known() {
        let budget = ParsingBudget::default();
        for file in [3, 2, 1] {
            budget.spend(file, THIRD);
            assert_eq!(budget.ask(), Parsing::Allowed);
        }
        budget.spend(0, Cost(0));
        assert_eq!(budget.ask(), Parsing::OverBudget);
    }
}
