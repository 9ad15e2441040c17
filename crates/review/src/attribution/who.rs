//! From a name and an address, or from a phrase, to the tool and the model.

use std::collections::BTreeSet;

use super::Role;
use super::agents::{Agents, NameHit};
use super::table::Agent;
use crate::lineage::Families;
use crate::{Family, Lineage};

/// What follows in a phrase is prose: the tool and the model stand at its beginning.
const PHRASE_LIMIT: usize = 200;

/// A sentence that says who wrote the change is read up to here.
const SENTENCE_LIMIT: usize = 1_000;

/// A longer name of a tool that is not in the table is a sentence, and names none.
const TOOL_NAME_WORDS: usize = 3;

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

impl Who {
    /// A tool at work with whatever model it uses when nobody says which.
    pub(super) fn with_default(agent: &Agent, role: Role) -> Self {
        Self { agent: Some(agent.id.clone()), model: None, lineage: agent.default_lineage(), role }
    }

    /// An AI tool that nobody can name.
    pub(super) fn unknown_writer() -> Self {
        Self { agent: None, model: None, lineage: Lineage::unknown(), role: Role::Implementer }
    }
}

impl<'a> Tables<'a> {
    /// Reads `Name <address>` as it stands in a commit's header or a trailer.
    pub(super) fn identity(self, name: &str, email: &str, place: Place) -> Option<Who> {
        let name = name.trim().trim_matches(['"', '\'', '`', '*']);
        if let Some(agent) = self.agents.by_address(email) {
            let role = match place {
                Place::Author => agent.role_as_author(),
                Place::Trailer | Place::SaysAi => agent.role(),
            };
            return Some(self.with_model(agent, name, agent.default_lineage(), role));
        }
        let lower = name.to_lowercase();
        let named_agent = || {
            let hits: Vec<NameHit> = self.agents.names_in(&lower).collect();
            self.by_importance(&lower, &hits, true).first().copied()
        };
        if !email.contains('@') && email.contains('/') {
            // `Kilo Code <moonshotai/kimi-k2.5:free>`: a model stands where the address should.
            let lineage = self.families.resolve(email).lineage;
            if !lineage.families.is_empty() {
                return Some(who(named_agent(), Some(email), lineage, Role::Implementer));
            }
        }
        if self.families.is_model_name(&lower) {
            let lineage = self.families.named_in(&lower)?.lineage;
            let model = self.model_name(name, &lineage);
            return Some(who(named_agent(), model.as_deref(), lineage, Role::Implementer));
        }
        self.by_name_alone(name, email, place)
    }

    /// Somebody whose address says nothing. Only a name that no person has counts: in a trailer also one word, since
    /// people who make up an address for a tool put it there; for an author several.
    fn by_name_alone(self, name: &str, email: &str, place: Place) -> Option<Who> {
        let lower = name.to_lowercase();
        let outside = lower.split('(').next().unwrap_or_default().trim();
        let by_name = self.agents.by_name(outside).filter(|(_, plain)| match place {
            Place::Author => !plain && outside.contains([' ', '-']),
            Place::Trailer | Place::SaysAi => !plain,
        });
        let agent = by_name.map(|(agent, _)| agent).or_else(|| match place {
            Place::Author => None,
            Place::Trailer | Place::SaysAi => {
                self.by_made_up_address(email).or_else(|| self.with_a_model_behind(&lower))
            }
        })?;
        let role = agent.role();
        (role != Role::Bot).then(|| self.with_model(agent, name, agent.default_lineage_by_name(), role))
    }

