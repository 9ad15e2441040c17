//! Who could review: the models of the operator's roster, with what they descend from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Lineage;
use crate::lineage::Edge;
use crate::lineage::Families;

/// One model that the operator can ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// `provider/model`, as flags and packets name it.
    pub id: String,
    /// The operator's order of preference, from 0; the same for all where none was given.
    pub preference: usize,
    /// The provider's id in `config/models.toml`, or the operator's own.
    pub provider: String,
    /// The model's name as the provider knows it.
    pub model: String,
    /// What it descends from.
    pub lineage: Lineage,
    /// How that is known.
    pub lineage_source: LineageSource,
    /// The steps of its descent that the table has, those that do not count included.
    pub edges: Vec<Edge>,
    /// How many tokens a prompt and its answer may have together.
    pub context_tokens: u32,
    /// How many tokens an answer may have.
    pub max_output_tokens: u32,
    /// What it costs; `None` if nobody knows.
    pub price: Option<Price>,
    /// The month in which the price was looked up, `YYYY-MM`; `None` where the operator states it.
    pub price_as_of: Option<String>,
}

impl Engine {
    /// The lineage of the model that answered (law 2).
    ///
    /// A reported name that contradicts the one asked for wins. A name that says nothing leaves what was declared for
    /// this endpoint, or what the asked name means where the reported one is that name.
    pub fn served_lineage(&self, served: Option<&str>, families: &Families) -> Lineage {
        let Some(served) = served.filter(|served| *served != self.model) else {
            return self.lineage.clone();
        };
        let reported = families.resolve(served).lineage;
        match self.lineage_source {
            LineageSource::Declared if reported.families.is_empty() => self.lineage.clone(),
            LineageSource::Declared if reported.families.is_subset(&self.lineage.families) => {
                self.lineage.clone()
            }
            LineageSource::Declared | LineageSource::Table | LineageSource::Unknown => reported,
        }
    }
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

/// What tokens cost, in micro-USD per million tokens: 1 USD per million is 1,000,000.
///
/// The first rates hold from the first token on, each further one above a longer input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<Rates>", into = "Vec<Rates>")]
#[schemars(with = "Vec<Rates>")]
pub struct Price(Vec<Rates>);

/// One set of prices, in micro-USD per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// These rates hold for the whole of a call whose input is longer than this.
    #[serde(default)]
    pub above_input_tokens: u64,
    /// Tokens in.
    pub input: u64,
    /// Tokens in from the cache; as `input` where it is left out.
    pub cached_input: Option<u64>,
    /// Tokens in that are written to the cache; as `input` where it is left out.
    pub cache_write: Option<u64>,
    /// Tokens out, reasoning included.
    pub output: u64,
}

/// Rates that are no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a price begins with rates for every input, and each further one is for a longer input")]
pub struct PriceError;

impl TryFrom<Vec<Rates>> for Price {
    type Error = PriceError;

    fn try_from(rates: Vec<Rates>) -> Result<Self, PriceError> {
        let starts_at_nothing = rates.first().is_some_and(|first| first.above_input_tokens == 0);
        let rising = rates.is_sorted_by(|a, b| a.above_input_tokens < b.above_input_tokens);
        if starts_at_nothing && rising { Ok(Self(rates)) } else { Err(PriceError) }
    }
}

impl From<Price> for Vec<Rates> {
    fn from(price: Price) -> Self {
        price.0
    }
}

/// Tokens that a provider counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// Tokens read, those from the cache included.
    pub input: u64,
    /// Of these, read from the provider's cache.
    pub cached_input: u64,
    /// Of these, written to the provider's cache.
    pub cache_write: u64,
    /// Tokens written, reasoning included.
    pub output: u64,
    /// Of these, reasoning.
    pub reasoning: u64,
}

impl Price {
    /// The same rates whatever the length.
    pub fn flat(input: u64, output: u64) -> Self {
        Self(vec![Rates { above_input_tokens: 0, input, cached_input: None, cache_write: None, output }])
    }

    /// What a call cost by its usage, in micro-USD, rounded up.
    pub fn cost(&self, usage: &Usage) -> u64 {
        let rates = self.rates_for(usage.input);
        let cached = usage.cached_input.min(usage.input);
        let written = usage.cache_write.min(usage.input - cached);
        total([
            (usage.input - cached - written, rates.input),
            (cached, rates.cached_input.unwrap_or(rates.input)),
            (written, rates.cache_write.unwrap_or(rates.input)),
            (usage.output, rates.output),
        ])
    }

