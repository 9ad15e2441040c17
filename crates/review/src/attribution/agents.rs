//! The tools that write code for people, and the ways to tell them.

use std::collections::{BTreeSet, HashMap};

use regex::Regex;
use regex::bytes::{RegexSet, RegexSetBuilder};

use super::message::LinePatterns;
use super::prose::Prose;
use super::table::{Agent, AgentRole, AgentsError, Table, Window};

/// The tail of the addresses that GitHub gives its users.
const GITHUB_NOREPLY: &str = "@users.noreply.github.com";

/// The tail of the names that GitHub keeps for Apps: nobody can register one as a user.
const BOT_TAIL: &str = "[bot]";

/// What a trailer's key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// It names somebody who wrote lines.
    Names,
    /// It says that a model was at work.
    SaysAi,
    /// It names somebody who proposed.
    NamesSuggester,
    /// Only this tool writes it.
    Of(usize),
    /// This tool writes it, where the value is like this.
    OfWithValue(usize),
}

/// A name of a tool that was found in a phrase.
#[derive(Debug, Clone, Copy)]
pub(super) struct NameHit {
    pub(super) agent: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether the word has another meaning too.
    pub(super) plain: bool,
}

/// Patterns, and the tool that each belongs to.
#[derive(Debug)]
struct Owned {
    set: RegexSet,
    owners: Vec<usize>,
}

impl Owned {
    fn compile<'a>(
        what: &'static str,
        agents: &'a [Agent],
        patterns: impl Fn(&'a Agent) -> &'a [String],
    ) -> Result<Self, AgentsError> {
        let owned = || {
            agents
                .iter()
                .enumerate()
                .flat_map(|(index, agent)| patterns(agent).iter().map(move |p| (p, index)))
        };
        // Marks are ASCII; without Unicode's classes the set is small and quick to build.
        let set = RegexSetBuilder::new(owned().map(|(pattern, _)| pattern))
            .unicode(false)
            .build()
            .map_err(|source| AgentsError::Pattern { what, source: Box::new(source) })?;
        Ok(Self { set, owners: owned().map(|(_, index)| index).collect() })
    }

    fn all(&self, text: &str) -> BTreeSet<usize> {
        self.set.matches(text.as_bytes()).iter().map(|pattern| self.owners[pattern]).collect()
    }
}

/// The tools that write code for people, and how to tell them.
#[derive(Debug)]
pub struct Agents {
    agents: Vec<Agent>,
    negations: BTreeSet<String>,
    labels: BTreeSet<String>,
    windows: Vec<Window>,
    by_email: HashMap<String, usize>,
    by_account: HashMap<u64, usize>,
    by_login: HashMap<String, usize>,
    by_name: HashMap<String, (usize, bool)>,
    by_key: HashMap<String, Key>,
    by_note_tool: HashMap<String, usize>,
    by_label: HashMap<String, usize>,
    suffixes: Vec<(String, usize)>,
    trailer_values: HashMap<String, Regex>,
    names: Regex,
    email_patterns: Owned,
    links: Owned,
    lines: Owned,
    branches: Owned,
    titles: Owned,
    line_patterns: LinePatterns,
    prose: Prose,
}

impl Agents {
    /// The text of the table that is built in.
    pub const EMBEDDED: &str = include_str!("../../../../config/agents.toml");

    /// The table that is built in.
    pub fn embedded() -> Self {
        Self::parse(Self::EMBEDDED).expect("a test parses the table that is built in")
    }

