//! The table of tools as it is written in TOML: its shape, and what makes one wrong.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Role;
use crate::{Family, Lineage};

/// What is wrong with a table of tools.
#[derive(Debug, thiserror::Error)]
pub enum AgentsError {
    /// It is not TOML, or has a key that nobody reads.
    #[error("could not read the table of tools")]
    Toml(#[source] Box<toml::de::Error>),
    /// A pattern is no regular expression.
    #[error("could not compile the patterns for {what}")]
    Pattern {
        /// What the patterns are matched against.
        what: &'static str,
        /// What is wrong with them.
        #[source]
        source: Box<regex::Error>,
    },
    /// Two tools claim the same mark.
    #[error("{mark} belongs to both {one} and {other}")]
    Ambiguous {
        /// The address, account, name or trailer.
        mark: String,
        /// The tool that had it first.
        one: String,
        /// The other one.
        other: String,
    },
    /// A window of days has no date at one end.
    #[error("a window of unreliable traces of {email} needs dates at both ends")]
    Window {
        /// The address it is about.
        email: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    #[serde(rename = "as_of")]
    pub(super) _as_of: String,
    pub(super) disclosure: Disclosure,
    pub(super) prose: ProseEntry,
    #[serde(default)]
    pub(super) unreliable: Vec<UnreliableEntry>,
    pub(super) agent: Vec<Agent>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Disclosure {
    pub(super) named_keys: Vec<String>,
    pub(super) ai_keys: Vec<String>,
    pub(super) suggesting_keys: Vec<String>,
    pub(super) negations: Vec<String>,
    pub(super) labels: Vec<String>,
}

/// How people say in sentences that AI wrote a change. All of it is in lower case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProseEntry {
    pub(super) sentences: Vec<String>,
    pub(super) words: BTreeMap<String, Vec<String>>,
    pub(super) doubts: Vec<String>,
    pub(super) denials: Vec<String>,
    pub(super) denials_behind: Vec<String>,
    pub(super) reading: Vec<String>,
    pub(super) partly: Vec<String>,
    pub(super) common_words: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnreliableEntry {
    pub(super) email: String,
    pub(super) name: String,
    pub(super) from: toml::value::Datetime,
    pub(super) until: toml::value::Datetime,
    #[serde(rename = "source")]
    pub(super) _source: String,
}

/// A tool, as the table describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Agent {
    pub(super) id: String,
    pub(super) display: String,
    #[serde(default)]
    pub(super) role: AgentRole,
    pub(super) default: Option<String>,
    #[serde(default)]
    pub(super) variable: bool,
    #[serde(default)]
    pub(super) default_needs_address: bool,
    #[serde(default)]
    pub(super) person: bool,
    #[serde(default)]
    pub(super) unnamed: bool,
    #[serde(default)]
    pub(super) names: Vec<String>,
    #[serde(default)]
    pub(super) plain_names: Vec<String>,
    #[serde(default)]
    pub(super) author_suffixes: Vec<String>,
    #[serde(default)]
    pub(super) emails: Vec<String>,
    #[serde(default)]
    pub(super) email_patterns: Vec<String>,
    #[serde(default)]
    pub(super) accounts: Vec<u64>,
    #[serde(default)]
    pub(super) logins: Vec<String>,
    #[serde(default)]
    pub(super) keys: Vec<String>,
    #[serde(default)]
    pub(super) trailers: Vec<TrailerEntry>,
    #[serde(default)]
    pub(super) links: Vec<String>,
    #[serde(default)]
    pub(super) lines: Vec<String>,
    #[serde(default)]
    pub(super) branches: Vec<String>,
    #[serde(default)]
    pub(super) titles: Vec<String>,
    #[serde(default)]
    pub(super) labels: Vec<String>,
    #[serde(default)]
    pub(super) note_tools: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrailerEntry {
    pub(super) key: String,
    pub(super) value: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AgentRole {
    #[default]
    Implementer,
    Suggester,
    Bot,
}

impl Agent {
    /// What it does when it is named beside an author.
    pub(super) fn role(&self) -> Role {
        match self.role {
            AgentRole::Implementer => Role::Implementer,
            AgentRole::Suggester => Role::Suggester,
            AgentRole::Bot => Role::Bot,
        }
    }

    /// What it does when it is itself the author: whoever commits a suggestion wrote it.
    pub(super) fn role_as_author(&self) -> Role {
        match self.role {
            AgentRole::Implementer | AgentRole::Suggester => Role::Implementer,
            AgentRole::Bot => Role::Bot,
        }
    }

    /// The lineage of the model that it uses when nobody says which, where it was told by its own address or account.
    pub(super) fn default_lineage(&self) -> Lineage {
        Lineage {
            families: self.default.iter().map(|family| Family::new(family)).collect(),
            complete: self.default.is_some() && !self.variable,
        }
    }

    /// The same, where only its name was seen.
    pub(super) fn default_lineage_by_name(&self) -> Lineage {
        if self.default_needs_address { Lineage::unknown() } else { self.default_lineage() }
    }

    /// Whether it stands for whatever AI tool nobody named.
    pub(super) fn is_unnamed(&self) -> bool {
        self.unnamed
    }

    /// Whether its plain name is a first name.
    pub(super) fn is_person_like(&self) -> bool {
        self.person
    }
}

impl Table {
    /// Reads a file.
    pub(super) fn read(text: &str) -> Result<Self, AgentsError> {
        toml::from_str(text).map_err(|error| AgentsError::Toml(Box::new(error)))
    }
}

/// The days on which a trace says nothing.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) email: String,
    pub(super) name: String,
    pub(super) from: i64,
    pub(super) until: i64,
}

impl Window {
    /// Its first second and the first one behind it.
    pub(super) fn of(entry: &UnreliableEntry) -> Result<Self, AgentsError> {
        let (Some(from), Some(until)) = (entry.from.date, entry.until.date) else {
            return Err(AgentsError::Window { email: entry.email.clone() });
        };
        const DAY: i64 = 86_400;
        Ok(Self {
            email: entry.email.clone(),
            name: entry.name.clone(),
            from: days_since_1970(from) * DAY,
            // The last day is in the window.
            until: (days_since_1970(until) + 1) * DAY,
        })
    }
}

/// Days from 1970-01-01 in the Gregorian calendar: years begin in March, so that a leap day is a year's last.
fn days_since_1970(date: toml::value::Date) -> i64 {
    let (year, month, day) = (i64::from(date.year), i64::from(date.month), i64::from(date.day));
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        let date = |year, month, day| days_since_1970(toml::value::Date { year, month, day });
        assert_eq!(date(1970, 1, 1), 0);
        assert_eq!(date(2000, 2, 29), 11_016);
        assert_eq!(date(2026, 4, 22), 20_565);
    }
}