    /// The most that a call can cost in micro-USD: the dearest way to read the input, all output used. Rounded up.
    pub fn worst_case(&self, input_tokens: u64, max_output_tokens: u64) -> u64 {
        let rates = self.rates_for(input_tokens);
        let input = rates.input.max(rates.cache_write.unwrap_or(0)).max(rates.cached_input.unwrap_or(0));
        total([(input_tokens, input), (max_output_tokens, rates.output)])
    }

    fn rates_for(&self, input_tokens: u64) -> &Rates {
        let in_force = |rates: &&Rates| input_tokens > rates.above_input_tokens;
        self.0.iter().rev().find(in_force).unwrap_or(&self.0[0])
    }
}

/// Sums tokens times rates, in micro-USD, rounded up.
fn total<const N: usize>(parts: [(u64, u64); N]) -> u64 {
    let sum = parts
        .iter()
        .fold(0_u128, |sum, &(tokens, rate)| sum.saturating_add(u128::from(tokens) * u128::from(rate)));
    u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX)
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

    #[test]
    fn costs_are_rounded_up_and_tiers_hold_for_the_whole_call() {
        let rates = |above_input_tokens, factor: u64| Rates {
            above_input_tokens,
            input: 2_000_000 * factor,
            cached_input: Some(100_000 * factor),
            cache_write: Some(2_500_000 * factor),
            output: 10_000_000 * factor,
        };
        let price = Price(vec![rates(0, 1), rates(272_000, 2)]);
        // 1,000 in and 100 out: 2,000 and 1,000 micro-USD; the worst case may write all of the input to the cache.
        assert_eq!(price.worst_case(1000, 100), 2500 + 1000);
        assert_eq!(price.worst_case(272_000, 0), 680_000);
        assert_eq!(price.worst_case(272_001, 0), 1_360_005);
        assert_eq!(price.worst_case(0, 0), 0);
        assert_eq!(price.worst_case(u64::MAX, u64::MAX), u64::MAX);
        let usage = |input, cached_input, cache_write, output| Usage {
            input,
            cached_input,
            cache_write,
            output,
            reasoning: output,
        };
        assert_eq!(price.cost(&usage(1000, 0, 0, 100)), 3000);
        assert_eq!(price.cost(&usage(1000, 600, 200, 100)), 400 + 60 + 500 + 1000);
        // A tenth of a micro-USD is one.
        assert_eq!(price.cost(&usage(1, 1, 0, 0)), 1);
        assert_eq!(price.cost(&usage(272_001, 0, 0, 0)), 1_088_004);
        assert_eq!(price.cost(&Usage::default()), 0);
        // No cost is above the worst case of the same tokens, even when the parts make no sense.
        for (cached, written) in [(0, 0), (500, 500), (1000, 1000), (5000, 0)] {
            let cost = price.cost(&usage(1000, cached, written, 100));
            let worst = price.worst_case(1000, 100);
            assert!(cost <= worst, "{cached} {written}: {cost} > {worst}");
        }
    }

    #[test]
    fn rates_that_are_not_stated_are_those_of_the_input() {
        let rates =
            Rates { above_input_tokens: 0, input: 7, cached_input: None, cache_write: None, output: 9 };
        let price = Price(vec![rates]);
        let usage = Usage {
            input: 3_000_000,
            cached_input: 1_000_000,
            cache_write: 1_000_000,
            output: 0,
            reasoning: 0,
        };
        assert_eq!(price.cost(&usage), 21);
        assert_eq!(price.worst_case(3_000_000, 0), 21);
    }

    #[test]
    fn rates_that_leave_inputs_without_a_price_are_none() {
        let rates = |above_input_tokens| Rates {
            above_input_tokens,
            input: 1,
            cached_input: None,
            cache_write: None,
            output: 1,
        };
        assert!(Price::try_from(vec![]).is_err());
        assert!(Price::try_from(vec![rates(5)]).is_err());
        assert!(Price::try_from(vec![rates(0), rates(9), rates(9)]).is_err());
    }
}