    /// `Claude <claude@example.com>`: nobody lives there.
    fn by_made_up_address(self, email: &str) -> Option<&'a Agent> {
        let (local, domain) = email.split_once('@')?;
        let (agent, _) = self.agents.by_name(&local.to_lowercase())?;
        let is_made_up = EXAMPLE_DOMAINS.contains(&domain.to_lowercase().as_str());
        (is_made_up && !agent.is_person_like()).then_some(agent)
    }

    /// `OpenHands-Claude`: the name of a tool, and then that of a model.
    fn with_a_model_behind(self, lower: &str) -> Option<&'a Agent> {
        let hit = self.agents.names_in(lower).next().filter(|hit| hit.start == 0 && !hit.plain)?;
        let model = lower[hit.end..].trim_start_matches(['-', ' ', ':', '/', '(']).trim_end_matches(')');
        let is_maker =
            self.agents.by_name(model).is_some_and(|(agent, _)| agent.default_lineage().is_known());
        (is_maker || self.families.is_model_name(model)).then(|| self.agents.get(hit.agent))
    }

    /// The tools that were found in a phrase, the one that was at work first: it stands behind `via` or before a colon.
    /// Beside another tool and a model, a plain word is a part of the model's name; `an AI assistant` is nothing beside
    /// a name.
    fn by_importance(self, phrase: &str, hits: &[NameHit], names_a_model: bool) -> Vec<&'a Agent> {
        let rank = |hit: &NameHit| {
            if phrase[..hit.start].trim_end().ends_with("via") {
                0
            } else if phrase[hit.end..].starts_with([':', '/']) {
                1
            } else {
                2
            }
        };
        let mut hits: Vec<NameHit> = hits.to_vec();
        if names_a_model || hits.iter().any(|hit| !self.agents.get(hit.agent).is_unnamed()) {
            hits.retain(|hit| !self.agents.get(hit.agent).is_unnamed());
        }
        if names_a_model && hits.iter().any(|hit| !hit.plain || rank(hit) < 2) {
            hits.retain(|hit| !hit.plain || rank(hit) < 2);
        }
        hits.sort_by_key(rank);
        let agents = hits.into_iter().map(|hit| self.agents.get(hit.agent));
        agents.filter(|agent| agent.role() != Role::Bot).collect()
    }

    /// A tool with the model that a text names for it, or else with its default.
    fn with_model(self, agent: &Agent, text: &str, default: Lineage, role: Role) -> Who {
        if role == Role::Bot {
            return who(Some(agent), None, Lineage::unknown(), role);
        }
        if self.agents.by_name(&text.to_lowercase()).is_some_and(|(named, _)| named.id == agent.id) {
            return who(Some(agent), None, default, role);
        }
        match self.model_in(text) {
            Some(lineage) if lineage.families.is_empty() => {
                // A name that nobody knows may still be of the tool's own maker.
                let lineage = Lineage { families: default.families, complete: false };
                who(Some(agent), self.model_name(text, &Lineage::unknown()).as_deref(), lineage, role)
            }
            Some(lineage) => who(Some(agent), self.model_name(text, &lineage).as_deref(), lineage, role),
            None => who(Some(agent), None, default, role),
        }
    }

    /// The lineage of the model that a text names: unknown where it names one that nobody knows, `None` where it
    /// names none.
    ///
    /// What stands in parentheses or right behind `tool:` or `tool/` is a model's id. Elsewhere only words count that
    /// mean nothing else, so that an agent called Nova is not Amazon's.
    fn model_in(self, text: &str) -> Option<Lineage> {
        let lower = text.to_lowercase();
        let mut is_named = false;
        for id in self.ids_in(&lower) {
            let lineage = self.families.resolve(id).lineage;
            if !lineage.families.is_empty() {
                return Some(lineage);
            }
            is_named |= looks_like_an_id(id) && !self.families.is_placeholder(id);
        }
        let words = self.without_tools(&lower);
        let named = self.families.named_in(&words).map(|found| found.lineage);
        // `Claude (some-id-7)` names a tool by a maker's word, and then a model that nobody knows.
        let is_named = is_named && !self.families.is_model_name(&words);
        match named {
            Some(lineage) => Some(Lineage { complete: lineage.complete && !is_named, ..lineage }),
            None => is_named.then(Lineage::unknown),
        }
    }

    /// The words of a phrase that stand where a model's id does.
    pub(super) fn ids_in(self, phrase: &str) -> Vec<&str> {
        let lower = phrase.to_ascii_lowercase();
        let in_parentheses = phrase.split('(').skip(1).filter_map(|part| part.split(')').next());
        let behind_tools = self.agents.names_in(&lower).filter_map(|hit| {
            let behind = phrase[hit.end..].strip_prefix([':', '/'])?;
            behind.split([' ', ',', ')']).next()
        });
        let one_word = |id: &&str| {
            let names_a_tool = || self.agents.by_name(&id.to_ascii_lowercase()).is_some();
            !id.is_empty() && !id.contains(char::is_whitespace) && !names_a_tool()
        };
        in_parentheses.chain(behind_tools).map(str::trim).filter(one_word).collect()
    }

    /// Reads what stands behind `Assisted-by:` and its like, where there is no address: `AGENT:MODEL [TOOLS]`,
    /// `model via tool`, `tool (model)`, `tool/model`, `tool`.
    pub(super) fn phrase(self, value: &str, place: Place) -> Vec<Who> {
        let limit = if place == Place::SaysAi { SENTENCE_LIMIT } else { PHRASE_LIMIT };
        let end = (0..=limit.min(value.len())).rev().find(|&end| value.is_char_boundary(end));
        let value = value[..end.unwrap_or(0)].split(" on behalf of ").next().unwrap_or_default().trim();
        let lower = value.to_lowercase();
        let hits: Vec<NameHit> =
            self.agents.names_in(&lower).filter(|&hit| self.counts(&lower, hit, place)).collect();
        let is_id = !lower.contains(' ') && looks_like_an_id(&lower);
        let may_name_a_model =
            place == Place::SaysAi || !hits.is_empty() || is_id || self.families.is_model_name(&lower);
        let model = if may_name_a_model { self.model_in(&lower) } else { None };
        let agents = self.by_importance(&lower, &hits, model.is_some());
        match (agents.as_slice(), model) {
            ([], None) => Vec::new(),
            ([], Some(lineage)) => {
                let model = self.model_name(value, &lineage);
                self.by_models(who(None, model.as_deref(), lineage, Role::Implementer), value)
            }
            (some, None) => some
                .iter()
                .map(|agent| who(Some(agent), None, agent.default_lineage_by_name(), agent.role()))
                .collect(),
            ([first, ..], Some(lineage)) => {
                let default = first.default_lineage_by_name();
                let mut all = self.by_models(self.with_model(first, value, default, first.role()), value);
                let listed = [" and ", "+", "&", ", "].iter().any(|separator| lower.contains(separator));
                // `Codex and Claude Opus 5`: one word is a tool and the other a model, of different makers.
                let more = agents.iter().filter(|agent| {
                    let default = agent.default_lineage();
                    listed && default.is_known() && default.families.is_disjoint(&lineage.families)
                });
                all.extend(more.map(|agent| Who::with_default(agent, agent.role())));
                all
            }
        }
    }

    /// The same, once for each of the models that the text names, and once for what is left of the lineage.
    fn by_models(self, whole: Who, text: &str) -> Vec<Who> {
        if whole.lineage.families.is_empty() {
            return vec![whole];
        }
        let mut all: Vec<Who> = Vec::new();
        for model in self.models_named(text) {
            let name = Some(text[model.place].to_owned());
            if !all.iter().any(|other| other.model == name) {
                all.push(Who { model: name, lineage: model.lineage, ..whole.clone() });
            }
        }
        let told: BTreeSet<&Family> = all.iter().flat_map(|who| &who.lineage.families).collect();
        let left: BTreeSet<Family> =
            whole.lineage.families.iter().filter(|family| !told.contains(family)).cloned().collect();
        let is_whole =
            left.is_empty() && (whole.lineage.complete || all.iter().any(|who| !who.lineage.complete));
        if all.is_empty() || (all.len() == 1 && is_whole) {
            return vec![whole];
        }
        if !is_whole {
            let lineage = Lineage { families: left, complete: whole.lineage.complete };
            all.push(Who { model: None, lineage, ..whole });
        }
        all
    }

    /// Whether a name inside a phrase means the tool: a plain word only where it stands as one would write a tool.
    fn counts(self, phrase: &str, hit: NameHit, place: Place) -> bool {
        if !hit.plain || place == Place::SaysAi {
            return true;
        }
        if self.agents.get(hit.agent).is_person_like() {
            return false;
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
            || after.starts_with(|first: char| first.is_ascii_digit())
            || self.families.is_model_name(&phrase[hit.start..]);
        begins && ends
    }

    /// A phrase in lower case and without the names of tools, so that what is left names the model. Plain words stay:
    /// `claude` is both.
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

    /// Whether a name is a tool's, a model's or a family's.
    pub(super) fn knows(self, name: &str) -> bool {
        !self.families.resolve(name).lineage.families.is_empty()
            || self.agents.by_note_tool(name).is_some()
            || !self.phrase(name, Place::Trailer).is_empty()
    }

    /// Who a declaration of a tool means: `cursor`, `aider (gpt-5)`, `claude-code:glm-5`.
    pub(super) fn declared_agent(self, name: &str) -> Vec<Who> {
        if let Some(agent) = self.agents.by_note_tool(name.trim()) {
            return vec![Who::with_default(agent, Role::Implementer)];
        }
        match self.phrase(name, Place::SaysAi) {
            found if found.is_empty() => {
                let is_name = name.split_whitespace().count() <= TOOL_NAME_WORDS;
                let agent = Some(name.trim().to_owned()).filter(|_| is_name);
                vec![Who { agent, ..Who::unknown_writer() }]
            }
            found => found.into_iter().map(|who| Who { role: Role::Implementer, ..who }).collect(),
        }
    }
}

/// Whether a word is written as models' ids are: with a digit and a hyphen or the like, and not as a bare version or a
/// session's number.
pub(super) fn looks_like_an_id(word: &str) -> bool {
    let is_version = word.trim_start_matches('v').starts_with(|first: char| first.is_ascii_digit());
    let is_part = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_uuid = word.len() >= 36
        && word.get(word.len() - 36..).is_some_and(|tail| {
            tail.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && tail.split('-').all(is_part)
        });
    !is_version
        && !is_uuid
        && word.contains(|c: char| c.is_ascii_digit())
        && word.contains(['-', ':', '/', '.'])
}

fn who(agent: Option<&Agent>, model: Option<&str>, lineage: Lineage, role: Role) -> Who {
    Who {
        agent: agent.map(|agent| agent.id.clone()),
        model: model.map(|model| model.trim().to_owned()),
        lineage,
        role,
    }
}
