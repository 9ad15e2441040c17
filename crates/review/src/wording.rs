//! How alike two wordings are, without a model.
//!
//! The cosine of two bags of words. Words shorter than three letters and words that every text has are left out,
//! endings are cut, and a name like `retryCount` or `retry_count` counts as itself and as its parts. No table of
//! how rare words are: measured on 5,959 pairs of review comments with a judge's word for each (see
//! `examples/measure_matching.rs` and `docs/eval.md`), such a table did not help.

use std::collections::BTreeMap;

/// From which likeness on two texts are about the same issue, where nothing else says so: where the mean of
/// precision and recall is best on the pairs above (precision 0.74, recall 0.85).
pub const SAME_ISSUE: f64 = 0.38;

/// The same where both are about the same lines: the place has said most of it. Recall on those pairs is 0.93; of
/// 47 pairs of different issues within three lines of each other, ten are taken for one.
pub const SAME_ISSUE_AT_A_PLACE: f64 = 0.30;

/// Words that every text has.
const COMMON: [&str; 79] = [
    "all", "and", "any", "are", "been", "being", "but", "can", "could", "did", "does", "for", "from", "had",
    "has", "have", "into", "its", "may", "might", "more", "must", "not", "off", "only", "other", "our",
    "out", "over", "own", "per", "should", "some", "such", "than", "that", "the", "their", "them", "then",
    "there", "these", "they", "this", "those", "too", "under", "upon", "use", "used", "uses", "using",
    "very", "via", "was", "were", "what", "when", "where", "whether", "which", "while", "who", "whose",
    "why", "will", "with", "within", "without", "would", "yet", "you", "your", "also", "because", "cannot",
    "here", "how", "just",
];

/// Endings that are cut where at least four letters stay.
const ENDINGS: [&str; 6] = ["ing", "ed", "es", "s", "ly", "ion"];

/// The words of a text with how often each is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording(BTreeMap<String, u32>);

impl Wording {
    /// Takes a text's words.
    pub fn of(text: &str) -> Self {
        let mut words = BTreeMap::new();
        for run in text.split(|c: char| !c.is_alphanumeric() && c != '_') {
            let parts = parts(run);
            if parts.len() > 1 {
                let name: String = parts.concat();
                *words.entry(format!("#{name}")).or_default() += 1;
            }
            for part in parts {
                if part.chars().count() < 3 || COMMON.contains(&part.as_str()) {
                    continue;
                }
                *words.entry(without_ending(&part).to_owned()).or_default() += 1;
            }
        }
        Self(words)
    }

    /// Whether no word is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// From 0 (no word in common) to 1 (the same words as often). 0 where one has no words.
    pub fn likeness(&self, other: &Self) -> f64 {
        let shared: f64 = self
            .0
            .iter()
            .filter_map(|(word, count)| Some(weight(*count) * weight(*other.0.get(word)?)))
            .sum();
        let length = |wording: &Self| wording.0.values().map(|count| weight(*count).powi(2)).sum::<f64>();
        if shared > 0.0 { shared / (length(self) * length(other)).sqrt() } else { 0.0 }
    }
}

/// A word that is there twice says a little more than one that is there once.
fn weight(count: u32) -> f64 {
    1.0 + f64::from(count).ln()
}

/// The parts of a name in lower case: `HTTPServer_v2` is `http`, `server`, `v`, `2`.
fn parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut open = false;
    let mut previous = '_';
    let mut rest = name.chars().peekable();
    while let Some(here) = rest.next() {
        if here == '_' {
            (open, previous) = (false, here);
            continue;
        }
        let next_is_lower = rest.peek().is_some_and(|next| next.is_lowercase());
        let begins = here.is_numeric() != previous.is_numeric()
            || (here.is_uppercase() && (!previous.is_uppercase() || next_is_lower));
        match parts.last_mut() {
            Some(part) if open && !begins => part.extend(here.to_lowercase()),
            Some(_) | None => parts.push(here.to_lowercase().collect()),
        }
        (open, previous) = (true, here);
    }
    parts
}

fn without_ending(word: &str) -> &str {
    let cut = |ending: &&str| word.strip_suffix(*ending).filter(|stem| stem.chars().count() >= 4);
    ENDINGS.iter().find_map(cut).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeness(a: &str, b: &str) -> f64 {
        Wording::of(a).likeness(&Wording::of(b))
    }

    #[test]
    fn names_count_as_themselves_and_as_their_parts() {
        let cases: [(&str, &[&str]); 6] = [
            ("retryCount", &["retry", "count"]),
            ("retry_count", &["retry", "count"]),
            ("HTTPServer_v2", &["http", "server", "v", "2"]),
            ("SMS", &["sms"]),
            ("_", &[]),
            ("größeÄndern", &["größe", "ändern"]),
        ];
        for (name, expected) in cases {
            assert_eq!(parts(name), expected, "{name}");
        }
        assert_eq!(Wording::of("retryCount"), Wording::of("retry_count"));
    }

    #[test]
    fn likeness_is_one_for_the_same_words_and_nothing_for_others() {
        assert!((likeness("The slice may be empty", "an EMPTY slice") - 1.0).abs() < 1e-9);
        assert!(likeness("the slice may be empty", "a wrong unit of time").abs() < 1e-9);
        assert!(likeness("", "anything").abs() < 1e-9);
        assert!(
            likeness("it is of the", "it is of the").abs() < 1e-9,
            "nothing is said, so nothing is alike"
        );
        assert!(Wording::of("it is").is_empty());
    }

    #[test]
    fn one_issue_in_two_people_s_words_is_told_from_another_issue() {
        let issue = "Using `retryCount: reminder.retryCount + 1` reads a stale value, so increments are lost \
                     when two workers run at once";
        let same = "retryCount is read and written back: with concurrent workers an increment is lost";
        let other = "The reminder is deleted although its message has not been sent";
        assert!(likeness(issue, same) > SAME_ISSUE, "{}", likeness(issue, same));
        assert!(likeness(issue, other) < SAME_ISSUE_AT_A_PLACE, "{}", likeness(issue, other));
    }

    #[test]
    fn likeness_goes_both_ways() {
        let (a, b) = ("the lock is never released on error", "an error leaves the lock held");
        assert!((likeness(a, b) - likeness(b, a)).abs() < 1e-12);
    }
}
