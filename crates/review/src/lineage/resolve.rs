//! From a model's name, however it is written, to its lineage.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use regex::bytes::{RegexSet, RegexSetBuilder};

use super::table::{AliasEntry, FamiliesError, FamilyEntry, Table};
use super::{Edge, EdgeKind, Family, Lineage, Resolution};

/// A longer name is cut: no vendor's is a tenth of this, and an author can write megabytes.
const NAME_LIMIT: usize = 512;

/// A class that nothing is in, for an entry without patterns.
const MATCHES_NOTHING: &str = "[a&&b]";

/// A pattern matches where a word starts.
const WORD_START: &str = "(?:^|[^a-z0-9])";

/// The tiers between a family's word and its version: `Claude Opus 4.6`.
const TIERS: &str = "opus|sonnet|haiku|fable|mythos|instant|pro|flash|lite|ultra|nano|mini|max|plus|turbo|large|medium|small|coder|code|fast|air|maverick|scout|oss|build|codex|chat|next|preview|model|version|thinking";

/// The letters before a version: `Kimi K2.7`, `MiniMax M2`.
const LETTERS: &str = "r|k|m|v|a";

/// The tiers that are no ordinary word, so that they need no version behind them.
const PROPER_TIERS: &str = "opus|sonnet|haiku|fable|mythos|oss|coder|codex";

/// The families of models, and how to tell them by name.
#[derive(Debug, Clone)]
pub struct Families {
    table: Table,
    by_name: BTreeMap<String, usize>,
    lineages: BTreeMap<String, (Lineage, Vec<Edge>)>,
    aliases: BTreeMap<String, usize>,
    not_models: Regex,
    derived: RegexSet,
    families: RegexSet,
    starts: RegexSet,
    names: RegexSet,
    versioned: Regex,
}

impl Families {
    /// The text of the table that is built in.
    pub const EMBEDDED: &str = include_str!("../../../../config/families.toml");

    /// The table that is built in.
    pub fn embedded() -> Self {
        Self::parse(Self::EMBEDDED).expect("a test parses the table that is built in")
    }

    /// Reads a table.
    pub fn parse(text: &str) -> Result<Self, FamiliesError> {
        Self::compile(Table::read(text)?)
    }

    /// The same table with an operator's entries before its own; where both name the same thing, the operator's
    /// stands.
    pub fn extend(&self, operator_toml: &str) -> Result<Self, FamiliesError> {
        Self::compile(self.table.clone().overlaid_with(Table::read(operator_toml)?))
    }

    /// Whether a family is in the table.
    pub fn knows(&self, family: &Family) -> bool {
        self.by_name.contains_key(family.as_str())
    }

    /// The day on which the built-in facts were last looked at, as `2026-11-21`; empty where it is not said.
    pub fn as_of(&self) -> &str {
        &self.table.as_of
    }

    /// The families' names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// What a reader calls a family: `Claude (Anthropic)`.
    pub fn display(&self, family: &Family) -> String {
        match self.by_name.get(family.as_str()) {
            Some(&index) => {
                let entry = &self.table.family[index];
                format!("{} ({})", entry.display, entry.maker)
            }
            None => family.to_string(),
        }
    }

    /// What an unknown author could be: each family alone, and each derived model's families.
    ///
    /// Of a model whose ancestry is not disclosed it holds the part that is known.
    pub fn lineage_sets(&self) -> Vec<BTreeSet<Family>> {
        let mut sets: BTreeSet<BTreeSet<Family>> =
            self.by_name.keys().map(|name| BTreeSet::from([Family::new(name)])).collect();
        let whole = self.table.derived.iter().filter(|entry| !entry.one_of);
        sets.extend(whole.map(|entry| self.lineages[&entry.name].0.families.clone()));
        sets.into_iter().filter(|set| !set.is_empty()).collect()
    }

    /// Finds what a model's name stands for, as vendors, clouds, gateways, local servers, hubs and people write it.
    ///
    /// Takes linear time. A name that nobody can tell is unknown, never an error.
    pub fn resolve(&self, model_name: &str) -> Resolution {
        let cut = (0..=NAME_LIMIT.min(model_name.len())).rev().find(|&end| model_name.is_char_boundary(end));
        let name = model_name[..cut.unwrap_or(0)].trim().to_lowercase();
        if self.is_placeholder(&name) {
            return unknown(format!("`{name}` names no model"));
        }
        let (outside, inside) = split_parentheses(&name);
        for part in inside.iter().rev() {
            let found = self.resolve_part(part);
            if !found.lineage.families.is_empty() {
                return found.because(format!("the part in parentheses, `{part}`, says which model"));
            }
        }
        self.resolve_part(outside.trim())
    }