    /// Reads a table.
    pub fn parse(text: &str) -> Result<Self, AgentsError> {
        let table = Table::read(text)?;
        let agents = table.agent;
        let windows = table.unreliable.iter().map(Window::of).collect::<Result<_, _>>()?;
        let mut by_key: HashMap<String, Key> = HashMap::new();
        for (keys, key) in [
            (&table.disclosure.named_keys, Key::Names),
            (&table.disclosure.ai_keys, Key::SaysAi),
            (&table.disclosure.suggesting_keys, Key::NamesSuggester),
        ] {
            by_key.extend(keys.iter().map(|name| (name.clone(), key)));
        }
        let mut trailer_values = HashMap::new();
        for (index, agent) in agents.iter().enumerate() {
            for name in &agent.keys {
                if let Some(Key::Of(other)) = by_key.insert(name.clone(), Key::Of(index)) {
                    return Err(ambiguous(name, &agents[other], agent));
                }
            }
            for trailer in &agent.trailers {
                by_key.insert(trailer.key.clone(), Key::OfWithValue(index));
                trailer_values.insert(trailer.key.clone(), compile("trailers", &trailer.value)?);
            }
        }
        let by_name =
            index(&agents, |agent| agent.names.iter().chain(&agent.plain_names).cloned().collect())?
                .into_iter()
                .map(|(name, owner)| {
                    let plain = agents[owner].plain_names.contains(&name);
                    (name, (owner, plain))
                })
                .collect();
        Ok(Self {
            negations: table.disclosure.negations.into_iter().collect(),
            labels: table.disclosure.labels.into_iter().collect(),
            windows,
            by_email: index(&agents, |agent| agent.emails.clone())?,
            by_account: index(&agents, |agent| agent.accounts.clone())?,
            by_login: index(&agents, |agent| agent.logins.clone())?,
            by_note_tool: index(&agents, |agent| agent.note_tools.clone())?,
            by_label: index(&agents, |agent| agent.labels.clone())?,
            suffixes: agents
                .iter()
                .enumerate()
                .flat_map(|(index, agent)| {
                    agent.author_suffixes.iter().map(move |tail| (tail.clone(), index))
                })
                .collect(),
            names: names_pattern(&by_name)?,
            by_name,
            by_key,
            trailer_values,
            email_patterns: Owned::compile("addresses", &agents, |agent| &agent.email_patterns)?,
            links: Owned::compile("links", &agents, |agent| &agent.links)?,
            lines: Owned::compile("lines", &agents, |agent| &agent.lines)?,
            branches: Owned::compile("branches", &agents, |agent| &agent.branches)?,
            titles: Owned::compile("titles", &agents, |agent| &agent.titles)?,
            line_patterns: LinePatterns::new(),
            prose: Prose::compile(&table.prose)?,
            agents,
        })
    }

    /// How a tool is called by people; its id, if it is not in the table.
    pub fn display<'a>(&'a self, id: &'a str) -> &'a str {
        self.agents.iter().find(|agent| agent.id == id).map_or(id, |agent| agent.display.as_str())
    }

    pub(super) fn line_patterns(&self) -> &LinePatterns {
        &self.line_patterns
    }

    pub(super) fn prose(&self) -> &Prose {
        &self.prose
    }

    pub(super) fn get(&self, index: usize) -> &Agent {
        &self.agents[index]
    }

    /// Whose address this is, by the whole of it or by the account's number inside it.
    pub(super) fn by_address(&self, email: &str) -> Option<&Agent> {
        let email = email.to_ascii_lowercase();
        let own = self.by_email.get(&email).copied();
        let account = email.strip_suffix(GITHUB_NOREPLY).and_then(|local| {
            let (number, login) = local.split_once('+').unwrap_or(("", local));
            let by_number = number.parse().ok().and_then(|id: u64| self.by_account.get(&id)).copied();
            let by_login = self.by_login.get(login).copied();
            match by_number {
                // An action that writes a model's name beside the number of GitHub's own bot.
                Some(index) if self.agents[index].role == AgentRole::Bot => by_login
                    .filter(|&other| login.ends_with(BOT_TAIL) && self.agents[other].role != AgentRole::Bot)
                    .or(by_number),
                Some(index) => Some(index),
                // With a number, only a name that no user can hold is worth something.
                None if number.is_empty() || login.ends_with(BOT_TAIL) => by_login,
                None => None,
            }
        });
        let index = own.or(account).or_else(|| self.email_patterns.all(&email).first().copied())?;
        Some(&self.agents[index])
    }

    /// Whose account opened the change, as the platform says. The second answer is whether the number was known.
    pub(super) fn by_platform_login(&self, login: &str, id: Option<u64>) -> Option<(&Agent, bool)> {
        if let Some(index) = id.and_then(|id| self.by_account.get(&id)) {
            return Some((&self.agents[*index], true));
        }
        let login = login.to_lowercase();
        let agent = &self.agents[*self.by_login.get(&login)?];
        let only_an_app = login.ends_with(BOT_TAIL);
        match id {
            None => Some((agent, true)),
            Some(_) if only_an_app => Some((agent, agent.accounts.is_empty())),
            Some(_) => None,
        }
    }

