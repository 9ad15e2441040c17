//! Who wrote the change: evidence, and what follows from it.
//!
//! All of it is the author's word but what the platform asserts (the account that opened the pull request) and what
//! somebody with write access declares. Evidence only ever adds: nothing here takes a family or a doubt away because
//! of something else that an author can edit.

mod agents;
mod lines;
mod message;
mod naming;
mod notes;
mod prose;
mod shares;
mod table;
mod traces;
mod who;

use std::collections::{BTreeSet, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::{Commit, CommitId};
use crate::lineage::Families;
use crate::text::{shorten, visible};
use crate::{Family, Lineage};
use message::TextKind;
use who::{Place, Tables, Who};

pub use agents::Agents;
pub use shares::{Authors, HunkIndex, Share, ShareInput, noted_files, shares};
pub use table::AgentsError;
pub use traces::{TRACE_FOLDER, trace_notes};

/// Longer traces are shortened to this many bytes before they are kept.
const EVIDENCE_TEXT_LIMIT: usize = 300;

/// The id that the table has for whatever AI tool nobody named.
pub const UNNAMED_AGENT: &str = "unnamed-ai";

/// The account that opened the pull request, as the platform asserts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Its name, which may be changed or taken over by somebody else.
    pub login: String,
    /// Its number, which may not; `None` where the platform gave only the name.
    pub id: Option<u64>,
}

/// What somebody with write access (or the operator, or the base branch) declared about the author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declaration {
    /// People wrote it.
    Human,
    /// This model wrote it.
    Model(String),
    /// This tool wrote it; the name may hold a model too, as in `aider (gpt-5)`.
    Agent(String),
}

/// A git-ai note or an Agent Trace record, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The commit that it is about.
    pub commit: CommitId,
    /// All of it.
    pub text: String,
}

impl Note {
    /// One that is there and cannot be read, as when it is too large: it is told.
    pub fn unreadable(commit: &CommitId) -> Self {
        Self { commit: commit.clone(), text: String::new() }
    }
}

/// All that can tell who wrote a change.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuthorshipInput<'a> {
    /// The commits of the change; none that is on the base already.
    pub commits: &'a [Commit],
    /// The head's branch.
    pub branch: Option<&'a str>,
    /// The pull request's title.
    pub title: &'a str,
    /// Its description.
    pub body: &'a str,
    /// The account that opened it.
    pub author_login: Option<&'a Login>,
    /// Its labels.
    pub labels: &'a [String],
    /// Notes about its commits; those about other commits are not read.
    pub notes: &'a [Note],
    /// Declarations.
    pub declarations: &'a [Declaration],
}

/// What one commit tells by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitAttribution {
    /// What was seen.
    pub evidence: Vec<Evidence>,
    /// Whether a note attests some of its lines to people, or its message says that only a part is an AI's.
    pub human_lines: bool,
    /// What could not be read, in sentences.
    pub unread: Vec<String>,
}

impl CommitAttribution {
    /// Whether an AI tool wrote lines of it, as far as it left a trace.
    pub fn is_ai(&self) -> bool {
        self.evidence.iter().any(|evidence| evidence.role == Role::Implementer)
    }

    /// Whether a bot that is no model is its author.
    pub fn is_of_bot(&self) -> bool {
        self.evidence
            .iter()
            .any(|evidence| evidence.role == Role::Bot && evidence.channel == Channel::CommitAuthor)
    }
}

/// Works out who wrote a change from all that can tell.
///
/// Takes time linear in the length of the texts. No text makes it fail.
pub fn attribute(input: &AuthorshipInput<'_>, agents: &Agents, families: &Families) -> Attribution {
    let tables = Tables { agents, families };
    let mut evidence = Vec::new();
    evidence.extend(input.declarations.iter().flat_map(|declaration| of_declaration(declaration, tables)));
    evidence.extend(input.author_login.and_then(|login| of_login(login, tables)));
    let mut notes: HashMap<&CommitId, Vec<&Note>> = HashMap::new();
    for note in input.notes {
        notes.entry(&note.commit).or_default().push(note);
    }
    let of_commit =
        |commit: &Commit| of_commit(commit, notes.get(&commit.id).into_iter().flatten().copied(), tables);
    let commits: Vec<CommitAttribution> = input.commits.iter().map(of_commit).collect();
    evidence.extend(commits.iter().flat_map(|commit| commit.evidence.iter().cloned()));
    let around = of_surroundings(input, tables);
    let extent = Extent {
        whole: evidence.iter().chain(&around.of_all).any(is_about_all),
        partly: around.of_a_part.iter().any(is_about_all),
    };
    evidence.extend(around.of_all);
    evidence.extend(around.of_a_part);
    let mut attribution = conclude(evidence, input, &commits, extent);
    attribution.unread = commits.into_iter().flat_map(|commit| commit.unread).collect();
    attribution
}