    /// Whether a text that could be a person's name is a model's: it holds a family's word with a tier or a version
    /// (`Claude Opus 4.6`, `gpt-5.3-codex`), not the word alone (`Claude Monet`).
    pub fn is_model_name(&self, text: &str) -> bool {
        text.len() <= NAME_LIMIT && self.versioned.is_match(&self.without_tools(&text.to_lowercase()))
    }

    /// Whether a word in lower case stands beside a family's word in the names of models: `pro`, `flash`.
    pub(crate) fn is_tier(word: &str) -> bool {
        TIERS.split('|').any(|tier| tier == word)
    }

    /// The model that a phrase names, if it names one: `Cursor Grok 4.6` is Grok. Unlike [`Families::resolve`] it
    /// takes only words that mean nothing else, so that an agent called Nova is not Amazon's.
    pub(crate) fn named_in(&self, phrase: &str) -> Option<Resolution> {
        let lower = phrase.to_lowercase();
        let words = self.without_tools(&lower);
        self.names
            .is_match(words.as_bytes())
            .then(|| self.resolve(&words))
            .filter(|found| !found.lineage.families.is_empty())
    }

    /// Whether a name says nothing about the model: `auto`, `default`, an empty one.
    pub(crate) fn is_placeholder(&self, name: &str) -> bool {
        let name = name.trim();
        name.is_empty() || self.table.placeholders.contains(name)
    }

    fn without_tools(&self, lower: &str) -> String {
        self.not_models.replace_all(lower, " ").into_owned()
    }

    fn resolve_part(&self, name: &str) -> Resolution {
        let name = name.trim_start_matches('~').trim_end_matches('/');
        let (path, last) = name.rsplit_once('/').unwrap_or(("", name));
        if self.is_placeholder(last) {
            return unknown(format!("`{name}` is a router or a placeholder"));
        }
        if let Some(found) = self.resolve_alias(last) {
            return found;
        }
        if let Some(index) = self.derived.matches(name.as_bytes()).iter().next() {
            let entry = &self.table.derived[index];
            let (lineage, edges) = &self.lineages[&entry.name];
            return told(lineage.clone(), edges.clone(), format!("`{name}` is listed as {}", entry.name));
        }
        let words = self.without_tools(last);
        let mut found = self.families_in(&words);
        if let Some((before, after)) = words.split_once(':') {
            let model = self.families_in(after);
            // `tool:model`; in `gpt-oss:120b` the tag names nothing, and the whole stands.
            if !model.is_empty() && self.families_in(before) != model {
                found = model;
            }
        }
        if !found.is_empty() {
            return self.of_families(name, path, &words, found);
        }
        self.of_earlier_part(name, path).unwrap_or_else(|| self.of_namespace(name, path))
    }

    fn resolve_alias(&self, last: &str) -> Option<Resolution> {
        let mut name = last;
        loop {
            if let Some(&index) = self.aliases.get(name) {
                return Some(self.of_alias(&self.table.alias[index]));
            }
            name = self.table.suffixes.iter().find_map(|suffix| name.strip_suffix(suffix.as_str()))?;
        }
    }

    fn of_alias(&self, alias: &AliasEntry) -> Resolution {
        // The target's name is no alias, or the table would not have compiled.
        let mut found = self.resolve_part(&alias.means);
        if !alias.certain || alias.mutable {
            found.lineage.complete = false;
        }
        let doubt = match (alias.certain, alias.mutable) {
            (true, false) => "",
            (true, true) => ", and may mean another model today",
            (false, false) | (false, true) => ", which nobody confirmed",
        };
        let (name, means, date, source) = (&alias.name, &alias.means, &alias.date, &alias.source);
        found.because(format!("`{name}` stood for {means} on {date} ({source}){doubt}"))
    }

    fn families_in(&self, words: &str) -> BTreeSet<usize> {
        self.families.matches(words.as_bytes()).iter().collect()
    }

