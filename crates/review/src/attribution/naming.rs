//! Which words of a text are a model's name, and nothing else of it.

use std::ops::Range;

use super::agents::NameHit;
use super::who::{Tables, looks_like_an_id};
use crate::lineage::Families;
use crate::{Family, Lineage};

/// What stands between the words of a text, and is no part of a model's name.
const SEPARATORS: &[char] =
    &[',', ';', '(', ')', '[', ']', '{', '}', '<', '>', '"', '\'', '`', '*', '=', '|', '“', '”'];

/// A model that a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedModel {
    /// Where it stands.
    pub(super) place: Range<usize>,
    pub(super) lineage: Lineage,
}

/// A word of a text, and what it can be in a model's name.
#[derive(Debug, Clone, Copy)]
struct Word<'t> {
    start: usize,
    text: &'t str,
    part: Part,
    /// Whether only blanks stand between it and the word before.
    follows: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// A whole id: `gpt-5.3-codex`, `openrouter/qwen/qwen3-coder`.
    Id,
    /// The word of a family: `Claude`, `GPT`, `Opus`.
    Family,
    /// `4.6`, `K2.5`.
    Version,
    /// `Pro`, `Flash`.
    Tier,
    /// Anything else, and the names of tools.
    Other,
}

impl Tables<'_> {
    /// The models that a text names with a version or a tier, from left to right: `Opus 4.6`, `gpt-5.5`.
    pub(super) fn models_named(self, text: &str) -> Vec<NamedModel> {
        let words = self.words(text);
        let mut named = Vec::new();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let length = match word.part {
                Part::Id | Part::Family => name_length(&words[at..]),
                Part::Version | Part::Tier | Part::Other => 0,
            };
            named.extend(self.named_by(&words[at..at + length], text));
            at += length.max(1);
        }
        named
    }

    /// A model's name out of a text that is known to name one of this lineage; `None` where the text is long and says
    /// nothing more exact than a family.
    pub(super) fn model_name(self, text: &str, lineage: &Lineage) -> Option<String> {
        let named = self.models_named(text);
        let fits = |model: &&NamedModel| !model.lineage.families.is_disjoint(&lineage.families);
        if let Some(model) = named.iter().find(fits) {
            return Some(text[model.place.clone()].to_owned());
        }
        let ids = self.ids_in(text);
        if let Some(id) = ids.iter().find(|id| looks_like_an_id(id)) {
            return Some((*id).to_owned());
        }
        let words = self.words(text);
        let says_more = |word: &&Word<'_>| {
            let lower = word.text.to_ascii_lowercase();
            let is_family = || self.families.knows(&Family::new(&lower));
            word.part == Part::Family && self.agents.by_name(&lower).is_none() && !is_family()
        };
        words.iter().find(says_more).map(|word| word.text.to_owned())
    }

    /// The words of a text that name a family and mean nothing else: `GPT`, `Opus`.
    pub(super) fn bare_families(self, text: &str) -> Vec<Range<usize>> {
        let words = self.words(text).into_iter().filter(|word| word.part == Part::Family);
        words
            .filter(|word| self.families.is_model_name(&format!("{} 5", word.text)))
            .map(|word| word.start..word.start + word.text.len())
            .collect()
    }

    fn named_by(self, words: &[Word<'_>], text: &str) -> Option<NamedModel> {
        let has_version = words.iter().any(|word| matches!(word.part, Part::Id | Part::Version));
        // An id says all by itself; the words before it are those of its tool.
        let is_whole = |word: &&Word<'_>| word.part == Part::Id && self.families.is_model_name(word.text);
        let first = words.iter().find(is_whole).or(words.first())?;
        let last = words.last()?;
        let place = first.start..last.start + last.text.len();
        let name = &text[place.clone()];
        if !has_version && !self.families.is_model_name(name) {
            return None;
        }
        let lineage = self.families.resolve(name).lineage;
        (!lineage.families.is_empty()).then_some(NamedModel { place, lineage })
    }

    fn words(self, text: &str) -> Vec<Word<'_>> {
        let lower = text.to_ascii_lowercase();
        let tools: Vec<NameHit> = self.agents.names_in(&lower).collect();
        let mut words: Vec<Word<'_>> = Vec::new();
        let (mut start, mut follows) = (0, false);
        for piece in text.split_inclusive(|c: char| c.is_whitespace() || SEPARATORS.contains(&c)) {
            let ends_with_blank = piece.ends_with(char::is_whitespace);
            let bare = piece.trim_end_matches(|c: char| c.is_whitespace() || SEPARATORS.contains(&c));
            let word = bare.trim_start_matches(['@', '~', '+', '&', '/', '-']);
            let at = start + bare.len() - word.len();
            let word = word.trim_end_matches(['.', ':', '!', '?', '+', '&', '/']);
            start += piece.len();
            if !word.is_empty() {
                let (skipped, part) = self.part(word, at..at + word.len(), &tools);
                words.push(Word { start: at + skipped, text: &word[skipped..], part, follows });
            }
            // What was taken off a word's end parts it from the next one.
            follows = ends_with_blank && (word.len() == bare.len() || bare.is_empty() && follows);
        }
        words
    }

    /// What a word can be, and how many of its bytes name the tool before the model: `Crush:` in `Crush:glm-5`.
    fn part(self, word: &str, place: Range<usize>, tools: &[NameHit]) -> (usize, Part) {
        if tools.iter().any(|hit| !hit.plain && hit.start <= place.start && hit.end >= place.end) {
            return (0, Part::Other);
        }
        let ends_inside =
            |hit: &&NameHit| hit.start <= place.start && (place.start + 1..place.end).contains(&hit.end);
        for hit in tools.iter().filter(ends_inside) {
            let behind = &word[hit.end - place.start..];
            let joins = behind.starts_with([':', '/']) || behind.starts_with('-') && !hit.plain;
            if let Some(rest) = behind.get(1..).filter(|_| joins)
                && self.part_of_word(rest) == Part::Id
            {
                return (word.len() - rest.len(), Part::Id);
            }
        }
        (0, self.part_of_word(word))
    }

    fn part_of_word(self, word: &str) -> Part {
        if is_version(word) && !word.starts_with(['k', 'K']) {
            return Part::Version;
        }
        let lower = word.to_ascii_lowercase();
        let has_letters = word.contains(|c: char| c.is_ascii_alphabetic());
        if !has_letters || word.contains("://") {
            return Part::Other;
        }
        let is_known = || !self.families.resolve(&lower).lineage.families.is_empty();
        // `GPT` alone resolves to nothing.
        let is_family = || is_known() || self.families.is_model_name(&format!("{lower} 5"));
        let is_id = if word.contains(|c: char| c.is_ascii_digit()) {
            is_known()
        } else {
            word.contains(['-', '/', ':'])
                && (self.families.is_model_name(&lower) || word.contains('/') && is_known())
        };
        if is_id {
            Part::Id
        } else if word.bytes().all(|byte| byte.is_ascii_alphabetic()) && is_family() {
            Part::Family
        } else if Families::is_tier(&lower) {
            Part::Tier
        } else {
            Part::Other
        }
    }
}