/// Whom a description names as the writers, in lines `Written-by: NAME`: `human`, or a name that the tables know.
///
/// They are [`Declaration`]s only where everybody who can edit the description may write to the repository: else they are
/// traces like others, and [`attribute`] reads them as such.
pub fn declared_in(description: &str, agents: &Agents, families: &Families) -> Vec<String> {
    message::declared_in(description, Tables { agents, families })
}

/// What traces outside the commits say of how much an AI wrote.
struct Extent {
    /// One speaks of all of the change.
    whole: bool,
    /// One says that people wrote a part.
    partly: bool,
}

/// Whether a trace speaks of the change and of no single commit.
fn is_about_all(seen: &Evidence) -> bool {
    let about_all = match seen.channel {
        Channel::Declaration | Channel::PlatformLogin | Channel::Branch | Channel::Body | Channel::Label => {
            true
        }
        Channel::CommitAuthor
        | Channel::CommitCommitter
        | Channel::Trailer
        | Channel::Footer
        | Channel::Note => false,
    };
    seen.role == Role::Implementer && about_all && !seen.place.starts_with("commit")
}

/// Works out what one commit tells by itself. Notes about other commits are not read.
pub fn attribute_commit(
    commit: &Commit,
    notes: &[Note],
    agents: &Agents,
    families: &Families,
) -> CommitAttribution {
    of_commit(commit, notes.iter().filter(|note| note.commit == commit.id), Tables { agents, families })
}

fn conclude(
    evidence: Vec<Evidence>,
    input: &AuthorshipInput<'_>,
    commits: &[CommitAttribution],
    extent: Extent,
) -> Attribution {
    Attribution {
        bot: is_of_bot(&evidence, input, commits),
        partial: !extent.whole && (extent.partly || is_partial(input, commits)),
        ..of_evidence(evidence)
    }
}

/// What follows from traces alone; whether a bot opened the change and whether only part of it carries AI evidence is
/// in the commits.
pub(crate) fn of_evidence(evidence: Vec<Evidence>) -> Attribution {
    let mut attribution = Attribution::default();
    for seen in &evidence {
        match seen.role {
            Role::Implementer => {
                attribution.families.extend(seen.lineage.families.iter().cloned());
                attribution.unknown_agent |= !seen.lineage.is_known() && !is_answered(seen, &evidence);
            }
            Role::Suggester => attribution.suggested_by.extend(seen.lineage.families.iter().cloned()),
            Role::Human => attribution.human_declared = true,
            Role::Bot => {}
        }
    }
    attribution.vouched = is_vouched(&evidence);
    attribution.evidence = evidence;
    attribution
}

/// Whether somebody who may say so said which model a tool used that names none.
fn is_answered(seen: &Evidence, evidence: &[Evidence]) -> bool {
    seen.lineage.families.is_empty()
        && evidence.iter().any(|other| {
            let is_model = other.channel == Channel::Declaration && other.model.is_some();
            is_model && other.lineage.is_known() && (other.agent.is_none() || other.agent == seen.agent)
        })
}

/// Whether the platform or somebody with write access stands for every AI tool that was seen: for the tool itself, or
/// for the families of the model that it names.
fn is_vouched(evidence: &[Evidence]) -> bool {
    let ai = || evidence.iter().filter(|seen| matches!(seen.role, Role::Implementer | Role::Suggester));
    let vouching: Vec<&Evidence> = ai().filter(|seen| seen.strength == Strength::Vouched).collect();
    let families: BTreeSet<&Family> = vouching.iter().flat_map(|seen| &seen.lineage.families).collect();
    let stands_for = |seen: &Evidence| {
        let same_tool = seen.agent.is_some() && vouching.iter().any(|other| other.agent == seen.agent);
        let adds_no_family = seen.lineage.families.iter().all(|family| families.contains(family));
        adds_no_family && (same_tool || seen.lineage.is_known() || is_answered(seen, evidence))
    };
    !vouching.is_empty() && ai().all(|seen| seen.strength == Strength::Vouched || stands_for(seen))
}