    fn of_families(&self, name: &str, path: &str, words: &str, found: BTreeSet<usize>) -> Resolution {
        let families = || found.iter().map(|&index| &self.table.family[index]);
        let mut lineage = Lineage::of(families().map(|entry| entry.name.as_str()));
        let list = families().map(|entry| entry.name.as_str()).collect::<Vec<_>>().join(" and ");
        let mut explanation = vec![format!("`{name}` carries the name of {list}")];
        let host = path.split('/').next().unwrap_or_default();
        if self.table.free_text_hosts.contains(host) && !self.starts.is_match(words.as_bytes()) {
            lineage.complete = false;
            explanation.push(format!("names at `{host}` are the customer's own, so this one is a hint"));
        }
        if words.contains("distill") && found.len() == 1 {
            lineage.complete = false;
            explanation.push("it says that it is distilled, and not from what".to_owned());
        }
        let edges = families().map(|entry| Edge {
            model: name.to_owned(),
            from: entry.name.clone(),
            kind: EdgeKind::MadeBy,
            source: "name".to_owned(),
            date: String::new(),
            certain: true,
        });
        Resolution { lineage, explanation, edges: edges.collect() }
    }

    /// `deepseek/deepseek-v3/community`: the model stands before the last part. A part without a version may be a
    /// host or a customer.
    fn of_earlier_part(&self, name: &str, path: &str) -> Option<Resolution> {
        let part = path.rsplit('/').find(|part| {
            part.contains(|c: char| c.is_ascii_digit())
                && !self.families_in(&self.without_tools(part)).is_empty()
        })?;
        let mut found = self.of_families(part, "", part, self.families_in(&self.without_tools(part)));
        found.lineage.complete = false;
        Some(found.because(format!("`{name}` holds a model's name before its end")))
    }

    /// A name that nobody knows, under a namespace that only one maker fills: related, and never complete.
    fn of_namespace(&self, name: &str, path: &str) -> Resolution {
        let owner = path
            .split('/')
            .rev()
            .find_map(|org| self.table.family.iter().find(|entry| entry.orgs.iter().any(|own| own == org)));
        match owner {
            Some(entry) => {
                let mut lineage = Lineage::of([entry.name.as_str()]);
                lineage.complete = false;
                let why = format!(
                    "`{name}` is in the namespace of {}, and is no model that is listed",
                    entry.maker
                );
                told(lineage, Vec::new(), why)
            }
            None => unknown(format!("`{name}` is not in the table")),
        }
    }

    fn compile(table: Table) -> Result<Self, FamiliesError> {
        table.check()?;
        let by_family = |patterns: fn(&FamilyEntry) -> &[String], start| {
            pattern_set(table.family.iter().map(|entry| (entry.name.as_str(), patterns(entry))), start)
        };
        let families = by_family(|entry| &entry.patterns, WORD_START)?;
        let starts = by_family(|entry| &entry.patterns, "^")?;
        let names = by_family(|entry| &entry.names, WORD_START)?;
        let derived = pattern_set(
            table.derived.iter().map(|entry| (entry.name.as_str(), entry.patterns.as_slice())),
            WORD_START,
        )?;
        let not_models = alternatives("not_models", &table.not_models, &format!("{WORD_START}(?:"), ")")?;
        let words: Vec<String> = table.family.iter().flat_map(|entry| entry.names.iter().cloned()).collect();
        let close: Vec<String> =
            table.family.iter().flat_map(|entry| entry.versioned.iter().cloned()).collect();
        let versioned = alternatives(
            "names",
            &[
                // A word, tiers, a space or the like, and a version of at most two digits a part.
                format!(
                    "(?:{})(?:[ ._:/-]*(?:{TIERS}))*[ ._:/-]+(?:{LETTERS})?\\d{{1,2}}(?:[.-]\\d{{1,2}})?(?:[^0-9]|$)",
                    words.join("|")
                ),
                format!("(?:{})[ ._:/-]+(?:{PROPER_TIERS})(?:[^a-z]|$)", words.join("|")),
                format!("(?:{})", close.join("|")),
            ],
            &format!("{WORD_START}(?:"),
            ")",
        )?;
        let by_name =
            table.family.iter().enumerate().map(|(index, entry)| (entry.name.clone(), index)).collect();
        let lineages = lineages(&table);
        let aliases =
            table.alias.iter().enumerate().map(|(index, entry)| (entry.name.clone(), index)).collect();
        let compiled = Self {
            table,
            by_name,
            lineages,
            aliases,
            not_models,
            derived,
            families,
            starts,
            names,
            versioned,
        };
        compiled.check_aliases()?;
        Ok(compiled)
    }

    /// Refuses an alias of an alias and an alias of nothing.
    fn check_aliases(&self) -> Result<(), FamiliesError> {
        for alias in &self.table.alias {
            let dangling = || FamiliesError::Dangling { entry: alias.name.clone(), to: alias.means.clone() };
            let last = alias.means.rsplit('/').next().unwrap_or_default();
            let mut name = Some(last);
            while let Some(candidate) = name {
                if self.aliases.contains_key(candidate) {
                    return Err(dangling());
                }
                name = self.table.suffixes.iter().find_map(|suffix| candidate.strip_suffix(suffix.as_str()));
            }
            if self.resolve_part(&alias.means).lineage.families.is_empty() {
                return Err(dangling());
            }
        }
        Ok(())
    }
}

