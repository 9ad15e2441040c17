//! The table of families as it is written in TOML: its shape, and what makes one wrong.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Edge, EdgeKind};

/// What is wrong with a table of families.
#[derive(Debug, thiserror::Error)]
pub enum FamiliesError {
    /// It is not TOML, or has a key that nobody reads.
    #[error("could not read the table of families")]
    Toml(#[source] Box<toml::de::Error>),
    /// A pattern is no regular expression.
    #[error("could not compile a pattern of {entry}")]
    Pattern {
        /// The entry that holds it.
        entry: String,
        /// What is wrong with it.
        #[source]
        source: Box<regex::Error>,
    },
    /// Two entries have one name.
    #[error("{name} is in the table twice")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// An edge or an alias leads to something that is not in the table.
    #[error("{entry} leads to {to}, which is not in the table")]
    Dangling {
        /// The entry that holds the edge.
        entry: String,
        /// Where it leads.
        to: String,
    },
    /// An edge names neither or both of a family and a derived model.
    #[error("an edge of {entry} needs one of family and derived")]
    Edge {
        /// The entry that holds the edge.
        entry: String,
    },
    /// A derived model descends from nothing, so that its name would be known and its lineage not.
    #[error("{entry} needs at least one edge in `from`")]
    NoEdge {
        /// The entry.
        entry: String,
    },
    /// A date is no day.
    #[error("the date `{date}` of {entry} is no day, as `2026-11-21`")]
    Date {
        /// The entry that holds it.
        entry: String,
        /// What it says.
        date: String,
    },
    /// A model descends from itself.
    #[error("the lineage goes round in a circle: {}", cycle.join(" -> "))]
    Cycle {
        /// The names on the way, the first one again at the end.
        cycle: Vec<String>,
    },
}

/// The file, as it is written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Table {
    /// The day on which the facts were last looked at; empty where it is not said.
    pub(super) as_of: String,
    pub(super) placeholders: BTreeSet<String>,
    pub(super) not_models: Vec<String>,
    pub(super) suffixes: Vec<String>,
    pub(super) free_text_hosts: BTreeSet<String>,
    pub(super) family: Vec<FamilyEntry>,
    pub(super) derived: Vec<DerivedEntry>,
    pub(super) alias: Vec<AliasEntry>,
}

/// A maker's line of models.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FamilyEntry {
    pub(super) name: String,
    pub(super) maker: String,
    pub(super) display: String,
    pub(super) patterns: Vec<String>,
    #[serde(default)]
    pub(super) names: Vec<String>,
    #[serde(default)]
    pub(super) versioned: Vec<String>,
    #[serde(default)]
    pub(super) orgs: Vec<String>,
}

/// A model, or a group of models, with several ancestors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DerivedEntry {
    pub(super) name: String,
    pub(super) patterns: Vec<String>,
    #[serde(default = "yes")]
    pub(super) complete: bool,
    /// The name stands for one of several models; no model has the whole set.
    #[serde(default)]
    pub(super) one_of: bool,
    from: Vec<EdgeEntry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct EdgeEntry {
    family: Option<String>,
    derived: Option<String>,
    kind: EdgeKind,
    source: String,
    date: String,
    #[serde(default = "yes")]
    certain: bool,
}

/// A name that stands for another.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AliasEntry {
    pub(super) name: String,
    pub(super) means: String,
    pub(super) source: String,
    pub(super) date: String,
    #[serde(default = "yes")]
    pub(super) certain: bool,
    #[serde(default)]
    pub(super) mutable: bool,
}

fn yes() -> bool {
    true
}

impl DerivedEntry {
    /// Its edges.
    pub(super) fn edges(&self) -> impl Iterator<Item = Edge> {
        self.from.iter().map(|entry| Edge {
            model: self.name.clone(),
            from: entry.family.clone().or_else(|| entry.derived.clone()).unwrap_or_default(),
            kind: entry.kind,
            source: entry.source.clone(),
            date: entry.date.clone(),
            certain: entry.certain,
        })
    }
}

impl Table {
    /// Reads a file and checks what can be checked without another one.
    pub(super) fn read(text: &str) -> Result<Self, FamiliesError> {
        toml::from_str(text).map_err(|error| FamiliesError::Toml(Box::new(error)))
    }