/// Whether a bot that is no model opened it. The platform's word stands where there is one; else the branch and the
/// commits' authors tell.
fn is_of_bot(evidence: &[Evidence], input: &AuthorshipInput<'_>, commits: &[CommitAttribution]) -> bool {
    let by = |channel: Channel| evidence.iter().any(|seen| seen.role == Role::Bot && seen.channel == channel);
    if input.author_login.is_some() {
        return by(Channel::PlatformLogin);
    }
    let own = || input.commits.iter().zip(commits).filter(|(commit, _)| commit.parents <= 1);
    let all_of_bots = own().next().is_some() && own().all(|(_, found)| found.is_of_bot());
    let only_merges = own().next().is_none() && commits.iter().any(CommitAttribution::is_of_bot);
    by(Channel::Branch) || all_of_bots || only_merges
}

/// Whether some commits carry AI evidence and others none, or one gives lines to people too.
fn is_partial(input: &AuthorshipInput<'_>, commits: &[CommitAttribution]) -> bool {
    let own = || input.commits.iter().zip(commits).filter(|(commit, _)| commit.parents <= 1);
    let some = own().any(|(_, found)| found.is_ai());
    let not_all = own().any(|(_, found)| !found.is_ai());
    let shared = commits.iter().any(|found| found.is_ai() && found.human_lines);
    (some && not_all) || shared
}

fn of_declaration(declaration: &Declaration, tables: Tables<'_>) -> Vec<Evidence> {
    let vouched =
        |who: Who, text: &str| seen(who, Channel::Declaration, Strength::Vouched, "declaration", text);
    match declaration {
        Declaration::Human => {
            let who = Who { agent: None, model: None, lineage: Lineage::unknown(), role: Role::Human };
            vec![vouched(who, "written by people")]
        }
        Declaration::Model(name) => {
            let lineage = tables.families.resolve(name).lineage;
            let who = Who { agent: None, model: Some(name.clone()), lineage, role: Role::Implementer };
            vec![vouched(who, name)]
        }
        Declaration::Agent(name) => {
            tables.declared_agent(name).into_iter().map(|who| vouched(who, name)).collect()
        }
    }
}

fn of_login(login: &Login, tables: Tables<'_>) -> Option<Evidence> {
    let (who, known) = match tables.agents.by_platform_login(&login.login, login.id) {
        Some((agent, known)) => {
            let lineage = match agent.role_as_author() {
                Role::Implementer | Role::Suggester => agent.default_lineage(),
                Role::Bot | Role::Human => Lineage::unknown(),
            };
            (Who { agent: Some(agent.id.clone()), model: None, lineage, role: agent.role_as_author() }, known)
        }
        None => (unlisted_bot(&login.login)?, true),
    };
    let strength = if known { Strength::Vouched } else { Strength::Claimed };
    Some(seen(who, Channel::PlatformLogin, strength, "account that opened it", &login.login))
}

/// An App that is not in the table: a bot, unless its name speaks of AI; then nobody knows what it is.
fn unlisted_bot(name: &str) -> Option<Who> {
    let stem = name.trim().to_lowercase();
    let stem = stem.strip_suffix("[bot]")?;
    let words = || stem.split(|c: char| !c.is_ascii_alphanumeric());
    let speaks_of_ai = words().any(|word| {
        matches!(
            word,
            "ai" | "agent"
                | "agents"
                | "llm"
                | "gpt"
                | "copilot"
                | "coder"
                | "genai"
                | "claude"
                | "codex"
                | "gemini"
                | "swe"
        )
    });
    let who = Who { agent: None, model: None, lineage: Lineage::unknown(), role: Role::Bot };
    (!speaks_of_ai).then_some(who)
}