impl Resolution {
    fn because(mut self, reason: String) -> Self {
        self.explanation.insert(0, reason);
        self
    }
}

fn told(lineage: Lineage, edges: Vec<Edge>, why: String) -> Resolution {
    let mut explanation = vec![why];
    explanation.extend(edges.iter().map(|edge| {
        let doubt = if edge.certain { "" } else { "; uncertain" };
        format!("{} {} {} ({}, {}{doubt})", edge.model, edge.kind.words(), edge.from, edge.source, edge.date)
    }));
    if !lineage.complete {
        explanation.push("part of its ancestry is not known".to_owned());
    }
    Resolution { lineage, explanation, edges }
}

fn unknown(why: String) -> Resolution {
    Resolution { lineage: Lineage::unknown(), explanation: vec![why], edges: Vec::new() }
}

/// One expression for each entry. Names of models are ASCII: without Unicode's classes the set is small and quick to
/// build.
fn pattern_set<'a>(
    entries: impl Iterator<Item = (&'a str, &'a [String])>,
    start: &str,
) -> Result<RegexSet, FamiliesError> {
    let (names, patterns): (Vec<&str>, Vec<String>) = entries
        .map(|(name, patterns)| match patterns {
            [] => (name, MATCHES_NOTHING.to_owned()),
            some => (name, format!("{start}(?:{})", some.join("|"))),
        })
        .unzip();
    RegexSetBuilder::new(&patterns).unicode(false).build().map_err(|error| {
        // The set does not say which of its members is wrong.
        let wrong = patterns.iter().position(|pattern| Regex::new(pattern).is_err());
        pattern_error(wrong.map_or("all entries together", |index| names[index]), error)
    })
}

fn pattern_error(entry: &str, source: regex::Error) -> FamiliesError {
    FamiliesError::Pattern { entry: entry.to_owned(), source: Box::new(source) }
}

fn alternatives(entry: &str, patterns: &[String], before: &str, after: &str) -> Result<Regex, FamiliesError> {
    let pattern = match patterns {
        [] => MATCHES_NOTHING.to_owned(),
        some => format!("{before}{}{after}", some.join("|")),
    };
    Regex::new(&pattern).map_err(|source| pattern_error(entry, source))
}

/// The lineage of each derived model and the edges that lead there; the table has no circles.
fn lineages(table: &Table) -> BTreeMap<String, (Lineage, Vec<Edge>)> {
    let mut lineages = BTreeMap::new();
    for entry in &table.derived {
        follow(&entry.name, table, &mut lineages);
    }
    lineages
}

fn follow(name: &str, table: &Table, lineages: &mut BTreeMap<String, (Lineage, Vec<Edge>)>) {
    let Some(entry) = table.derived.iter().find(|entry| entry.name == name) else { return };
    if lineages.contains_key(name) {
        return;
    }
    let mut lineage = Lineage { families: BTreeSet::new(), complete: entry.complete };
    let mut edges = Vec::new();
    for edge in entry.edges() {
        follow(&edge.from, table, lineages);
        match lineages.get(&edge.from) {
            Some((above, their_edges)) if edge.kind.is_descent() => {
                lineage = lineage.joined_with(above);
                edges.extend(their_edges.iter().cloned());
            }
            None if edge.kind.is_descent() => {
                lineage.families.insert(Family::new(&edge.from));
            }
            Some(_) | None => {}
        }
        edges.push(edge);
    }
    edges.sort();
    edges.dedup();
    lineages.insert(name.to_owned(), (lineage, edges));
}

/// What is outside of parentheses, and the contents of each pair.
fn split_parentheses(name: &str) -> (String, Vec<&str>) {
    let (mut outside, mut inside) = (String::new(), Vec::new());
    let mut rest = name;
    while let Some((before, behind)) = rest.split_once('(') {
        outside.push_str(before);
        let (content, after) = behind.split_once(')').unwrap_or((behind, ""));
        inside.push(content);
        rest = after;
    }
    outside.push_str(rest);
    (outside, inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_is_right() {
        let families = Families::parse(Families::EMBEDDED).expect("the table that is built in");
        assert!(families.knows(&Family::new("Anthropic")));
        assert!(!families.knows(&Family::new("nobody")));
    }
}
