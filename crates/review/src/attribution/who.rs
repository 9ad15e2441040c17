//! From a name and an address, or from a phrase, to the tool and the model.

use super::Role;
use super::agents::{Agent, Agents, NameHit};
use crate::Lineage;
use crate::lineage::Families;

/// A longer phrase is prose, not the name of a tool.
const PHRASE_LIMIT: usize = 200;

/// The domains that exist for examples: no person has an address there.
const EXAMPLE_DOMAINS: [&str; 3] = ["example.com", "example.org", "example.net"];

/// The tables that every reading needs.
#[derive(Clone, Copy)]
pub(super) struct Tables<'a> {
    pub(super) agents: &'a Agents,
    pub(super) families: &'a Families,
}

/// A tool or a model that was told from a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Who {
    /// The tool's id.
    pub(super) agent: Option<String>,
    /// The model, as it was named.
    pub(super) model: Option<String>,
    pub(super) lineage: Lineage,
    pub(super) role: Role,
}

/// Where a name and an address stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The commit's author or committer: mostly a person.
    Author,
    /// A trailer that names somebody.
    Trailer,
    /// A trailer or a field that names a model or tool, whoever is meant.
    SaysAi,
}

impl<'a> Tables<'a> {
    /// Reads `Name <address>` as it stands in a commit's header or a trailer.
    pub(super) fn identity(self, name: &str, email: &str, place: Place) -> Option<Who> {
        let name = name.trim().trim_matches(['"', '\'', '`', '*']);
        if let Some(agent) = self.agents.by_address(email) {
            return Some(self.at_address(agent, name, place));
        }
        let lower = name.to_lowercase();
        if !email.contains('@') && email.contains('/') {
            // `Kilo Code <moonshotai/kimi-k2.5:free>`: a model stands where the address should.
            let found = self.families.resolve(email);
            if !found.lineage.families.is_empty() {
                let agent = self.agents.names_in(&lower).next().map(|hit| self.agents.get(hit.agent));
                return Some(who(agent, Some(email), found.lineage, Role::Implementer));
            }
        }
        if self.families.is_model_name(&lower) {
            let lineage = self.families.named_in(&lower)?.lineage;
            let agent = self.agents.names_in(&lower).next().map(|hit| self.agents.get(hit.agent));
            return Some(who(agent, Some(name), lineage, Role::Implementer));
        }
        match place {
            Place::Author => self.unmistakable(&lower),
            Place::Trailer | Place::SaysAi if email.is_empty() => None,
            Place::Trailer | Place::SaysAi => {
                self.at_example(&lower, email).or_else(|| self.unmistakable_or_single(&lower))
            }
        }
    }

    /// Somebody at an address that only one tool has. A model in the name says more than the address.
    fn at_address(self, agent: &Agent, name: &str, place: Place) -> Who {
        let role = match place {
            Place::Author => agent.role_as_author(),
            Place::Trailer | Place::SaysAi => agent.role(),
        };
        let named = if role == Role::Bot { None } else { self.families.named_in(&self.without_tools(name)) };
        match named {
            Some(found) => who(Some(agent), Some(name), found.lineage, role),
            None if role == Role::Bot => who(Some(agent), None, Lineage::unknown(), role),
            None => who(Some(agent), None, agent.default_lineage(), role),
        }
    }

    /// A name that no person has, whatever the address: `GitHub Copilot`, `aider (gpt-5)`.
    fn unmistakable(self, lower: &str) -> Option<Who> {
        let outside = lower.split('(').next().unwrap_or_default().trim();
        let (agent, plain) = self.agents.by_name(outside)?;
        let several_words = outside.contains([' ', '-']);
        if plain || !several_words {
            return None;
        }
        self.by_phrase(lower, agent)
    }

    /// The same, and one-word names, for a trailer: people who invent an address for a tool put them there.
    fn unmistakable_or_single(self, lower: &str) -> Option<Who> {
        let outside = lower.split('(').next().unwrap_or_default().trim();
        let (agent, plain) = self.agents.by_name(outside)?;
        if plain { None } else { self.by_phrase(lower, agent) }
    }

    fn by_phrase(self, lower: &str, agent: &Agent) -> Option<Who> {
        if agent.role() == Role::Bot {
            return None;
        }
        let named = self.families.named_in(&self.without_tools(lower));
        Some(match named {
            Some(found) => who(Some(agent), Some(lower), found.lineage, agent.role()),
            None => who(Some(agent), None, agent.default_lineage_by_name(), agent.role()),
        })
    }