fn of_commit<'n>(
    commit: &Commit,
    notes: impl Iterator<Item = &'n Note>,
    tables: Tables<'_>,
) -> CommitAttribution {
    let place = format!("commit {}", commit.id.short());
    let mut evidence = Vec::new();
    let mut add = |who: Who, channel: Channel, strength: Strength, text: &str| {
        evidence.push(seen(who, channel, strength, &place, text));
    };
    let author = &commit.author;
    let written = |who: &crate::change::Identity| format!("{} <{}>", who.name, who.email);
    if let Some(agent) = tables.agents.by_author_suffix(&author.name) {
        let lineage = agent.default_lineage();
        let who = Who { agent: Some(agent.id.clone()), model: None, lineage, role: agent.role_as_author() };
        add(who, Channel::CommitAuthor, Strength::Claimed, &written(author));
    } else if let Some(who) =
        tables.identity(&author.name, &author.email, Place::Author).or_else(|| unlisted_bot(&author.name))
    {
        add(who, Channel::CommitAuthor, Strength::Claimed, &written(author));
    }
    let committer = &commit.committer;
    if committer != author
        && let Some(who) = tables.identity(&committer.name, &committer.email, Place::Author)
        && who.role == Role::Implementer
    {
        add(who, Channel::CommitCommitter, Strength::Claimed, &written(committer));
    }
    let kind = TextKind::Message { author_time: commit.author_time };
    let mut human_lines = false;
    for trace in message::read_text(&commit.message, kind, tables) {
        human_lines |= trace.partly;
        add(trace.who, trace.channel, Strength::Claimed, &trace.line);
    }
    let subject = commit.message.lines().next().unwrap_or_default();
    for branch in tables.agents.line_patterns().branches_in(subject) {
        for who in of_branch(&branch, tables).into_iter().filter(|who| who.role == Role::Implementer) {
            add(who, Channel::Branch, Strength::Weak, subject);
        }
    }
    let mut unread = Vec::new();
    for note in notes {
        let reading = notes::read_note(&note.text, tables);
        human_lines |= reading.human_lines;
        if reading.is_unread {
            unread.push(format!("a note or trace record on {place} could not be read in full"));
        }
        for who in reading.writers {
            let tool = who.agent.as_deref().unwrap_or("a session without a description");
            let text = format!("{tool} {}", who.model.as_deref().unwrap_or_default());
            add(who, Channel::Note, Strength::Claimed, &text);
        }
    }
    unread.dedup();
    CommitAttribution { evidence, human_lines, unread }
}

/// Traces that stand round the commits.
struct Surroundings {
    of_all: Vec<Evidence>,
    /// Those that say that people wrote a part.
    of_a_part: Vec<Evidence>,
}

fn of_surroundings(input: &AuthorshipInput<'_>, tables: Tables<'_>) -> Surroundings {
    let (mut evidence, mut of_a_part) = (Vec::new(), Vec::new());
    if let Some(branch) = input.branch {
        let found = of_branch(branch, tables).into_iter();
        evidence.extend(found.map(|who| seen(who, Channel::Branch, Strength::Weak, "branch", branch)));
    }
    for index in tables.agents.by_title(input.title) {
        let who = of_tool(index, tables);
        evidence.push(seen(who, Channel::Body, Strength::Weak, "title", input.title));
    }
    for trace in message::read_text(input.body, TextKind::Description, tables) {
        let told = seen(trace.who, trace.channel, Strength::Claimed, "description", &trace.line);
        if trace.partly { of_a_part.push(told) } else { evidence.push(told) }
    }
    for label in input.labels {
        let who = match tables.agents.by_label(label) {
            Some(agent) => Who {
                agent: Some(agent.id.clone()),
                model: None,
                lineage: agent.default_lineage_by_name(),
                role: agent.role_as_author(),
            },
            None if tables.agents.is_ai_label(label) => {
                Who { agent: None, model: None, lineage: Lineage::unknown(), role: Role::Implementer }
            }
            None => continue,
        };
        evidence.push(seen(who, Channel::Label, Strength::Weak, "label", label));
    }
    Surroundings { of_all: evidence, of_a_part }
}

fn of_branch(branch: &str, tables: Tables<'_>) -> Vec<Who> {
    let branch = branch.trim_start_matches("refs/heads/");
    if branch.len() > 1_000 {
        return Vec::new();
    }
    tables.agents.by_branch(branch).into_iter().map(|index| of_tool(index, tables)).collect()
}

fn of_tool(index: usize, tables: Tables<'_>) -> Who {
    let agent = tables.agents.get(index);
    Who::with_default(agent, agent.role_as_author())
}

fn seen(who: Who, channel: Channel, strength: Strength, place: &str, text: &str) -> Evidence {
    let Who { agent, model, lineage, role } = who;
    let model = model.as_deref().map(shown);
    Evidence { agent, model, lineage, role, channel, strength, place: place.to_owned(), text: shown(text) }
}

/// Cuts twice: what is written out may be many times as long as what it stands for.
fn shown(text: &str) -> String {
    shorten(&visible(&cut_at_word(text.trim())), EVIDENCE_TEXT_LIMIT)
}

/// Cuts a longer text behind a sentence or else a word, since half of a sentence may say the contrary of it.
fn cut_at_word(text: &str) -> String {
    let limit = EVIDENCE_TEXT_LIMIT - " …".len();
    if text.len() <= limit {
        return text.to_owned();
    }
    let short = shorten(text, limit);
    let kept = short.trim_end_matches('…');
    match (kept.rsplit_once(". "), kept.rsplit_once(char::is_whitespace)) {
        (Some((sentences, _)), _) => format!("{sentences}. …"),
        (None, Some((words, _))) => format!("{}…", words.trim_end()),
        (None, None) => short,
    }
}