    /// The tool that is called exactly this, and whether the word has another meaning.
    pub(super) fn by_name(&self, name: &str) -> Option<(&Agent, bool)> {
        self.by_name.get(name).map(|&(index, plain)| (&self.agents[index], plain))
    }

    /// The tool whose mark an author's name ends with.
    pub(super) fn by_author_suffix(&self, name: &str) -> Option<&Agent> {
        let name = name.to_lowercase();
        self.suffixes
            .iter()
            .find(|(tail, _)| name.ends_with(tail.as_str()))
            .map(|&(_, index)| &self.agents[index])
    }

    /// The tools that a phrase in lower case names, from left to right.
    pub(super) fn names_in<'a>(&'a self, phrase: &'a str) -> impl Iterator<Item = NameHit> + 'a {
        self.names.find_iter(phrase).filter_map(|found| {
            let &(agent, plain) = self.by_name.get(found.as_str())?;
            Some(NameHit { agent, start: found.start(), end: found.end(), plain })
        })
    }

    /// What a trailer's key means; keys are in lower case.
    pub(super) fn key(&self, key: &str) -> Option<Key> {
        self.by_key.get(key).copied()
    }

    pub(super) fn trailer_value_fits(&self, key: &str, value: &str) -> bool {
        self.trailer_values.get(key).is_none_or(|pattern| pattern.is_match(&value.to_lowercase()))
    }

    /// The tools whose sessions or marks a line in lower case shows.
    pub(super) fn in_line(&self, line: &str) -> BTreeSet<usize> {
        let mut found = self.lines.all(line);
        if line.contains('/') {
            found.extend(self.links.all(line));
        }
        found
    }

    pub(super) fn by_branch(&self, branch: &str) -> BTreeSet<usize> {
        self.branches.all(&branch.to_lowercase())
    }

    pub(super) fn by_title(&self, title: &str) -> BTreeSet<usize> {
        self.titles.all(&title.trim_start().to_lowercase())
    }

    pub(super) fn by_label(&self, label: &str) -> Option<&Agent> {
        self.by_label.get(&label.to_lowercase()).map(|&index| &self.agents[index])
    }

    pub(super) fn is_ai_label(&self, label: &str) -> bool {
        self.labels.contains(&label.to_lowercase())
    }

    /// Whether a label of a pull request says that a tool wrote it, known by name or not.
    pub fn tells_who_wrote(&self, label: &str) -> bool {
        self.by_label(label).is_some() || self.is_ai_label(label)
    }

    pub(super) fn by_note_tool(&self, tool: &str) -> Option<&Agent> {
        let tool = tool.to_lowercase();
        let index =
            self.by_note_tool.get(&tool).or_else(|| self.by_name.get(&tool).map(|(index, _)| index))?;
        Some(&self.agents[*index])
    }

    /// Whether a disclosure's value denies it, or does not answer: `none`, `no AI was used`, `yes/no`.
    pub(super) fn denies(&self, value: &str) -> bool {
        let value = value.trim().trim_matches(['"', '\'', '`', '*', '.']).to_lowercase();
        let first = value.split([' ', ',', ';', '(', '.']).next().unwrap_or_default();
        // The template of a form, as nobody filled it in.
        let unanswered = value.starts_with("<!--")
            || value.starts_with("[ ]")
            || value.contains("yes/no")
            || value.contains("yes | no");
        value.is_empty() || unanswered || self.negations.contains(&value) || self.negations.contains(first)
    }

    /// Whether a faulty default wrote this trace on that day.
    pub(super) fn is_unreliable(&self, name: &str, email: &str, author_time: i64) -> bool {
        self.windows.iter().any(|window| {
            email.eq_ignore_ascii_case(&window.email)
                && name.eq_ignore_ascii_case(&window.name)
                && (window.from..window.until).contains(&author_time)
        })
    }
}

fn index<K: std::hash::Hash + Eq + ToString>(
    agents: &[Agent],
    marks: impl Fn(&Agent) -> Vec<K>,
) -> Result<HashMap<K, usize>, AgentsError> {
    let mut owners: HashMap<K, usize> = HashMap::new();
    for (number, agent) in agents.iter().enumerate() {
        for mark in marks(agent) {
            if let Some(&other) = owners.get(&mark) {
                return Err(ambiguous(&mark, &agents[other], agent));
            }
            owners.insert(mark, number);
        }
    }
    Ok(owners)
}

