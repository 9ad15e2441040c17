//! The thresholds, which are the operator's to set.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// The thresholds of the rules. Crossing one is a finding; standing at it is not.
///
/// With the defaults 1 to 6 functions in 100 of well-known Rust, Python, JavaScript and C packages are above one of
/// them (64,000 functions measured): the ones that their maintainers would name too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RuleOptions {
    /// Cognitive complexity of a function. Default 25: SonarSource's default for the C family. Theirs for other
    /// languages, 15, is passed by about twice as many functions.
    pub max_cognitive: u32,
    /// Cyclomatic complexity of a function. Default 20: above it the Software Engineering Institute's table (1997)
    /// speaks of high risk. McCabe's own advice was 10.
    pub max_cyclomatic: u32,
    /// Lines of a named function. Default 120: two screens. Clippy's default is 100, for code only.
    pub max_function_lines: u32,
    /// Parameters of a function. Default 8: clippy and SonarSource allow 7, Pylint 5. Python's `self` counts.
    pub max_parameters: u32,
    /// Control structures inside each other. Default 5, as Pylint has it for blocks.
    pub max_nesting: u32,
}

impl Default for RuleOptions {
    fn default() -> Self {
        Self {
            max_cognitive: 25,
            max_cyclomatic: 20,
            max_function_lines: 120,
            max_parameters: 8,
            max_nesting: 5,
        }
    }
}

impl RuleOptions {
    /// Thresholds by their names in the configuration; what is not named has its default, and what nobody knows is left
    /// out.
    pub fn of_names(named: &BTreeMap<String, u32>) -> Self {
        let default = Self::default().by_name();
        let of = |name: &str| named.get(name).copied().unwrap_or(default[name]);
        Self {
            max_cognitive: of("max_cognitive"),
            max_cyclomatic: of("max_cyclomatic"),
            max_function_lines: of("max_function_lines"),
            max_parameters: of("max_parameters"),
            max_nesting: of("max_nesting"),
        }
    }

    /// The thresholds by their names in the configuration.
    pub fn by_name(&self) -> BTreeMap<String, u32> {
        let Self { max_cognitive, max_cyclomatic, max_function_lines, max_parameters, max_nesting } = *self;
        let all = [
            ("max_cognitive", max_cognitive),
            ("max_cyclomatic", max_cyclomatic),
            ("max_function_lines", max_function_lines),
            ("max_parameters", max_parameters),
            ("max_nesting", max_nesting),
        ];
        all.into_iter().map(|(name, threshold)| (name.to_owned(), threshold)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_has_its_default_and_what_is_unknown_is_refused() {
        let options: RuleOptions = toml::from_str("max_cognitive = 15").expect("a known key");
        assert_eq!(options, RuleOptions { max_cognitive: 15, ..RuleOptions::default() });
        assert!(toml::from_str::<RuleOptions>("max_cognitve = 15").is_err());
        assert_eq!(RuleOptions::of_names(&options.by_name()), options);
        assert_eq!(RuleOptions::of_names(&BTreeMap::new()), RuleOptions::default());
    }
}
