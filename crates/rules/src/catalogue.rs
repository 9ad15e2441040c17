//! The list of all rules, made from what the rules themselves are made of.

use review::{Category, Lens, Severity};

use crate::{complexity, hidden_text, secrets};

/// A rule, for lists and documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleInfo {
    /// Its id, `<family>/<rule>`.
    pub id: &'static str,
    /// The lens that it belongs to.
    pub lens: Lens,
    /// The category of its findings.
    pub category: Category,
    /// The worst severity of its findings; the definition of each severity is [`Severity`]'s.
    pub severity: Severity,
    /// What it finds, in one line.
    pub summary: String,
    /// The keywords that make the rule look, where it works by keywords.
    pub keywords: &'static [&'static str],
    /// The form of what a secrets rule finds: text, and classes of characters with their count (`{h40}` is forty hex
    /// digits); empty for other rules.
    pub form: &'static str,
}

/// Lists every rule, by family and id.
pub fn catalogue() -> Vec<RuleInfo> {
    let mut rules: Vec<_> =
        secrets::catalogue().chain(hidden_text::catalogue()).chain(complexity::catalogue()).collect();
    rules.sort_by_key(|rule| rule.id);
    rules
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rule_has_an_id_of_its_own_and_belongs_to_the_lens_of_its_category() {
        let rules = catalogue();
        let ids: BTreeSet<_> = rules.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), rules.len());
        for rule in &rules {
            let shape = |part: &str| {
                !part.is_empty() && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            };
            assert!(rule.id.split('/').count() == 2 && rule.id.split('/').all(shape), "{}", rule.id);
            assert_eq!(rule.category.lens(), rule.lens, "{}", rule.id);
            assert!(!rule.category.as_str().ends_with("/other"), "{}", rule.id);
            assert!(!rule.summary.is_empty() && !rule.summary.ends_with('.'), "{}", rule.id);
        }
    }
}