/// Who wrote the change, as far as it left a trace. Several answers may hold at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attribution {
    /// Families of the models that wrote lines of it, with all that those descend from.
    pub families: BTreeSet<Family>,
    /// Families that only suggested changes to it. They recuse, but do not make the change AI-written.
    pub suggested_by: BTreeSet<Family>,
    /// An AI tool wrote some of it, and nobody knows which model that was (or all that it descends from).
    pub unknown_agent: bool,
    /// Somebody with write access declared that people wrote it.
    pub human_declared: bool,
    /// A bot that is no model opened it.
    pub bot: bool,
    /// Whether every AI tool seen is vouched for by the platform or by somebody with write access. Where it is
    /// not, the families above are the author's word: they recuse, and they never lower what is asked for.
    pub vouched: bool,
    /// Only part of the change carries AI evidence.
    pub partial: bool,
    /// What was seen, in a fixed order.
    pub evidence: Vec<Evidence>,
    /// Notes and trace records that could not be read, in sentences: they may say more than is known.
    pub unread: Vec<String>,
}

impl Attribution {
    /// The state, for display. It is derived, never stored beside what it follows from.
    pub fn state(&self) -> AuthorState {
        let ai = self.unknown_agent || !self.families.is_empty();
        match (self.human_declared, ai) {
            (true, true) => AuthorState::Conflict,
            (true, false) => AuthorState::Human,
            (false, true) if self.partial => AuthorState::Mixed,
            (false, true) if self.families.is_empty() => AuthorState::UnknownAi,
            (false, true) => AuthorState::Ai,
            (false, false) if self.bot => AuthorState::Bot,
            (false, false) => AuthorState::NoEvidence,
        }
    }

    /// Whether a tool only suggested changes to it and nobody knows with which model.
    pub fn has_unknown_suggester(&self) -> bool {
        self.evidence.iter().any(|seen| seen.role == Role::Suggester && !seen.lineage.is_known())
    }

    /// Every family that may not review: implementers' and suggesters'.
    pub fn recused(&self) -> BTreeSet<Family> {
        self.families.union(&self.suggested_by).cloned().collect()
    }
}

/// The author's state, for display.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthorState {
    /// Declared human by someone with write access.
    Human,
    /// Written by models whose families are known.
    Ai,
    /// Part of it carries AI evidence.
    Mixed,
    /// Written by an AI tool whose model nobody knows.
    UnknownAi,
    /// No trace; never taken for a human.
    NoEvidence,
    /// A bot that is no model.
    Bot,
    /// A human declaration against AI evidence.
    Conflict,
}

impl AuthorState {
    /// Its name in packets.
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Ai => "ai",
            Self::Mixed => "mixed",
            Self::UnknownAi => "unknown_ai",
            Self::NoEvidence => "no_evidence",
            Self::Bot => "bot",
            Self::Conflict => "conflict",
        }
    }
}

/// One trace of authorship.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// The tool's id (`claude-code`, `cursor`…), if one is named.
    pub agent: Option<String>,
    /// The model as it was named, if one was.
    pub model: Option<String>,
    /// What the model, or else the tool's default, descends from.
    pub lineage: Lineage,
    /// What the tool did.
    pub role: Role,
    /// Where the trace was.
    pub channel: Channel,
    /// How much it says.
    pub strength: Strength,
    /// Which commit, branch or field, for people.
    pub place: String,
    /// The trace itself, shortened; the author's text.
    pub text: String,
}

/// What somebody did for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Wrote lines of it.
    Implementer,
    /// Suggested changes in a review.
    Suggester,
    /// A bot that is no model.
    Bot,
    /// A person, by declaration of someone with write access.
    Human,
}

/// Where a trace was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Declared by the operator, the base branch, or someone with write access.
    Declaration,
    /// The account that the platform says opened the pull request.
    PlatformLogin,
    /// A commit's author.
    CommitAuthor,
    /// A commit's committer.
    CommitCommitter,
    /// A trailer of a commit message.
    Trailer,
    /// Another line of a commit message that a tool writes.
    Footer,
    /// A git-ai note or an Agent Trace record.
    Note,
    /// The head branch's name.
    Branch,
    /// The pull request's title or body.
    Body,
    /// A label.
    Label,
}

/// How much a trace says, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// A name that a person could have chosen too.
    Weak,
    /// What a tool writes or an author says of himself, and anybody could.
    Claimed,
    /// What the platform asserts or someone with write access declared.
    Vouched,
}

impl Strength {
    /// Its name in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Weak => "weak",
            Self::Claimed => "claimed",
            Self::Vouched => "vouched for",
        }
    }
}

#[cfg(test)]
mod tests;