    /// `Claude <claude@example.com>`: an address that somebody made up for a tool.
    fn at_example(self, lower: &str, email: &str) -> Option<Who> {
        let (local, domain) = email.split_once('@')?;
        let (agent, _) = self.agents.by_name(lower)?;
        let invented =
            EXAMPLE_DOMAINS.contains(&domain.to_lowercase().as_str()) && local.eq_ignore_ascii_case(lower);
        if invented && !agent.is_person_like() { self.by_phrase(lower, agent) } else { None }
    }

    /// Reads what stands behind `Assisted-by:` and its like, where there is no address: `AGENT:MODEL [TOOLS]`,
    /// `model via tool`, `tool (model)`, `tool/model`, `tool`.
    pub(super) fn phrase(self, value: &str, place: Place) -> Vec<Who> {
        let value = value.trim();
        if value.len() > PHRASE_LIMIT {
            return Vec::new();
        }
        let value = value.split(" on behalf of ").next().unwrap_or(value);
        let lower = value.to_lowercase();
        let hits: Vec<NameHit> =
            self.agents.names_in(&lower).filter(|&hit| self.counts(&lower, hit, place)).collect();
        let agents: Vec<&Agent> = hits
            .iter()
            .map(|hit| self.agents.get(hit.agent))
            .filter(|agent| agent.role() != Role::Bot)
            .collect();
        let names_a_model =
            place == Place::SaysAi || !agents.is_empty() || self.families.is_model_name(&lower);
        let model = if names_a_model { self.families.named_in(&self.without_tools(&lower)) } else { None };
        match (agents.as_slice(), model) {
            ([], None) => Vec::new(),
            ([], Some(found)) => vec![who(None, Some(value), found.lineage, Role::Implementer)],
            (some, None) => some
                .iter()
                .map(|agent| who(Some(agent), None, agent.default_lineage_by_name(), agent.role()))
                .collect(),
            ([first, others @ ..], Some(found)) => {
                let mut all = vec![who(Some(first), Some(value), found.lineage.clone(), first.role())];
                let listed = [" and ", "+", "&", ", "].iter().any(|separator| lower.contains(separator));
                // `Codex and Claude Opus 5`: one word is a tool and the other a model, of different makers.
                let more = std::iter::once(first).chain(others).filter(|agent| {
                    listed
                        && agent.has_one_family()
                        && agent.default_lineage().families.is_disjoint(&found.lineage.families)
                });
                all.extend(more.map(|agent| who(Some(agent), None, agent.default_lineage(), agent.role())));
                all
            }
        }
    }

    /// Whether a name inside a phrase means the tool: a plain word only where it stands as one would write a tool.
    fn counts(self, phrase: &str, hit: NameHit, place: Place) -> bool {
        if !hit.plain {
            return true;
        }
        if place != Place::SaysAi && self.agents.get(hit.agent).is_person_like() {
            return false;
        }
        if place == Place::SaysAi {
            return true;
        }
        let before = phrase[..hit.start].trim_end();
        let after = phrase[hit.end..].trim_start();
        let begins = before.is_empty()
            || ["via", "with", "using", "by", "and", "+", "&", ",", "("]
                .iter()
                .any(|word| before.ends_with(word));
        let ends = after.is_empty()
            || after.starts_with([':', '/', '(', ',', ')', '+', '&', '@'])
            || ["with ", "via ", "and ", "using "].iter().any(|word| after.starts_with(word))
            || self.families.is_model_name(&phrase[hit.start..])
            || after.starts_with(|first: char| first.is_ascii_digit());
        begins && ends
    }

    /// A phrase without the names of tools, so that what is left names the model. Plain words stay: `claude` is both.
    pub(super) fn without_tools(self, phrase: &str) -> String {
        let lower = phrase.to_lowercase();
        let mut rest = String::with_capacity(lower.len());
        let mut end = 0;
        for hit in self.agents.names_in(&lower).filter(|hit| !hit.plain) {
            rest.push_str(&lower[end..hit.start]);
            rest.push(' ');
            end = hit.end;
        }
        rest.push_str(&lower[end..]);
        rest
    }
}

fn who(agent: Option<&Agent>, model: Option<&str>, lineage: Lineage, role: Role) -> Who {
    Who {
        agent: agent.map(|agent| agent.id.clone()),
        model: model.map(|model| model.trim().to_owned()),
        lineage,
        role,
    }
}