/// How many of the words from the first one on make up one name.
fn name_length(words: &[Word<'_>]) -> usize {
    let is_capital = |word: &Word<'_>| word.text.starts_with(|first: char| first.is_ascii_uppercase());
    let mut has_version = false;
    let mut length = 0;
    for word in words {
        let goes_on = length == 0 || word.follows;
        let belongs = match word.part {
            Part::Id | Part::Family => !has_version,
            Part::Version => !has_version && length > 0,
            Part::Tier => !has_version || is_capital(word),
            Part::Other => false,
        };
        if !goes_on || !belongs {
            break;
        }
        has_version |= matches!(word.part, Part::Id | Part::Version);
        length += 1;
    }
    while length > 1 && words[length - 1].part == Part::Tier && !is_capital(&words[length - 1]) {
        length -= 1;
    }
    length
}

/// `4.6`, `v4`, `K2.5`, `4o`.
fn is_version(word: &str) -> bool {
    let word = word.strip_prefix(['v', 'V', 'k', 'K', 'r', 'R', 'm', 'M', 'a', 'A']).unwrap_or(word);
    let word = word.strip_suffix('o').unwrap_or(word);
    let parts: Vec<&str> = word.split('.').collect();
    let is_number =
        |part: &&str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() <= 3 && parts.iter().all(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribution::Agents;

    #[test]
    fn a_models_name_is_told_from_what_stands_round_it() {
        let (agents, families) = (Agents::embedded(), Families::embedded());
        let tables = Tables { agents: &agents, families: &families };
        let cases: [(&str, &[&str]); 23] = [
            ("Claude Code:claude-opus-5", &["claude-opus-5"]),
            ("Claude Opus 4.6 (1M context)", &["Claude Opus 4.6"]),
            ("Opus 4.6 via Claude Code", &["Opus 4.6"]),
            ("aider (gpt-5.4)", &["gpt-5.4"]),
            ("aider (openrouter/qwen/qwen3-coder)", &["openrouter/qwen/qwen3-coder"]),
            ("Crush:glm-5.2", &["glm-5.2"]),
            ("Claude:claude-opus-5 [go test] [staticcheck]", &["claude-opus-5"]),
            ("claude-code/claude-fable-5", &["claude-fable-5"]),
            ("OpenHands-GPT-5", &["GPT-5"]),
            ("GPT-5.3-Codex", &["GPT-5.3-Codex"]),
            ("Codex GPT-5", &["GPT-5"]),
            ("Gemini 3.1 Pro via Google Antigravity", &["Gemini 3.1 Pro"]),
            ("Kimi K2.7 Code", &["Kimi K2.7 Code"]),
            ("Ollama (gpt-oss:120b-cloud)", &["gpt-oss:120b-cloud"]),
            ("the draft is by Fable 5, its tests are by GPT 5.5.", &["Fable 5", "GPT 5.5"]),
            ("GPT-5.5, Opus 4.8 and Gemini", &["GPT-5.5", "Opus 4.8"]),
            ("host=Conductor harness=Codex model=gpt-5.6-sol", &["gpt-5.6-sol"]),
            ("written by gpt-5 code review 2", &["gpt-5"]),
            ("Claude Code 2.1", &[]),
            ("Claude", &[]),
            ("Claude Martin, 4 Fable Street", &[]),
            ("GitHub Copilot", &[]),
            ("GPT.\n5", &[]),
        ];
        for (text, expected) in cases {
            let named = tables.models_named(text);
            let told: Vec<&str> = named.iter().map(|model| &text[model.place.clone()]).collect();
            assert_eq!(told, expected, "{text}");
        }
    }
}