fn ambiguous(mark: &impl ToString, one: &Agent, other: &Agent) -> AgentsError {
    AgentsError::Ambiguous { mark: mark.to_string(), one: one.id.clone(), other: other.id.clone() }
}

fn names_pattern(names: &HashMap<String, (usize, bool)>) -> Result<Regex, AgentsError> {
    let mut sorted: Vec<&String> = names.keys().collect();
    // The longest first: the expression takes the first alternative that fits.
    sorted.sort_by_key(|name| (std::cmp::Reverse(name.len()), (*name).clone()));
    let alternatives = sorted.iter().map(|name| regex::escape(name)).collect::<Vec<_>>().join("|");
    compile("names", &format!("(?-u:\\b)(?:{alternatives})(?-u:\\b)"))
}

fn compile(what: &'static str, pattern: &str) -> Result<Regex, AgentsError> {
    Regex::new(pattern).map_err(|source| AgentsError::Pattern { what, source: Box::new(source) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Family;
    use crate::lineage::Families;

    #[test]
    fn the_built_in_table_is_right() {
        let agents = Agents::parse(Agents::EMBEDDED).expect("the table that is built in");
        let families = Families::embedded();
        for family in agents.agents.iter().filter_map(|agent| agent.default.as_deref()) {
            assert!(families.knows(&Family::new(family)), "{family}");
        }
        assert_eq!(agents.display("claude-code"), "Claude Code");
        assert_eq!(agents.display("acme-coder"), "acme-coder");
        let unnamed = agents.agents.iter().filter(|agent| agent.is_unnamed());
        assert!(unnamed.map(|agent| agent.id.as_str()).eq([crate::attribution::UNNAMED_AGENT]));
        let upper = |mark: &String| mark.chars().any(char::is_uppercase);
        let marks = || {
            agents.agents.iter().flat_map(|agent| [&agent.emails, &agent.logins, &agent.names, &agent.keys])
        };
        assert!(!marks().flatten().any(upper), "marks are compared in lower case");
    }

    const SMALL: &str = r#"
        as_of = "2026-01-01"
        [disclosure]
        named_keys = []
        ai_keys = []
        suggesting_keys = []
        negations = []
        labels = []
        [prose]
        sentences = []
        words = { end = ["$"] }
        doubts = ["x"]
        denials = ["x"]
        denials_behind = ["x"]
        reading = ["x"]
        partly = ["x"]
        common_words = []
    "#;

    #[test]
    fn wrong_tables_are_refused_with_the_reason() {
        let agent = |id: &str, rest: &str| format!("[[agent]]\nid = \"{id}\"\ndisplay = \"{id}\"\n{rest}\n");
        let window = "[[unreliable]]\nemail = \"a@b\"\nname = \"a\"\nfrom = 10:00:00\nuntil = 2026-01-01\nsource = \"s\"\n";
        let cases = [
            (
                agent("a", "emails = [\"x@y\"]") + &agent("b", "emails = [\"x@y\"]"),
                "x@y belongs to both a and b",
            ),
            (agent("a", "accounts = [7]") + &agent("b", "accounts = [7]"), "7 belongs to both a and b"),
            (
                agent("a", "names = [\"x\"]") + &agent("b", "plain_names = [\"x\"]"),
                "x belongs to both a and b",
            ),
            (agent("a", "keys = [\"x\"]") + &agent("b", "keys = [\"x\"]"), "x belongs to both a and b"),
            (agent("a", "branches = [\"(x\"]"), "could not compile the patterns for branches"),
            (agent("a", "colour = \"red\""), "could not read the table of tools"),
            (window.to_owned(), "a window of unreliable traces of a@b needs dates at both ends"),
        ];
        for (rest, reason) in cases {
            let table = if rest.starts_with("[[unreliable") {
                format!("{SMALL}{rest}{}", agent("a", ""))
            } else {
                format!("{SMALL}{rest}")
            };
            assert_eq!(
                Agents::parse(&table).map(|_| ()).map_err(|error| error.to_string()),
                Err(reason.to_owned())
            );
        }
    }
}
