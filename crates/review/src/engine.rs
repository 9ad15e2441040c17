//! Who could review: the models of the operator's roster, with what they descend from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Lineage;

/// One model that the operator can ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// `provider/model`, as flags and packets name it.
    pub id: String,
    /// The provider's id in `config/models.toml`, or the operator's own.
    pub provider: String,
    /// The model's name as the provider knows it.
    pub model: String,
    /// What it descends from.
    pub lineage: Lineage,
    /// How that is known.
    pub lineage_source: LineageSource,
    /// How many tokens a prompt and its answer may have together.
    pub context_tokens: u32,
    /// How many tokens an answer may have.
    pub max_output_tokens: u32,
    /// What it costs; `None` if nobody knows.
    pub price: Option<Price>,
}

/// How a model's lineage is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineageSource {
    /// By its name, from `families.toml`.
    Table,
    /// The operator declared it for this endpoint.
    Declared,
    /// It is not known.
    Unknown,
}

/// What a model costs, in micro-USD for a million tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Price {
    /// For input that was not cached.
    pub input: u64,
    /// For input that was read from the provider's cache.
    pub cached_input: u64,
    /// For output, reasoning included.
    pub output: u64,
    /// The day on which that was true, `YYYY-MM-DD`.
    pub as_of: String,
}

/// Tokens that a provider counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// Input, cached input included.
    pub input: u64,
    /// Of it, read from the cache.
    pub cached_input: u64,
    /// Output, reasoning included.
    pub output: u64,
    /// Of it, reasoning.
    pub reasoning: u64,
}

impl Price {
    /// The cost of some usage in micro-USD, rounded up.
    pub fn cost(&self, usage: &Usage) -> u64 {
        let cached = usage.cached_input.min(usage.input);
        let parts = [
            u128::from(usage.input - cached) * u128::from(self.input),
            u128::from(cached) * u128::from(self.cached_input),
            u128::from(usage.output) * u128::from(self.output),
        ];
        let total = parts.iter().sum::<u128>().div_ceil(1_000_000);
        u64::try_from(total).unwrap_or(u64::MAX)
    }

    /// The most that a call can cost in micro-USD: nothing cached, all output used.
    pub fn worst_case(&self, input_tokens: u64, max_output_tokens: u64) -> u64 {
        self.cost(&Usage { input: input_tokens, output: max_output_tokens, ..Usage::default() })
    }
}

/// Estimates how many tokens a text has, on the high side.
///
/// Measured with o200k on three repositories' diffs: 2.89 to 3.42 bytes a token; 2.8 leaves room.
pub fn estimate_tokens(bytes: usize) -> u32 {
    u32::try_from(bytes.saturating_mul(10).div_ceil(28)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price() -> Price {
        Price { input: 2_000_000, cached_input: 100_000, output: 10_000_000, as_of: "2026-11-01".into() }
    }

    #[test]
    fn cost_counts_cached_input_at_its_own_rate_and_rounds_up() {
        let usage = Usage { input: 1_000_000, cached_input: 400_000, output: 1, reasoning: 0 };
        assert_eq!(price().cost(&usage), 600_000 * 2 + 40_000 + 10);
        assert_eq!(price().cost(&Usage { input: 0, cached_input: 1, output: 0, reasoning: 0 }), 0);
        assert_eq!(price().cost(&Usage { cached_input: 1, input: 1, ..Usage::default() }), 1);
    }

    #[test]
    fn no_usage_within_the_limits_costs_more_than_the_worst_case() {
        let worst = price().worst_case(1_000, 500);
        for cached in [0, 10, 1_000] {
            for output in [0, 1, 500] {
                let usage = Usage { input: 1_000, cached_input: cached, output, reasoning: 0 };
                assert!(price().cost(&usage) <= worst);
            }
        }
    }
}