    /// Puts another table's entries before this one's; where both name the same thing, the other's stands.
    pub(super) fn overlaid_with(mut self, other: Self) -> Self {
        self.placeholders.extend(other.placeholders);
        self.free_text_hosts.extend(other.free_text_hosts);
        self.not_models.extend(other.not_models);
        self.suffixes.extend(other.suffixes);
        self.family = overlay(self.family, other.family, |entry| &entry.name);
        self.derived = overlay(self.derived, other.derived, |entry| &entry.name);
        self.alias = overlay(self.alias, other.alias, |entry| &entry.name);
        self
    }

    /// Refuses names that are there twice, edges that lead nowhere and edges that lead back.
    pub(super) fn check(&self) -> Result<(), FamiliesError> {
        unique(
            self.family.iter().map(|entry| &entry.name).chain(self.derived.iter().map(|entry| &entry.name)),
        )?;
        unique(self.alias.iter().map(|entry| &entry.name))?;
        let families: BTreeSet<&str> = self.family.iter().map(|entry| entry.name.as_str()).collect();
        let derived: BTreeMap<&str, &DerivedEntry> =
            self.derived.iter().map(|entry| (entry.name.as_str(), entry)).collect();
        if !self.as_of.is_empty() {
            check_day("the table", &self.as_of)?;
        }
        for alias in &self.alias {
            check_day(&alias.name, &alias.date)?;
        }
        for entry in &self.derived {
            if entry.from.is_empty() {
                return Err(FamiliesError::NoEdge { entry: entry.name.clone() });
            }
            for edge in &entry.from {
                check_day(&entry.name, &edge.date)?;
                let (to, known) = match (&edge.family, &edge.derived) {
                    (Some(family), None) => (family, families.contains(family.as_str())),
                    (None, Some(model)) => (model, derived.contains_key(model.as_str())),
                    (None, None) | (Some(_), Some(_)) => {
                        return Err(FamiliesError::Edge { entry: entry.name.clone() });
                    }
                };
                if !known {
                    return Err(FamiliesError::Dangling { entry: entry.name.clone(), to: to.clone() });
                }
            }
        }
        let mut finished = BTreeSet::new();
        for entry in &self.derived {
            descend(entry, &derived, &mut Vec::new(), &mut finished)?;
        }
        Ok(())
    }
}

/// `2026-11-21`; how many days a month has is not looked at.
fn check_day(entry: &str, date: &str) -> Result<(), FamiliesError> {
    let number = |part: Option<&str>, digits: usize| -> Option<u32> {
        part.filter(|part| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()))?
            .parse()
            .ok()
    };
    let mut parts = date.split('-');
    let (year, month, day) = (number(parts.next(), 4), number(parts.next(), 2), number(parts.next(), 2));
    let is_day = year.is_some()
        && month.is_some_and(|month| (1..=12).contains(&month))
        && day.is_some_and(|day| (1..=31).contains(&day))
        && parts.next().is_none();
    match is_day {
        true => Ok(()),
        false => Err(FamiliesError::Date { entry: entry.to_owned(), date: date.to_owned() }),
    }
}

fn overlay<T>(below: Vec<T>, mut above: Vec<T>, name: impl Fn(&T) -> &String) -> Vec<T> {
    let taken: BTreeSet<String> = above.iter().map(|entry| name(entry).clone()).collect();
    above.extend(below.into_iter().filter(|entry| !taken.contains(name(entry))));
    above
}

fn unique<'a>(names: impl Iterator<Item = &'a String>) -> Result<(), FamiliesError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(FamiliesError::Duplicate { name: name.clone() });
        }
    }
    Ok(())
}

/// Walks down the derived models below an entry and reports the first way that leads back.
fn descend<'a>(
    entry: &'a DerivedEntry,
    derived: &BTreeMap<&str, &'a DerivedEntry>,
    path: &mut Vec<&'a str>,
    finished: &mut BTreeSet<&'a str>,
) -> Result<(), FamiliesError> {
    if finished.contains(entry.name.as_str()) {
        return Ok(());
    }
    if let Some(start) = path.iter().position(|name| *name == entry.name) {
        let mut cycle: Vec<String> = path[start..].iter().map(|name| (*name).to_owned()).collect();
        cycle.push(entry.name.clone());
        return Err(FamiliesError::Cycle { cycle });
    }
    path.push(&entry.name);
    for edge in &entry.from {
        if let Some(next) = edge.derived.as_deref().and_then(|name| derived.get(name)) {
            descend(next, derived, path, finished)?;
        }
    }
    path.pop();
    finished.insert(&entry.name);
    Ok(())
}
